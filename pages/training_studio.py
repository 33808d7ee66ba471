"""The training studio: choose a lesson, watch the training, stop it, compare its epochs, save the model."""

import streamlit as st

from ui.common import job_panel, url_state
from ui.common.explanations import explain
from ui.guide import guess
from ui.training_studio import after, choice, compare, live, own_models, upload

st.title("Training studio", anchor=False)
explain("training_intro")
job = job_panel.current(choice.KEY)  # before the choice, which writes the address anew
guess.of_stop("training_studio", *after.half_learned(job))
if job is not None:
    choice.take_over(job)
choice.show()
if job is not None:
    st.header("The run", anchor=False)
    url_state.remember(
        **({"lesson": lesson} if (lesson := url_state.parameter("lesson", "")) else {}), job=job.identity
    )
    st.caption(choice.about(job))
    job_panel.watch(choice.KEY, job, live.draw)
    if job.work == choice.WORK:
        after.show(job)
compare.show()
upload.show()
own_models.show()

st.header("What you see", anchor=False)
explain("training")
