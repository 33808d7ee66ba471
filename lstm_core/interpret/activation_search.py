"""Find moments like this one: other places in other texts where the same units are on.

After LSTMVis (Strobelt et al. 2018): units whose cell state is beyond a threshold at the chosen
token are the pattern; a moment matches by how much of the pattern it shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.classifier import Reading
from lstm_core.nn.trace import LayerTrace

# A unit is on where its signal is beyond this share of the unit's own largest value anywhere.
ACTIVATION_THRESHOLD = 0.3


@dataclass(frozen=True)
class Moment:
    """A token in some text where the pattern shows again.

    Attributes:
        reading: of which text; its place in the sequence that was searched.
        timestep: which token.
        match: shared units over all units that are on in either place (Jaccard), 0…1.
        units: the units that are on in both.
    """

    reading: int
    timestep: int
    match: float
    units: tuple[int, ...]


def on(trace: LayerTrace, scale: Array, signal: str = "c", threshold: float = ACTIVATION_THRESHOLD) -> Array:
    """(T, 2·units) of bool: which units are on, above and below zero apart.

    Args:
        trace: of one text.
        scale: (units,) the largest size that each unit reaches anywhere; see `scale_of`.
        signal: "c" or "h".
        threshold: the share of the scale from which on a unit is on.
    """
    values = trace.signals[signal] / scale
    return np.concatenate([values > threshold, values < -threshold], axis=1)


def scale_of(traces: Sequence[LayerTrace], signal: str = "c") -> Array:
    """(units,) the largest size of each unit's signal over several texts, never 0."""
    return np.maximum(np.max([np.abs(trace.signals[signal]).max(axis=0) for trace in traces], axis=0), 1e-6)


def contrasting_units(
    reading: Reading,
    others: Sequence[Reading],
    *,
    layer: int = 0,
    signal: str = "c",
    threshold: float = ACTIVATION_THRESHOLD,
) -> int:
    """The timestep to begin with: where the answer moved most, among those at which some unit is on.

    The last one if no unit is ever on. Arguments as in `find`.
    """
    scale = scale_of([_trace(each, layer) for each in (reading, *others)], signal)
    lit: Array = np.any(on(_trace(reading, layer), scale, signal, threshold), axis=1)  # (T,)
    if not lit.any():
        return len(lit) - 1
    moved = np.abs(np.diff(reading.probabilities, axis=0, prepend=reading.probabilities[:1])).max(axis=1)
    return int(np.where(lit, moved, -1.0).argmax())


def find_moments(
    reading: Reading,
    timestep: int,
    others: Sequence[Reading],
    *,
    layer: int = 0,
    signal: str = "c",
    threshold: float = ACTIVATION_THRESHOLD,
    most: int = 8,
) -> list[Moment]:
    """The best match in each of the other texts, best first.

    Args:
        reading: where the pattern is taken from.
        timestep: at which token.
        others: what is searched; at most one moment of each is returned.
        layer: which recurrent layer.
        signal: "c" or "h".
        threshold: see `on`.
        most: how many moments.

    Returns:
        No moment at all if no unit is on at that token.
    """
    traces = [_trace(each, layer) for each in (reading, *others)]
    scale = scale_of(traces, signal)
    pattern = on(traces[0], scale, signal, threshold)[timestep]
    if not pattern.any():
        return []
    found = []
    for number, trace in enumerate(traces[1:]):
        state = on(trace, scale, signal, threshold)
        shared = (state & pattern).sum(axis=1)
        match = shared / np.maximum((state | pattern).sum(axis=1), 1)
        t = int(match.argmax())
        units = np.flatnonzero(state[t] & pattern) % trace.units
        found.append(Moment(number, t, float(match[t]), tuple(int(unit) for unit in units)))
    return sorted((moment for moment in found if moment.match > 0), key=lambda moment: -moment.match)[:most]


def _trace(reading: Reading, layer: int) -> LayerTrace:
    trace = reading.layers[layer]
    return trace if isinstance(trace, LayerTrace) else trace.forward
