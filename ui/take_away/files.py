"""“Take it away”: the view of a page as files, as a link, and as the lines of Python that repeat it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from lstm_core import exhibit
from lstm_core.inference import Reading, TextClassifier
from lstm_core.nn import Array
from ui.common import gate, model_cache, theme, url_state
from ui.take_away import trace_csv

Make = Callable[[], bytes]


@dataclass(frozen=True)
class Files:
    """What a view can be taken away as; a file is made when somebody asks for it."""

    python: str  # the lines that repeat the view
    html: Make
    csv: Make
    npz: Make
    table: str = "A table: every signal of every unit at every token."  # what the CSV file is


def show(files: Files, key: str) -> None:
    """Draw the button that opens the panel; nothing is computed and sent while it is closed.

    Args:
        files: of the view.
        key: prefix of the widgets' keys.
    """
    popover = st.popover("Take it away", icon=":material/download:", key=f"{key}_take_away", on_change="rerun")
    if not popover.open:
        return
    with popover:
        st.caption(
            "The HTML file holds the microscope, the heat maps and the text, and works offline, in slides too. A chart "
            "has a camera button that saves it as PNG."
        )
        with st.container(horizontal=True):
            for label, kind, make, about in (
                ("HTML file", "html", files.html, "One file for a browser, with all numbers of one layer."),
                ("Trace as CSV", "csv", files.csv, files.table),
                ("Arrays as NPZ", "npz", files.npz, "numpy.load opens it; its names are those of `.arrays()`."),
            ):
                st.download_button(
                    label, data=_in_turn(make), file_name=f"lstm-lab-trace.{kind}", mime=_TYPES[kind],
                    key=f"{key}_{kind}", on_click="ignore", icon=":material/download:", help=about,
                )  # fmt: skip
        st.markdown("**This view as Python**")
        st.code(files.python, language="python", wrap_lines=True, height=260)


_TYPES = {"html": "text/html", "csv": "text/csv", "npz": "application/zip"}


def _in_turn(make: Make) -> Make:
    """Make a file in a place of the gate, as pages are computed."""

    def wait_and_make() -> bytes:
        with gate.GATE.place():
            return make()

    return wait_and_make


def of_reading(
    model: TextClassifier, reading: Reading, key: str, view: Mapping[str, str | int], *, timestep: int = 0, hide: bool
) -> None:
    """Draw the panel of a classifier's reading.

    Args:
        model: which has read.
        reading: with or without clamps.
        key: prefix of the widgets' keys.
        view: the parameters of the link that leads back.
        timestep: at which the microscope begins, from 0.
        hide: whether the names of programming languages are masked.
    """
    link, title = url_state.link(**view), f"{model.card.title}: {theme.class_name(reading.answer)}"
    own = model_cache.is_own(model.card.name)
    masked = "True" if hide else ""
    python = exhibit.reading_code(model.card.name, reading.text, reading.clamps, own=own, mask_names=masked)
    halves = list(reading.exhibits().values())

    def html() -> bytes:
        return reading.html(title=title, link=link, python=python, timestep=timestep)

    def csv() -> bytes:
        return trace_csv.as_csv(reading.tokens, shares(reading.labels, reading.probabilities), halves)

    show(Files(python, html, csv, lambda: exhibit.npz(reading.arrays())), key)


def shares(labels: Sequence[str], probabilities: Array) -> dict[str, Any]:
    """The columns of probabilities, `p(LABEL)` → (T,)."""
    return {f"p({label})": probabilities[:, index] for index, label in enumerate(labels)}
