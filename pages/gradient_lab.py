"""Vanishing and exploding gradients, and what gates do about them; every figure is computed while you watch."""

import streamlit as st

from lstm_core.interpret import TRAINED_LENGTH
from ui.common import url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain
from ui.gradient_lab import gates, panels

VIEWS = {
    "exploding": ("Exploding gradients and clipping", panels.exploding),
    "carousel": ("Constant error flow", gates.carousel),
    "saturation": ("Saturated gates", gates.saturated),
}

st.title("Gradient lab", anchor=False)
explain("gradient_intro")
head = st.container()

st.header("Repeated multiplication", anchor=False)
panels.multiply()
with st.expander("Try this: find the stable range"):
    st.markdown(
        "For which *w* does the result stay between 0.01 and 100 after a hundred multiplications? Only from "
        f"{100 ** (-1 / panels.TIMES):.3f} to {100 ** (1 / panels.TIMES):.3f}. Then set the spectral radius just below "
        "1: every vector shrinks in the end, but some grow first. The eigenvalues determine the long run, the singular "
        "values a single step. All singular values of an orthogonal matrix are equal, so it does neither."
    )

st.header("Three networks, one backward pass", anchor=False)
explain("backward_pass")
with show_errors():
    panels.networks(head)
explain("vanishing")
with st.expander("Try this: a network that remembers without a gradient"):
    st.markdown(
        f"Choose **After training** and 300 steps; the networks were trained on up to {TRAINED_LENGTH}. Compare the "
        "accuracy of the plain RNN with its gradient. To protect the symbol from noise, its state has settled near an "
        "attractor, where small changes die out. The attractor keeps the memory, and it makes the gradient vanish. "
        "Remembering is not the difficult part, *learning* to remember is (Bengio, Simard & Frasconi 1994)."
    )

st.header("Details", anchor=False)
view = url_state.control("lab_view", {name: title for name, (title, _) in VIEWS.items()})
with show_errors():
    VIEWS[view][1]()
explain(view)
url_state.remember_page()
explain("gradient_sources")
