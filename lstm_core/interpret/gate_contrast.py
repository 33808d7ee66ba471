"""Which unit shows it best: how far a gate differs between two kinds of moments, over several texts.

A unit that is picked because it does something in a text will do it in that text. So it is picked on every second text
and what it does is told from the others. Knows traces and masks; no models, no texts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.trace import LayerTrace

CLEAR = 0.15  # a gate that differs by less than this doesn't show it


@dataclass(frozen=True)
class Contrast:
    """What one unit's gate does at two kinds of moments, in texts that it was not picked from.

    Attributes:
        unit: which.
        here: the mean at the moments in question, 0…1.
        elsewhere: the mean at the others.
        texts: how many texts these means are from.
        agreeing: in how many of them the difference has the same sign as in the mean.
    """

    unit: int
    here: float
    elsewhere: float
    texts: int
    agreeing: int

    @property
    def clear(self) -> bool:
        """Whether the difference is one that can be seen."""
        return abs(self.here - self.elsewhere) >= CLEAR


def forgetting_contrast(traces: Sequence[LayerTrace], ends: Sequence[Array]) -> Contrast:
    """The unit whose forget gate shuts most at the moments `ends`, while there is something to forget.

    Args:
        traces: of one LSTM layer, a trace a text, two texts or more.
        ends: (T,) of bool for each text; the first timestep has no past and doesn't count.
    """
    gates = [trace.signals["f"][1:] for trace in traces]
    held = [np.minimum(np.abs(trace.signals["c"][:-1]), 1.0) for trace in traces]  # (T - 1, units)
    weights = np.mean([state[end[1:]].mean(axis=0) for state, end in zip(held, ends, strict=True)], axis=0)
    return _strongest(gates, [end[1:] for end in ends], [~end[1:] for end in ends], -weights)


def input_contrast(traces: Sequence[LayerTrace], facts: Sequence[Array], remarks: Sequence[Array]) -> Contrast:
    """The unit whose input gate opens most for the moments `facts`, compared with `remarks`; each (T,) of bool."""
    return _strongest([trace.signals["i"] for trace in traces], facts, remarks, np.ones(traces[0].units))


def writing_contrast(traces: Sequence[LayerTrace], facts: Sequence[Array], remarks: Sequence[Array]) -> Contrast:
    """The same for what is written into the memory at a token, i × |g|."""
    written = [trace.signals["i"] * np.abs(trace.signals["g"]) for trace in traces]
    return _strongest(written, facts, remarks, np.ones(traces[0].units))


def _strongest(gates: Sequence[Array], here: Sequence[Array], elsewhere: Sequence[Array], weights: Array) -> Contrast:
    """The unit with the largest weight × (here - elsewhere) in every second text; its means in the others."""
    if len(gates) < 2:
        raise ValueError(f"A unit is picked on some texts and measured on others: give two or more, not {len(gates)}.")
    at = np.array([gate[mask].mean(axis=0) for gate, mask in zip(gates, here, strict=True)])  # (texts, units)
    off = np.array([gate[mask].mean(axis=0) for gate, mask in zip(gates, elsewhere, strict=True)])
    unit = int((weights * (at - off)[0::2].mean(axis=0)).argmax())
    here_held, elsewhere_held = at[1::2, unit], off[1::2, unit]
    difference = here_held - elsewhere_held
    agreeing = int((np.sign(difference) == np.sign(difference.mean())).sum())
    return Contrast(unit, float(here_held.mean()), float(elsewhere_held.mean()), len(difference), agreeing)
