"""What the microscope's view can be taken away as."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from lstm_core import exhibit
from lstm_core.exhibit import Handout, View
from lstm_core.nn import Clamp, HandSet, format_clamps
from ui.cell_microscope import traced_text
from ui.cell_microscope.traced_text import TracedText
from ui.common import gate, url_state
from ui.take_away import files, trace_csv


@gate.fragment
def show(
    name: str,
    text: str,
    traced: TracedText,
    hand_set: HandSet | None,
    clamps: Sequence[Clamp],
    layer: int,
    view: View,
) -> None:
    """Draw the panel; a fragment that reruns on its own.

    Args:
        name: of the network.
        text: of the visitor.
        traced: the text under the clamps.
        hand_set: see `traced_text.read`.
        clamps: those of the view.
        layer: from 0.
        view: what the microscope shows.
    """
    python = traced_text.python(name, text, traced, hand_set, clamps, layer)
    t = url_state.number("t", view.t + 1, 1, len(traced.tokens)) - 1  # the browser keeps them in the address
    unit = url_state.number("unit", view.unit, 0, view.trace.units - 1)
    link = url_state.link(**st.query_params.to_dict())
    title = traced_text.networks().get(name, name)

    def html() -> bytes:
        sentences = [*([f"Answer: {traced.answer}"] if traced.answer else []), *traced.notes]
        sentences += [f"Clamped: {format_clamps(clamps)}"] if clamps else []
        shown = replace(view, t=t, unit=unit, present=False, sides=exhibit.diverging_colours())
        return exhibit.html_file(shown, Handout(title, sentences, text, python, link))

    def csv() -> bytes:
        values = traced.answers.values  # (T, K), or (1, K) of the whole text
        columns = files.shares(traced.answers.labels, values) if len(values) == len(traced.tokens) else {}
        return trace_csv.as_csv(traced.tokens, columns, traced.layers)

    def npz() -> bytes:
        own = {"text": np.array(text), "tokens": np.array(traced.tokens)} if hand_set else {}
        return exhibit.npz({**traced.source.arrays(), **own})

    files.show(files.Files(python, html, csv, npz), "microscope")
