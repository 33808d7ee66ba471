"""The memory gym: classic memory tasks, on which a plain RNN, a GRU and an LSTM are trained live."""

import streamlit as st

from ui.common import job_panel, url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain, say
from ui.memory_gym import race as gym
from ui.memory_gym import results

st.title("Memory gym", anchor=False)
say(
    "These tasks test one ability: to remember a value over many timesteps while other inputs follow. A plain RNN, a "
    "GRU and an LSTM of the same size are trained on the same sequences. **Which of them can remember, and for how "
    "long?**"
)
shown: dict[str, str | int] = {}
with show_errors():
    race = gym.controls()
    shown |= {
        "task": race.task, "length": race.length, "units": race.units, "bias": f"{race.keep_bias:g}",
        "rate": f"{race.rate:g}", "steps": race.steps, "seed": race.seed,
        "example": st.session_state["gym_example"],
    }  # fmt: skip
    gym.example(race)
    gym.start(race)

job = job_panel.current(gym.KEY)
if job is not None:
    shown["job"] = job.identity
    gym.watch(job)
    if job.over:
        with show_errors():
            shown |= results.show(job)

st.header("Why it is difficult, and what helps", anchor=False)
url_state.remember(**shown)
explain("memory")
