"""Every recipe by its name, and what runs it: the one place that the command line asks.

Data only until a recipe is run; the modules that train bring Keras in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, NamedTuple, Protocol

from lstm_core.errors import LabError
from lstm_core.training.lessons.presets import LESSONS
from lstm_core.training.recipes.char_lm import CHARACTER_RECIPES
from lstm_core.training.recipes.classifier import RECIPES
from lstm_core.training.recipes.family import BLANK_RECIPES, FAMILY_RECIPES
from lstm_core.training.recipes.forecaster import FORECAST_RECIPES
from lstm_core.training.recipes.seq2seq_tree import SEQUENCE_RECIPES
from lstm_core.training.recipes.word_lm import WORD_RECIPES


class Progress(Protocol):
    """What every kind of training reports from time to time."""

    @property
    def line(self) -> str:
        """Where the run stands, for a person to read."""

    @property
    def whole_epoch(self) -> bool:
        """Whether an epoch has just ended."""


class NothingKeptError(LabError):
    """A run was ended before there was a network to keep."""


class Made(NamedTuple):
    """What training leaves: the three things that `library.save` writes."""

    model: Any
    vocabulary: Any
    card: Any


# Each kind of recipe, and the function that runs one: (recipe, report) → something that unpacks into `Made`.
KINDS: tuple[tuple[Mapping[str, Any], str], ...] = (
    (RECIPES, "lstm_core.training.classifier:train_classifier"),
    (FAMILY_RECIPES, "lstm_core.training.classifier:train_classifier"),
    (BLANK_RECIPES, "lstm_core.training.cloze:train_blank_filler"),
    (CHARACTER_RECIPES, "lstm_core.training.char_lm_window:train_writer"),
    (FORECAST_RECIPES, "lstm_core.training.forecaster:train_forecaster"),
    (SEQUENCE_RECIPES, "lstm_core.training.dispatch:train_sequence"),
    (WORD_RECIPES, "lstm_core.training.word_lm:train_words"),
    (LESSONS, "lstm_core.training.lessons.job:train_lesson"),
)


def recipe_names() -> list[str]:
    """All recipes, kind by kind."""
    return [name for recipes, _ in KINDS for name in recipes]


def find_recipe(name: str) -> Any:
    """The recipe of that name.

    Raises:
        LabError: if there is none.
    """
    for recipes, _ in KINDS:
        if name in recipes:
            return recipes[name]
    raise LabError(f"There is no recipe '{name}'. Recipes: {', '.join(recipe_names())}.")


def run_recipe(name: str, recipe: Any, report: Callable[[Progress], Any]) -> Made:
    """Train a recipe of the kind that `name` is of; `recipe` may differ from it in its settings.

    When `report` returns True, training ends soon, and what is there is kept.

    Raises:
        NothingKeptError: if it was ended before there was a network.
        LabError: if there is no such kind, or it can't be trained here.
    """
    where = next(where for recipes, where in KINDS if name in recipes)
    module, function = where.split(":")
    return Made(*getattr(import_module(module), function)(recipe, report)[:3])
