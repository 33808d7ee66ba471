"""Paste a programming question; see its tag, how the answer formed, and the memory behind it."""

import streamlit as st

from lstm_core import LabError
from ui import examples, panels, session, shelf

OURS, ARTICLE = "stackoverflow", "stackoverflow_article"

st.title("Question tags", anchor=False)
st.markdown(
    "Paste a programming question. A network with a long short-term memory (LSTM) reads it token by token and says "
    "whether it is about **C#, Java, JavaScript or Python**."
)

examples.choose("question", examples.QUESTIONS, default=session.parameter("text", examples.QUESTIONS["Short"]))
text = st.text_area(
    "Your question",
    key="question",
    height=170,
    persist_state="session",
    placeholder="How do I …",
    help="Paste it as it is, code and all. Ctrl+Enter reads it.",
)
with st.container(horizontal=True, vertical_alignment="center"):
    st.button("Read", type="primary", icon=":material/play_arrow:")
    compare = st.toggle("Compare with the article's network", key="compare", persist_state="session")
    hide = st.toggle(
        "Hide language names",
        key="hide",
        value=session.parameter("hide", "") == "1",
        persist_state="session",
        help="In the training data, the name of a question's own language was replaced by the word “blank”. Hide the "
        "names in your text the same way, and see whether the network still knows.",
    )

try:
    network = shelf.model(OURS)
    reading = session.reading_of(network, text, mask_names=hide)
except LabError as error:
    st.error(str(error))
    st.stop()
st.caption(f"{len(text):,} characters · {reading.encoded.total:,} tokens")

readings = {network.card.title: reading}
if compare:
    try:
        other = shelf.model(ARTICLE)
        readings[other.card.title] = session.reading_of(other, text)
    except LabError as error:
        st.error(str(error))

for number, (column, each) in enumerate(zip(st.columns(len(readings), border=True), readings.values(), strict=True)):
    with column:
        st.caption(list(readings)[number])
        panels.verdict(each, key=f"tags{number}")
        panels.notices(each)

st.header("How the answer formed", anchor=False)
st.markdown(
    "The network can be asked after every token. Each line is the probability of one tag, had the question ended there."
)
for number, (title, each) in enumerate(readings.items()):
    if len(readings) > 1:
        st.subheader(title, anchor=False)
    panels.how_it_formed(each, key=f"tags{number}")

st.header("Inside the memory", anchor=False)
st.markdown(
    "At every token, each unit decides with its gates what to forget, what to write and what to show. Choose a signal, "
    "then walk through the tokens."
)
address = {"text": session.text_for_link(reading), **({"hide": "1"} if hide else {})}
panels.inside_the_memory(reading, 0, "tags", address)
