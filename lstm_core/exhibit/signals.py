"""How signals and classes look everywhere: their names and colours (Okabe & Ito 2008), from `assets/theme.toml`.

Lines of classes differ by dash as well. Colours that depend on the background are for a light one unless asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lstm_core.paths import read_tables


@dataclass(frozen=True)
class Signal:
    """How a signal of a cell is shown."""

    letter: str  # its symbol in the equations
    name: str  # its standard name
    colour: str  # in every figure
    gate: bool  # whether its values lie in 0…1
    help: str  # one sentence on what it does


THEME = read_tables("theme.toml")
SIGNALS = {letter: Signal(letter, **signal) for letter, signal in THEME["signals"].items()}
# The signals of each kind of cell in the order of the articles: what is forgotten, what is written, what is output.
LETTERS: dict[str, tuple[str, ...]] = {"lstm": tuple("figoch"), "gru": tuple("zrgh"), "rnn": ("h",)}

CLASS_COLOURS = ("#AA3377", "#EE6677", "#B8A21E", "#44AA99", "#8A7BD8", "#777777")
CLASS_NAMES: dict[str, str] = THEME["class_names"]
_TWO_CLASSES = (CLASS_COLOURS[0], CLASS_COLOURS[3])  # the two ends of the palette


def class_colours(labels: Sequence[str]) -> list[str]:
    """One colour for each label, in order; from the seventh class on they repeat."""
    palette = _TWO_CLASSES if len(labels) == 2 else CLASS_COLOURS
    return [palette[index % len(palette)] for index in range(len(labels))]


def class_name(label: str) -> str:
    """The display name of a label: C# for `csharp`."""
    return CLASS_NAMES.get(label, label)


def state_letter(kind: str) -> str:
    """The signal that a cell carries on as its memory: c of an LSTM, h otherwise."""
    return "c" if kind == "lstm" else "h"


def diverging_colours(dark: bool = False) -> tuple[str, str]:
    """The colours of values above and below zero, on a light or a dark background."""
    return ("#F2A25C", "#6BA7E8") if dark else ("#B35806", "#2166AC")


def neutral_colour(dark: bool = False) -> str:
    """The colour of zero in every scale: close to the background."""
    return "#1B2230" if dark else "#F7F7F5"


def colour_scale(letter: str, dark: bool = False, share: bool | None = None) -> list[tuple[float, str]]:
    """Plotly's colour scale of a signal: sequential for gates, diverging around 0 for states.

    `share` says whether the values are in 0…1, where that isn't so for all gates.
    """
    signal, neutral = SIGNALS[letter], neutral_colour(dark)
    if signal.gate if share is None else share:
        return [(0.0, neutral), (1.0, signal.colour)]
    high, low = diverging_colours(dark)
    return [(0.0, low), (0.5, neutral), (1.0, high)]
