"""Tasks with symbols: temporal order, copying after a delay, and two long time lags."""

from collections.abc import Sequence

import numpy as np

from lstm_core.memory_tasks.batch import Batch, ends_of, one_hot

BITS = 4  # of a sequence to copy
ORDER_SYMBOLS = ("E", "B", "a", "b", "c", "d", "X", "Y")
# Where X or Y stands, in percent of the length, as in sequences of 100 of Hochreiter & Schmidhuber (1997).
TWO_PLACES = ((10, 20), (50, 60))
THREE_PLACES = ((10, 20), (33, 43), (66, 76))


def order(length: int, count: int, seed: int) -> Batch:
    """Temporal order with two relevant symbols, see `_order`."""
    return _order(length, count, seed, TWO_PLACES)


def order_of_three(length: int, count: int, seed: int) -> Batch:
    """Temporal order with three relevant symbols, see `_order`."""
    return _order(length, count, seed, THREE_PLACES)


def _order(length: int, count: int, seed: int, percent: Sequence[tuple[int, int]]) -> Batch:
    """Letters between E and B with X or Y at two or three places; the target at the end is their order.

    The classes count like a binary number, X for 0 and Y for 1. Sequences of Hochreiter & Schmidhuber have 100 to 110
    symbols; here every sequence has the same length.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(count)
    ids = rng.integers(2, 6, (count, length))
    ids[:, 0], ids[:, -1] = 0, 1
    bounds = [(length * low // 100, length * high // 100) for low, high in percent]
    places = [rng.integers(low, max(high, low + 1), count) for low, high in bounds]
    which = rng.integers(0, 2, (len(places), count))
    for place, letter in zip(places, which, strict=True):
        ids[rows, place] = 6 + letter
    targets = np.zeros((count, length, 2 ** len(places)), np.float32)
    targets[rows, -1, 2 ** np.arange(len(places))[::-1] @ which] = 1
    live = np.arange(length) >= places[0][:, None]
    memory = np.where(live, 1.0 - 2 * which[0][:, None], 0).astype(np.float32)  # X: 1, Y: -1
    mask = ends_of(np.full(count, length), length)
    symbols = np.array(ORDER_SYMBOLS)[ids]
    return Batch(one_hot(ids, 8), targets, mask, targets > 0.5, memory, live, symbols, ids >= 6, mask > 0)


COPY_SYMBOLS = ("0", "1", "·", "?")


def copy(delay: int, count: int, seed: int) -> Batch:
    """`BITS` random bits, `delay` blanks, and then a question mark for each bit, which is the target."""
    rng = np.random.default_rng(seed)
    length = 2 * BITS + delay
    bits = rng.integers(0, 2, (count, BITS))
    ids = np.full((count, length), 2)
    ids[:, :BITS], ids[:, -BITS:] = bits, 3
    targets = np.zeros((count, length, 2), np.float32)
    targets[:, -BITS:] = one_hot(bits, 2)
    mask = np.zeros((count, length), np.float32)
    mask[:, -BITS:] = 1
    memory = np.repeat(1.0 - 2 * bits[:, :1], length, axis=1).astype(np.float32)  # the first bit, 0: 1, 1: -1
    live = np.broadcast_to(np.arange(length) <= length - BITS, (count, length))
    symbols = np.array(COPY_SYMBOLS)[ids]
    return Batch(one_hot(ids, 4), targets, mask, targets > 0.5, memory, live, symbols, ids != 2, mask > 0)


LONGEST_LAG = 100
LAG_SYMBOLS = ("x", "y", *(f"a{place}" for place in range(1, LONGEST_LAG)))


def lag(p: int, count: int, seed: int) -> Batch:
    """x or y, then a1, a2, … in the same order each time until p symbols are read, then x or y again.

    Every next symbol is a target, and only the last one needs memory.
    """
    rng = np.random.default_rng(seed)
    which = rng.integers(0, 2, count)
    ids = np.tile(np.arange(1, p + 2), (count, 1))  # (count, p + 1)
    ids[:, 0] = ids[:, -1] = which
    targets = one_hot(np.roll(ids, -1, axis=1), len(LAG_SYMBOLS))
    mask = np.ones(ids.shape, np.float32)
    mask[:, -1] = 0  # nothing follows
    valid = (targets > 0.5) & (mask[:, :, None] > 0)
    memory = np.repeat(1.0 - 2 * which[:, None], p + 1, axis=1).astype(np.float32)  # x: 1, y: -1
    relevant = np.broadcast_to(np.isin(np.arange(p + 1), (0, p)), ids.shape)
    recalled = np.broadcast_to(np.arange(p + 1) == p - 1, ids.shape)
    symbols = np.array(LAG_SYMBOLS)[ids]
    x = one_hot(ids, len(LAG_SYMBOLS))
    return Batch(x, targets, mask, valid, memory, mask >= 0, symbols, relevant, recalled)


DISTRACTORS, LATEST = 50, 40  # kinds of symbols without meaning, and how many more than q of them at most
DISTRACTOR_SYMBOLS = ("b", "e", "x", "y", *(f"a{kind}" for kind in range(1, DISTRACTORS + 1)))


def distractors(q: int, count: int, seed: int) -> Batch:
    """b, then x or y, then q distractors, then more of them or, with a probability of a tenth at each step, e.

    The target at e is the second symbol. After q + `LATEST` distractors e always comes, so that lengths are bounded.
    """
    rng = np.random.default_rng(seed)
    rows, width = np.arange(count), q + LATEST + 3
    which = rng.integers(0, 2, count)
    ids = rng.integers(4, 4 + DISTRACTORS, (count, width))
    lengths = q + 3 + np.minimum(rng.geometric(0.1, count) - 1, LATEST)
    ids[:, 0], ids[:, 1] = 0, 2 + which
    ids[rows, lengths - 1] = 1
    places = np.arange(width)
    read = places < lengths[:, None]
    mask = ends_of(lengths, width)
    targets = (mask[:, :, None] * one_hot(which, 2)[:, None]).astype(np.float32)
    live = read & (places >= 1)
    memory = (live * (1.0 - 2 * which[:, None])).astype(np.float32)  # x: 1, y: -1
    symbols = np.where(read, np.array(DISTRACTOR_SYMBOLS)[ids], "")
    relevant = (places == 1) | (mask > 0)
    x = one_hot(ids, len(DISTRACTOR_SYMBOLS)) * read[:, :, None]
    return Batch(x, targets, mask, targets > 0.5, memory, live, symbols, relevant, mask > 0)
