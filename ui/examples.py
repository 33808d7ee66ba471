"""Example texts that we wrote ourselves, and the buttons that put one into a text area."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

QUESTIONS: dict[str, str] = {
    "Short": "How do I reverse a list in Python without changing the original?",
    "JavaScript": """Why does my click handler always show the last number?

I build five buttons in a loop and each should say its own number:

for (var i = 0; i < 5; i++) {
    var button = document.createElement('button');
    button.onclick = function () { alert('button ' + i); };
    document.body.appendChild(button);
}

Every button says 5. What am I missing about closures?""",
    "C#": """LINQ query runs twice

I filter a collection and then print how many there are:

var cheap = orders.Where(o => o.Price < 10m);
Console.WriteLine(cheap.Count());
foreach (var order in cheap) { Console.WriteLine(order.Name); }

The log shows that my Where lambda runs two times for each order. Do I need ToList() here?""",
    "Java": """ConcurrentModificationException while removing from an ArrayList

for (String name : names) {
    if (name.isEmpty()) {
        names.remove(name);
    }
}

The exception comes from ArrayList$Itr.checkForComodification. Is an Iterator the right way, or removeIf?""",
    "Long": """Reading a large log file line by line and counting errors per hour

I have log files of several gigabytes and want a table of how many errors happened in each hour of the day.
My first attempt reads everything at once and the machine runs out of memory:

import re
from collections import Counter

pattern = re.compile(r'^(\\d{4}-\\d{2}-\\d{2}) (\\d{2}):\\d{2}:\\d{2} (\\w+) (.*)$')

def count_errors(path):
    counts = Counter()
    with open(path, encoding='utf-8') as handle:
        lines = handle.readlines()
    for line in lines:
        match = pattern.match(line)
        if match is None:
            continue
        day, hour, level, message = match.groups()
        if level == 'ERROR':
            counts[hour] += 1
    return counts

if __name__ == '__main__':
    for hour, count in sorted(count_errors('server.log').items()):
        print(f'{hour}:00  {count:6d}')

It works on a small file. Three things I do not understand:

1. Is it enough to iterate over the handle itself, or do I have to read in chunks of bytes?
2. Some lines belong to a traceback and have no time in front of them. How do I add them to the hour of the line
before, without keeping the whole file?
3. Would a generator be faster than the loop, or is the regular expression the slow part? I tried to measure it
with timeit, but the numbers change from run to run.

I would like to stay with the standard library, since the script has to run on a server where I can't install
anything with pip.""",
    "Misleading": """I come from Java and miss interfaces

In my old job I wrote Java with Spring all day. Now I have a small script with def __init__(self) and self.items = []
and would like something like an interface, so that two classes promise the same methods. Is abc.ABC the usual way,
or do people just rely on duck typing?""",
}


def choose(key: str, texts: Mapping[str, str], default: str) -> None:
    """Buttons that put an example into the text area of that key; on a first visit, the default.

    Must stand before the text area in the script.
    """
    st.session_state.setdefault(key, default)

    def put(text: str) -> None:
        st.session_state[key] = text

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Try one:")
        for name, text in texts.items():
            st.button(name, key=f"{key}_example_{name}", on_click=put, args=(text,), type="tertiary")
