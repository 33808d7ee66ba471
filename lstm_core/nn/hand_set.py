"""Small networks with hand-set weights, which can be checked on paper and changed by hand.

`count_brackets` is an LSTM of one unit. `NETWORKS` are an LSTM, a GRU and a plain RNN of two units each; their weights
stand in `assets/hand_set.toml`. The gates are saturated: 0 or 1 to seven digits.
"""

import math
import tomllib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError, TextError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import PARTS, LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights, Kind
from lstm_core.paths import ASSETS

SATURATED = 16.0  # sigmoid(16) is 0.9999999
LARGEST_WEIGHT = 1000.0
# The order of the articles: forget, write, output.
ROWS: dict[str, tuple[str, ...]] = {"lstm": ("f", "i", "g", "o"), "gru": ("z", "r", "g"), "rnn": ("h",)}


def count_brackets(text: str) -> dict[str, Array]:
    """The signals `i f g o c h`, (T,) each, of an LSTM of one unit whose cell state is the number of open brackets.

    Every character is a timestep. The two inputs are "opens" and "closes" (0 or 1). The input gate opens for brackets
    only, the candidate is +1 or -1, the forget gate is always open: c_t = c_{t-1} + i·g.
    """
    # Columns: i, f, g, o.
    kernel = np.array([[2 * SATURATED, 0.0, SATURATED, 0.0], [2 * SATURATED, 0.0, -SATURATED, 0.0]])
    bias, zeros = np.array([-SATURATED, SATURATED, 0.0, SATURATED]), np.zeros(4)
    weights = CellWeights("lstm", "brackets", kernel, zeros[None], bias, zeros)
    trace = run_cell(weights, _inputs(text, ("([{", ")]}")))
    return {name: values[:, 0] for name, values in trace.signals.items()}


def _inputs(text: str, classes: Collection[str]) -> Array:
    """(T, inputs): 1 where a character belongs to an input's characters."""
    return np.array([[character in each for each in classes] for character in text], float).reshape(-1, len(classes))


class WeightError(LabError):
    """A weight in a table is missing, not a number, or too large."""


@dataclass(frozen=True)
class HandSet:
    """A small network over single characters; it never changes."""

    name: str  # in links
    title: str  # on pages
    kind: Kind  # "lstm", "gru" or "rnn"
    inputs: dict[str, str]  # name → the characters for which this input is 1; it is 0 for all others
    units: tuple[str, ...]  # what each unit does, a sentence each
    answer: tuple[str, str, int]  # what can be read off its state: a name, the signal and its unit
    sample: str  # a text that shows it
    # (gates·units, inputs + units + 1): one row for each gate and unit, gates in the order of `ROWS`; columns are the
    # inputs, then each unit's previous h, then the bias
    table: Array

    @property
    def row_names(self) -> list[str]:
        """The name of each row: "f of unit 0" …"""
        return [f"{gate} of unit {unit}" for gate in ROWS[self.kind] for unit in range(len(self.units))]

    @property
    def column_names(self) -> list[str]:
        """The name of each column."""
        return [*self.inputs, *(f"h of unit {unit}" for unit in range(len(self.units))), "bias"]

    @property
    def weights(self) -> CellWeights:
        """The table as a layer's weights, in Keras's order of gates."""
        n = len(self.units)
        rows = self.table.reshape(len(ROWS[self.kind]), n, -1)  # (gates, units, columns)
        ordered = np.concatenate([rows[ROWS[self.kind].index(gate)] for gate in PARTS[self.kind]])
        kernel, recurrent, bias = np.split(ordered.T, [len(self.inputs), len(self.inputs) + n])
        # (inputs, gates·units) and (units, gates·units)
        kernel, recurrent = np.ascontiguousarray(kernel), np.ascontiguousarray(recurrent)
        zeros = np.zeros(len(ordered))
        return CellWeights(self.kind, self.name, kernel, recurrent, bias[0].copy(), zeros, reset_after=False)

    def with_table(self, rows: Iterable[Sequence[float | str | None]]) -> Self:
        """The same network with other weights; WeightError names the first that isn't a number from −1000 to 1000."""
        given = [list(row) for row in rows]
        if [len(row) for row in given] != [self.table.shape[1]] * len(self.table):
            raise WeightError(f"The table must have {self.table.shape[0]} rows of {self.table.shape[1]} weights.")
        table = np.zeros(self.table.shape)
        for row, values in enumerate(given):
            for column, value in enumerate(values):
                table[row, column] = _weight(value, f"{self.column_names[column]}, {self.row_names[row]}")
        return replace(self, table=table)

    def read(self, text: str, clamps: Sequence[Clamp] = ()) -> LayerTrace:
        """Read a text, one timestep a character, with the given clamps.

        Raises:
            TextError: if the text is empty.
            ValueError: if a clamp names a signal, unit or timestep that doesn't exist.
        """
        if not text:
            raise TextError("There is no text to read: type some characters first.")
        return run_cell(self.weights, _inputs(text, self.inputs.values()), clamps=clamps)


def _weight(value: Any, place: str) -> float:
    try:
        number = float(value.replace("−", "-") if isinstance(value, str) else value)
    except (TypeError, ValueError):
        number = math.nan
    if not abs(number) <= LARGEST_WEIGHT:  # also NaN
        received = "nothing" if value is None else f"“{value}”"
        limits = f"−{LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}"
        raise WeightError(f"The weight at {place} must be a number from {limits}; received {received}.")
    return number


_TABLE = tomllib.loads((ASSETS / "hand_set.toml").read_text("utf-8"))
NETWORKS: dict[str, HandSet] = {
    name: HandSet(
        name=name,
        **row | {key: tuple(row[key]) for key in ("units", "answer")} | {"table": np.array(row["table"], float)},
    )
    for name, row in _TABLE.items()
}
