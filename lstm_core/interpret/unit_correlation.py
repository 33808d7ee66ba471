"""Units that follow something a person can read: found by correlation, as Karpathy et al. (2016) looked for them.

A feature is a number for each character of a text: how far the line has come, whether a speaker's
name is being written. A unit follows it if its cell state or hidden state rises and falls with it
(Pearson's r). Which unit that is, is chosen on one text and its r measured on another.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.nn.trace import LayerTrace

MOST = 20_000  # characters of a text that are read
LEAST = 0.3  # |r| below which nobody would call it following
RAREST = 0.002  # share of characters that a feature must differ on: a unit can't be seen to follow less
# "MACBETH. " before a speech, or "First Citizen:" on a line of its own.
_SPEAKER = re.compile(r"^[ \t]*(?:[A-Z][A-Za-z' ]{1,24}:[ \t]*$|[A-Z][A-Z' ]{1,24}\.(?= ))", re.MULTILINE)


@dataclass(frozen=True)
class ReadableUnit:
    """A unit and what it follows.

    Attributes:
        feature: a name from `FEATURES`.
        layer: from 0.
        signal: "c" or "h".
        unit: from 0.
        correlation: Pearson's r, -1…1, on a text that the unit was not chosen by.
    """

    feature: str
    layer: int
    signal: str
    unit: int
    correlation: float


def _line(text: str) -> Array:
    """How many characters of the line have been read."""
    return _since(text, lambda sign: sign == "\n")


def _word(text: str) -> Array:
    """How many letters of the word have been read."""
    return _since(text, lambda sign: not sign.isalpha())


def _since(text: str, ends: Callable[[str], bool]) -> Array:
    found, count = np.zeros(len(text), np.float32), 0
    for index, sign in enumerate(text):
        count = 0 if ends(sign) else count + 1
        found[index] = count
    return found


def _speaker(text: str) -> Array:
    found = np.zeros(len(text), np.float32)
    for match in _SPEAKER.finditer(text):
        found[match.start() : match.end()] = 1
    return found


def _between(opening: str, closing: str) -> Callable[[str], Array]:
    """1 from an opening sign up to its closing one, or to the end of the paragraph if it is never closed."""

    def inside(text: str) -> Array:
        found, is_open = np.zeros(len(text), np.float32), False
        for index, sign in enumerate(text):
            if is_open and (sign == closing or text.startswith("\n\n", index)):
                is_open = False
            elif sign == opening:
                is_open = True
            found[index] = is_open
        return found

    return inside


def _is_next(sign: str) -> Callable[[str], Array]:
    def follows(text: str) -> Array:
        return np.array([following == sign for following in [*text[1:], ""]], np.float32)

    return follows


FEATURES: dict[str, Callable[[str], Array]] = {
    "position in the line": _line,
    "position in the word": _word,
    "inside a speaker's name": _speaker,
    "inside quotation marks": _between('"', '"'),
    "inside a stage direction": _between("[", "]"),
    "the line ends next": _is_next("\n"),
    "the word ends next": _is_next(" "),
    "a vowel was just read": lambda text: np.array([sign in "aeiouAEIOU" for sign in text], np.float32),
}


def find_readable_units(model: TextGenerator, choosing: str, measuring: str) -> list[ReadableUnit]:
    """For each feature the unit that follows it best, the strongest first.

    Args:
        model: one that carries its state from character to character.
        choosing: the unit is chosen by its r on this text, with capitals if the author wrote any.
        measuring: the r that is reported is of this one.

    Returns:
        nothing for a feature that hardly occurs or that no unit follows, and nothing at all for a network that starts
        anew at every character.
    """
    if not model.carries:
        return []
    first, second = _signals(model, choosing[:MOST]), _signals(model, measuring[:MOST])
    found = []
    for name, feature in FEATURES.items():
        wanted, measured = feature(first.text), feature(second.text)
        if min(_variety(wanted), _variety(measured)) < RAREST:
            continue
        r = correlations(first.values, wanted)
        best = int(np.abs(r).argmax())
        layer, signal, unit = first.names[best]
        checked = float(correlations(second.values[:, best : best + 1], measured)[0])
        if abs(checked) >= LEAST:
            found.append(ReadableUnit(name, layer, signal, unit, round(checked, 4)))
    return sorted(found, key=lambda unit: -abs(unit.correlation))


def correlations(values: Array, feature: Array) -> Array:
    """Pearson's r of each column with a feature; 0 where one of them doesn't vary.

    Args:
        values: (characters, columns).
        feature: (characters,).
    """
    centred, wanted = values - values.mean(axis=0), feature - feature.mean()
    scale = np.sqrt((centred**2).sum(axis=0) * (wanted**2).sum())
    return (wanted @ centred) / np.where(scale > 0, scale, np.inf)


def readable_units_to_json(units: list[ReadableUnit]) -> list[dict[str, Any]]:
    """For a card."""
    return [asdict(unit) for unit in units]


def readable_units_from_card(measured: Any) -> list[ReadableUnit]:
    """What a card holds; an empty list if it holds nothing of the kind."""
    try:
        return [ReadableUnit(**unit) for unit in measured.get("readable", [])]
    except (AttributeError, TypeError):
        return []


@dataclass(frozen=True)
class _Signals:
    text: str  # what was read, letter for letter
    values: Array  # (characters, signals of all layers)
    names: list[tuple[int, str, int]]  # layer, signal, unit of each column


def _signals(model: TextGenerator, text: str) -> _Signals:
    text = "".join(sign for sign in text if len(model.alphabet.encode(sign)) == 1)
    traces = model.network.run(model.alphabet.encode(text)).traces
    columns, names = [], []
    for number, trace in enumerate(traces):
        assert isinstance(trace, LayerTrace)
        for letter in ("c", "h"):
            columns.append(trace.signals[letter])
            names += [(number, letter, unit) for unit in range(trace.units)]
    return _Signals(text, np.concatenate(columns, axis=1), names)


def _variety(feature: Array) -> float:
    """The share of characters on which a feature isn't what it mostly is."""
    _, counts = np.unique(feature, return_counts=True)
    return 1 - counts.max() / len(feature) if len(feature) else 0.0
