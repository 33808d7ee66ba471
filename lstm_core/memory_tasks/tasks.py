"""Synthetic memory tasks: random sequences with targets, and when an answer counts as correct. `TASKS` has sources."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError
from lstm_core.memory_tasks import grammars
from lstm_core.nn import activations, cells
from lstm_core.paths import read_tables

Loss = Literal["mse", "categorical_crossentropy", "binary_crossentropy"]
BITS = 4  # of a sequence to copy
PASS_ERROR = 0.04  # of the adding problem, Hochreiter & Schmidhuber (1997)
ORDER_ERROR = 0.3  # of each output in the temporal order problem (the same)


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
        symbols: (count, T) of str, the symbol at each timestep; in the adding problem, the mark.
    """

    x: Array
    targets: Array
    mask: Array
    valid: Array
    memory: Array
    live: Array
    symbols: Array

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Task:
    """A memory task.

    Attributes:
        remembered: the quantity to remember, in words.
        source: the publication, and its criterion of success.
        length_name: what the length counts.
        lengths: the shortest and the longest length.
        sample: (length, count, seed) → Batch.
        every_step: whether other timesteps than the last one have targets.
        loss: the name of the Keras loss.
        mark: the share of correct sequences at which it counts as solved.
    """

    name: str
    title: str
    question: str
    remembered: str
    source: str
    length_name: str
    lengths: tuple[int, int]
    sample: Callable[[int, int, int], Batch]
    every_step: bool
    loss: Loss
    mark: float

    @property
    def features(self) -> int:
        """The number of inputs at each timestep."""
        return self.sample(self.lengths[0], 1, 0).x.shape[2]

    @property
    def outputs(self) -> int:
        """The number of outputs at each timestep."""
        return self.sample(self.lengths[0], 1, 0).targets.shape[2]

    def batch(self, length: int, count: int, seed: int) -> Batch:
        """Random sequences.

        Args:
            length: as in `length_name`.
            count: the number of sequences.
            seed: of the sequences.

        Raises:
            LabError: if the length is out of range, or the count below 1.
        """
        shortest, longest = self.lengths
        if not shortest <= length <= longest:
            raise LabError(f"{self.title} takes a length from {shortest} to {longest}; received {length}.")
        if count < 1:
            raise LabError(f"A batch needs at least one sequence; received {count}.")
        return self.sample(length, count, seed)

    def answers(self, sums: Array) -> Array:
        """The answers of a network, (…, outputs): probabilities of its logits, or the numbers of the adding problem."""
        if self.loss == "mse":
            return sums
        if self.loss == "binary_crossentropy":
            return cells.sigmoid(sums)
        return activations.softmax(sums)

    def right(self, batch: Batch, answers: Array) -> Array:
        """(count,) of bool: which sequences are answered correctly, by the criterion of the task's authors.

        `answers` are (count, T, outputs), from the method of that name.
        """
        if self.loss == "mse":
            fine = np.abs(answers - batch.targets).max(axis=2) < PASS_ERROR
        elif self.name == "order":
            fine = np.abs(answers - batch.targets).max(axis=2) < ORDER_ERROR
        elif self.loss == "binary_crossentropy":
            fine = ((answers > 0.5) == batch.valid).all(axis=2)
        else:  # every valid symbol is more probable than every other
            least = np.where(batch.valid, answers, np.inf).min(axis=2)
            most = np.where(batch.valid, -np.inf, answers).max(axis=2)
            fine = least > most
        return (fine | (batch.mask == 0)).all(axis=1)

    def error(self, batch: Batch, answers: Array) -> float:
        """The mean absolute error of the adding problem, or the mean cross-entropy in nats."""
        if self.loss == "mse":
            each = np.abs(answers - batch.targets).mean(axis=2)
        elif self.loss == "binary_crossentropy":
            p = np.clip(answers, 1e-7, 1 - 1e-7)
            each = -(batch.targets * np.log(p) + (1 - batch.targets) * np.log(1 - p)).mean(axis=2)
        else:
            each = -(batch.targets * np.log(np.maximum(answers, 1e-7))).sum(axis=2)
        return float((each * batch.mask).sum() / batch.mask.sum())

    def baseline(self, batch: Batch) -> float:
        """The share of correct sequences without memory.

        Adding: always ½. Order and copy: always the most frequent answer. The Reber grammar: the inner strings and the
        more frequent end. aⁿbⁿ: all n of training and none beyond.
        """
        if self.name == "adding":
            return float(self.right(batch, np.full_like(batch.targets, 0.5)).mean())
        if self.name == "counting":
            return float((batch.memory.max(axis=1) <= batch.memory.max() / grammars.BEYOND).mean())
        last = batch.mask.shape[1] - 1 - batch.mask[:, ::-1].argmax(axis=1)  # with a target
        if self.name == "reber":
            last = last - 1
            wanted = [int(row) for row in batch.targets[np.arange(len(batch)), last].argmax(axis=1)]
            return max(wanted.count(each) for each in set(wanted)) / len(wanted)
        found = [tuple(row) for row in (batch.targets * batch.mask[:, :, None]).argmax(axis=2)]
        return max(found.count(each) for each in set(found)) / len(found)


def one_hot(ids: Array, width: int) -> Array:
    """(…,) of int → (…, width) float32."""
    return np.eye(width, dtype=np.float32)[ids]


def _adding(length: int, count: int, seed: int) -> Batch:
    """Numbers in -1…1, two of them marked: one among the first ten, another one in the first half.

    The target at the end is ½ + (x₁ + x₂) / 4, in 0…1. Hochreiter & Schmidhuber vary the length by a tenth and mark
    both ends with -1; here every sequence has the same length, and other marks are 0.
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
    memory = np.cumsum(x[:, :, 0] * x[:, :, 1], axis=1)  # (count, length)
    targets = np.zeros((count, length, 1), np.float32)
    targets[:, -1, 0] = 0.5 + memory[:, -1] / 4
    symbols = np.where(x[:, :, 1] > 0, "●", "")
    live = np.cumsum(x[:, :, 1], axis=1) > 0
    return Batch(x, targets, _mask_of_last(count, length), targets > -1, memory, live, symbols)


def _mask_of_last(count: int, length: int) -> Array:
    mask = np.zeros((count, length), np.float32)
    mask[:, -1] = 1
    return mask


ORDER_SYMBOLS = ("E", "B", "a", "b", "c", "d", "X", "Y")
ORDER_CLASSES = ("X, X", "X, Y", "Y, X", "Y, Y")


def _temporal_order(length: int, count: int, seed: int) -> Batch:
    """Letters between E and B with X or Y at two places; the target at the end is their order, one of four classes.

    The first stands in the second tenth of the sequence and the second in the sixth, as in sequences of
    100 to 110 of Hochreiter & Schmidhuber; here every sequence has the same length.
    """
    rng = np.random.default_rng(seed)
    rows = np.arange(count)
    ids = rng.integers(2, 6, (count, length))
    ids[:, 0], ids[:, -1] = 0, 1
    first = rng.integers(length // 10, max(length // 5, length // 10 + 1), count)
    second = rng.integers(length // 2, max(length * 6 // 10, length // 2 + 1), count)
    which = rng.integers(0, 2, (2, count))
    ids[rows, first], ids[rows, second] = 6 + which[0], 6 + which[1]
    targets = np.zeros((count, length, 4), np.float32)
    targets[rows, -1, 2 * which[0] + which[1]] = 1
    live = np.arange(length) >= first[:, None]
    memory = np.where(live, 1.0 - 2 * which[0][:, None], 0).astype(np.float32)  # X: 1, Y: -1
    symbols = np.array(ORDER_SYMBOLS)[ids]
    return Batch(one_hot(ids, 8), targets, _mask_of_last(count, length), targets > 0.5, memory, live, symbols)


COPY_SYMBOLS = ("0", "1", "·", "?")


def _copy(delay: int, count: int, seed: int) -> Batch:
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
    return Batch(one_hot(ids, 4), targets, mask, targets > 0.5, memory, live, np.array(COPY_SYMBOLS)[ids])


def _reber(longest: int, count: int, seed: int) -> Batch:
    """Strings of the embedded Reber grammar, see `grammars.reber_strings`; the target is the next symbol."""
    strings = grammars.reber_strings(longest, count, seed)
    ids, x, mask, valid, symbols = _encoded(strings, grammars.REBER_SYMBOLS, longest, grammars.reber_successors)
    live = (np.arange(longest) >= 1) & (mask > 0)
    memory = np.where([string[1] == "T" for string in strings], 1.0, -1.0)[:, None] * live
    return Batch(x, one_hot(np.roll(ids, -1, axis=1), 7), mask, valid, memory.astype(np.float32), live, symbols)


def _counting(longest: int, count: int, seed: int) -> Batch:
    """Strings aⁿbⁿ with random n in 1…`longest`; the targets are the possible next symbols."""
    return counting_of(np.random.default_rng(seed).integers(1, longest + 1, count), longest)


def counting_of(numbers: Sequence[int] | Array, longest: int) -> Batch:
    """The strings S aⁿbⁿ T for these n, padded to the longest; `memory` is the number of b that are missing."""
    strings = ["S" + "a" * int(n) + "b" * int(n) + "T" for n in numbers]
    _, x, mask, valid, symbols = _encoded(strings, grammars.COUNT_SYMBOLS, 2 * longest + 2, grammars.count_successors)
    valid = valid[..., 1:]  # of a, b, T: S is no target
    memory = np.cumsum(x[..., 1] - x[..., 2], axis=1)
    return Batch(x, valid.astype(np.float32), mask, valid, memory, mask > 0, symbols)


def _encoded(
    strings: Sequence[str],
    alphabet: Sequence[str],
    width: int,
    successors: Callable[[str], list[tuple[str, ...]]],
) -> tuple[Array, Array, Array, Array, Array]:
    """Padded ids, one-hot inputs, the mask of targets, the valid next symbols, and the symbols of strings."""
    ids, seen = np.zeros((len(strings), width), int), np.zeros((len(strings), width), np.float32)
    valid = np.zeros((len(strings), width, len(alphabet)), bool)
    for row, string in enumerate(strings):
        ids[row, : len(string)], seen[row, : len(string)] = [alphabet.index(symbol) for symbol in string], 1
        for place, following in enumerate(successors(string)[:-1]):
            valid[row, place, [alphabet.index(symbol) for symbol in following]] = True
    mask = np.roll(seen, -1, axis=1)
    mask[:, -1] = 0
    symbols = np.where(seen > 0, np.array(alphabet)[ids], "")
    return ids, one_hot(ids, len(alphabet)) * seen[:, :, None], mask, valid, symbols


_SAMPLERS = {"adding": _adding, "order": _temporal_order, "copy": _copy, "reber": _reber, "counting": _counting}
TASKS: dict[str, Task] = {
    name: Task(name=name, sample=_SAMPLERS[name], **about) for name, about in read_tables("memory_tasks.toml").items()
}


def find_task(name: str) -> Task:
    """The task of this name; LabError if there is none."""
    try:
        return TASKS[name]
    except KeyError:
        raise LabError(f"There is no task '{name}'; choose one of {', '.join(TASKS)}.") from None


def validation(task: Task, length: int, count: int, seed: int) -> Batch:
    """Sequences for validation; for aⁿbⁿ each n once, up to `grammars.BEYOND` times the longest of training.

    Args:
        task: one of `TASKS`.
        length: as in `Task.length_name`.
        count: the number of sequences.
        seed: of the sequences.
    """
    if task.name != "counting":
        return task.batch(length, count, seed)
    task.batch(length, 1, seed)  # raises for a length out of range
    longest = grammars.BEYOND * length
    return counting_of(range(1, longest + 1), longest)
