"""One sequence of a memory task in words: its tokens, the relevant timesteps, the question and the answer."""

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.memory_tasks import tasks
from lstm_core.memory_tasks.tasks import Batch, Task


@dataclass(frozen=True)
class Example:
    """A sequence to display, with a question about it and the correct answer in words.

    Attributes:
        tokens: length T, the symbol at each timestep; the mark or an empty string in the adding problem.
        values: (T,) the numbers of the adding problem, else None.
        matters: (T,) of bool, the timesteps that the answer depends on, or where it is requested.
        batch: this sequence alone, as the input of the networks.
    """

    tokens: tuple[str, ...]
    values: Array | None
    matters: Array
    question: str
    answer: str
    batch: Batch

    def __len__(self) -> int:
        return len(self.tokens)


def task_example(task: Task, length: int, seed: int) -> Example:
    """The sequence of a task with this length and seed.

    Args:
        task: one of `TASKS`.
        length: as in `Task.length_name`.
        seed: of the sequence.

    Raises:
        LabError: if the length is out of range.
    """
    batch = task.batch(length, 1, seed)
    steps = int(batch.mask[0].nonzero()[0].max()) + 1
    if task.name in ("reber", "counting"):
        steps += 1  # the last symbol is an input, too, without a target
    tokens = tuple(str(symbol) for symbol in batch.symbols[0, :steps])
    values = batch.x[0, :steps, 0] if task.name == "adding" else None
    question, answer = _words(task, batch, tokens)
    return Example(tokens, values, matters(task, tokens), question, answer, batch)


def matters(task: Task, tokens: tuple[str, ...]) -> Array:
    """(T,) of bool: the timesteps that the answer depends on, or where it is requested."""
    places = np.arange(len(tokens))
    if task.name == "reber":
        return np.isin(places, (1, len(tokens) - 2))
    wanted = {"adding": "●", "order": "XY", "copy": "01?", "counting": "ab"}[task.name]
    return np.array([bool(token) and token in wanted for token in tokens])


def _words(task: Task, batch: Batch, tokens: tuple[str, ...]) -> tuple[str, str]:
    """The question about a sequence, and the answer."""
    if task.name == "adding":
        one, other = (_signed(value) for value in batch.x[0, batch.x[0, :, 1] > 0, 0])
        total = float(batch.memory[0, -1])
        return (
            "What is the sum of the two marked numbers?",
            f"{one} and {other} make {_signed(total)}. The target is ½ + sum ÷ 4 = "
            f"{float(batch.targets[0, -1, 0]):.2f}, with a tolerance of {tasks.PASS_ERROR}.",
        )
    if task.name == "order":
        classes = tasks.ORDER_CLASSES[int(batch.targets[0, -1].argmax())].replace(",", " and then")
        return "Which of X and Y came first, and which second?", f"{classes}."
    if task.name == "copy":
        return "Which of the first bits is the target at each ?", f"{' '.join(tokens[: tasks.BITS])}."
    if task.name == "reber":
        return (
            "After the second E from the end of the inner string: T or P?",
            f"{tokens[1]}, as at the second place. Everywhere else either branch of the grammar is correct.",
        )
    n = tokens.count("a")
    return "After how many b does the string end?", f"{n} a, so T comes after {n} b, not earlier and not later."


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
