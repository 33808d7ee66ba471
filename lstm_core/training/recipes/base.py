"""What all recipes have in common, and the part of a card that all of them fill in alike."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from lstm_core.library.card import ModelCard


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is made, as plain values that can be listed without Keras.

    Attributes:
        name: of the model's folder.
        title: for people.
        task: a task of `inference.registry`; it says which class trains the recipe.
        dataset: what it learns from; a name of `datasets`, where it is one of them.
        summary: for the card.
        notes: for the card.
        labels: for the card; of a classifier they come from the data.
        seed: of all random numbers.
    """

    name: str
    title: str
    task: str
    dataset: str
    summary: str
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    seed: int = 1

    @property
    def command(self) -> str:
        """What a person types to repeat it."""
        return f"python -m lstm_core train {self.name}"

    def card(self, training: Mapping[str, Any] | None = None, labels: tuple[str, ...] = ()) -> ModelCard:
        """A card without test figures.

        Args:
            training: what `training_facts` gave; None before training.
            labels: of a classifier; `self.labels` if there are none.
        """
        about = self.name, self.title, self.task, self.dataset, self.summary, labels or self.labels, self.notes
        return ModelCard(*about, training=training or {})


def training_facts(command: str, seed: int, seconds: float, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a card says of a training: how to repeat it, when and with what it was done, and `facts` of its task."""
    return {
        "command": command,
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds, 1) if seconds < 100 else round(seconds),
        "versions": {name: version(name) for name in ("keras", "numpy")} | {"python": platform.python_version()},
        **facts,
    }
