"""What a lesson learns from, whatever its task: arrays, a vocabulary, and a fixed example."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lstm_core.arrays import Array
from lstm_core.library.store import HasJson


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What one lesson learns from.

    Attributes:
        x: (n, …) what the network reads; for a writer, (n,) the ids of its text, which are cut later.
        y: (n, …) what it should answer; empty for a writer, whose text is its own answer.
        held_x: the same of the validation part.
        held_y: the same.
        vocabulary: what goes into `vocabulary.json`.
        size: ids of the embedding; 0 for a forecaster.
        outputs: how many numbers the network answers with.
        labels: of a classifier.
        sizes: how much it learns from and is validated with, in words of the card.
        example: (loaded model) → what it makes of the fixed example, ready for JSON.
    """

    x: Array
    y: Array
    held_x: Array
    held_y: Array
    vocabulary: HasJson
    size: int
    outputs: int
    sizes: dict[str, int]
    example: Callable[[Any], dict[str, Any]]
    labels: tuple[str, ...] = ()
