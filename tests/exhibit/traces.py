"""Traces of small random layers, and the microscope's bytes read once more."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights

PARTS = {"lstm": 4, "gru": 3, "rnn": 1}
KINDS = [("lstm", True), ("gru", True), ("gru", False), ("rnn", True)]


def network(kind: str, units: int, reset_after: bool = True) -> CellWeights:
    random = np.random.default_rng(7)
    width = PARTS[kind] * units
    return CellWeights(
        kind=kind,  # type: ignore[arg-type]
        name=kind,
        kernel=random.normal(0, 0.8, (3, width)).astype(np.float32),
        recurrent=random.normal(0, 0.6 / np.sqrt(units), (units, width)).astype(np.float32),
        bias=random.normal(0, 0.5, width).astype(np.float32),
        recurrent_bias=random.normal(0, 0.5 * reset_after, width).astype(np.float32),
        reset_after=reset_after,
    )


def traced(kind: str, T: int, units: int, reset_after: bool = True, clamps: tuple[Clamp, ...] = ()) -> LayerTrace:
    x = np.random.default_rng(1).normal(0, 1, (T, 3)).astype(np.float32)
    return run_cell(network(kind, units, reset_after), x, clamps=clamps)


def unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """The header, and group → letter → values: the layout read once more, number by number."""
    length = int.from_bytes(data[:4], "little")
    header, body = json.loads(data[4 : 4 + length]), data[4 + length :]
    groups: dict[str, dict[str, np.ndarray]] = {}
    for array in header["arrays"]:
        width, end = array["width"], array["at"] + array["count"] * array["width"]
        numbers = [
            int.from_bytes(body[at : at + width], "little", signed=True) for at in range(array["at"], end, width)
        ]
        groups.setdefault(array["group"], {})[array["letter"]] = np.array(numbers) * array["step"]
    return header, groups
