"""Data that is made here from a grammar and a seed, so that some lessons need no network and no download.

Each is small, and asks for something that only memory can do: a "not" that turns what follows, a number that says
which one comes next. Series to forecast are in `timeseries/series.py`.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from lstm_core.datasets.splits import LabelledTexts, Split
from lstm_core.errors import DatasetError

ABOUT = {
    "negation": "Short verdicts that are made here from a small grammar: 'not' and 'but' decide what they come to.",
    "counting": "Made here: runs of numbers in words, from one to ninety-nine, each the one before and one more.",
}

_THINGS = ("film", "soup", "hotel", "concert", "book", "game", "lecture", "phone", "cake", "play", "museum", "train")
_GOOD = ("good", "great", "lovely", "clever", "charming", "brilliant", "pleasant", "excellent", "superb", "kind")
_BAD = ("bad", "dull", "awful", "tedious", "clumsy", "terrible", "noisy", "boring", "dreadful", "rude")
_DEGREES = ("", "", "very", "rather", "really", "quite")
_OPENINGS = ("", "", "i think", "my friend says", "to be honest", "in the end", "they told me that")
_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen")
_TEENS = ("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


@cache
def labelled(name: str) -> LabelledTexts:
    """Made-up labelled texts, no two alike: none of the test part stands in the training part.

    Raises:
        DatasetError: if there are none of that name.
    """
    if name != "negation":
        raise DatasetError(f"There are no made-up labelled texts called '{name}'; there is negation.")
    whole = _verdicts(5000, seed=1)
    return LabelledTexts(whole.take(range(4000)), whole.take(range(4000, 5000)), ("negative", "positive"))


@cache
def text(name: str) -> str:
    """A made-up running text.

    Raises:
        DatasetError: if there is none of that name.
    """
    if name != "counting":
        raise DatasetError(f"There is no made-up text called '{name}'; there is counting.")
    return _counting(120_000, 1)


def is_labelled(name: str) -> bool:
    """Whether `labelled` has it."""
    return name == "negation"


def is_text(name: str) -> bool:
    """Whether `text` has it."""
    return name == "counting"


def _verdicts(count: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    found: dict[str, int] = {}
    while len(found) < count:
        found.update([_verdict(random)])
    return Split(tuple(found), np.array(list(found.values())))


def _verdict(random: np.random.Generator) -> tuple[str, int]:
    """One verdict, and 1 if it is a good one: what stands behind a 'but' is what counts."""

    def draw(words: tuple[str, ...]) -> str:
        return str(words[int(random.integers(len(words)))])

    def clause() -> tuple[str, int]:
        good, turned = int(random.integers(2)), random.random() < 0.4
        words = [draw(_DEGREES), draw(_GOOD if good else _BAD)]
        return " ".join(word for word in ("was", "not" * turned, *words) if word), good ^ int(turned)

    said, good = clause()
    parts = [draw(_OPENINGS), "the", draw(_THINGS), said]
    if random.random() < 0.4:
        said, good = clause()
        parts += ["but the", draw(_THINGS), said]
    return " ".join(part for part in parts if part) + " .", good


def number(value: int) -> str:
    """A number from 1 to 99 in words, such as "forty-two"."""
    small = (*_ONES, *_TEENS)
    if value <= len(small):
        return small[value - 1]
    tens, ones = divmod(value, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones - 1]}" if ones else "")


def _counting(length: int, seed: int) -> str:
    """Lines of five numbers each, starting anywhere; `length` characters at least."""
    random = np.random.default_rng(seed)
    lines, total = [], 0
    while total < length:
        first = int(random.integers(1, 96))
        lines.append(", ".join(map(number, range(first, first + 5))) + ".")
        total += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"
