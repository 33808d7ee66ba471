"""The memory gym: the tasks that made LSTMs famous, raced live by a plain RNN, a GRU and an LSTM."""

import streamlit as st

from lstm_core import LabError
from ui.common import job_panel, url_state
from ui.memory_gym import race as gym
from ui.memory_gym import results

st.title("Memory gym", anchor=False)
st.markdown(
    "Hold on to something, for a long time, while other things go by: that is what these tasks ask, and nothing else. "
    "A plain RNN, a GRU and an LSTM of the same size learn from the same sequences, here and now. "
    "**Who can remember, and for how long?**"
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

st.header("Why it is hard, and what helps", anchor=False)
st.markdown(
    "To learn that the third symbol mattered at the hundredth, a network has to send its error back through "
    "ninety-seven steps. In a plain RNN each of these is a multiplication, and little arrives; what it learns from is "
    "the end of the sequence. And even where something arrives, its state has no door: every symbol that goes by is "
    "mixed into it, wanted or not."
)
st.markdown(
    "An LSTM writes through a gate and keeps by a gate. A unit that holds its input gate shut and its forget gate open "
    "keeps a number as it is, however much goes by; with f = i = 1 it adds up. All of the tasks here need one of the "
    "two: keep, or count. A GRU can keep as well. But its state is a mean of the old and the new, never beyond −1…1: "
    "it has nowhere to put a count that grows."
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
        "Choose **Copy**, and guess before you start. A plain RNN begins here with an orthogonal matrix, which turns "
        "its state and loses nothing: the bits go round in it like an echo, and only have to be read out. Where "
        "everything must be kept and nothing disturbs, gates are in the way. Then go back to **Order**: there, what "
        "matters stands among what doesn't, and an echo of everything is of no use. So the question is not who "
        "remembers more. It is who can choose."
    )
with st.expander("Try this: open the door before training"):
    st.markdown(
        "Run **Adding, f ≈ 0.5**. The LSTM is the same and could in principle learn the same. But half of every "
        "memory is lost at every step, and so is the error that should teach it better. A good beginning is a part of "
        "the method."
    )
url_state.remember(**shown)
st.caption(
    "Sources: Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000; Gers & Schmidhuber 2001; Cleeremans, "
    "Servan-Schreiber & McClelland 1989; Graves, Wayne & Danihelka 2014; Arjovsky, Shah & Bengio 2016; on who can "
    "count, Weiss, Goldberg & Yahav 2018; on the forget gate's bias, Jozefowicz, Zaremba & Sutskever 2015. Our "
    "sequences are shorter than theirs, so that a race ends while you watch."
)
