"""Many to one, one to many, many to many: the input and output shapes of a recurrent network."""

from collections.abc import Collection

import streamlit as st

from ui.common import plotting, theme
from ui.common.figure import Figure
from ui.recurrent_family import diagrams


def _shape(inputs: tuple[str, ...], outputs: tuple[str, ...], second: int = 0) -> Figure:
    """A diagram; the last `second` cells belong to another network."""
    encoder, decoder = theme.CELL_LINES["lstm"][1], theme.CELL_LINES["gru"][1]
    colours = [encoder] * (len(inputs) - second) + [decoder] * second
    states = (("h", 0.0, theme.SIGNALS["h"].colour),)
    return diagrams.over_time(inputs, [""] * len(inputs), outputs, colours, states)


# Name → diagram, what it shows in words, which page has it (Markdown), and the view of this page that has it.
SHAPES = {
    "Many to one": (
        lambda: _shape(("x₁", "x₂", "x₃", "x₄"), ("", "", "", "y")),
        "Four inputs, an output after the last.",
        "A whole text, one answer: [Question tags](question_tags), [Movie reviews](movie_reviews).",
        "gates",
    ),
    "One to many": (
        lambda: _shape(("x", "y₁", "y₂", "y₃"), ("y₁", "y₂", "y₃", "y₄")),
        "One input; each output becomes the next input.",
        "One character first, then each output is the next input: [Text generation](text_generation).",
        "",
    ),
    "Many to many, synchronous": (
        lambda: _shape(("x₁", "x₂", "x₃", "x₄"), ("y₁", "y₂", "y₃", "y₄")),
        "Four inputs, an output at each.",
        "An output at every step: the answer so far on [Question tags](question_tags), and the missing word above, "
        "where only the output at the blank is used.",
        "blanks",
    ),
    "Many to many, of any length": (
        lambda: _shape(("x₁", "x₂", "‹go›", "y₁"), ("", "", "y₁", "y₂"), second=2),
        "Two inputs are read first; then another network writes outputs, each of which is its next input.",
        "The encoder reads all inputs; then the decoder writes as many outputs as it needs.",
        "rewriting",
    ),
}


def show(views: Collection[str], key: str) -> None:
    """Draw four diagrams with their pages; a button sets the widget `key` for those that one of its `views` has."""
    for first in (0, 2):
        for column, name in zip(st.columns(2, gap="large"), list(SHAPES)[first : first + 2], strict=True):
            make, alt, words, view = SHAPES[name]
            with column:
                st.subheader(name, anchor=False)
                st.plotly_chart(plotting.fitted(make()), config=plotting.STATIC, key=f"family_shape_{name}", alt=alt)
                st.markdown(words)
                if view in views:
                    put = st.session_state.__setitem__
                    st.button("Show it above", key=f"family_open_{view}", on_click=put, args=(key, view))
