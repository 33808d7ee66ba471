"""The memory gym: classic memory tasks, on which a plain RNN, a GRU and an LSTM are trained live."""

import streamlit as st

from ui.common import job_panel, url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain
from ui.memory_gym import published, results
from ui.memory_gym import race as gym

st.title("Memory gym", anchor=False)
explain("memory_intro")
with show_errors():
    race = gym.controls()
    gym.example(race)
    gym.start(race)
    gym.offer(race)
    results.offer(race)

job = job_panel.current(gym.KEY)
if job is not None:
    url_state.in_link(job=job.identity)
    gym.watch(job)
    if job.over:
        with show_errors():
            results.show(job)

published.show()
st.header("Why it is difficult, and what helps", anchor=False)
url_state.remember_page()
explain("memory")
