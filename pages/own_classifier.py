"""Type a text; see the label that a classifier of the visitor's own gives it, and how it came about."""

import streamlit as st

from ui.classifier import page
from ui.common import examples, url_state, visitor
from ui.common.explanations import say

st.title("Own classifier", anchor=False)
say("The classifiers that you have trained or uploaded in the training studio, on any text.")
cards = {card.name: card for card in visitor.own_cards() if card.task == "classifier"}
if not cards:
    st.info(
        "You have saved none yet. Train one in the [training studio](training_studio), on a lesson or on a table of "
        "your own."
    )
    st.stop()
name = url_state.control("own_model", {name: card.title for name, card in cards.items()})
text = url_state.control("own_text")
st.button("Read", key="own_read", type="primary", icon=":material/play_arrow:")
if not text.strip():
    st.info("Type a text above to see its label.")
    st.stop()
page.answer(
    page.PageConfig(
        key="own", title="Own classifier", intro="", model=name, peers={}, label="", placeholder="",
        texts=examples.Texts({}, (), ()), views=("why", "surgery", "checkup"), linked=True,
    ),
    text,
)  # fmt: skip
