"""Tiny networks whose weights were set by hand, to be checked on paper and changed by hand.

`count_brackets` is an LSTM of one unit. `NETWORKS` are an LSTM, a GRU and a plain RNN of two units each, with every
weight in a table. No training, no Keras: `nn/cells.py` and `nn/trace.py` do the rest. The gates are driven far into
saturation, so that they are 0 or 1 to seven digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError, TextError
from lstm_core.nn import cells
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import PARTS, LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights, Kind

SURE = 16.0  # sigmoid(16) is 0.9999999
OPENING, CLOSING = "([{", ")]}"
LARGEST_WEIGHT = 1000.0
# The order of the articles: what is dropped, what is written, what is shown.
ROWS: dict[str, tuple[str, ...]] = {"lstm": ("f", "i", "g", "o"), "gru": ("z", "r", "g"), "rnn": ("h",)}


def count_brackets(text: str) -> dict[str, Array]:
    """Read a text sign by sign with an LSTM whose cell state is the number of open brackets.

    The two inputs are "opens" and "closes" (0 or 1). The input gate opens for brackets only, the
    candidate is +1 or -1, the forget gate stays open for good: c_t = c_{t-1} + i·g.

    Args:
        text: any string; every sign is one timestep.

    Returns:
        The signals `i f g o c h`, each of shape (T,).
    """
    x = np.array([[sign in OPENING, sign in CLOSING] for sign in text], float).reshape(len(text), 2)  # (T, 2)
    kernel = np.array([[2 * SURE, 0.0, SURE, 0.0], [2 * SURE, 0.0, -SURE, 0.0]])  # (2, i f g o)
    bias = np.array([-SURE, SURE, 0.0, SURE])
    recurrent = np.zeros((1, 4))
    h = c = np.zeros(1)
    steps = []
    for wx in x @ kernel + bias:
        step = cells.lstm_step(wx, h, c, recurrent)
        h, c = step.h, step.c
        steps.append(step)
    return {name: np.array([getattr(step, name)[0] for step in steps]) for name in "ifgoch"}


class WeightError(LabError):
    """A weight in a table is missing or no number that a network could use."""


@dataclass(frozen=True)
class HandSet:
    """A tiny network over single signs; nothing in it changes.

    Attributes:
        name: as the address has it.
        title: for people.
        kind: "lstm", "gru" or "rnn".
        inputs: name → the signs for which this input is 1; it is 0 for all others.
        units: what each unit does, a sentence each.
        sample: a text in which that can be seen.
        table: (gates·units, inputs + units + 1): a row a gate and unit, gates in the order of `ROWS`; a column an
            input, then a column a unit's previous h, then the bias.
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
        """A name a row of the table: "f of unit 0" …"""
        return [f"{gate} of unit {unit}" for gate in ROWS[self.kind] for unit in range(len(self.units))]

    @property
    def column_names(self) -> list[str]:
        """A name a column of the table."""
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
        """Read a text, one timestep a sign, with signals held if any are named.

        Raises:
            TextError: if there is none.
            ValueError: if a clamp names what isn't there.
        """
        if not text:
            raise TextError("There is no text to read: type some signs first.")
        x = np.array([[sign in signs for signs in self.inputs.values()] for sign in text], float)  # (T, inputs)
        return run_cell(self.weights, x, clamps=clamps)


def _weight(value: float | None, place: str) -> float:
    try:
        number = math.nan if value is None else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not abs(number) <= LARGEST_WEIGHT:  # also what is no number at all
        received = "nothing" if value is None else f"“{value}”"
        raise WeightError(
            f"The weight at {place} must be a number from {-LARGEST_WEIGHT:g} to {LARGEST_WEIGHT:g}; "
            f"received {received}."
        )
    return number


S = SURE
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
                "gate listens to the unit's own h.",
                "remembers whether the last bracket was an opening one: at every bracket its forget gate shuts, and "
                "the input gate writes +1 or −1.",
            ),
            sample="(a + [b − c]) × {d}",
            table=np.array(
                [
                    # opens, closes, h of unit 0, h of unit 1, bias
                    [0, 0, 0, 0, S],  # f of unit 0: keeps everything
                    [-2 * S, -2 * S, 0, 0, S],  # f of unit 1: lets go at a bracket
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
                "remembers the last bracket: +1 opening, −1 closing. Its reset gate is shut: the candidate need not "
                "know what was there before.",
                "is +1 inside a quotation and −1 behind it. Its reset gate is open: at a quotation mark the candidate "
                "is the opposite of the old state.",
            ),
            sample='say "yes (or no)" and "go"',
            table=np.array(
                [
                    # opens, closes, quote, h of unit 0, h of unit 1, bias
                    [-2 * S, -2 * S, 0, 0, 0, S],  # z of unit 0: keeps, but not at a bracket
                    [0, 0, -2 * S, 0, 0, S],  # z of unit 1: keeps, but not at a quotation mark
                    [0, 0, 0, 0, 0, -S],  # r of unit 0: shut
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
                "is an echo of the brackets: it multiplies what it knows by 0.8 at every sign, so it fades. A plain "
                "RNN has no gate that could hold it.",
                "is a switch: it feeds itself so strongly (2) that it stays at one of two values until a bracket "
                "pushes it over. It can hold, but it can't count.",
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
