"""Trains a forecaster by the pinball loss. Form and epoch are chosen on the validation part; no test part is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Self

import keras
import numpy as np
from keras import layers, ops

from lstm_core.arrays import Array
from lstm_core.inference.forecaster import Forecaster, Settings
from lstm_core.nn.network import Network
from lstm_core.timeseries import backtest, series
from lstm_core.timeseries.backtest import SeriesError
from lstm_core.timeseries.scaling import Form, Scaling
from lstm_core.timeseries.series import Series
from lstm_core.training import optimizers
from lstm_core.training.batches import Rows
from lstm_core.training.recipes import LEVELS, ForecastRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.trainer import Fit, Stage, Trainer


@dataclass(frozen=True)
class Known:
    """What training may know of a series: its values before the test part, and where its parts end."""

    name: str
    values: Array
    parts: backtest.Parts

    @classmethod
    def of(cls, series: Series) -> Self:
        """The series without its test part."""
        return cls(series.name, series.values[: series.parts.validation], series.parts)

    def origins(self, settings: Settings, part: str) -> Array:
        """(k,) of the "training" or the "validation" part, with room for a window before and the horizon behind."""
        if part == "training":
            return self.parts.training_origins(settings.before, settings.horizon)
        found = self.parts.validation_origins(settings.horizon)
        return found[found >= settings.before - 1]

    def examples(self, settings: Settings, part: str) -> tuple[Array, Array]:
        """Scaled windows (k, window, 1) and targets (k, horizon) of a part, both float32."""
        scaling, origins = settings.scalings[self.name], self.origins(settings, part)
        windows = scaling.inputs(self.values, origins, settings.window)
        return windows, scaling.targets(self.values, origins, settings.horizon)


class ForecastTask:
    """Trains a `ForecastRecipe` in each of its forms and keeps the one with the lowest validation loss."""

    def __init__(self, recipe: ForecastRecipe, series: Sequence[Series] = ()) -> None:
        """`series` is what it learns from; empty for the recipe's dataset, with a DatasetError if that isn't there."""
        self.recipe = recipe
        self.known = [Known.of(each) for each in series or series_of(recipe.dataset)]

    def train(self, trainer: Trainer) -> Trained:
        """As `TrainingTask.train`.

        Raises:
            SeriesError: if a series is too short, or never changes.
        """
        recipe = self.recipe
        fits: list[tuple[float, Fit, Settings]] = []
        for form in recipe.forms:
            keras.utils.set_random_seed(recipe.seed)
            fit, settings = self._fit(trainer, form)
            fits.append((min(fit.epochs.get("validation_loss", [np.inf])), fit, settings))
            if trainer.ended != "finished":
                break
        _, fit, settings = min(fits, key=lambda each: each[0])
        about = {
            "window": recipe.window, "horizon": recipe.horizon, "batch": recipe.batch, "form": settings.form,
            "validation_pinball": {each.form: round(loss, 4) for loss, _, each in fits},
            "examples": {"training": sum(len(each.origins(settings, "training")) for each in self.known)},
        }  # fmt: skip
        return trained(recipe, trainer, fit, settings, about)

    def _fit(self, trainer: Trainer, form: Form) -> tuple[Fit, Settings]:
        recipe = self.recipe
        settings = settings_for(self.known, recipe.window, recipe.horizon, form)
        x, y = examples(settings, self.known, "training")
        if not len(x):
            raise SeriesError(f"The series is too short: a window of {recipe.window} doesn't fit into it.")
        if not all(len(each.origins(settings, "validation")) for each in self.known):
            raise SeriesError("The series is too short: its validation part has no room for a forecast.")
        batches = Rows(x, y, recipe.batch, recipe.seed, partial=True)
        model = network(recipe)
        rate = optimizers.warmup_cosine(recipe.learning_rate, len(batches) * recipe.epochs, warm_up=0)
        model.compile(optimizer=keras.optimizers.Adam(rate, clipnorm=1.0), loss=pinball_loss)
        measure = partial(self._measure, settings)
        stage = Stage(model, batches, recipe.epochs, measure=measure, name=form, keep_best=True)
        return trainer.fit(stage), settings

    def _measure(self, settings: Settings, model: keras.Model) -> dict[str, float]:
        """The pinball loss over all validation origins, divided by the naive error: the same unit for all forms."""
        forecaster, losses = Forecaster(self.recipe.card(), settings, Network(model)), []
        for each in self.known:
            origins = each.origins(settings, "validation")
            quantiles = forecaster.forecast(each.values, origins, settings.scalings[each.name])
            loss = backtest.pinball(backtest.truth(each.values, origins, settings.horizon), quantiles, LEVELS)
            losses.append(loss.mean() / backtest.naive_scale(each.values, each.parts))
        return {"validation_loss": float(np.mean(losses))}


def series_of(dataset: str) -> Sequence[Series]:
    """The series of that name, or all of "stocks"; DatasetError if they aren't there."""
    return tuple(series.stocks().values()) if dataset == "stocks" else (series.load_series(dataset),)


def settings_for(known: Sequence[Known], window: int, horizon: int, form: Form) -> Settings:
    """The settings of a forecaster, with scalings that are fitted to the training parts.

    Args:
        known: the series.
        window, horizon: values that are read, and steps ahead.
        form: in which values are read.
    """
    scalings = {each.name: Scaling.fit(each.values, form, 0, each.parts.training) for each in known}
    return Settings(window, horizon, LEVELS, form, scalings)


def examples(settings: Settings, known: Sequence[Known], part: str) -> tuple[Array, Array]:
    """`Known.examples` of all series, one below the other.

    Args:
        settings: window, horizon and scalings.
        known: the series.
        part: "training" or "validation".
    """
    x, y = (np.concatenate(side) for side in zip(*(each.examples(settings, part) for each in known), strict=True))
    return x, y


def network(recipe: ForecastRecipe) -> keras.Model:
    """LSTM and a Dense layer; (batch, window, 1) → (batch, horizon · levels)."""
    x = window = keras.Input((None, 1), name="window")
    x = layers.LSTM(recipe.units, name="lstm")(x)
    x = layers.Dropout(recipe.dropout, name="dropout")(x)
    return keras.Model(window, layers.Dense(recipe.horizon * len(LEVELS), name="quantiles")(x))


def pinball_loss(truth: Any, answers: Any) -> Any:
    """Mean pinball loss; truth (batch, horizon), answers (batch, horizon · levels). As `backtest.pinball`."""
    levels = np.array(LEVELS, np.float32)
    error = ops.expand_dims(truth, -1) - ops.reshape(answers, (-1, truth.shape[1], len(LEVELS)))
    return ops.mean(ops.maximum(levels * error, (levels - 1) * error))
