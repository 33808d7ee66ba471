"""A run of the studio while it goes on: where it stands, its curves, and what it makes of one fixed example."""

from __future__ import annotations

from typing import Any

import streamlit as st

from lstm_core.jobs import FINISHED, Job
from ui.common import charts, theme
from ui.training_studio import charts as studio_charts
from ui.training_studio import run_state
from ui.training_studio.choice import DOWNLOAD
from ui.training_studio.run_state import RunState


def draw(job: Job) -> None:
    """Everything that is known of a run so far."""
    if job.work == DOWNLOAD:
        _download(job)
        return
    story = run_state.of(job.events)
    _figures(story, job)
    if story.diverged:
        st.error(story.diverged)
        st.caption(
            "That is a lesson, too: the curve shows how it went, and the weights before the leap are kept. The "
            "gradient lab shows why steps explode, and what clipping does about it."
        )
    if job.result and job.result.get("steps"):  # whole, where the events were only some points of it
        story.points = {name: [] for name in story.points} | job.result["steps"]
    accuracy = any(value is not None for value in (*story.points["accuracy"], *story.epochs["accuracy"]))
    figure = studio_charts.run(story.points, story.epochs, accuracy)
    alt = "Curves of the loss, the accuracy and the gradient over the training steps. " + run_state.in_words(story)
    st.plotly_chart(figure, config=charts.CONFIG, key=f"studio_curves_{job.identity}", alt=alt)
    _examples(story)
    if story.summary and not job.over:  # afterwards it stands with what was kept
        with st.expander("The network, as Keras summarises it", icon=":material/schema:"):
            st.code(story.summary, language=None)


def _download(job: Job) -> None:
    last = job.events[-1] if job.events else {}
    words = f"{last['mebibytes']:.1f} MiB" if "mebibytes" in last else "Connecting …"
    done = job.state == FINISHED
    st.progress(
        1.0 if done else float(last.get("share", 0.0)), text="It is here; you can train on it now." if done else words
    )


def _figures(story: RunState, job: Job) -> None:
    """Progress, and the newest figures in a row that keeps its height."""
    last = story.last
    left = "" if job.over or last.get("left") is None else f" · about {_duration(last['left'])} left"
    words = run_state.in_words(story) + left if last or not job.over else "It ended before its first step."
    st.progress(1.0 if job.over and not job.stop_requested else min(story.done, 1.0), text=words)
    losses = [value for value in story.epochs["validation_loss"] if value is not None]
    shares = [value for value in story.epochs["validation_accuracy"] if value is not None]
    columns = st.container(horizontal=True)
    for title, value, form, help_text in (
        (
            "Loss",
            last.get("loss"),
            "{:.3f}",
            "Cross-entropy in nats, or a forecaster's pinball loss, of the last steps.",
        ),
        ("Validation loss", losses[-1] if losses else None, "{:.3f}", "The same on examples it never learns from."),
        ("Validation accuracy", shares[-1] if shares else None, "{:.1%}", "The share of those that it gets right."),
        ("Gradient", last.get("gradient_norm"), "{:.3g}", "The length of the gradient before clipping."),
        ("Examples a second", last.get("samples_per_second"), "{:,.0f}", "Over the last hundred steps."),
        ("Parameters", story.parameters or None, "{:,}", "How many numbers it learns."),
    ):
        columns.metric(title, "–" if value is None else form.format(value), help=help_text, width=145)


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def forecast(example: dict[str, Any], epoch: int, key: str) -> None:
    """A forecaster's fixed example as it was after an epoch."""
    alt = f"What was known, what came, and the forecast after epoch {epoch} with its interval."
    st.plotly_chart(studio_charts.forecast(example), config=charts.CONFIG, key=key, alt=alt)


def _examples(story: RunState) -> None:
    """The fixed example after the last epoch, and how it read or wrote before."""
    if not story.examples:
        return
    st.markdown("**The same example after every epoch**")
    epoch, newest = story.examples[-1]
    if "probabilities" in newest:
        st.caption(newest["text"])
        labels = list(newest["probabilities"])
        history = [[example["probabilities"][label] for label in labels] for _, example in story.examples]
        figure = studio_charts.together(
            [
                (theme.class_name(label), [at for at, _ in story.examples], [row[place] for row in history])
                for place, label in enumerate(labels[:6])
            ],
            "probability",
            {},
            theme.class_colours(labels),
        )
        figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%")
        alt = f"After epoch {epoch} the answer is {theme.class_name(newest['answer'])}."
        st.plotly_chart(figure, config=charts.CONFIG, key="studio_example", alt=alt)
        return
    if "quantiles" in newest:
        forecast(newest, epoch, "studio_example")
        return
    if "text" in newest:
        for at, example in story.examples[-4:]:
            st.caption("untrained" if at == 0 else f"after epoch {at}")
            st.code(example.get("prompt", "") + "▸" + example["text"], language=None, wrap_lines=True)
        return
