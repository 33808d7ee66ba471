"""Training: recipes, networks, data and loops. What trains a network imports Keras; what is offered here does not."""

from lstm_core.training.forecast_job import FORECAST_JOB, forecast_arguments, forecast_recipe_for
from lstm_core.training.lessons.checkpoints import model_at_epoch
from lstm_core.training.lessons.presets import PRESETS, Preset, measured_lessons
from lstm_core.training.lessons.recipe import (
    HYPERPARAMETERS,
    OWN,
    Hyperparameter,
    LessonRecipe,
    hyperparameters,
    parameter_count,
)
from lstm_core.training.lessons.texts import network_size
from lstm_core.training.registry import find_recipe, recipe_names

__all__ = [
    "FORECAST_JOB",
    "HYPERPARAMETERS",
    "OWN",
    "PRESETS",
    "Hyperparameter",
    "LessonRecipe",
    "Preset",
    "find_recipe",
    "forecast_arguments",
    "forecast_recipe_for",
    "hyperparameters",
    "measured_lessons",
    "model_at_epoch",
    "network_size",
    "parameter_count",
    "recipe_names",
]
