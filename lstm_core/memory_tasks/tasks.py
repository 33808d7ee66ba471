"""Synthetic memory tasks: batches of sequences, what is asked of them, and what counts as right.

Each task is a recipe for drawing sequences with a seed, in NumPy; nothing here trains, and the two
tasks that are grammars are drawn in `memory_tasks/grammars.py`. A batch also says what there is to remember at
every timestep, so that a trained cell can be searched for it.

Sources: adding problem and temporal order, Hochreiter & Schmidhuber (1997), experiments 4 and 6a;
copying, Graves, Wayne & Danihelka (2014) and, after a delay, Arjovsky, Shah & Bengio (2016); embedded
Reber grammar, Cleeremans, Servan-Schreiber & McClelland (1989) and Hochreiter & Schmidhuber (1997),
experiment 1; aⁿbⁿ, Gers & Schmidhuber (2001).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError
from lstm_core.memory_tasks import grammars
from lstm_core.nn import activations, cells

Loss = Literal["mse", "categorical_crossentropy", "binary_crossentropy"]
BITS = 4  # to be copied
PASS_ERROR = 0.04  # of the adding problem, Hochreiter & Schmidhuber (1997)
SURE = 0.3  # temporal order: no output may be farther from its target than this (the same)


@dataclass(frozen=True)
class Batch:
    """Sequences and what is asked of them.

    Attributes:
        x: (count, T, features) float32, what is read.
        targets: (count, T, outputs) float32, what should be answered; only rows that are asked matter.
        asked: (count, T) float32, 1 where an answer is asked, else 0.
        legal: (count, T, outputs) bool, the answers that would be right.
        memory: (count, T) float32, what there is to remember after each timestep.
        live: (count, T) bool, where there is something to remember.
        symbols: (count, T) of str, the symbol at each timestep; of the adding problem, its mark.
    """

    x: Array
    targets: Array
    asked: Array
    legal: Array
    memory: Array
    live: Array
    symbols: Array

    def __len__(self) -> int:
        return len(self.x)


@dataclass(frozen=True)
class Task:
    """A memory task.

    Attributes:
        name: in links.
        title: for people.
        question: what is asked, in a sentence.
        remembered: what there is to remember, in words.
        source: who set it, and what they called solved.
        length_name: what the length counts.
        lengths: the shortest and the longest that can be asked for.
        draw: (length, count, seed) → Batch.
        every_step: whether more than the last timestep is asked.
        loss: in Keras's words.
        mark: the share of right answers at which it counts as solved.
    """

    name: str
    title: str
    question: str
    remembered: str
    source: str
    length_name: str
    lengths: tuple[int, int]
    draw: Callable[[int, int, int], Batch]
    every_step: bool
    loss: Loss
    mark: float

    @property
    def features(self) -> int:
        """The numbers read at each timestep."""
        return self.draw(self.lengths[0], 1, 0).x.shape[2]

    @property
    def outputs(self) -> int:
        """The numbers answered at each timestep."""
        return self.draw(self.lengths[0], 1, 0).targets.shape[2]

    def batch(self, length: int, count: int, seed: int) -> Batch:
        """Sequences of this length; the same three numbers give the same batch.

        Raises:
            LabError: if the length is out of reach.
        """
        shortest, longest = self.lengths
        if not shortest <= length <= longest:
            raise LabError(f"{self.title} takes a length from {shortest} to {longest}; received {length}.")
        if count < 1:
            raise LabError(f"A batch needs at least one sequence; received {count}.")
        return self.draw(length, count, seed)

    def answers(self, sums: Array) -> Array:
        """What a network's readout (…, outputs) means: probabilities, or the number itself for the adding problem."""
        if self.loss == "mse":
            return sums
        if self.loss == "binary_crossentropy":
            return cells.sigmoid(sums)
        return activations.softmax(sums)

    def right(self, batch: Batch, answers: Array) -> Array:
        """(count,) of bool: which sequences were answered rightly, by the rule of the task's authors.

        Args:
            batch: what was asked.
            answers: (count, T, outputs) as `answers` gives them.
        """
        if self.loss == "mse":
            fine = np.abs(answers - batch.targets).max(axis=2) < PASS_ERROR
        elif self.name == "order":
            fine = np.abs(answers - batch.targets).max(axis=2) < SURE
        elif self.loss == "binary_crossentropy":
            fine = ((answers > 0.5) == batch.legal).all(axis=2)
        else:  # every legal symbol is more probable than every other
            least = np.where(batch.legal, answers, np.inf).min(axis=2)
            most = np.where(batch.legal, -np.inf, answers).max(axis=2)
            fine = least > most
        return (fine | (batch.asked == 0)).all(axis=1)

    def error(self, batch: Batch, answers: Array) -> float:
        """The mean absolute error of the adding problem; else the cross-entropy in nats, a mean over what is asked."""
        if self.loss == "mse":
            each = np.abs(answers - batch.targets).mean(axis=2)
        elif self.loss == "binary_crossentropy":
            p = np.clip(answers, 1e-7, 1 - 1e-7)
            each = -(batch.targets * np.log(p) + (1 - batch.targets) * np.log(1 - p)).mean(axis=2)
        else:
            each = -(batch.targets * np.log(np.maximum(answers, 1e-7))).sum(axis=2)
        return float((each * batch.asked).sum() / batch.asked.sum())

    def baseline(self, batch: Batch) -> float:
        """The share that is right without any memory of what is asked about.

        Adding: the middle, always. Order: one class, always. Copy: one pattern, always. The Reber grammar: the inner
        strings by heart, and one of the two ends always. aⁿbⁿ: every count as far as training goes, and none beyond.
        """
        if self.name == "adding":
            return float(self.right(batch, np.full_like(batch.targets, 0.5)).mean())
        if self.name == "counting":
            return float((batch.memory.max(axis=1) <= batch.memory.max() / grammars.BEYOND).mean())
        last = batch.asked.shape[1] - 1 - batch.asked[:, ::-1].argmax(axis=1)  # of what is asked
        if self.name == "reber":
            last = last - 1
            wanted = [int(row) for row in batch.targets[np.arange(len(batch)), last].argmax(axis=1)]
            return max(wanted.count(each) for each in set(wanted)) / len(wanted)
        found = [tuple(row) for row in (batch.targets * batch.asked[:, :, None]).argmax(axis=2)]
        return max(found.count(each) for each in set(found)) / len(found)


def one_hot(ids: Array, width: int) -> Array:
    """(…,) of int → (…, width) float32."""
    return np.eye(width, dtype=np.float32)[ids]


# --- Adding -------------------------------------------------------------------------------------


def adding(length: int, count: int, seed: int) -> Batch:
    """Numbers in -1…1, two of them marked: one among the first ten, one more in the first half.

    The answer at the end is ½ + (x₁ + x₂) / 4, in 0…1. Hochreiter & Schmidhuber let the length vary by a
    tenth and mark both ends with -1; here every sequence has the same length, and other marks are 0.
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
    return Batch(x, targets, _at_the_end(count, length), targets > -1, memory, live, symbols)


def _at_the_end(count: int, length: int) -> Array:
    asked = np.zeros((count, length), np.float32)
    asked[:, -1] = 1
    return asked


# --- Temporal order -----------------------------------------------------------------------------

ORDER_SYMBOLS = ("E", "B", "a", "b", "c", "d", "X", "Y")
ORDER_CLASSES = ("X, X", "X, Y", "Y, X", "Y, Y")


def temporal_order(length: int, count: int, seed: int) -> Batch:
    """Letters between E and B, with X or Y twice; asked at the end: which came first, and which second?

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
    return Batch(one_hot(ids, 8), targets, _at_the_end(count, length), targets > 0.5, memory, live, symbols)


# --- Copy ---------------------------------------------------------------------------------------

COPY_SYMBOLS = ("0", "1", "·", "?")


def copy(delay: int, count: int, seed: int) -> Batch:
    """`BITS` random bits, a delay of blanks, and then a question mark for each: which bits were they?"""
    rng = np.random.default_rng(seed)
    length = 2 * BITS + delay
    bits = rng.integers(0, 2, (count, BITS))
    ids = np.full((count, length), 2)
    ids[:, :BITS], ids[:, -BITS:] = bits, 3
    targets = np.zeros((count, length, 2), np.float32)
    targets[:, -BITS:] = one_hot(bits, 2)
    asked = np.zeros((count, length), np.float32)
    asked[:, -BITS:] = 1
    memory = np.repeat(1.0 - 2 * bits[:, :1], length, axis=1).astype(np.float32)  # the first bit, 0: 1, 1: -1
    live = np.broadcast_to(np.arange(length) <= length - BITS, (count, length))
    return Batch(one_hot(ids, 4), targets, asked, targets > 0.5, memory, live, np.array(COPY_SYMBOLS)[ids])


# --- The two grammars ---------------------------------------------------------------------------


def reber(longest: int, count: int, seed: int) -> Batch:
    """Strings of the embedded Reber grammar, half as long as the longest or longer: which symbol comes next?"""
    strings = grammars.reber_strings(longest, count, seed)
    ids, seen = _padded([[grammars.REBER_SYMBOLS.index(symbol) for symbol in string] for string in strings], longest)
    targets = one_hot(np.roll(ids, -1, axis=1), 7)
    asked = np.roll(seen, -1, axis=1)
    asked[:, -1] = 0  # after the last symbol nothing comes
    legal = np.zeros((count, longest, 7), bool)
    for row, string in enumerate(strings):
        for place, symbols in enumerate(grammars.reber_successors(string)[:-1]):
            legal[row, place, [grammars.REBER_SYMBOLS.index(symbol) for symbol in symbols]] = True
    live = (np.arange(longest) >= 1) & (asked > 0)
    memory = np.where([string[1] == "T" for string in strings], 1.0, -1.0)[:, None] * live
    x = one_hot(ids, 7) * seen[:, :, None]
    return Batch(x, targets, asked, legal, memory.astype(np.float32), live, _signs(grammars.REBER_SYMBOLS, ids, seen))


def counting(longest: int, count: int, seed: int) -> Batch:
    """Strings aⁿbⁿ with n in 1…`longest`, drawn at random: which symbols may come next?"""
    return counting_of(np.random.default_rng(seed).integers(1, longest + 1, count), longest)


def counting_of(numbers: Sequence[int] | Array, longest: int) -> Batch:
    """The strings aⁿbⁿ for these n, between S and T, padded to the longest; `memory` is how many b are missing."""
    strings = ["S" + "a" * int(n) + "b" * int(n) + "T" for n in numbers]
    width = 2 * longest + 2
    ids, seen = _padded([[grammars.COUNT_SYMBOLS.index(symbol) for symbol in string] for string in strings], width)
    legal = np.zeros((len(strings), width, 3), bool)  # of a, b, T: nobody says S
    for row, string in enumerate(strings):
        for place, symbols in enumerate(grammars.count_successors(string)[:-1]):
            legal[row, place, [grammars.COUNT_SYMBOLS.index(symbol) - 1 for symbol in symbols]] = True
    asked = np.roll(seen, -1, axis=1)
    asked[:, -1] = 0
    memory = (np.cumsum((ids == 1) * seen, axis=1) - np.cumsum((ids == 2) * seen, axis=1)).astype(np.float32)
    x = one_hot(ids, 4) * seen[:, :, None]
    signs = _signs(grammars.COUNT_SYMBOLS, ids, seen)
    return Batch(x, legal.astype(np.float32), asked, legal, memory, asked > 0, signs)


def _padded(rows: Sequence[Sequence[int]], width: int) -> tuple[Array, Array]:
    """Ids (count, width), 0 behind the end, and where there is a symbol (count, width), 1 or 0."""
    ids, seen = np.zeros((len(rows), width), int), np.zeros((len(rows), width), np.float32)
    for index, row in enumerate(rows):
        ids[index, : len(row)], seen[index, : len(row)] = row, 1
    return ids, seen


def _signs(alphabet: Sequence[str], ids: Array, seen: Array) -> Array:
    return np.where(seen > 0, np.array(alphabet)[ids], "")


TASKS: dict[str, Task] = {
    task.name: task
    for task in (
        Task(
            "adding", "Adding problem", "Two of the numbers are marked. What is their sum?",
            "the sum of the marked numbers so far",
            "Hochreiter & Schmidhuber 1997, experiment 4: solved when the error stays below 0.04",
            "timesteps", (10, 200), adding, False, "mse", 0.99,
        ),
        Task(
            "order", "Temporal order", "X or Y came twice. Which came first, and which second?",
            "which of X and Y came first",
            "Hochreiter & Schmidhuber 1997, experiment 6a: right when no output is off by 0.3, so to hesitate is wrong",
            "timesteps", (10, 200), temporal_order, False, "categorical_crossentropy", 0.99,
        ),
        Task(
            "copy", "Copy after a delay", f"{BITS} bits, then a wait. Which bits were they?", "the first bit",
            "Graves, Wayne & Danihelka 2014; Arjovsky, Shah & Bengio 2016: every symbol right",
            "timesteps of waiting", (1, 150), copy, True, "categorical_crossentropy", 0.99,
        ),
        Task(
            "reber", "Embedded Reber grammar", "Which symbols may come next? The last but one is the second again.",
            "whether the second symbol was T or P",
            "Cleeremans, Servan-Schreiber & McClelland 1989; Hochreiter & Schmidhuber 1997, experiment 1: every string "
            "right",
            "symbols at most", (12, 100), reber, True, "categorical_crossentropy", 0.99,
        ),
        Task(
            "counting", "Counting: aⁿbⁿ", "As many b as a. When must the string end?", "how many b are still missing",
            "Gers & Schmidhuber 2001: solved for longer strings than in training; here for every n up to twice that",
            "a at most in training", (3, 30), counting, True, "binary_crossentropy", 1.0,
        ),
    )
}  # fmt: skip


def find_task(name: str) -> Task:
    """The task of this name.

    Raises:
        LabError: if there is none.
    """
    try:
        return TASKS[name]
    except KeyError:
        raise LabError(f"There is no task '{name}'; choose one of {', '.join(TASKS)}.") from None


def validation(task: Task, length: int, count: int, seed: int) -> Batch:
    """Fresh sequences to measure on; for aⁿbⁿ every n once, twice as far as training goes."""
    if task.name != "counting":
        return task.batch(length, count, seed)
    task.batch(length, 1, seed)  # refuses a length out of reach
    longest = grammars.BEYOND * length
    return counting_of(range(1, longest + 1), longest)
