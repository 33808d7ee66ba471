"""Why word order matters: a language model's surprisal for each order, a bag of words that ignores it, an LSTM."""

import streamlit as st

from lstm_core import LabError
from lstm_core.text import format_order
from ui.common import url_state
from ui.word_order import panels

st.title("Word order", anchor=False)
st.markdown(
    f"Which of the two makes sense: *{panels.QUESTION}*, or *network recurrent need we neural a why do*? The words are "
    "the same. **How can a network tell the orders apart?**"
)
try:
    tried = panels.sentence()
    url_state.remember(text=str(st.session_state["order_text"])[:1000], order=format_order(tried.now))
    panels.arrange(tried)
except LabError as error:
    st.error(str(error))
    tried = None
if tried is not None and tried.searched:
    panels.search(tried)

st.markdown(
    "A *language model* reads the words so far and gives each word of its vocabulary a probability to come next. The "
    "less probable the word that does come, the greater its **surprisal**: minus the logarithm of that probability, in "
    "nats. This language model is an LSTM trained on sentences of movie reviews; its hidden state depends on the words "
    "read so far and on their order."
)
st.latex(r"P(w_1,\dots,w_T)=\prod_{t=1}^{T} P(w_t\mid w_1,\dots,w_{t-1})")
st.latex(r"\text{surprisal of } w_t=-\ln P(w_t\mid w_1,\dots,w_{t-1})")

st.markdown(
    "Surprisal measures neither truth nor grammar. It measures how well a sentence fits the training data: American "
    "movie reviews, one sentence at a time, with all rare words replaced by one token. Only compare orders of the "
    "same words."
)
panels.evaluation()

if tried is not None:
    st.header("A bag of words ignores order, an LSTM doesn't", anchor=False)
    st.markdown(
        "Two networks were trained to classify movie reviews as positive or negative. The bag of words averages the "
        "embeddings of the words. The LSTM reads them one after the other."
    )
    try:
        panels.readers(tried)
    except LabError as error:
        st.error(str(error))
st.latex(r"\text{bag: }\ \sigma\Big(b+\frac1T\sum_{t=1}^{T} v^{\top}e(w_t)\Big)")
st.latex(r"\text{word frequencies: }\ -\sum_{t}\ln P(w_t)")
st.markdown(
    "A sum doesn't depend on the order of its terms. An LSTM's state after a word depends on the state before it, so "
    "*not* can negate what follows, and the same words in another order lead to another state. An LSTM *can* "
    "distinguish orders; that doesn't make its answers right: see **Expected and got**."
)

with st.expander("Two experiments: subject and object, and the most probable order"):
    try:
        first, nats, second, other = panels.swap()
        st.markdown(
            f"*{first}* has {nats:.2f} nats per word, *{second}* {other:.2f}. Exchanging subject and object "
            f"changes the surprisal by {abs(other - nats):.2f} nats; both are grammatical, few reviews are about dogs."
        )
        found = panels.among(panels.CAT)
        st.markdown(
            f"Type *{panels.CAT}* and try all its orders: it has rank {found.rank:,} of {found.among:,}, with "
            f"{found.nats:.3f} nats per word. The lowest surprisal has *{found.best}*, with {found.least:.3f}."
        )
    except LabError as error:
        st.error(str(error))
st.caption(
    "Sources: Shannon 1948 (surprisal and entropy); Mikolov, Karafiát, Burget, Černocký & Khudanpur 2010 (recurrent "
    "language models); Harris 1954 (bag of words); Jean, Cho, Memisevic & Bengio 2015 (sampled softmax). The "
    "question is from the fifth article of the series that this lab follows."
)
