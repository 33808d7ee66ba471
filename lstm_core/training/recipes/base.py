"""Where a trained model comes from: the part of a card that all recipes fill in alike."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any, Protocol

from lstm_core.library.card import ModelCard


class Repeatable:
    """A recipe that the command line knows by its name."""

    name: str

    @property
    def command(self) -> str:
        """What a person types to repeat it."""
        return f"python -m lstm_core train {self.name}"


class Recipe(Protocol):
    """What a card takes from every recipe."""

    @property
    def name(self) -> str:
        """Of the model's folder."""

    @property
    def title(self) -> str:
        """For people."""

    @property
    def summary(self) -> str:
        """For the card."""

    @property
    def notes(self) -> tuple[str, ...]:
        """For the card."""

    @property
    def seed(self) -> int:
        """Of everything that is drawn."""

    @property
    def command(self) -> str:
        """What repeats it."""


def card_of(
    recipe: Recipe, task: str, dataset: str, seconds: float, facts: Mapping[str, Any], labels: tuple[str, ...] = ()
) -> ModelCard:
    """The card of a finished run, without test figures; the arguments are as in `ModelCard` and `facts_of`."""
    training = facts_of(recipe.command, recipe.seed, seconds, facts)
    return ModelCard(recipe.name, recipe.title, task, dataset, recipe.summary, labels, recipe.notes, training=training)


def facts_of(command: str, seed: int, seconds: float, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a card says of the training: how to repeat it, when and with what it was done, and `facts` of its kind."""
    return {
        "command": command,
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds, 1) if seconds < 100 else round(seconds),
        "versions": {name: version(name) for name in ("keras", "numpy")} | {"python": platform.python_version()},
        **facts,
    }
