"""Compares several runs of one visitor: curves by epoch, hyperparameters and results in a table."""

from typing import Any

import streamlit as st

from lstm_core.jobs import FAILED, Job
from lstm_core.training import HYPERPARAMETERS
from ui.common import job_panel, plotting, theme, tokens
from ui.training_studio import charts as studio_charts
from ui.training_studio import run_state
from ui.training_studio.choice import KEY, WORK

# What the articles report on the test set, as lines in the figures of the validation set.
ARTICLES = {
    "stackoverflow": ("the baseline (the article, test set)", 0.6405),
    "imdb": ("the baseline (the article, test set)", 0.835),
}
MAX_RUNS = len(theme.CLASS_COLOURS)


def show() -> None:
    """This visitor's runs: show one of them, or compare several."""
    found = job_panel.own(WORK)
    if not found:
        return
    st.header("Your runs", anchor=False)
    for job in found:
        # The list is not drawn again while a run goes on, so it does not show its progress.
        name, icon, colour = job_panel.STATES[job.state] if job.over else ("Under way", ":material/timer:", "blue")
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(name, icon=icon, color=colour)
            words = f" · {run_state.in_words(run_state.of(job.events))}" if job.over else ""
            st.markdown(f"**{tokens.plain(job.title)}**{words}", width="stretch")
            st.button(
                "Show", key=f"studio_show_{job.identity}", on_click=job_panel.choose, args=(KEY, job.identity),
                disabled=st.session_state.get(f"{KEY}_job") == job.identity,
            )  # fmt: skip
    finished = {job.identity: job for job in found if job.over and job.state != FAILED and job.result}
    if len(finished) > 1:
        _compare(finished)


def _compare(finished: dict[str, Job]) -> None:
    numbers = {identity: number for number, identity in enumerate(reversed(finished), start=1)}
    chosen = st.multiselect(
        "Compare", list(finished), list(finished)[:2], max_selections=MAX_RUNS, key="studio_compared",
        format_func=lambda identity: f"{numbers[identity]} · {finished[identity].title}",
    )  # fmt: skip
    picked = {f"{numbers[identity]} · {finished[identity].title}": finished[identity] for identity in chosen}
    for measure, title in (("validation_loss", "validation loss"), ("validation_accuracy", "validation accuracy")):
        curves = [(name, _curve(job, measure)) for name, job in picked.items()]
        shown = [(name, list(range(1, len(values) + 1)), values) for name, values in curves if values]
        if shown:
            lines = _published(picked) if measure == "validation_accuracy" else {}
            figure = studio_charts.compare(shown, title, lines)
            ends = ", ".join(f"{name} ends at {values[-1]:.3f}" for name, _, values in shown)
            plotting.show(figure, f"studio_together_{measure}", f"{title}: {ends}.")
    if picked:
        st.dataframe(_table(picked), hide_index=True)


def _curve(job: Job, measure: str) -> list[float]:
    return list((job.result or {}).get("epochs", {}).get(measure, []))


def _published(picked: dict[str, Job]) -> dict[str, float]:
    """The published accuracy, if all runs use its data set."""
    sets = {(job.result or {}).get("card", {}).get("dataset", "") for job in picked.values()}
    return dict([ARTICLES[name] for name in sets if name in ARTICLES]) if len(sets) == 1 else {}


def _table(picked: dict[str, Job]) -> list[dict[str, Any]]:
    """The hyperparameters that differ, and the results; one row for each run."""
    settings = {name: (job.result or {}).get("settings", {}) for name, job in picked.items()}
    differing = [
        name
        for name in HYPERPARAMETERS
        if len({str(each.get(name)) for each in settings.values()}) > 1 or len(picked) == 1
    ]
    rows = []
    for name, job in picked.items():
        result = job.result or {}
        row: dict[str, Any] = {"Run": name, "Ended": result.get("ended", ""), "Seconds": result.get("seconds")}
        row["Parameters"] = result.get("parameters")
        for measure, title in (("validation_loss", "Validation loss"), ("validation_accuracy", "Validation accuracy")):
            values = _curve(job, measure)
            row[title] = round(values[-1], 4) if values else None
        row |= {HYPERPARAMETERS[each].title: settings[name].get(each) for each in differing}
        rows.append(row)
    return rows
