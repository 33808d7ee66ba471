"""Every recipe by its name, and the task that trains it. Data only until a task is made, which imports Keras."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lstm_core.errors import LabError
from lstm_core.inference.registry import TASKS, function_of
from lstm_core.training.lessons.presets import LESSONS
from lstm_core.training.lessons.recipe import LessonRecipe
from lstm_core.training.recipes import RECIPES

if TYPE_CHECKING:
    from lstm_core.training.task import TrainingTask

ALL_RECIPES: dict[str, Any] = {**RECIPES, **LESSONS}
LESSON_TASK = "lstm_core.training.lessons.task:LessonTask"  # of a small network of any task


def recipe_names() -> list[str]:
    """All recipes, task by task."""
    return list(ALL_RECIPES)


def find_recipe(name: str) -> Any:
    """The recipe of that name; LabError if there is none."""
    if name not in ALL_RECIPES:
        raise LabError(f"There is no recipe '{name}'. Recipes: {', '.join(recipe_names())}.")
    return ALL_RECIPES[name]


def task_of(recipe: Any) -> TrainingTask:
    """The task that trains a recipe; its data is read now.

    Raises:
        LabError: if the data can't be had, or the recipe can't be trained here.
    """
    where = LESSON_TASK if isinstance(recipe, LessonRecipe) else TASKS[recipe.task].train
    task: TrainingTask = function_of(where)(recipe)
    return task
