"""The training studio: choose a lesson, watch the training, stop it, compare its epochs, save the model."""

import streamlit as st

from ui.common import job_panel, url_state
from ui.training_studio import after, choice, compare, live, upload

st.title("Training studio", anchor=False)
st.markdown(
    "Train a network yourself: choose a lesson that takes about a minute, change a hyperparameter, and watch. The "
    "network starts with random weights. **What does it learn first?**"
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
    "In each step the network reads a *batch* of examples, and the *loss* compares its outputs with the targets: for a "
    "classifier, the cross-entropy in nats. Backpropagation through time computes the gradient of the loss with "
    "respect to each weight, and the optimizer changes all weights a little in the direction that decreases it. After "
    "each *epoch*, one pass over the training set, the network is evaluated on the *validation set*, from which it "
    "does not learn. When the training loss keeps falling and the validation loss rises, it overfits."
)
st.markdown(
    "Training runs in a worker process, so the app stays responsive for others. A run can be stopped at any time and "
    "keeps its results so far. Its link finds it again after a reload; whoever has the link can see and stop the run."
)
st.latex(r"L=-\frac1N\sum_{n=1}^{N}\log p_\theta(y_n\mid x_n)")
st.latex(r"\theta\leftarrow\theta-\eta\,\hat m/(\sqrt{\hat v}+\epsilon)")
with st.expander("Try this: make the training diverge"):
    st.markdown(
        "Set the learning rate to 100 and clipping to none, and predict the step at which the run diverges. Then clip "
        "the norm at 1 with the same learning rate. The run diverges at the same step, with the same loss: clipping by "
        "norm scales all gradients of a step alike, and Adam divides by their magnitude, so the first step has the "
        "same size as before."
    )
st.caption(
    "Sources: Rumelhart, Hinton & Williams 1986; Werbos 1990; Kingma & Ba 2015; Pascanu, Mikolov & Bengio 2013. The "
    "loss of a forecaster is the pinball loss of its quantiles."
)
