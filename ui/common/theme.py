"""The colours and the words for signals and tags, defined once for every page.

One colour a signal, the same everywhere, told apart by colour-blind eyes and on light and dark
ground (Okabe & Ito 2008). Tags get other hues, and their lines also differ by dash.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True)
class Signal:
    """A signal of a cell as people see it.

    Attributes:
        letter: its symbol in the equations.
        name: its name in the field.
        colour: everywhere.
        gate: True if its values live in 0…1.
        help: one plain sentence.
    """

    letter: str
    name: str
    colour: str
    gate: bool
    help: str


SIGNALS: dict[str, Signal] = {
    signal.letter: signal
    for signal in (
        Signal("f", "Forget gate", "#D55E00", True, "How much of the old memory is kept: 1 keeps all, 0 wipes it."),
        Signal("i", "Input gate", "#009E73", True, "How much of the new candidate is written into the memory."),
        Signal("g", "Candidate", "#CC79A7", False, "What could be written now, between -1 and 1."),
        Signal("o", "Output gate", "#0072B2", True, "How much of the memory is shown to the rest of the network."),
        Signal("c", "Cell state", "#E69F00", False, "The memory itself: it is added to and faded, never overwritten."),
        Signal(
            "h", "Hidden state", "#56B4E9", False, "What the unit says aloud: output gate times tanh of the memory."
        ),
        Signal("z", "Update gate", "#D55E00", True, "How much of the old state a GRU keeps."),
        Signal("r", "Reset gate", "#009E73", True, "How much of the old state a GRU's candidate may look at."),
    )
}

# The order of the articles: what is dropped, what is written, what is shown.
LSTM_SIGNALS = ("f", "i", "g", "o", "c", "h")

CLASS_COLOURS = ("#AA3377", "#EE6677", "#B8A21E", "#44AA99", "#8A7BD8", "#777777")
CLASS_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

CLASS_NAMES = {
    "csharp": "C#",
    "java": "Java",
    "javascript": "JavaScript",
    "python": "Python",
    "positive": "Positive",
    "negative": "Negative",
}


# A cell's name, the colour and the dash of its lines.
CELL_LINES = {
    "rnn": ("plain RNN", "#DC267F", "dot"),
    "gru": ("GRU", "#8B74F5", "dash"),
    "lstm": ("LSTM", "#5B9E1F", "solid"),
}


# Two classes take the two ends of the palette.
_TWO_CLASSES = (CLASS_COLOURS[0], CLASS_COLOURS[3])


def class_colours(labels: Sequence[str]) -> list[str]:
    """One colour a class, in the order of the labels; at most six classes have one of their own."""
    palette = _TWO_CLASSES if len(labels) == 2 else CLASS_COLOURS
    return [palette[index % len(palette)] for index in range(len(labels))]


def class_name(label: str) -> str:
    """A label of a data set as people write it."""
    return CLASS_NAMES.get(label, label)


def is_dark() -> bool:
    """Whether this visitor's theme is dark."""
    return st.context.theme.type == "dark"


# Streamlit's names for badges in the two colours below.
SUPPORTS, OPPOSES = "orange", "blue"


def diverging_colours() -> tuple[str, str]:
    """The colours above and below zero: of states, and of what speaks for and against an answer."""
    return ("#F2A25C", "#6BA7E8") if is_dark() else ("#B35806", "#2166AC")


def neutral_colour() -> str:
    """The middle of every scale: nearly the page's background, so that nothing stands out at zero."""
    return "#1B2230" if is_dark() else "#F7F7F5"


def background() -> str:
    """The page's own background, as in `.streamlit/config.toml`: behind words that stand on a line of a figure."""
    return "#10141C" if is_dark() else "#FFFFFF"


def contrast_colour() -> str:
    """What marks a place in a figure: the strongest contrast to the page's background."""
    return "#FFFFFF" if is_dark() else "#000000"


def colour_scale(letter: str) -> list[tuple[float, str]]:
    """Plotly colour scale of a signal: from ground to its colour for gates; two-sided for states."""
    signal = SIGNALS[letter]
    if signal.gate:
        return [(0.0, neutral_colour()), (1.0, signal.colour)]
    high, low = diverging_colours()
    return [(0.0, low), (0.5, neutral_colour()), (1.0, high)]
