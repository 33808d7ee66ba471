"""A run of the studio while it goes on: its progress, its curves, and its output for one fixed example."""

from typing import Any

import streamlit as st

from lstm_core.jobs import Job
from ui.common import job_panel, plotting, theme, tokens
from ui.common.explanations import explain
from ui.training_studio import charts, run_state
from ui.training_studio.run_state import RunState


def draw(job: Job) -> None:
    """Everything that is known of a run so far."""
    if job.work == job_panel.DOWNLOAD:
        job_panel.draw_download(job)
        return
    state = run_state.of(job.events)
    _metrics(state, job)
    if state.diverged:
        st.error(state.diverged)
        explain("diverged")
    if job.result and job.result.get("steps"):  # all steps, where the events have only some of them
        state.points = {name: [] for name in state.points} | job.result["steps"]
    accuracy = any(value is not None for value in (*state.points["accuracy"], *state.epochs["accuracy"]))
    figure = charts.run(state.points, state.epochs, accuracy)
    alt = "Curves of the loss, the accuracy and the gradient over the training steps. " + run_state.in_words(state)
    plotting.show(figure, f"studio_curves_{job.identity}", alt)
    _examples(state)
    if state.summary and not job.over:  # after the run the summary stands with the saved model
        with st.expander("Summary of the network (Keras)", icon=":material/schema:"):
            st.code(state.summary, language=None)


def _metrics(state: RunState, job: Job) -> None:
    """The progress bar, and the newest values in a row of fixed height."""
    last = state.last
    seconds = None if job.over else last.get("left")
    left = "" if seconds is None else f" · about {_duration(seconds)} left"
    words = run_state.in_words(state) + left if last or not job.over else "The run ended before its first step."
    st.progress(1.0 if job.over and not job.stop_requested else min(state.done, 1.0), text=words)
    columns = st.container(horizontal=True)
    for title, value, form, help_text in (
        ("Loss", last.get("loss"), "{:.3f}", "Cross-entropy in nats, or the pinball loss of a forecaster."),
        ("Validation loss", state.newest("validation_loss"), "{:.3f}", "The same on the validation set."),
        ("Validation accuracy", state.newest("validation_accuracy"), "{:.1%}", "The accuracy on the validation set."),
        ("Gradient", last.get("gradient_norm"), "{:.3g}", "The norm of the gradient before clipping."),
        ("Examples per second", last.get("samples_per_second"), "{:,.0f}", "Over the last hundred steps."),
        ("Parameters", state.parameters or None, "{:,}", "The number of trained parameters."),
    ):
        columns.metric(title, "–" if value is None else form.format(value), help=help_text, width=145)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def forecast(example: dict[str, Any], epoch: int, key: str) -> None:
    """The forecast for the fixed example, see `charts.forecast`, after an epoch."""
    alt = f"The known and the actual values, and the forecast after epoch {epoch} with its prediction interval."
    plotting.show(charts.forecast(example), key, alt)


def _examples(state: RunState) -> None:
    """The output for the fixed example after the last epoch, and after the epochs before."""
    if not state.examples:
        return
    st.markdown("**The same example after every epoch**")
    epoch, newest = state.examples[-1]
    if "probabilities" in newest:
        st.caption(tokens.plain(newest["text"]))
        labels, epochs = list(newest["probabilities"]), [at for at, _ in state.examples]
        curves = [
            (theme.class_name(label), epochs, [example["probabilities"][label] for _, example in state.examples])
            for label in labels[:6]
        ]
        figure = charts.compare(curves, "probability", {}, theme.class_colours(labels))
        figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
        alt = f"After epoch {epoch} the answer is {theme.class_name(newest['answer'])}."
        plotting.show(figure, "studio_example", alt)
    elif "quantiles" in newest:
        forecast(newest, epoch, "studio_example")
    elif "text" in newest:
        for at, example in state.examples[-4:]:
            st.caption("untrained" if at == 0 else f"after epoch {at}")
            st.code(example.get("prompt", "") + "▸" + example["text"], language=None, wrap_lines=True)
