"""Train a network in front of everybody: choose it, watch it learn, stop it, go back through its epochs, keep it."""

import streamlit as st

from ui.common import job_panel, url_state
from ui.training_studio import after, choice, compare, live, upload

st.title("Training studio", anchor=False)
st.markdown(
    "People believe what they train themselves. Choose a lesson that fits into a minute, turn a knob, and watch: the "
    "network begins with random numbers and knows nothing. **What does it learn first?**"
)
job = job_panel.current(choice.KEY)  # before the choice, which writes the address anew
choice.show()
if job is not None:
    st.header("The run", anchor=False)
    url_state.remember(
        **({"lesson": lesson} if (lesson := url_state.parameter("lesson", "")) else {}), job=job.identity
    )
    job_panel.watch(choice.KEY, job, live.draw)
    if job.work == choice.WORK:
        after.show(job)
compare.show()
upload.show()

st.header("What you see", anchor=False)
st.markdown(
    "In each step the network reads a *batch* of examples, its answers are compared with the right ones, and the "
    "*loss* says how surprised it was by them, in nats. Backpropagation through time finds in which direction each "
    "weight would make that smaller, and the optimizer moves all of them a little that way. After each *epoch*, a "
    "whole pass over the examples, it is asked about others that it never learns from: the *validation* part. When the "
    "training loss goes on falling and the validation loss turns, it has begun to learn its examples by heart."
)
st.markdown(
    "Training goes on in a process of its own, so nobody else in the room waits for it. A run can be stopped at any "
    "time and keeps what there is. Its link brings it back after a reload: whoever has it can see the run and stop it."
)
st.latex(r"L=-\frac1N\sum_{n=1}^{N}\log p_\theta(y_n\mid x_n)")
st.latex(r"\theta\leftarrow\theta-\eta\,\hat m/(\sqrt{\hat v}+\epsilon)")
with st.expander("Try this: break it on purpose"):
    st.markdown(
        "Set the learning rate to 100 and clipping to none, and guess at which step it will be over. Then leave the "
        "learning rate and clip the norm at 1. Does clipping save it? The run ends at the same step, with the same "
        "loss: clipping by norm scales all gradients of a step alike, and Adam divides by the gradients' own size, so "
        "its first step is as long as before."
    )
st.caption(
    "Sources: Rumelhart, Hinton & Williams 1986; Werbos 1990; Kingma & Ba 2015; Pascanu, Mikolov & Bengio 2013. The "
    "loss of a forecaster is the pinball loss of its quantiles."
)
