"""What the forecasters were trained on, and how: one recipe a model. Data and numbers only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lstm_core.timeseries.scaling import Form
from lstm_core.training.recipes.base import Recipe

LEVELS = (0.1, 0.5, 0.9)  # the median, and an interval that should hold 80 %


@dataclass(frozen=True, kw_only=True)
class ForecastRecipe(Recipe):
    """How a forecaster is made; its `dataset` is a series of `timeseries`, or "stocks" for all six companies.

    Attributes:
        forms: ways to put values to the network; the one with the lowest validation loss is kept.
        window: values that are read.
        horizon: steps ahead.
        units: of the LSTM.
        dropout: of the LSTM's output, while training.
        epochs: the largest number of passes over the training part; the one with the lowest validation loss is kept.
        batch: windows a step.
        learning_rate: at the start; it falls to 0 along half a cosine.
    """

    task: str = "forecaster"
    forms: tuple[Form, ...] = ("level", "difference")
    window: int = 48
    horizon: int = 8
    units: int = 24
    dropout: float = 0.0
    epochs: int = 60
    batch: int = 64
    learning_rate: float = 5e-3


def series_of(recipe: ForecastRecipe) -> Sequence[Any]:
    """The series that a recipe learns from; DatasetError if they aren't there."""
    from lstm_core.timeseries import series

    return tuple(series.stocks().values()) if recipe.dataset == "stocks" else (series.load_series(recipe.dataset),)


_PARTS = (
    "The first 60% of the series are the training set; the scaling is fitted to it alone."
    " The next 20%, the validation set, chose the form of the input and the epoch; the "
    "last 20% are the test set."
)
FORECAST_RECIPES = {
    recipe.name: recipe
    for recipe in (
        ForecastRecipe(
            name="forecast_stocks",
            title="Share prices, six companies",
            dataset="stocks",
            summary="One LSTM reads twelve weeks of any of six share prices and forecasts the next four.",
            notes=(_PARTS, "One network is trained on all six companies, each with its own scaling."),
            forms=("log_difference", "difference", "level"),
            window=12,
            horizon=4,
            units=16,
            dropout=0.2,
            epochs=60,
            batch=32,
            learning_rate=3e-3,
        ),
        ForecastRecipe(
            name="forecast_seasons",
            title="A noisy sum of seasons",
            dataset="seasons",
            summary="An LSTM reads eight weeks of a series with two seasons and noise, and forecasts two weeks.",
            notes=(_PARTS,),
            window=56,
            horizon=14,
            units=24,
            epochs=150,
        ),
        ForecastRecipe(
            name="forecast_sunspots",
            title="A sunspot-like cycle",
            dataset="sunspots",
            summary="An LSTM reads sixteen years of a cycle of unequal length and height, and forecasts three years.",
            notes=(_PARTS,),
            window=64,
            horizon=12,
            units=24,
            epochs=120,
        ),
    )
}
