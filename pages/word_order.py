"""Why word order matters: a language model's surprise at each order, a bag that can't tell, an LSTM that can."""

import streamlit as st

from lstm_core import LabError
from lstm_core.text import format_order
from ui.common import url_state
from ui.word_order import panels

st.title("Word order", anchor=False)
st.markdown(
    f"Which of the two makes sense: *{panels.QUESTION}*, or *network recurrent need we neural a why do*? The "
    "words are the same. You knew at once; **how could a network know?**"
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
    "A *language model* reads the words so far and says how likely each word of its vocabulary is to come next. The "
    "less it expected the word that does come, the greater its **surprise**: minus the logarithm of that probability, "
    "in nats. This one is an LSTM that has read sentences from film reviews; its hidden state holds what was read, "
    "order and all."
)
st.latex(r"P(w_1,\dots,w_T)=\prod_{t=1}^{T} P(w_t\mid w_1,\dots,w_{t-1})")
st.latex(r"\text{surprise of } w_t=-\ln P(w_t\mid w_1,\dots,w_{t-1})")

st.markdown(
    "Surprise is not truth and not grammar. It says how well a sentence fits what this network has read: American film "
    "reviews, one sentence at a time, with all rare words lumped together. A true sentence about neurons surprises it; "
    "a false one about an actor may not. Compare orders of the same words, and little else."
)
panels.how_good()

if tried is not None:
    st.header("A bag of words can't tell, an LSTM can", anchor=False)
    st.markdown(
        "Two networks were trained to tell whether somebody liked a film. One throws the words into a bag: it adds up "
        "what each word is worth on its own. The other is an LSTM that reads them one after the other."
    )
    try:
        panels.readers(tried)
    except LabError as error:
        st.error(str(error))
st.latex(r"\text{bag: }\ \sigma\Big(b+\frac1T\sum_{t=1}^{T} v^{\top}e(w_t)\Big)")
st.latex(r"\text{word frequencies: }\ -\sum_{t}\ln P(w_t)")
st.markdown(
    "A sum is the same in whatever order one adds it up. That is the whole difference: an average has no before and "
    "after. An LSTM's state after a word depends on the state before it, so *not* can turn what follows, and the same "
    "words in another order lead to another state. That it *can* tell orders apart doesn't mean that it is right: "
    "look at **Expected and got**."
)

with st.expander("Try this: who bit whom, and what sat on what"):
    try:
        first, nats, second, other = panels.swap()
        st.markdown(
            f"*{first}* costs {nats:.2f} nats a word, *{second}* {other:.2f}. Exchanging who does it and who suffers "
            f"it moves the surprise by {abs(other - nats):.2f} nats; both are English, and the network knows nothing "
            "of dogs. Order matters to it as grammar first, and as meaning only where the reviews had reason to care."
        )
        seen = panels.among(panels.CAT)
        st.markdown(
            f"Then type *{panels.CAT}* and try all its orders: it has place {seen.place:,} among {seen.among:,}, "
            f"with {seen.nats:.3f} nats a word. The least surprising one is *{seen.best}*, with {seen.least:.3f}."
        )
    except LabError as error:
        st.error(str(error))
st.caption(
    "Sources: Shannon 1948 (surprise and entropy); Mikolov, Karafiát, Burget, Černocký & Khudanpur 2010 (recurrent "
    "language models); Harris 1954 (bag of words); Jean, Cho, Memisevic & Bengio 2015 (training with drawn words). The "
    "question is from the fifth of the articles that this lab follows."
)
