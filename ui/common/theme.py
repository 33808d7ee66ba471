"""Colours and names of signals (Okabe & Ito 2008), classes and cells; lines of classes also differ by dash."""

from collections.abc import Sequence

import streamlit as st

from lstm_core import exhibit
from lstm_core.exhibit import CLASS_COLOURS, LETTERS, SIGNALS, THEME, Signal, class_colours, class_name

__all__ = ["CLASS_COLOURS", "SIGNALS", "Signal", "class_colours", "class_name"]  # of the core, and those below

# In the order of the articles: what is forgotten, what is written, what is output.
LSTM_SIGNALS = LETTERS["lstm"]

CLASS_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

# A cell's name, the colour and the dash of its lines.
CELL_LINES: dict[str, tuple[str, str, str]] = THEME["cell_lines"]


def signal_names(letters: Sequence[str]) -> dict[str, str]:
    """Letter → its name and the letter, as in "Forget gate f"."""
    return {letter: f"{SIGNALS[letter].name} {letter}" for letter in letters}


PRESENT = "present"  # the address's name of the presenter view


def presenting() -> bool:
    """Whether this visitor shows the pages to a room: without the menu, in large type; see `ui/home/presenter.py`."""
    return bool(st.session_state.setdefault("_present", st.query_params.get(PRESENT) == "1"))


def embedded() -> bool:
    """Whether the page is shown inside another one, such as a slide: `?embed=true`."""
    return bool(st.context.is_embedded)


def is_dark() -> bool:
    """Whether this visitor's theme is dark."""
    return st.context.theme.type == "dark"


# Streamlit's names of badges in the two colours of `diverging_colours`.
SUPPORTS, OPPOSES = "orange", "blue"


def diverging_colours() -> tuple[str, str]:
    """The colours of values above and below zero."""
    return exhibit.diverging_colours(is_dark())


def neutral_colour() -> str:
    """The colour of zero in every scale: close to the page's background."""
    return exhibit.neutral_colour(is_dark())


def background() -> str:
    """The page's background, as in `.streamlit/config.toml`: for text on top of a figure's lines."""
    return "#10141C" if is_dark() else "#FFFFFF"


def contrast_colour() -> str:
    """The colour of marks in a figure: the strongest contrast to the page's background."""
    return "#FFFFFF" if is_dark() else "#000000"


def colour_scale(letter: str, share: bool | None = None) -> list[tuple[float, str]]:
    """Plotly colour scale of a signal: sequential for gates with values in 0…1, diverging around 0 for others."""
    return exhibit.colour_scale(letter, is_dark(), share)
