"""What LSTM Lab is, one small network that works while you type, and a tour of the lab."""

import streamlit as st

from lstm_core.nn import count_brackets
from ui.common import charts, plotting
from ui.common.explanations import say
from ui.home import tour

st.title("LSTM Lab", anchor=False)
say(
    "See inside a **long short-term memory** network. An LSTM reads a text token by token and keeps a memory, the "
    "*cell state*. Three *gates*, numbers between 0 and 1, control at every step what it forgets, what it writes and "
    "what it outputs. Here you see all of them, with the real numbers, on your own text."
)

st.header("A memory of one number", anchor=False)
say(
    "This network has a single unit with weights set by hand: its cell state counts the open brackets. Change the text "
    "and watch the cell state."
)
text = st.text_input("Some brackets", tour.BRACKETS, key="brackets", max_chars=80)
if text:
    signals = count_brackets(text)
    alt = "Steps: the cell state after each character, and the input and forget gates below it."
    plotting.show(charts.one_unit(text, signals), None, alt, toolbar=False)
    depth = round(signals["c"][-1])
    state = "All brackets are closed."
    if depth:
        state = f"{abs(depth)} too many are {'open' if depth > 0 else 'closed'}."
    st.markdown(
        f"After the last character the cell state is **{depth}**. {state} The input gate opens for brackets only; the "
        "forget gate stays open, so nothing is forgotten."
    )
else:
    st.info("Type a few brackets: ( [ { } ] )")

st.header("A tour of the lab", anchor=False)
say("In the order of a lecture. Each small figure is computed now, by the network of its page.")
tour.show()

st.header("If you have ten minutes", anchor=False)
tour.ten_minutes()

st.header("More pages", anchor=False)
tour.more_pages()
