"""Small networks for the check-up: healthy ones after Glorot and orthogonal initialization, and broken ones."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm_core.interpret.toy_rnn import orthogonal
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import PARTS
from lstm_core.nn.weights import CellWeights, Kind
from lstm_core.tracing.batch import run_batch
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace

KEEPING = {"lstm": "f", "gru": "z"}


def healthy(kind: Kind = "lstm", units: int = 16, features: int = 6, seed: int = 0, bias: float = 1.0) -> CellWeights:
    """Keras's defaults: Glorot's uniform kernel, an orthogonal recurrent kernel, the forget gate's bias 1."""
    random, parts = np.random.default_rng(seed), PARTS[kind]
    limit = np.sqrt(6 / (features + units * len(parts)))
    kernel = random.uniform(-limit, limit, (features, units * len(parts)))
    recurrent = np.concatenate([orthogonal(units, random) for _ in parts], axis=1)
    biases = np.concatenate([np.full(units, bias * (kind == "lstm" and part == "f")) for part in parts])
    return CellWeights(kind, kind, kernel, recurrent, biases, np.zeros_like(biases))


def with_bias(weights: CellWeights, gate: str, value: float, units: slice = slice(None)) -> CellWeights:
    """The same layer with another bias of a gate."""
    bias = weights.bias.reshape(len(PARTS[weights.kind]), -1).copy()
    bias[PARTS[weights.kind].index(gate), units] = value
    return replace(weights, bias=bias.reshape(-1))


def doubled(weights: CellWeights, times: int) -> CellWeights:
    """A layer in which each unit stands several times, and each copy gets its share of the recurrent weights."""
    parts = len(PARTS[weights.kind])

    def wide(values: np.ndarray) -> np.ndarray:
        shaped = values.reshape(*values.shape[:-1], parts, weights.units)
        return np.tile(shaped, times).reshape(*values.shape[:-1], -1)

    recurrent = np.tile(wide(weights.recurrent) / times, (times, 1))
    arrays = {"kernel": wide(weights.kernel), "bias": wide(weights.bias)}
    return replace(weights, recurrent=recurrent, recurrent_bias=wide(weights.recurrent_bias), **arrays)


def exploding(kind: Kind, seed: int = 0) -> CellWeights:
    """relu in place of tanh, and a recurrent kernel that enlarges the state."""
    weights = replace(healthy(kind, seed=seed), tanh=ELEMENTWISE["relu"])
    if kind == "rnn":
        return replace(weights, recurrent=2.5 * weights.recurrent)
    scaled = np.abs(weights.recurrent)  # the candidate's row sums exceed 1, so that c and h feed each other
    return with_bias(with_bias(replace(weights, recurrent=scaled), "f", 3.0), "o", 3.0)


def inputs(batch: int = 24, steps: int = 40, features: int = 6, seed: int = 1) -> np.ndarray:
    """(batch, steps, features) of independent standard normal numbers."""
    return np.random.default_rng(seed).normal(size=(batch, steps, features))


def traced(weights: CellWeights, x: np.ndarray, mask: np.ndarray | None = None) -> RecurrentTrace:
    """The layer over a batch."""
    with np.errstate(over="ignore", invalid="ignore"):
        return run_batch(weights, x, mask=mask)


def whole(weights: CellWeights, x: np.ndarray):  # type: ignore[no-untyped-def]
    """The trace of a layer with a linear readout of its last h, and the output with clamps."""
    readout = np.random.default_rng(5).normal(size=(weights.units, 3))

    def output_of(clamps: tuple[Clamp, ...]) -> np.ndarray:
        return run_batch(weights, x, clamps=clamps).h[:, -1] @ readout

    return ModelTrace((traced(weights, x),), {}, {}, output_of(())), output_of
