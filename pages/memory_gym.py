"""The memory gym: classic memory tasks, on which a plain RNN, a GRU and an LSTM are trained live."""

import streamlit as st

from lstm_core import LabError
from ui.common import job_panel, url_state
from ui.memory_gym import race as gym
from ui.memory_gym import results

st.title("Memory gym", anchor=False)
st.markdown(
    "These tasks test one ability: to remember a value over many timesteps while other inputs follow. A plain RNN, a "
    "GRU and an LSTM of the same size are trained on the same sequences. **Which of them can remember, and for how "
    "long?**"
)
shown: dict[str, str | int] = {}
try:
    race = gym.controls()
    shown |= {
        "task": race.task, "length": race.length, "units": race.units, "bias": f"{race.keep_bias:g}",
        "rate": f"{race.rate:g}", "steps": race.steps, "seed": race.seed,
        "example": st.session_state["gym_example"],
    }  # fmt: skip
    gym.example(race)
    gym.start(race)
except LabError as error:
    st.error(str(error))

job = job_panel.current(gym.KEY)
if job is not None:
    shown["job"] = job.identity
    gym.watch(job)
    if job.over:
        try:
            shown |= results.show(job)
        except LabError as error:
            st.error(str(error))

st.header("Why it is difficult, and what helps", anchor=False)
st.markdown(
    "To learn that the third symbol matters for the output at step 100, the gradient has to pass back through 97 "
    "steps. In a plain RNN it is multiplied at each of them and vanishes, so the network learns from the end of the "
    "sequence only. And it has no gates: every input changes its state, whether it matters or not."
)
st.markdown(
    "An LSTM has an input gate and a forget gate. A unit with i ≈ 0 and f ≈ 1 keeps its value; with i ≈ 1 and f ≈ 1 it "
    "adds. Each task here needs one of the two: keeping or counting. A GRU can keep a value too. But its state is a "
    "weighted mean of the old and the new one, always between −1 and 1, and can't store a count that grows."
)
for formula in (
    r"\text{LSTM: }\ c_t=f_t\odot c_{t-1}+i_t\odot g_t",
    r"\text{keep: }f=1,\ i=0",
    r"\text{count: }f=1,\ i=1,\ g=\pm1",
    r"\text{GRU: }\ h_t=z_t\odot h_{t-1}+(1-z_t)\odot g_t",
    r"\text{RNN: }\ h_t=\tanh(Wx_t+Uh_{t-1}+b)",
):
    st.latex(formula)
with st.expander("Try this: a race that the plain RNN wins"):
    st.markdown(
        "Choose **Copy**, and predict the result before you start. The recurrent matrix of the plain RNN is orthogonal "
        "at initialization: it rotates the state and loses nothing, so the bits only have to be read out. If "
        "everything must be kept and nothing disturbs, gates are no help. Then choose **Order**: there the relevant "
        "symbols stand among irrelevant ones, and a network has to select."
    )
with st.expander("Try this: the initial forget gate"):
    st.markdown(
        "Choose **Adding, f ≈ 0.5**. The LSTM could in principle learn the same as before. But at "
        "each step half of its cell state is lost, and half of the gradient. The initialization matters."
    )
url_state.remember(**shown)
st.caption(
    "Sources: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000; Gers & Schmidhuber 2001; Cleeremans, "
    "Servan-Schreiber & McClelland 1989; Graves, Wayne & Danihelka 2014; Arjovsky, Shah & Bengio 2016; on counting, "
    "Weiss, Goldberg & Yahav 2018; on the forget gate's bias, Jozefowicz, Zaremba & Sutskever 2015. Our sequences are "
    "shorter than theirs, so that a race takes seconds."
)
