"""Why gradients vanish and explode on their way back through time, and what an LSTM does about it; all of it live."""

import streamlit as st

from lstm_core import LabError
from lstm_core.interpret import TRAINED_LENGTH
from ui.common import url_state
from ui.gradient_lab import gates, panels

VIEWS = {
    "exploding": ("Exploding, and clipping", panels.exploding),
    "carousel": ("Constant error flow", gates.carousel),
    "saturation": ("Saturated gates", gates.saturated),
}

st.title("Gradient lab", anchor=False)
st.markdown(
    "A network learns from its mistake at the end of a text what it should have noticed at the beginning. That lesson, "
    "the *gradient*, has to travel back through every timestep. **How much of it arrives?**"
)

st.header("One number, multiplied a hundred times", anchor=False)
shown = panels.multiply()
with st.expander("Try this: find the safe numbers"):
    st.markdown(
        "Which *w* leaves something between a hundredth and a hundred after a hundred multiplications? The band is "
        f"narrower than most people guess: from {100 ** (-1 / panels.TIMES):.3f} to "
        f"{100 ** (1 / panels.TIMES):.3f}. Then set the spectral radius just below 1: every vector must "
        "shrink in the end, and yet the worst one grows first. The eigenvalues rule the long run; the singular values "
        "rule the next step. Only the orthogonal matrix, whose singular values are all alike, never surprises."
    )

st.header("Three networks, one pass back", anchor=False)
st.markdown(
    "A plain RNN, a GRU and an LSTM of the same size, with the same seed, read the same sequences. At the end they are "
    "asked for the first symbol. One pass back gives the gradient of their loss by the hidden state of every timestep."
)
try:
    shown |= panels.networks()
except LabError as error:
    st.error(str(error))
st.markdown(
    "In a plain RNN every step back is a multiplication by the same matrix and by the slope of tanh, at most 1. It is "
    "the story of the number again: with a factor a little below one, a hundred steps leave next to nothing, and the "
    "network can't learn from what was long ago. It doesn't learn wrong things; it learns from the last words only."
)
st.markdown(
    "An LSTM's cell state is *added* to, not multiplied by a matrix. Back through it there is one factor a step, the "
    "forget gate, and that is a number the network can hold close to one. The GRU does the same with its update gate. "
    "Neither is a guarantee: begin with a forget gate that is half open, and half is lost at every step."
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
        f"Choose **Trained** and go to 300 steps; these networks never saw more than {TRAINED_LENGTH}. Compare two "
        "things: how often the plain RNN is right, and what is left of its gradient. To keep a symbol safe from noise "
        "its state has fallen into a valley, and in a valley all small pushes die out: that is what holds the memory, "
        "and what kills the gradient. Remembering is not the hard part; *learning* to remember is (Bengio, Simard & "
        "Frasconi 1994)."
    )

st.header("Look closer", anchor=False)
st.session_state.setdefault("lab_view", url_state.parameter("view", "exploding", tuple(VIEWS)))
view = st.segmented_control(
    "Look closer", list(VIEWS), format_func=lambda name: VIEWS[name][0], required=True, key="lab_view",
    label_visibility="collapsed", persist_state="session",
)  # fmt: skip
try:
    shown |= VIEWS[str(view)][1]()
except LabError as error:
    st.error(str(error))
if view == "exploding":
    st.latex(r"\text{by norm: }\ g\leftarrow g\cdot\min\!\Big(1,\frac{\theta}{\lVert g\rVert}\Big)")
    st.latex(r"\text{by value: }\ g_j\leftarrow\min(\max(g_j,-\theta),\theta)")
    st.caption(
        "Clipping shortens the one step that would have thrown the network off a cliff; it can't mend vanishing."
    )
elif view == "carousel":
    st.latex(r"c_t=f_t\odot c_{t-1}+i_t\odot g_t\ \Rightarrow\ \prod_{k=t+1}^{T} f_k")
    st.caption(
        "The rest goes round about: a cell state speaks through h to every gate of the next step. In Hochreiter & "
        "Schmidhuber's cell of 1997 there was no forget gate: the factor was always 1, a *constant error carousel*."
    )
else:
    st.latex(r"\sigma'(z)=\sigma(z)\,(1-\sigma(z))\le\tfrac14")
    st.caption("Points on the diagonal never dose; points at the lower right are open nearly always: they remember.")
url_state.remember(view=str(view), **shown)
st.caption(
    "Sources: Hochreiter 1991; Bengio, Simard & Frasconi 1994; Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & "
    "Cummins 2000; Pascanu, Mikolov & Bengio 2013; Karpathy, Johnson & Fei-Fei 2016. Recurrent kernels are orthogonal "
    "times the scale; input kernels are uniform after Glorot & Bengio 2010."
)
