"""What LSTM Lab is, one small network that works while you type, and a path through the lab."""

import streamlit as st

from lstm_core.nn import count_brackets
from ui.common import charts, plotting
from ui.home import tour

st.title("LSTM Lab", anchor=False)
st.markdown(
    "Watch a **long short-term memory** network think. An LSTM reads a text one piece at a time and keeps a memory, "
    "the *cell state*. Three *gates*, numbers between 0 and 1, decide at every step what it forgets, what it writes "
    "down and what it says. Here you see all of them, with the real numbers, on your own text."
)

st.header("A memory of one number", anchor=False)
st.markdown(
    "This network has a single unit, and we set its weights by hand: its cell state counts the brackets that are still "
    "open. Change the text and watch the memory."
)
text = st.text_input("Some brackets", "(a + [b − c]) × {d}", key="brackets", max_chars=80)
if text:
    signals = count_brackets(text)
    alt = "Steps: the cell state after each sign, and the input and forget gates below it."
    plotting.show(charts.one_unit(text, signals), None, alt, toolbar=False)
    depth = round(signals["c"][-1])
    state = (
        "All brackets are closed." if depth == 0 else f"{abs(depth)} too many are {'open' if depth > 0 else 'closed'}."
    )
    st.markdown(
        f"After the last sign the memory holds **{depth}**. {state} The input gate opens for brackets only; the forget "
        "gate stays open, so nothing is lost on the way."
    )
else:
    st.info("Type a few brackets: ( [ { } ] )")

st.header("A path through the lab", anchor=False)
st.markdown("In the order of a lecture. Every small picture is computed now, by the network that the page shows.")
tour.show()

st.header("If you have ten minutes", anchor=False)
tour.ten_minutes()

st.header("More rooms", anchor=False)
tour.more_rooms()
