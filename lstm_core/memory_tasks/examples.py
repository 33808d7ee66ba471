"""One sequence of a memory task in words: its tokens, the relevant timesteps, the question and the answer."""

from dataclasses import dataclass

from lstm_core.arrays import Array
from lstm_core.memory_tasks.batch import Batch
from lstm_core.memory_tasks.symbol_tasks import BITS
from lstm_core.memory_tasks.tasks import Task

# After these tasks' last target comes one more symbol, which is an input without a target.
CLOSED = ("reber", "counting", "counting_three", "lag")


@dataclass(frozen=True)
class Example:
    """A sequence to display, with a question about it and the correct answer in words.

    Attributes:
        tokens: length T, the symbol at each timestep; the mark of a number or an empty string.
        values: (T,) the numbers of a task with numbers, else None.
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
    steps = int(batch.mask[0].nonzero()[0].max()) + 1 + (task.name in CLOSED)
    tokens = tuple(str(symbol) for symbol in batch.symbols[0, :steps])
    values = batch.x[0, :steps, 0] if task.numbers else None
    question, answer = _words(task, batch, tokens)
    return Example(tokens, values, batch.relevant[0, :steps], question, answer, batch)


def _words(task: Task, batch: Batch, tokens: tuple[str, ...]) -> tuple[str, str]:
    """The question about a sequence, and the answer."""
    if task.name == "noise":
        sign = "+1" if batch.memory[0, 0] > 0 else "−1"
        return "Were the first three numbers +1 or −1?", f"{sign}. The target at the end is {sign == '+1':d}."
    if task.numbers:
        return _numbers_in_words(task, batch)
    if task.name in ("order", "order_three"):
        letters = " and then ".join(token for token in tokens if token in "XY")
        places = "first, and which second" + ", and which third" * (task.name == "order_three")
        return f"Which of X and Y came {places}?", f"{letters}."
    if task.name == "copy":
        return "Which of the first bits is the target at each ?", f"{' '.join(tokens[:BITS])}."
    if task.name == "lag":
        return (
            "After the last of the a: x or y?",
            f"{tokens[0]}, as at the beginning. Every other symbol is always the same.",
        )
    if task.name == "distractors":
        return "After e: x or y?", f"{tokens[1]}, as at the second place. The other symbols mean nothing."
    if task.name == "reber":
        return (
            "After the second E from the end of the inner string: T or P?",
            f"{tokens[1]}, as at the second place. Everywhere else either branch of the grammar is correct.",
        )
    if task.name == "reber_stream":
        ends = [f"{tokens[place]}" for place in batch.recalled[0].nonzero()[0] + 1 if place < len(tokens)]
        return (
            "After the E at the end of each inner string: T or P?",
            f"{', '.join(ends) or 'None ends here'}: each time as at the second place of its string. A string ends "
            "with E, and B begins the next one.",
        )
    n = tokens.count("a")
    if task.name == "counting_three":
        return "How many b and c follow?", f"{n} a, so {n} b, {n} c, and then T, not earlier and not later."
    return "After how many b does the string end?", f"{n} a, so T comes after {n} b, not earlier and not later."


def _numbers_in_words(task: Task, batch: Batch) -> tuple[str, str]:
    """The same for the sum or the product of two marked numbers."""
    one, other = (_signed(value) for value in batch.x[0, batch.relevant[0], 0])
    target = float(batch.targets[0].max())
    if task.name == "multiplication":
        return (
            "What is the product of the two marked numbers?",
            f"{one} times {other} is {target:.2f}, with a tolerance of {task.tolerance}.",
        )
    total = float(batch.memory[0, -1])
    return (
        "What is the sum of the two marked numbers?",
        f"{one} and {other} make {_signed(total)}. The target is ½ + sum ÷ 4 = {target:.2f}, with a tolerance of "
        f"{task.tolerance}.",
    )


def _signed(value: float) -> str:
    return f"{value:+.2f}".replace("-", "−")
