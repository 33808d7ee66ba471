"""Which function trains which of the recipes in `sequence_recipes.py`. No training here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstm_core.cards import ModelCard
from lstm_core.sequence_recipes import SequenceProgress, SequenceRecipe


def train_sequence(
    recipe: SequenceRecipe, report: Callable[[SequenceProgress], Any] = lambda progress: None
) -> tuple[Any, Any, ModelCard]:
    """Train a recipe: its model, its vocabulary and its card."""
    if recipe.task == "rewriter":
        from lstm_core.rewriter_training import train_rewriter

        return train_rewriter(recipe, report)
    from lstm_core.tree_training import train_tree_reader

    return train_tree_reader(recipe, report)
