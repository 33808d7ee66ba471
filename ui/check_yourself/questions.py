"""The questions of the page “Check yourself”, from `assets/check_yourself.toml`. Nothing is drawn."""

from dataclasses import dataclass, field
from typing import Any

from ui.check_yourself.experiments import Result
from ui.common import assets


@dataclass(frozen=True)
class Question:
    """One question and where its subject can be explored."""

    name: str  # of the experiment that answers it
    part: str  # the heading that it stands under
    question: str
    choices: list[str]  # in the order of the experiment's result
    why: str  # the reason, shown with the answer
    file: str  # of the page to explore it on
    link: str  # the link's label
    settings: dict[str, Any] = field(default_factory=dict)  # of the link


QUESTIONS = tuple(Question(**each) for each in assets.table("check_yourself.toml")["questions"])
Answered = dict[str, tuple[int, Result]]  # question → the guess, and what its experiment found


def score(given: Answered) -> int:
    """The number of guesses that the experiments confirmed."""
    return sum(guess == result.choice for guess, result in given.values())
