"""One sequence of a memory task, told to a person: what is read, where it matters, what is asked and answered.

The sequences are those of `memory_tasks/tasks.py`; here they get words. Nothing here draws a picture.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.memory_tasks import tasks
from lstm_core.memory_tasks.tasks import Batch, Task


@dataclass(frozen=True)
class Example:
    """A sequence for people.

    Attributes:
        tokens: length T, the symbol at each timestep; the mark or nothing in the adding problem.
        values: (T,) the numbers of the adding problem, else None.
        matters: (T,) of bool, the timesteps that the answer depends on or is asked at.
        asked: what is wanted here, in a sentence.
        answer: the right answer, in a sentence.
        batch: the sequence alone, as the networks read it.
    """

    tokens: tuple[str, ...]
    values: Array | None
    matters: Array
    asked: str
    answer: str
    batch: Batch

    def __len__(self) -> int:
        return len(self.tokens)


def task_example(task: Task, length: int, seed: int) -> Example:
    """The sequence of this seed.

    Raises:
        LabError: if the task can't be that long.
    """
    batch = task.batch(length, 1, seed)
    steps = int(batch.asked[0].nonzero()[0].max()) + 1
    if task.name in ("reber", "counting"):
        steps += 1  # the last symbol is read too, and nothing is asked after it
    tokens = tuple(str(symbol) for symbol in batch.symbols[0, :steps])
    values = batch.x[0, :steps, 0] if task.name == "adding" else None
    asked, answer = _words(task, batch, tokens)
    return Example(tokens, values, matters(task, tokens), asked, answer, batch)


def matters(task: Task, tokens: tuple[str, ...]) -> Array:
    """(T,) of bool: the timesteps that the answer depends on, or that repeat what was there."""
    places = np.arange(len(tokens))
    if task.name == "reber":
        return np.isin(places, (1, len(tokens) - 2))
    wanted = {"adding": "●", "order": "XY", "copy": "01?", "counting": "ab"}[task.name]
    return np.array([bool(token) and token in wanted for token in tokens])


def _words(task: Task, batch: Batch, tokens: tuple[str, ...]) -> tuple[str, str]:
    """What is asked of this sequence, and the answer."""
    if task.name == "adding":
        one, other = (_signed(value) for value in batch.x[0, batch.x[0, :, 1] > 0, 0])
        total = float(batch.memory[0, -1])
        return (
            "What is the sum of the two marked numbers?",
            f"{one} and {other} make {_signed(total)}. The network has to say ½ + sum ÷ 4 = "
            f"{float(batch.targets[0, -1, 0]):.2f}, and may be off by {tasks.PASS_ERROR}.",
        )
    if task.name == "order":
        said = tasks.ORDER_CLASSES[int(batch.targets[0, -1].argmax())].replace(",", " and then")
        return "Which of X and Y came first, and which second?", f"{said}."
    if task.name == "copy":
        return (
            "At each ? the next of the first bits has to be said again.",
            f"{' '.join(tokens[: tasks.BITS])}.",
        )
    if task.name == "reber":
        return (
            "After the second E from the end of the inner string: T or P?",
            f"{tokens[1]}, as at the second place. Everywhere else either branch of the grammar will do.",
        )
    n = tokens.count("a")
    return "After how many b does the string end?", f"{n} a, so T comes after {n} b, not earlier and not later."


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
