"""What LSTM Lab is, one small network that works while you type, and where to start."""

import streamlit as st

from lstm_core import handmade
from ui import charts

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
    signals = handmade.count_brackets(text)
    alt = "Steps: the cell state after each sign, and the input and forget gates below it."
    st.plotly_chart(charts.one_unit(text, signals), config={"displayModeBar": False}, alt=alt)
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

st.header("Where to start", anchor=False)
for file_name, name, icon, words in (
    (
        "question_tags.py",
        "Question tags",
        ":material/sell:",
        "A trained network of 128 units reads a programming question and says which language it is about. Follow its "
        "answer, its gates and its memory from token to token.",
    ),
    (
        "movie_reviews.py",
        "Movie reviews",
        ":material/theaters:",
        "Did the writer like the film? See how the verdict forms, which words made it, and what a network without any "
        "memory makes of the same review.",
    ),
    (
        "cell_microscope.py",
        "Cell microscope",
        ":material/biotech:",
        "One cell while it reads, drawn as the field draws it, with every number filled in. Play it, step through it, "
        "or hold a gate and see what comes of it. The smallest networks there can be predicted with pen and paper.",
    ),
    (
        "gradient_lab.py",
        "Gradient lab",
        ":material/trending_down:",
        "Why LSTMs at all? Follow the gradient back through a plain RNN, a GRU and an LSTM, make it vanish, make it "
        "explode, and see which way through the cell keeps it alive.",
    ),
    (
        "text_generation.py",
        "Text generation",
        ":material/edit_note:",
        "A network writes Shakespeare, one character at a time. See what else each character could have been, and "
        "which unit keeps count of the line.",
    ),
):
    with st.container(border=True):
        st.page_link(file_name, label=f"**{name}**", icon=icon)
        st.markdown(words)
