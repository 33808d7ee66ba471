"""What the forecasters were trained on, and how: one recipe a model. Data and numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lstm_core.library.card import ModelCard
from lstm_core.timeseries.scaling import Form
from lstm_core.training.recipes.base import Repeatable, card_of

LEVELS = (0.1, 0.5, 0.9)  # the median, and an interval that should hold 80 %


@dataclass(frozen=True)
class ForecastRecipe(Repeatable):
    """How a forecaster is made.

    Attributes:
        name: of the model's folder.
        title: for people.
        dataset: a name of `series`, or "stocks" for all six companies.
        summary: for the card.
        notes: for the card.
        forms: ways to put values to the network; the one with the lowest validation loss is kept.
        window: values that are read.
        horizon: steps ahead.
        units: of the LSTM.
        dropout: of what the LSTM says, while it learns.
        epochs: passes over the training part at most; the one with the lowest validation loss is kept.
        batch: windows a step.
        rate: the learning rate at the start; it falls to 0 along half a cosine.
        seed: for weights, dropout and order.
    """

    name: str
    title: str
    dataset: str
    summary: str
    notes: tuple[str, ...] = ()
    forms: tuple[Form, ...] = ("level", "difference")
    window: int = 48
    horizon: int = 8
    units: int = 24
    dropout: float = 0.0
    epochs: int = 60
    batch: int = 64
    rate: float = 5e-3
    seed: int = 1

    def card(self, facts: Mapping[str, Any], seconds: float) -> ModelCard:
        """The card of a finished run, without test figures."""
        sizes = {"window": self.window, "horizon": self.horizon, "batch": self.batch, "epochs": self.epochs}
        return card_of(self, "forecaster", self.dataset, seconds, sizes | dict(facts))


def series_of(recipe: ForecastRecipe) -> Sequence[Any]:
    """The series that a recipe learns from; DatasetError if they aren't there."""
    from lstm_core.timeseries import series

    return tuple(series.stocks().values()) if recipe.dataset == "stocks" else (series.load_series(recipe.dataset),)


_PARTS = (
    "The first 60 % of the series are the training part; scaling is fitted there and nowhere else. The next 20 % chose "
    "the form of the input and the epoch, the last 20 % are the test part."
)
FORECAST_RECIPES = {
    recipe.name: recipe
    for recipe in (
        ForecastRecipe(
            name="forecast_stocks",
            title="Share prices, six companies",
            dataset="stocks",
            summary="One LSTM reads twelve weeks of any of six share prices and forecasts the next four.",
            notes=(_PARTS, "All six companies are read by the same network, each in its own scale."),
            forms=("log_difference", "difference", "level"),
            window=12,
            horizon=4,
            units=16,
            dropout=0.2,
            epochs=60,
            batch=32,
            rate=3e-3,
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
