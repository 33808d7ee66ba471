"""Twelve questions, each answered by an experiment that the visitor runs."""

import streamlit as st

from ui.check_yourself import quiz

st.title("Check yourself", anchor=False)
st.markdown(
    "Twelve questions on gates, states, gradients, sampling and word order. **Guess, then run the experiment**: the "
    "answer is computed when you press the button. Nothing is stored unless you download your result."
)
quiz.show()
