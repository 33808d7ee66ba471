"""Many to one, one to many, many to many: the shapes a recurrent network can have, and where the lab shows each."""

from __future__ import annotations

from collections.abc import Collection

import plotly.graph_objects as go
import streamlit as st

from ui.common import theme
from ui.recurrent_family import diagrams
from ui.recurrent_family.diagrams import over_time

_CELL, _OTHER = theme.CELL_LINES["lstm"][1], theme.CELL_LINES["gru"][1]
_HANDED = (("h", 0.0, theme.SIGNALS["h"].colour),)


def _shape(inputs: tuple[str, ...], answers: tuple[str, ...], second: int = 0) -> go.Figure:
    colours = [_CELL] * (len(inputs) - second) + [_OTHER] * second
    return over_time(inputs, [""] * len(inputs), answers, colours, _HANDED)


# Name → diagram, what it shows in words, where the lab has it (Markdown), and the view of this page that has it.
SHAPES = {
    "Many to one": (
        lambda: _shape(("x₁", "x₂", "x₃", "x₄"), ("", "", "", "y")),
        "Four inputs, an answer after the last.",
        "A whole text, one answer: [Question tags](question_tags), [Movie reviews](movie_reviews).",
        "gates",
    ),
    "One to many": (
        lambda: _shape(("x", "y₁", "y₂", "y₃"), ("y₁", "y₂", "y₃", "y₄")),
        "One input; each answer becomes the next input.",
        "One sign to begin with, then each answer is read as the next input: [Text generation](text_generation).",
        "",
    ),
    "Many to many, in step": (
        lambda: _shape(("x₁", "x₂", "x₃", "x₄"), ("y₁", "y₂", "y₃", "y₄")),
        "Four inputs, an answer at each.",
        "An answer at every step: the answer so far on [Question tags](question_tags), and here a guess at each word, "
        "of which only the one at the blank is asked for.",
        "blanks",
    ),
    "Many to many, of any length": (
        lambda: _shape(("x₁", "x₂", "‹go›", "y₁"), ("", "", "y₁", "y₂"), second=2),
        "Two inputs are read first; then another network writes answers, each of which is its next input.",
        "First all is read, then another network writes, as long as it takes.",
        "rewriting",
    ),
}


def show(views: Collection[str], chosen: str) -> None:
    """Four diagrams, each with its page; a button for those that a view of this page has.

    Args:
        views: the views that this page has.
        chosen: the key of the widget that chooses one.
    """

    def open_view(name: str) -> None:
        st.session_state[chosen] = name

    for pair in (list(SHAPES)[:2], list(SHAPES)[2:]):
        for column, name in zip(st.columns(2, gap="large"), pair, strict=True):
            make, alt, words, view = SHAPES[name]
            with column:
                st.subheader(name, anchor=False)
                st.plotly_chart(make(), config=diagrams.STILL, key=f"family_shape_{name}", alt=alt)
                st.markdown(words)
                if view in views:
                    st.button("Show it above", key=f"family_open_{view}", on_click=open_view, args=(view,))
