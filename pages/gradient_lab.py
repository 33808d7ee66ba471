"""Vanishing and exploding gradients, and what gates do about them; every figure is computed while you watch."""

import streamlit as st

from lstm_core import LabError
from lstm_core.interpret import TRAINED_LENGTH
from ui.common import url_state
from ui.gradient_lab import gates, panels

VIEWS = {
    "exploding": ("Exploding gradients and clipping", panels.exploding),
    "carousel": ("Constant error flow", gates.carousel),
    "saturation": ("Saturated gates", gates.saturated),
}

st.title("Gradient lab", anchor=False)
st.markdown(
    "A recurrent network computes its loss at the end of a sequence. To learn from the beginning, the *gradient* of "
    "the loss has to pass back through every timestep. **How much of it arrives?**"
)

st.header("Repeated multiplication", anchor=False)
shown = panels.multiply()
with st.expander("Try this: find the stable range"):
    st.markdown(
        "For which *w* does the result stay between 0.01 and 100 after a hundred multiplications? Only from "
        f"{100 ** (-1 / panels.TIMES):.3f} to {100 ** (1 / panels.TIMES):.3f}. Then set the spectral radius just below "
        "1: every vector shrinks in the end, but some grow first. The eigenvalues determine the long run, the singular "
        "values a single step. All singular values of an orthogonal matrix are equal, so it does neither."
    )

st.header("Three networks, one backward pass", anchor=False)
st.markdown(
    "A plain RNN, a GRU and an LSTM of the same size, with the same seed, read the same sequences and classify the "
    "first symbol at the end. One backward pass gives the gradient of the loss with respect to each hidden state."
)
try:
    shown |= panels.networks()
except LabError as error:
    st.error(str(error))
st.markdown(
    "In a plain RNN each step back multiplies the gradient by the same matrix and by the derivative of tanh, which is "
    "at most 1. As with the number above, a factor slightly below 1 leaves almost nothing after a hundred steps: the "
    "network learns from the last timesteps only."
)
st.markdown(
    "The cell state of an LSTM is updated by addition, not by a matrix. The gradient through it has one factor for "
    "each step, the forget gate, which the network can keep close to 1. The update gate of a GRU has the same effect. "
    "Neither is a guarantee: with f ≈ 0.5, half of the gradient is lost at each step."
)
for formula in (
    r"\frac{\partial L}{\partial h_t}=\frac{\partial L}{\partial h_T}"
    r"\prod_{k=t+1}^{T}\frac{\partial h_k}{\partial h_{k-1}}",
    r"\text{RNN: }\ \frac{\partial h_k}{\partial h_{k-1}}=\mathrm{diag}(1-h_k^2)\,U^{\top}",
    r"\text{LSTM: }\ \frac{\partial c_k}{\partial c_{k-1}}=\mathrm{diag}(f_k)+\dots",
):
    st.latex(formula)
with st.expander("Try this: a network that remembers without a gradient"):
    st.markdown(
        f"Choose **After training** and 300 steps; the networks were trained on up to {TRAINED_LENGTH}. Compare the "
        "accuracy of the plain RNN with its gradient. To protect the symbol from noise, its state has settled near an "
        "attractor, where small changes die out. The attractor keeps the memory, and it makes the gradient vanish. "
        "Remembering is not the difficult part, *learning* to remember is (Bengio, Simard & Frasconi 1994)."
    )

st.header("Details", anchor=False)
view = url_state.linked(
    st.segmented_control, "Details", {name: title for name, (title, _) in VIEWS.items()}, key="lab_view",
    parameter="view", label_visibility="collapsed",
)  # fmt: skip
try:
    shown |= VIEWS[view][1]()
except LabError as error:
    st.error(str(error))
if view == "exploding":
    st.latex(r"\text{by norm: }\ g\leftarrow g\cdot\min\!\Big(1,\frac{\theta}{\lVert g\rVert}\Big)")
    st.latex(r"\text{by value: }\ g_j\leftarrow\min(\max(g_j,-\theta),\theta)")
    st.caption("Clipping limits the size of a single step. It does not help against vanishing gradients.")
elif view == "carousel":
    st.latex(r"c_t=f_t\odot c_{t-1}+i_t\odot g_t\ \Rightarrow\ \prod_{k=t+1}^{T} f_k")
    st.caption(
        "The difference takes another path: the cell state acts through h on every gate of the next step. The cell of "
        "Hochreiter & Schmidhuber (1997) had no forget gate; the factor was always 1, a *constant error carousel*."
    )
else:
    st.latex(r"\sigma'(z)=\sigma(z)\,(1-\sigma(z))\le\tfrac14")
    st.caption("Points on the diagonal are always saturated. Points at the lower right are nearly always open.")
url_state.remember(view=view, **shown)
st.caption(
    "Sources: Hochreiter 1991; Bengio, Simard & Frasconi 1994; Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & "
    "Cummins 2000; Pascanu, Mikolov & Bengio 2013; Karpathy, Johnson & Fei-Fei 2016. Recurrent kernels are orthogonal "
    "times the scale; input kernels are uniform after Glorot & Bengio 2010."
)
