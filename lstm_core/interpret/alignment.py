"""Two readings side by side: which tokens are the same, where the answers diverge, how cell states differ."""

from dataclasses import dataclass
from difflib import SequenceMatcher

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.classifier import Reading
from lstm_core.nn.trace import LayerTrace

# Answers diverge where a class's probability differs by more than this.
DIVERGENCE = 0.1


@dataclass(frozen=True)
class Alignment:
    """Aligned rows of two readings, with gaps where only one has a token."""

    # (A,) the timestep of the first reading in each row; in a gap, the one before it (-1 before the first token)
    first: Array
    second: Array  # the same of the second reading
    same: Array  # (A,) of bool, True where both have the same token


def align_readings(first: Reading, second: Reading) -> Alignment:
    """Align the tokens of two texts (Ratcliff & Obershelp 1988)."""
    matcher = SequenceMatcher(None, first.tokens, second.tokens, autojunk=False)
    rows: list[tuple[int, int, bool]] = []
    for kind, i, i_end, j, j_end in matcher.get_opcodes():
        if kind == "equal":
            rows.extend((a, b, True) for a, b in zip(range(i, i_end), range(j, j_end), strict=True))
        else:
            rows.extend((a, j - 1, False) for a in range(i, i_end))
            rows.extend((i_end - 1, b, False) for b in range(j, j_end))
    a, b, same = (np.array(column) for column in zip(*rows, strict=True))
    return Alignment(a, b, same)


def first_divergence(first: Reading, second: Reading, alignment: Alignment) -> int | None:
    """The first row at which the answers differ by more than `DIVERGENCE`; None if they never do.

    Args:
        first: a reading.
        second: another one with the same classes.
        alignment: of both. Rows before the first token of either aren't compared.
    """
    begun = (alignment.first >= 0) & (alignment.second >= 0)
    gap = np.abs(_rows(first.probabilities, alignment.first) - _rows(second.probabilities, alignment.second))
    apart = np.flatnonzero(begun & (gap.max(axis=1) > DIVERGENCE))
    return int(apart[0]) if len(apart) else None


def memory_difference(first: Reading, second: Reading, alignment: Alignment, layer: int = 0) -> Array:
    """(A, units): the cell state (h of cells without one) of the second minus that of the first, row by row.

    Args:
        first: a reading.
        second: another one by the same network, or one with as many units.
        alignment: of both.
        layer: which recurrent layer.
    """
    states = []
    for reading, rows in ((first, alignment.first), (second, alignment.second)):
        trace = reading.layers[layer]
        trace = trace if isinstance(trace, LayerTrace) else trace.forward
        states.append(_rows(trace.signals.get("c", trace.signals["h"]), rows))
    return states[1] - states[0]


def _rows(values: Array, timesteps: Array) -> Array:
    """The rows at these timesteps; zeros before the first token."""
    taken = values[np.maximum(timesteps, 0)]
    return np.where((timesteps < 0)[:, None], 0, taken)
