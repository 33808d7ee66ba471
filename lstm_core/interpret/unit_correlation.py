"""Interpretable units of a character model: units whose state correlates with a feature of the text.

A feature is a number for each character of a text: the position in the line, whether a speaker's name is being written
(Karpathy et al. 2016). The unit is chosen on one text and its correlation measured on another; see `nn/unit_probe.py`.
"""

import re
from collections.abc import Callable
from dataclasses import asdict, astuple, dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.nn.trace import LayerTrace
from lstm_core.nn.unit_probe import probe_units

MOST = 20_000  # characters of a text that are read
LEAST = 0.3  # a smaller |r| isn't reported
RAREST = 0.002  # a feature that differs from its most frequent value on a smaller share of characters isn't searched
# "MACBETH. " before a speech, or "First Citizen:" on a line of its own.
_SPEAKER = re.compile(r"^[ \t]*(?:[A-Z][A-Za-z' ]{1,24}:[ \t]*$|[A-Z][A-Z' ]{1,24}\.(?= ))", re.MULTILINE)


@dataclass(frozen=True)
class ReadableUnit:
    """A unit and the feature that it follows."""

    feature: str  # a name from `FEATURES`
    layer: int  # from 0
    signal: str  # "c" or "h"
    unit: int  # from 0
    correlation: float  # Pearson's r, -1…1, on a text that the unit was not chosen by


def _since(text: str, ends: Callable[[str], bool]) -> Array:
    """The number of characters since the last one that ends something."""
    counts = accumulate(text, lambda count, character: 0 if ends(character) else count + 1, initial=0)
    return np.array(list(counts)[1:], np.float32)


def _speaker(text: str) -> Array:
    found = np.zeros(len(text), np.float32)
    for match in _SPEAKER.finditer(text):
        found[match.start() : match.end()] = 1
    return found


def _between(opening: str, closing: str) -> Callable[[str], Array]:
    """1 from an opening character up to its closing one, or to the end of the paragraph if it is never closed."""

    def inside(text: str) -> Array:
        found, is_open = np.zeros(len(text), np.float32), False
        for index, character in enumerate(text):
            if is_open and (character == closing or text.startswith("\n\n", index)):
                is_open = False
            elif character == opening:
                is_open = True
            found[index] = is_open
        return found

    return inside


FEATURES: dict[str, Callable[[str], Array]] = {
    "position in the line": lambda text: _since(text, lambda character: character == "\n"),
    "position in the word": lambda text: _since(text, lambda character: not character.isalpha()),
    "inside a speaker's name": _speaker,
    "inside quotation marks": _between('"', '"'),
    "inside a stage direction": _between("[", "]"),
    "the line ends next": lambda text: np.array([after == "\n" for after in [*text[1:], ""]], np.float32),
    "the word ends next": lambda text: np.array([after == " " for after in [*text[1:], ""]], np.float32),
    "a vowel was just read": lambda text: np.array([each in "aeiouAEIOU" for each in text], np.float32),
}


def find_readable_units(model: TextGenerator, choosing: str, measuring: str) -> list[ReadableUnit]:
    """For each feature the unit that follows it best, the strongest first.

    Args:
        model: one that carries its state from character to character.
        choosing: the text that units are chosen on, in its original case.
        measuring: the text that the reported correlation is measured on.

    Returns:
        one unit a feature; none for a feature that is too rare or that no unit follows, and none at all for a network
        that reads a window for every character.
    """
    if not model.carries:
        return []
    first, second = _signals(model, choosing[:MOST]), _signals(model, measuring[:MOST])
    found = []
    for name, feature in FEATURES.items():
        chosen, measured = feature(first.text), feature(second.text)
        if min(_variety(chosen), _variety(measured)) < RAREST:
            continue
        best = probe_units((first.values, chosen), (second.values, measured))
        if abs(best.measured) >= LEAST:
            found.append(ReadableUnit(name, *first.names[best.unit], round(best.measured, 4)))
    return sorted(found, key=lambda unit: -abs(unit.correlation))


def readable_units_to_json(units: list[ReadableUnit]) -> list[dict[str, Any]]:
    """For a card."""
    return [asdict(unit) for unit in units]


def readable_units_from_card(measured: Any) -> list[ReadableUnit]:
    """The units in a card's `measured`; an empty list if it has none, or isn't what `readable_units_to_json` wrote."""
    try:
        found = [ReadableUnit(**unit) for unit in measured.get("readable", [])]
    except (AttributeError, TypeError):
        return []
    types = (str, int, str, int, float)
    right = all(isinstance(value, kind) for unit in found for value, kind in zip(astuple(unit), types, strict=True))
    return found if right and all(unit.signal in ("c", "h") for unit in found) else []


@dataclass(frozen=True)
class _Signals:
    text: str  # the characters that were read
    values: Array  # (characters, columns): c and h of all layers
    names: list[tuple[int, str, int]]  # layer, signal, unit of each column


def _signals(model: TextGenerator, text: str) -> _Signals:
    text = "".join(character for character in text if len(model.alphabet.encode(character)) == 1)
    traces = model.network.run(model.alphabet.encode(text)).traces
    columns, names = [], []
    for number, trace in enumerate(traces):
        assert isinstance(trace, LayerTrace)
        for letter in ("c", "h"):
            columns.append(trace.signals[letter])
            names += [(number, letter, unit) for unit in range(trace.units)]
    return _Signals(text, np.concatenate(columns, axis=1), names)


def _variety(feature: Array) -> float:
    """The share of characters on which a feature differs from its most frequent value."""
    _, counts = np.unique(feature, return_counts=True)
    return 1 - counts.max() / len(feature) if len(feature) else 0.0
