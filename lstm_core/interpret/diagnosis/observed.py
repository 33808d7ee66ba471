"""One recurrent layer of a trace as the checks read it: taken steps only, in the order of the layer's steps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.nn.trace import PARTS
from lstm_core.nn.weights import CellWeights, Kind
from lstm_core.tracing.model_trace import RecurrentTrace

# The gate that keeps the old state: c = f ⊙ c + …, and h = z ⊙ h + (1 - z) ⊙ g in Keras's and PyTorch's convention.
KEEPING: dict[str, str] = {"lstm": "f", "gru": "z"}
GATES: dict[str, tuple[str, ...]] = {"lstm": ("i", "f", "o"), "gru": ("z", "r"), "rnn": ()}
GATE_NAMES = {
    "i": "input gate",
    "f": "forget gate",
    "o": "output gate",
    "z": "update gate",
    "r": "reset gate",
    "h": "hidden state",
}
BOUNDED = [np.tanh, *(ELEMENTWISE[name] for name in ("sigmoid", "hard_tanh", "hard_sigmoid", "softsign", "relu6"))]


@dataclass(frozen=True)
class Observed:
    """A layer with the steps that count: those that were taken, up to the first value that isn't finite.

    Attributes:
        trace: of the layer.
        number: how clamps call it: its number among the recurrent layers, both directions of one having the same.
    """

    trace: RecurrentTrace
    number: int = 0

    @property
    def weights(self) -> CellWeights:
        """Of the layer."""
        return self.trace.weights

    @property
    def kind(self) -> Kind:
        """Of the cell."""
        return self.trace.kind

    @property
    def units(self) -> int:
        """How many."""
        return self.trace.units

    @property
    def bounded(self) -> bool:
        """Whether the activation of the candidate and the state is bounded, as tanh is and relu isn't."""
        return any(self.weights.tanh is each for each in BOUNDED)

    def in_order(self, values: Array) -> Array:
        """(batch, T, …) of the trace, row t belonging to the layer's step t: a backward layer begins at the end."""
        return values[:, ::-1] if self.weights.go_backwards else values

    @cached_property
    def finite(self) -> Array:
        """(batch, T) of bool: no state has been infinite or NaN up to here."""
        states = [self.trace.signals[name] for name in ("c", "h") if name in self.trace.signals]
        sums = sum(np.abs(self.in_order(state)).max(axis=-1) for state in states)
        return np.logical_and.accumulate(np.isfinite(sums), axis=1)

    @cached_property
    def readable(self) -> Array:
        """(batch, T) of bool: no input has been infinite or NaN up to here."""
        there = np.isfinite(self.in_order(self.trace.inputs)).all(axis=-1)
        return np.logical_and.accumulate(there | ~self.in_order(self.trace.mask), axis=1)

    @cached_property
    def taken(self) -> Array:
        """(batch, T) of bool, the steps that count."""
        return self.in_order(self.trace.mask) & self.finite & self.readable

    @cached_property
    def lengths(self) -> Array:
        """(batch,) the number of steps that count in each sequence."""
        return self.taken.sum(axis=1)

    def rows(self, values: Array) -> Array:
        """(batch, T, width) → (steps that count, width)."""
        values = self.in_order(values)
        return values.reshape(-1, values.shape[-1]) if self.taken.all() else values[self.taken]

    def signal(self, name: str) -> Array:
        """(steps that count, units) of a signal."""
        return self.rows(self.trace.signals[name])

    @cached_property
    def sequences(self) -> tuple[Array, ...]:
        """For each sequence its batch index and the indices of its steps that count: (steps,) each."""
        return tuple(np.flatnonzero(row) for row in self.taken)

    def bias(self, part: str) -> Array:
        """(units,) the bias of a gate, both biases of a GRU together."""
        both = self.weights.bias + self.weights.recurrent_bias
        return self.of_part(both, part)

    def of_part(self, values: Array, part: str) -> Array:
        """The columns of a gate: (…, parts·units) → (…, units)."""
        first = PARTS[self.kind].index(part) * self.units
        return values[..., first : first + self.units]

    def sums(self, part: str) -> Mapping[str, Array]:
        """What makes up a gate's preactivation: "bias" (units,), "inputs" and "recurrent" (steps that count, units)."""
        own, again = self.of_part(self.weights.bias, part), self.of_part(self.weights.recurrent_bias, part)
        inputs = self.rows(self.trace.input_sums[part]) - own
        recurrent = self.rows(self.trace.recurrent_sums[part]) - (again if self.weights.reset_after else 0)
        return {"bias": own + again, "inputs": inputs, "recurrent": recurrent}


def numbered(layers: tuple[RecurrentTrace, ...]) -> list[Observed]:
    """The layers of a trace, counted as clamps count them: "x/forward" and "x/backward" have one number."""
    found: list[Observed] = []
    for trace in layers:
        before = found[-1].trace.name if found else ""
        pair = trace.name.endswith("/backward") and before == trace.name.removesuffix("backward") + "forward"
        found.append(Observed(trace, (found[-1].number + (not pair)) if found else 0))
    return found


def number(value: float) -> str:
    """A number in a sentence: two digits, a true minus."""
    if not np.isfinite(value):
        return "infinite"
    text = f"{value:.2g}" if abs(value) < 100 else f"{value:,.0f}" if abs(value) < 1e6 else f"{value:.0e}"
    return text.replace("-", "−")


def share(part: float) -> str:
    """A share in a sentence, in whole percent; 100% and 0% only if it is all or none."""
    percent = round(100 * part)
    if 0 < part < 1:
        percent = min(max(percent, 1), 99)
    return f"{percent}%"


def of_units(count: int, units: int) -> str:
    """Such as "3 of 32 units", "all 32 units" or "none of 32 units"."""
    if count == units and units > 1:
        return f"all {units} units"
    return f"{count or 'none'} of {units} unit{'s' * (units != 1)}"
