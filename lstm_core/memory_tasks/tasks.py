"""The memory tasks: what each asks, and when an answer counts as correct. `TASKS` has sources."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError
from lstm_core.memory_tasks import grammars, number_tasks, string_tasks, symbol_tasks
from lstm_core.memory_tasks.batch import Batch
from lstm_core.nn import activations, cells
from lstm_core.paths import read_tables

Loss = Literal["mse", "categorical_crossentropy", "binary_crossentropy"]
COUNTED = {"counting": "ab", "counting_three": "abc"}  # task → the letters of its strings


@dataclass(frozen=True)
class Task:
    """A memory task.

    Attributes:
        remembered: the quantity to remember, in words.
        source: the publication, and its criterion of success.
        published: what the publication reports, in words.
        length_name: what the length counts.
        lengths: the shortest and the longest length.
        sample: (length, count, seed) → Batch.
        every_step: whether other timesteps than the last one have targets, or sequences end at different ones.
        loss: the name of the Keras loss.
        mark: the share of correct sequences at which it counts as solved.
        tolerance: a target's answer is correct if every output is off by less; None for other criteria, see `right`.
        constant: the answer that is most often correct without memory, where answers are numbers.
        numbers: whether the first input is a number; the others are symbols.
    """

    name: str
    title: str
    question: str
    remembered: str
    source: str
    published: str
    length_name: str
    lengths: tuple[int, int]
    sample: Callable[[int, int, int], Batch]
    every_step: bool
    loss: Loss
    mark: float
    tolerance: float | None = None
    constant: float | None = None
    numbers: bool = False

    @property
    def counted(self) -> str:
        """The letters of the strings that it counts, or "" for a task that doesn't count."""
        return COUNTED.get(self.name, "")

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
        if self.tolerance is not None:
            fine = np.abs(answers - batch.targets).max(axis=2) < self.tolerance
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

        Numbers: always the `constant`. aⁿbⁿ and aⁿbⁿcⁿ: all n of training and none beyond. Symbols: everything that
        needs no memory, and the most frequent answer, or always the same one, to what does.
        """
        if self.constant is not None:
            return float(self.right(batch, np.full_like(batch.targets, self.constant)).mean())
        if self.counted:
            return float((batch.memory.max(axis=1) <= batch.memory.max() / grammars.BEYOND).mean())
        symbols = batch.targets.argmax(axis=2)
        found = [tuple(row[due].tolist()) for row, due in zip(symbols, batch.recalled, strict=True)]
        same = max(sum(set(row) <= {symbol} for row in found) for symbol in range(batch.targets.shape[2]))
        return max(same, max(found.count(each) for each in set(found))) / len(found)


_SAMPLERS = {
    "adding": number_tasks.adding,
    "adding_ends": number_tasks.adding_with_ends,
    "multiplication": number_tasks.multiplication,
    "order": symbol_tasks.order,
    "order_three": symbol_tasks.order_of_three,
    "copy": symbol_tasks.copy,
    "lag": symbol_tasks.lag,
    "distractors": symbol_tasks.distractors,
    "noise": number_tasks.noise,
    "reber": string_tasks.reber,
    "reber_stream": string_tasks.reber_stream,
    "counting": string_tasks.counting,
    "counting_three": string_tasks.counting_three,
}
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
    """Sequences for validation; for aⁿbⁿ and aⁿbⁿcⁿ each n once, up to `grammars.BEYOND` times the longest of training.

    Args:
        task: one of `TASKS`.
        length: as in `Task.length_name`.
        count: the number of sequences.
        seed: of the sequences.
    """
    if not task.counted:
        return task.batch(length, count, seed)
    task.batch(length, 1, seed)  # raises for a length out of range
    longest = grammars.BEYOND * length
    return string_tasks.counting_of(range(1, longest + 1), longest, task.counted)
