"""Colours and names of signals (Okabe & Ito 2008), classes and cells; lines of classes also differ by dash."""

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from ui.common import assets


@dataclass(frozen=True)
class Signal:
    """How a signal of a cell is shown."""

    letter: str  # its symbol in the equations
    name: str  # its standard name
    colour: str  # in every figure
    gate: bool  # whether its values lie in 0…1
    help: str  # one sentence on what it does


_THEME = assets.table("theme.toml")
SIGNALS = {letter: Signal(letter, **signal) for letter, signal in _THEME["signals"].items()}

# In the order of the articles: what is forgotten, what is written, what is output.
LSTM_SIGNALS = ("f", "i", "g", "o", "c", "h")

CLASS_COLOURS = ("#AA3377", "#EE6677", "#B8A21E", "#44AA99", "#8A7BD8", "#777777")
CLASS_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

CLASS_NAMES: dict[str, str] = _THEME["class_names"]

# A cell's name, the colour and the dash of its lines.
CELL_LINES: dict[str, tuple[str, str, str]] = _THEME["cell_lines"]

# Two classes take the two ends of the palette.
_TWO_CLASSES = (CLASS_COLOURS[0], CLASS_COLOURS[3])


def class_colours(labels: Sequence[str]) -> list[str]:
    """One colour for each label, in order; from the seventh class on they repeat."""
    palette = _TWO_CLASSES if len(labels) == 2 else CLASS_COLOURS
    return [palette[index % len(palette)] for index in range(len(labels))]


def class_name(label: str) -> str:
    """The display name of a label: C# for `csharp`."""
    return CLASS_NAMES.get(label, label)


def signal_names(letters: Sequence[str]) -> dict[str, str]:
    """Letter → its name and the letter, as in "Forget gate f"."""
    return {letter: f"{SIGNALS[letter].name} {letter}" for letter in letters}


PRESENT = "present"  # the address's name of the presenter view


def presenting() -> bool:
    """Whether this visitor shows the pages to a room: without the menu, in large type; see `ui/home/presenter.py`."""
    return bool(st.session_state.setdefault("_present", st.query_params.get(PRESENT) == "1"))


def is_dark() -> bool:
    """Whether this visitor's theme is dark."""
    return st.context.theme.type == "dark"


# Streamlit's names of badges in the two colours of `diverging_colours`.
SUPPORTS, OPPOSES = "orange", "blue"


def diverging_colours() -> tuple[str, str]:
    """The colours of values above and below zero."""
    return ("#F2A25C", "#6BA7E8") if is_dark() else ("#B35806", "#2166AC")


def neutral_colour() -> str:
    """The colour of zero in every scale: close to the page's background."""
    return "#1B2230" if is_dark() else "#F7F7F5"


def background() -> str:
    """The page's background, as in `.streamlit/config.toml`: for text on top of a figure's lines."""
    return "#10141C" if is_dark() else "#FFFFFF"


def contrast_colour() -> str:
    """The colour of marks in a figure: the strongest contrast to the page's background."""
    return "#FFFFFF" if is_dark() else "#000000"


def colour_scale(letter: str) -> list[tuple[float, str]]:
    """Plotly colour scale of a signal: sequential for gates, diverging around 0 for states."""
    signal = SIGNALS[letter]
    if signal.gate:
        return [(0.0, neutral_colour()), (1.0, signal.colour)]
    high, low = diverging_colours()
    return [(0.0, low), (0.5, neutral_colour()), (1.0, high)]
