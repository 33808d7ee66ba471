"""Tasks with real numbers: the adding problem in two forms, multiplication, and a signal in noise."""

import numpy as np

from lstm_core.arrays import Array
from lstm_core.memory_tasks.batch import Batch, ends_of

MARK = "●"
SIGNAL_STEPS, NOISE_VARIANCE = 3, 0.2  # of task 3a of Hochreiter & Schmidhuber (1997)


def adding(length: int, count: int, seed: int) -> Batch:
    """Numbers in -1…1, two of them marked: one among the first ten, another one in the first half.

    The target at the end is ½ + (x₁ + x₂) / 4, in 0…1. Every sequence has the same length; `adding_with_ends` is the
    task as Hochreiter & Schmidhuber published it.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(count)
    half = length // 2
    first = rng.integers(0, min(10, half - 1), count)
    second = rng.integers(0, half - 1, count)
    second += second >= first  # any of the first half but the first one
    x = np.zeros((count, length, 2), np.float32)
    x[:, :, 0] = rng.uniform(-1, 1, (count, length))
    x[rows, first, 1] = x[rows, second, 1] = 1
    sums = np.cumsum(x[:, :, 0] * x[:, :, 1], axis=1)  # (count, length)
    return _marked(x, np.full(count, length), sums, 0.5 + sums[:, -1] / 4)


def adding_with_ends(shortest: int, count: int, seed: int) -> Batch:
    """The adding problem as published: random lengths, and the first and the last number marked with -1.

    A first number that is one of the two marked ones is 0, and has their mark.
    """
    x, lengths = _numbers_with_ends(shortest, count, seed, -1.0, neutral=0.0)
    sums = np.cumsum(x[:, :, 0] * (x[:, :, 1] > 0), axis=1)
    return _marked(x, lengths, sums, 0.5 + sums[:, -1] / 4)


def multiplication(shortest: int, count: int, seed: int) -> Batch:
    """The same with numbers in 0…1, and their product as the target; a marked first number is 1."""
    x, lengths = _numbers_with_ends(shortest, count, seed, 0.0, neutral=1.0)
    products = np.cumprod(np.where(x[:, :, 1] > 0, x[:, :, 0], 1), axis=1)
    return _marked(x, lengths, products, products[:, -1])


def _numbers_with_ends(shortest: int, count: int, seed: int, lowest: float, neutral: float) -> tuple[Array, Array]:
    """(count, T, 2) float32, numbers in `lowest`…1 and marks, zeros after the end; and the lengths (count,)."""
    rng = np.random.default_rng(seed)
    rows, width = np.arange(count), shortest + shortest // 10
    lengths = rng.integers(shortest, width + 1, count)
    first = rng.integers(0, 10, count)
    second = rng.integers(0, shortest // 2 - 1, count)
    second += second >= first
    x = np.zeros((count, width, 2), np.float32)
    x[:, :, 0] = rng.uniform(lowest, 1, (count, width)) * (np.arange(width) < lengths[:, None])
    x[rows, 0, 1] = x[rows, lengths - 1, 1] = -1
    x[rows, first, 1] = x[rows, second, 1] = 1
    x[x[:, 0, 1] > 0, 0, 0] = neutral
    return x, lengths


def _marked(x: Array, lengths: Array, memory: Array, target: Array) -> Batch:
    """`memory` (count, T) is what to remember; `target` (count,) is due at the end."""
    marks, mask = x[:, :, 1] > 0, ends_of(lengths, x.shape[1])
    live = (np.cumsum(marks, axis=1) > 0) & (np.arange(x.shape[1]) < lengths[:, None])
    targets = (mask * target[:, None])[:, :, None].astype(np.float32)
    symbols = np.where(marks, MARK, "")
    return Batch(x, targets, mask, targets > -1, memory.astype(np.float32), live, symbols, marks, mask > 0)


def noise(shortest: int, count: int, seed: int) -> Batch:
    """The 2-sequence problem: three times 1, or three times -1, then noise; the target at the end says which."""
    rng = np.random.default_rng(seed)
    width = shortest + shortest // 10
    lengths = rng.integers(shortest, width + 1, count)
    positive = rng.integers(0, 2, count)
    x = rng.normal(0, np.sqrt(NOISE_VARIANCE), (count, width, 1)).astype(np.float32)
    x[:, :SIGNAL_STEPS, 0] = 2 * positive[:, None] - 1
    live = np.arange(width) < lengths[:, None]
    x *= live[:, :, None]
    mask = ends_of(lengths, width)
    targets = (mask * positive[:, None])[:, :, None].astype(np.float32)
    memory = (live * (2.0 * positive[:, None] - 1)).astype(np.float32)
    signal = np.broadcast_to(np.arange(width) < SIGNAL_STEPS, live.shape)
    return Batch(x, targets, mask, targets > 0.5, memory, live, np.where(signal, MARK, ""), signal, mask > 0)
