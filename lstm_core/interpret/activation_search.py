"""Find tokens in other texts at which the same units are active.

After LSTMVis (Strobelt et al. 2018): the pattern is the units whose state exceeds a threshold at the chosen token; a
match is scored by the share of active units in common.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.classifier import Reading
from lstm_core.nn.trace import LayerTrace

# A unit is active where its signal exceeds this share of the unit's own largest absolute value.
ACTIVATION_THRESHOLD = 0.3


@dataclass(frozen=True)
class Moment:
    """A token at which units of the pattern are active."""

    reading: int  # the index of its text in the searched sequence
    timestep: int  # which token
    match: float  # Jaccard similarity of the active units of both tokens, 0…1
    units: tuple[int, ...]  # the units that are active at both


def active_units(trace: LayerTrace, scale: Array, signal: str = "c", threshold: float = ACTIVATION_THRESHOLD) -> Array:
    """(T, 2·units) of bool: which units are active above zero, then which below.

    Args:
        trace: of one text.
        scale: (units,) from `scale_of`.
        signal: "c" or "h".
        threshold: a unit is active above this share of its scale.
    """
    values = trace.signals[signal] / scale
    return np.concatenate([values > threshold, values < -threshold], axis=1)


def scale_of(traces: Sequence[LayerTrace], signal: str = "c") -> Array:
    """(units,) the largest absolute value of each unit's signal over several texts, never 0."""
    return np.maximum(np.max([np.abs(trace.signals[signal]).max(axis=0) for trace in traces], axis=0), 1e-6)


def initial_timestep(reading: Reading, others: Sequence[Reading], threshold: float = ACTIVATION_THRESHOLD) -> int:
    """Where the answer changes most, among the timesteps with an active unit; the last one if there is none.

    Args:
        reading: whose timestep is returned.
        others: the texts that will be searched; with `reading` they define the units' scales.
        threshold: see `active_units`.
    """
    scale = scale_of([_trace(each, 0) for each in (reading, *others)])
    active: Array = np.any(active_units(_trace(reading, 0), scale, threshold=threshold), axis=1)  # (T,)
    if not active.any():
        return len(active) - 1
    change = np.abs(np.diff(reading.probabilities, axis=0, prepend=reading.probabilities[:1])).max(axis=1)
    return int(np.where(active, change, -1.0).argmax())


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
    """The best match in each of the other texts, best first; nothing if no unit is active at that token.

    Args:
        reading: the text of the pattern.
        timestep: its token.
        others: the texts to search; at most one moment of each is returned.
        layer: which recurrent layer.
        signal: "c" or "h".
        threshold: see `active_units`.
        most: the largest number of moments.
    """
    traces = [_trace(each, layer) for each in (reading, *others)]
    scale = scale_of(traces, signal)
    pattern = active_units(traces[0], scale, signal, threshold)[timestep]
    if not pattern.any():
        return []
    found = []
    for number, trace in enumerate(traces[1:]):
        state = active_units(trace, scale, signal, threshold)
        shared = (state & pattern).sum(axis=1)
        match = shared / np.maximum((state | pattern).sum(axis=1), 1)
        t = int(match.argmax())
        units = np.flatnonzero(state[t] & pattern) % trace.units
        found.append(Moment(number, t, float(match[t]), tuple(int(unit) for unit in units)))
    return sorted((moment for moment in found if moment.match > 0), key=lambda moment: -moment.match)[:most]


def _trace(reading: Reading, layer: int) -> LayerTrace:
    trace = reading.layers[layer]
    return trace if isinstance(trace, LayerTrace) else trace.forward
