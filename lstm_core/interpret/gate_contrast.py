"""The unit whose gate differs most between two kinds of timesteps, over several texts.

The unit is chosen on every second text and measured on the others: where it was chosen, chance favours it.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.trace import LayerTrace

CLEAR = 0.15  # a smaller difference of means can hardly be seen


@dataclass(frozen=True)
class Contrast:
    """The gate of one unit at two kinds of timesteps, in texts that it was not chosen on."""

    unit: int  # from 0
    here: float  # the mean at the timesteps in question, 0…1
    elsewhere: float  # the mean at the others
    texts: int  # how many texts these means are from
    agreeing: int  # in how many of them the difference has the same sign as the mean difference

    @property
    def clear(self) -> bool:
        """Whether the difference is at least `CLEAR`."""
        return abs(self.here - self.elsewhere) >= CLEAR


def forgetting_contrast(traces: Sequence[LayerTrace], ends: Sequence[Array]) -> Contrast:
    """The unit whose forget gate closes most at the timesteps `ends`, weighted by the cell state that it forgets.

    There is one trace of an LSTM layer and one (T,) array of bool for each text; its first timestep, which has no
    previous state, is ignored. Raises ValueError if there are fewer than two texts.
    """
    gates = [trace.signals["f"][1:] for trace in traces]
    states = [np.minimum(np.abs(trace.signals["c"][:-1]), 1.0) for trace in traces]  # (T - 1, units)
    weights = np.mean([state[end[1:]].mean(axis=0) for state, end in zip(states, ends, strict=True)], axis=0)
    return _strongest(gates, [end[1:] for end in ends], [~end[1:] for end in ends], -weights)


def input_contrast(traces: Sequence[LayerTrace], facts: Sequence[Array], remarks: Sequence[Array]) -> Contrast:
    """The unit whose input gate opens most at the timesteps `facts`, compared with `remarks`.

    Args:
        traces: as in `forgetting_contrast`; so are the errors.
        facts: (T,) of bool for each text.
        remarks: (T,) of bool for each text.
    """
    return _strongest([trace.signals["i"] for trace in traces], facts, remarks, np.ones(traces[0].units))


def writing_contrast(traces: Sequence[LayerTrace], facts: Sequence[Array], remarks: Sequence[Array]) -> Contrast:
    """The same for i × |g|, what is added to the cell state; arguments as in `input_contrast`."""
    written = [trace.signals["i"] * np.abs(trace.signals["g"]) for trace in traces]
    return _strongest(written, facts, remarks, np.ones(traces[0].units))


def _strongest(gates: Sequence[Array], here: Sequence[Array], elsewhere: Sequence[Array], weights: Array) -> Contrast:
    """The unit with the largest weight × (here - elsewhere) in every second text; its means in the others."""
    if len(gates) < 2:
        raise ValueError(f"A unit is chosen on some texts and measured on others: give two or more, not {len(gates)}.")
    at = np.array([gate[mask].mean(axis=0) for gate, mask in zip(gates, here, strict=True)])  # (texts, units)
    off = np.array([gate[mask].mean(axis=0) for gate, mask in zip(gates, elsewhere, strict=True)])
    unit = int((weights * (at - off)[0::2].mean(axis=0)).argmax())
    here_measured, elsewhere_measured = at[1::2, unit], off[1::2, unit]
    difference = here_measured - elsewhere_measured
    agreeing = int((np.sign(difference) == np.sign(difference.mean())).sum())
    return Contrast(unit, float(here_measured.mean()), float(elsewhere_measured.mean()), len(difference), agreeing)
