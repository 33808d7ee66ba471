"""A training run that a few exploding gradients ruin, and the same run with its gradients clipped.

A plain RNN with relu learns to add a short sequence of numbers by plain gradient descent.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_core.arrays import Array
from lstm_core.interpret.toy_rnn import ToyNetwork, backward_pass, orthogonal
from lstm_core.nn import activations
from lstm_core.nn.trace import run_cell
from lstm_core.nn.weights import CellWeights

Clipping = Literal["none", "norm", "value"]
UNITS, BATCH, LENGTH, STEPS, SEED = 16, 16, 20, 200, 3
DIVERGED = 1e6  # a mean squared error from which gradient descent doesn't recover


@dataclass(frozen=True)
class TrainingRun:
    """One run; arrays have one entry a step and end with the step at which the run diverged."""

    loss: Array  # (steps,) mean squared error
    before: Array  # (steps,) norm of the whole gradient before clipping
    after: Array  # (steps,) the same after clipping
    diverged: bool  # whether the loss exceeded `DIVERGED` or is not a number


def clip_by_norm(gradients: Sequence[Array], threshold: float) -> list[Array]:
    """All gradients scaled together so that their global norm is at most the threshold (Pascanu et al. 2013)."""
    norm = global_norm(gradients)
    share = min(1.0, threshold / norm) if norm > 0 else 1.0
    return [gradient * share for gradient in gradients]


def clip_by_value(gradients: Sequence[Array], threshold: float) -> list[Array]:
    """Every entry clipped to -threshold…threshold, which also changes the direction (Mikolov 2012)."""
    return [np.clip(gradient, -threshold, threshold) for gradient in gradients]


def global_norm(gradients: Sequence[Array]) -> float:
    """The Euclidean norm of all entries of all arrays together."""
    return float(np.sqrt(sum(float(np.square(gradient).sum()) for gradient in gradients)))


_CLIPPINGS: dict[Clipping, Callable[[Sequence[Array], float], list[Array]]] = {
    "none": lambda gradients, threshold: list(gradients),
    "norm": clip_by_norm,
    "value": clip_by_value,
}


def training_run(
    clip: Clipping,
    *,
    threshold: float = 1.0,
    scale: float = 1.5,
    rate: float = 0.1,
) -> TrainingRun:
    """Train by gradient descent, always from the same weights and with the same batches.

    Args:
        clip: how gradients are clipped (Pascanu et al. 2013, section 3.2): not, by norm, or by value.
        threshold: the largest norm, or the largest entry.
        scale: the recurrent kernel is a random orthogonal matrix times this.
        rate: the learning rate.
    """
    rng = np.random.default_rng(SEED)
    kernel, recurrent, zeros = rng.normal(0, 0.5, (1, UNITS)), scale * orthogonal(UNITS, rng), np.zeros(UNITS)
    cell = CellWeights("rnn", "rnn", kernel, recurrent, zeros, zeros, tanh=activations.ELEMENTWISE["relu"])
    network = ToyNetwork(cell, rng.normal(0, 0.2, (UNITS, 1)))
    rows = []
    for _ in range(STEPS):
        x = rng.uniform(-1, 1, (LENGTH, BATCH, 1))
        targets = x.sum(axis=0) / np.sqrt(LENGTH)  # (BATCH, 1)
        with np.errstate(over="ignore", invalid="ignore"):
            trace = run_cell(network.cell, x)
            error = trace.h[-1] @ network.readout - targets  # (BATCH, 1)
            _, gradients = backward_pass(network, trace, x, 2 * error / BATCH)
            clipped = _CLIPPINGS[clip](gradients, threshold)
            rows.append((np.square(error).mean(), global_norm(gradients), global_norm(clipped)))
            pairs = zip(network.weights, clipped, strict=True)
            network = network.with_weights([value - rate * gradient for value, gradient in pairs])
        if not rows[-1][0] < DIVERGED:  # also where it is not a number
            break
    losses, before, after = np.array(rows).T
    return TrainingRun(losses, before, after, diverged=not losses[-1] < DIVERGED)
