"""Which function trains which of the recipes in `training/recipes/seq2seq_tree.py`. No training here."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstm_core.library.card import ModelCard
from lstm_core.training.recipes.seq2seq_tree import SequenceProgress, SequenceRecipe


def train_sequence(
    recipe: SequenceRecipe, report: Callable[[SequenceProgress], Any] = lambda progress: None
) -> tuple[Any, Any, ModelCard]:
    """Train a recipe: its model, its vocabulary and its card."""
    if recipe.task == "rewriter":
        from lstm_core.training.seq2seq import train_rewriter

        return train_rewriter(recipe, report)
    from lstm_core.training.tree_rnn import train_tree_reader

    return train_tree_reader(recipe, report)
