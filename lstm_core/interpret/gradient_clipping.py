"""A training run that a few huge gradients ruin, and the same run with its gradients clipped.

A plain RNN with relu must add up a short sequence of numbers; plain gradient descent, no Adam, so that a
step is as long as its gradient. The network and the clipping itself are in `interpret/toy_rnn.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from lstm_core.arrays import Array
from lstm_core.interpret.toy_rnn import by_norm, by_value, common_norm, orthogonal
from lstm_core.nn import activations, bptt
from lstm_core.nn.trace import run_cell
from lstm_core.nn.weights import CellWeights

Clipping = Literal["none", "norm", "value"]
UNITS, BATCH = 16, 16
DIVERGED = 1e6  # a mean squared error from which no run of plain descent comes back


@dataclass(frozen=True)
class TrainingRun:
    """One run; arrays have one entry a step and end with the step at which the run was given up.

    Attributes:
        loss: (steps,) mean squared error.
        before: (steps,) norm of the whole gradient as it came.
        after: (steps,) the same after clipping.
        diverged: whether the loss passed `DIVERGED` or left the numbers.
    """

    loss: Array
    before: Array
    after: Array
    diverged: bool


def add_up(length: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """A batch of the task: x (length, BATCH, 1) uniform in -1…1, and each sequence's mean times √length."""
    x = rng.uniform(-1, 1, (length, BATCH, 1))
    return x, x[:, :, 0].sum(axis=0) / np.sqrt(length)


def training_run(
    clip: Clipping,
    *,
    threshold: float = 1.0,
    scale: float = 1.5,
    rate: float = 0.1,
    length: int = 20,
    steps: int = 200,
    seed: int = 3,
) -> TrainingRun:
    """Train by plain gradient descent; the same seed gives the same weights and the same batches.

    Args:
        clip: how gradients are clipped (Pascanu et al. 2013, section 3.2): not, by norm, or by value.
        threshold: the largest norm, or the largest entry.
        scale: the recurrent kernel is a random orthogonal matrix times this.
        rate: the learning rate.
        length: of the sequences.
        steps: at most so many.
        seed: of weights and data.
    """
    shorten = _CLIPPINGS[clip]
    rng = np.random.default_rng(seed)
    kernel = rng.normal(0, 0.5, (1, UNITS))
    recurrent = scale * orthogonal(UNITS, rng)
    nothing = np.zeros(UNITS)
    cell = CellWeights("rnn", "rnn", kernel, recurrent, nothing, nothing, tanh=activations.ELEMENTWISE["relu"])
    values: list[Array] = [kernel, recurrent, nothing, rng.normal(0, 0.2, UNITS)]  # the last one is the readout
    kept = []
    for _ in range(steps):
        x, wanted = add_up(length, rng)
        with np.errstate(over="ignore", invalid="ignore"):
            loss, gradients = _loss_and_gradients(cell, values, x, wanted)
            clipped = shorten(gradients, threshold)
            kept.append((loss, common_norm(gradients), common_norm(clipped)))
            values = [value - rate * gradient for value, gradient in zip(values, clipped, strict=True)]
        if not loss < DIVERGED:  # also where it is no number
            break
    losses, before, after = np.array(kept).T
    return TrainingRun(losses, before, after, diverged=not losses[-1] < DIVERGED)


def _loss_and_gradients(
    cell: CellWeights, values: Sequence[Array], x: Array, wanted: Array
) -> tuple[float, list[Array]]:
    kernel, recurrent, bias, readout = values
    cell = replace(cell, kernel=kernel, recurrent=recurrent, bias=bias)
    trace = run_cell(cell, x)
    error = trace.h[-1] @ readout - wanted  # (BATCH,)
    by_answer = 2 * error / len(error)
    by_output = np.zeros_like(trace.h)  # (T, BATCH, UNITS)
    by_output[-1] = np.outer(by_answer, readout)
    back = bptt.backpropagate(cell, trace, by_output)
    found = bptt.weight_gradients(cell, trace, x, back.preactivation)
    return float(np.square(error).mean()), [found.kernel, found.recurrent, found.bias, trace.h[-1].T @ by_answer]


_CLIPPINGS: dict[Clipping, Callable[[Sequence[Array], float], list[Array]]] = {
    "none": lambda gradients, threshold: list(gradients),
    "norm": by_norm,
    "value": by_value,
}
