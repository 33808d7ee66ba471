"""What a view of a visitor's own network can be taken away as."""

from collections.abc import Sequence

import streamlit as st

from lstm_core import exhibit
from lstm_core.exhibit import Handout, View
from lstm_core.nn import Clamp, format_clamps
from lstm_core.tracing import ModelTrace
from ui.common import url_state
from ui.take_away import files, trace_csv
from ui.your_own_network.opened import KEY


def show(title: str, trace: ModelTrace, view: View, clamps: Sequence[Clamp], python: str, steps: Sequence[str]) -> None:
    """Draw the panel.

    Args:
        title: of the network.
        trace: with or without clamps.
        view: what the microscope shows of the chosen layer.
        clamps: those of the trace.
        python: the lines that repeat the trace.
        steps: what each timestep of the layer is called.
    """

    def html() -> bytes:
        sentences = [*trace.notes, *([f"Clamped: {format_clamps(clamps)}"] if clamps else [])]
        return exhibit.html_file(view, Handout(f"{title}, {view.trace.name}", sentences, " ".join(steps), python, link))

    def csv() -> bytes:
        layers = [layer.sequence() for layer in trace.layers if layer.outputs.shape[1] == len(steps)]
        return trace_csv.as_csv(steps, {}, layers)

    link = url_state.link(**st.query_params.to_dict())
    files.show(files.Files(python, html, csv, lambda: exhibit.npz(trace.arrays())), KEY)
