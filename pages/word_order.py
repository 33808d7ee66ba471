"""Why word order matters: a language model's surprisal for each order, a bag of words that ignores it, an LSTM."""

import streamlit as st

from lstm_core import LabError
from lstm_core.text import format_order
from ui.common import url_state
from ui.common.errors import show_error, show_errors
from ui.common.explanations import explain, say
from ui.word_order import panels

st.title("Word order", anchor=False)
say(
    f"Which of the two makes sense: *{panels.QUESTION}*, or *network recurrent need we neural a why do*? The words are "
    "the same. **How can a network tell the orders apart?**"
)
try:
    tried = panels.sentence()
    url_state.remember(text=str(st.session_state["order_text"])[:1000], order=format_order(tried.now))
    panels.arrange(tried)
except LabError as error:
    show_error(error)
    tried = None
if tried is not None and tried.searched:
    panels.search(tried)

explain("surprisal")

explain("surprisal_limits")
panels.evaluation()

if tried is not None:
    st.header("A bag of words ignores order, an LSTM doesn't", anchor=False)
    say(
        "Two networks were trained to classify movie reviews as positive or negative. The bag of words averages the "
        "embeddings of the words. The LSTM reads them one after the other."
    )
    with show_errors():
        panels.readers(tried)
explain("bag_of_words")

label = "Two experiments: subject and object, and the most probable order"
with st.expander(label, key="order_experiments", on_change="rerun") as panel, show_errors():
    if panel.open:
        panels.experiments()
explain("word_order_sources")
