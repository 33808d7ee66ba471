"""What LSTM Lab is, one small network that works while you type, and a tour of the lab."""

import streamlit as st

from lstm_core.nn import count_brackets
from ui.common.explanations import say
from ui.home import thumbnails, tour

st.title("LSTM Lab", anchor=False)
say(
    "See inside a **long short-term memory** network. It reads a text token by token and keeps a memory, the *cell "
    "state*. Three *gates*, numbers between 0 and 1, control what it forgets, what it writes and what it outputs."
)

st.subheader("A memory of one number", anchor=False)
words, drawing = st.columns(2, vertical_alignment="center", gap="medium")
with words:
    say(
        "This network has a single unit with weights set by hand: its cell state counts the open brackets. Change the "
        "text and watch the cell state."
    )
    text = st.text_input("Some brackets", tour.BRACKETS, key="brackets", max_chars=80)
if text:
    signals = count_brackets(text)
    alt = (
        "Steps: the cell state after each character, and the input and forget gates below it. The cell state: "
        f"{', '.join(f'{value:.0f}'.replace('-', '−') for value in signals['c'])}."
    )
    with drawing:
        st.html(thumbnails.image(thumbnails.one_unit(text, signals), alt, thumbnails.LARGE))
    depth = round(signals["c"][-1])
    state = "All brackets are closed."
    if depth:
        state = f"{abs(depth)} too many are {'open' if depth > 0 else 'closed'}."
    with words:
        say(
            f"After the last character the cell state is **{depth}**. {state} The input gate opens for brackets only; "
            "the forget gate stays open, so nothing is forgotten."
        )
else:
    words.info("Type a few brackets: ( [ { } ] )")

st.subheader("A tour of the lab", anchor=False)
tour.show()

st.subheader("If you have ten minutes", anchor=False)
tour.ten_minutes()
tour.more_pages()
