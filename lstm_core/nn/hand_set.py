"""Small networks with hand-set weights, which can be checked on paper and changed by hand.

`count_brackets` is an LSTM of one unit. `NETWORKS` are an LSTM, a GRU and a plain RNN of two units each, with every
weight in a table. The gates are saturated: 0 or 1 to seven digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError, TextError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import PARTS, LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights, Kind

SATURATED = 16.0  # sigmoid(16) is 0.9999999
OPENING, CLOSING = "([{", ")]}"
LARGEST_WEIGHT = 1000.0
# The order of the articles: forget, write, output.
ROWS: dict[str, tuple[str, ...]] = {"lstm": ("f", "i", "g", "o"), "gru": ("z", "r", "g"), "rnn": ("h",)}


def count_brackets(text: str) -> dict[str, Array]:
    """Read a text with an LSTM of one unit whose cell state is the number of open brackets.

    The two inputs are "opens" and "closes" (0 or 1). The input gate opens for brackets only, the
    candidate is +1 or -1, the forget gate is always open: c_t = c_{t-1} + i·g.

    Args:
        text: any string; every character is one timestep.

    Returns:
        the signals `i f g o c h`, each of shape (T,).
    """
    # Columns: i, f, g, o.
    kernel = np.array([[2 * SATURATED, 0.0, SATURATED, 0.0], [2 * SATURATED, 0.0, -SATURATED, 0.0]])
    bias, zeros = np.array([-SATURATED, SATURATED, 0.0, SATURATED]), np.zeros(4)
    trace = run_cell(
        CellWeights("lstm", "brackets", kernel, zeros[None], bias, zeros), _inputs(text, (OPENING, CLOSING))
    )
    return {name: values[:, 0] for name, values in trace.signals.items()}


def _inputs(text: str, classes: Iterable[str]) -> Array:
    """(T, inputs): 1 where a character belongs to an input's characters."""
    classes = tuple(classes)
    return np.array([[character in each for each in classes] for character in text], float).reshape(-1, len(classes))


class WeightError(LabError):
    """A weight in a table is missing, not a number, or too large."""


@dataclass(frozen=True)
class HandSet:
    """A small network over single characters; it never changes.

    Attributes:
        name: in links.
        title: on pages.
        kind: "lstm", "gru" or "rnn".
        inputs: name → the characters for which this input is 1; it is 0 for all others.
        units: what each unit does, a sentence each.
        sample: a text that shows it.
        table: (gates·units, inputs + units + 1): one row for each gate and unit, gates in the order of `ROWS`; columns
            are the inputs, then each unit's previous h, then the bias.
    """

    name: str
    title: str
    kind: Kind
    inputs: dict[str, str]
    units: tuple[str, ...]
    sample: str
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
        return CellWeights(
            kind=self.kind,
            name=self.name,
            kernel=np.ascontiguousarray(kernel),  # (inputs, gates·units)
            recurrent=np.ascontiguousarray(recurrent),  # (units, gates·units)
            bias=bias[0].copy(),
            recurrent_bias=np.zeros(len(ordered)),
            reset_after=False,
        )

    def with_table(self, rows: Iterable[Sequence[float | None]]) -> HandSet:
        """The same network with other weights.

        Raises:
            WeightError: naming the first weight that isn't a number from -1000 to 1000.
        """
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


def _weight(value: float | None, place: str) -> float:
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not abs(number) <= LARGEST_WEIGHT:  # also NaN
        received = "nothing" if value is None else f"“{value}”"
        raise WeightError(
            f"The weight at {place} must be a number from {-LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}; "
            f"received {received}."
        )
    return number


S = SATURATED
_BRACKETS = {"opens": OPENING, "closes": CLOSING}

NETWORKS: dict[str, HandSet] = {
    network.name: network
    for network in (
        HandSet(
            name="brackets",
            title="Hand-set LSTM: counts brackets",
            kind="lstm",
            inputs=_BRACKETS,
            units=(
                "counts the brackets that are open. A closing bracket counts only while something is open: the input "
                "gate reads the unit's own h.",
                "remembers whether the last bracket was an opening one: at every bracket its forget gate closes, and "
                "the input gate writes +1 or −1.",
            ),
            sample="(a + [b − c]) × {d}",
            table=np.array(
                [
                    # opens, closes, h of unit 0, h of unit 1, bias
                    [0, 0, 0, 0, S],  # f of unit 0: keeps everything
                    [-2 * S, -2 * S, 0, 0, S],  # f of unit 1: forgets at a bracket
                    [2 * S, 0, 3 * S, 0, -S],  # i of unit 0: for an opening bracket, or while something is open
                    [2 * S, 2 * S, 0, 0, -S],  # i of unit 1: for a bracket
                    [S, -S, 0, 0, 0],  # g of unit 0: one more, one less
                    [S, -S, 0, 0, 0],  # g of unit 1: opening, closing
                    [0, 0, 0, 0, S],  # o of unit 0
                    [0, 0, 0, 0, S],  # o of unit 1
                ],
                float,
            ),
        ),
        HandSet(
            name="quotes",
            title="Hand-set GRU: inside a quotation",
            kind="gru",
            inputs={**_BRACKETS, "quote": "\"'“”„"},
            units=(
                "remembers the last bracket: +1 opening, −1 closing. Its reset gate is closed: the candidate doesn't "
                "depend on the old state.",
                "is +1 inside a quotation and −1 after it. Its reset gate is open: at a quotation mark the candidate "
                "is the opposite of the old state.",
            ),
            sample='say "yes (or no)" and "go"',
            table=np.array(
                [
                    # opens, closes, quote, h of unit 0, h of unit 1, bias
                    [-2 * S, -2 * S, 0, 0, 0, S],  # z of unit 0: keeps, but not at a bracket
                    [0, 0, -2 * S, 0, 0, S],  # z of unit 1: keeps, but not at a quotation mark
                    [0, 0, 0, 0, 0, -S],  # r of unit 0: closed
                    [0, 0, 0, 0, 0, S],  # r of unit 1: open
                    [S, -S, 0, 0, 0, 0],  # g of unit 0
                    [0, 0, 0, 0, -2 * S, S],  # g of unit 1: the opposite; +1 to begin with
                ],
                float,
            ),
        ),
        HandSet(
            name="echo",
            title="Hand-set plain RNN: an echo that fades",
            kind="rnn",
            inputs=_BRACKETS,
            units=(
                "is an echo of the brackets: its state is multiplied by 0.8 at every character, so it fades. A plain "
                "RNN has no gate that could keep it.",
                "is a switch: its recurrent weight (2) is so large that it stays at one of two values until a bracket "
                "changes it. It can remember, but it can't count.",
            ),
            sample="( a + b ) × ( c",
            table=np.array(
                [
                    # opens, closes, h of unit 0, h of unit 1, bias
                    [1, -1, 0.8, 0, 0],
                    [4, -4, 0, 2, 0],
                ],
                float,
            ),
        ),
    )
}
