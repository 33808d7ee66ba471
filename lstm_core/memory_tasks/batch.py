"""Random sequences with their targets, and what all memory tasks make them with."""

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array


@dataclass(frozen=True)
class Batch:
    """Sequences with their targets.

    Attributes:
        x: (count, T, features) float32, the inputs.
        targets: (count, T, outputs) float32.
        mask: (count, T) float32, 1 where a target counts, else 0.
        valid: (count, T, outputs) bool, the correct answers.
        memory: (count, T) float32, the quantity to remember after each timestep.
        live: (count, T) bool, where there is something to remember.
        symbols: (count, T) of str, the symbol at each timestep; the mark of a number.
        relevant: (count, T) bool, the timesteps that the answer depends on, or where it is requested.
        recalled: (count, T) bool, the targets that need memory.
    """

    x: Array
    targets: Array
    mask: Array
    valid: Array
    memory: Array
    live: Array
    symbols: Array
    relevant: Array
    recalled: Array

    def __len__(self) -> int:
        return len(self.x)


def one_hot(ids: Array, width: int) -> Array:
    """(…,) of int → (…, width) float32."""
    return np.eye(width, dtype=np.float32)[ids]


def ends_of(lengths: Array, width: int) -> Array:
    """(count, width) float32: 1 at the last timestep of each sequence, else 0."""
    return (np.arange(width) == lengths[:, None] - 1).astype(np.float32)
