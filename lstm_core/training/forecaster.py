"""Trains a forecaster by the pinball loss. Form and epoch are chosen on the validation part; no test part is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import keras
import numpy as np
from keras import layers, ops

from lstm_core.arrays import Array
from lstm_core.inference.forecaster import Settings
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


class ForecastTask:
    """Trains a `ForecastRecipe` in each of its forms and keeps the one with the lowest validation loss."""

    def __init__(self, recipe: ForecastRecipe, series: Sequence[Series] = ()) -> None:
        """`series` is what it learns from; empty for what the recipe names.

        Raises:
            DatasetError: if the recipe's series isn't there.
        """
        self.recipe = recipe
        self.known = [Known.of(each) for each in series or series_of(recipe)]

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
        scaling = next(iter(settings.scalings.values()))
        sizes = [len(each.parts.training_origins(recipe.window + scaling.reach, recipe.horizon)) for each in self.known]
        about = {
            "window": recipe.window, "horizon": recipe.horizon, "batch": recipe.batch, "form": settings.form,
            "validation_pinball": {each.form: round(loss, 4) for loss, _, each in fits},
            "examples": {"training": sum(sizes)},
        }  # fmt: skip
        return trained(recipe, trainer, fit, settings, about)

    def _fit(self, trainer: Trainer, form: Form) -> tuple[Fit, Settings]:
        recipe = self.recipe
        scalings = {each.name: Scaling.fit(each.values, form, 0, each.parts.training) for each in self.known}
        settings = Settings(recipe.window, recipe.horizon, LEVELS, form, scalings)
        pairs = [examples(recipe, each.values, each.parts, scalings[each.name]) for each in self.known]
        x, y = (np.concatenate(side) for side in zip(*pairs, strict=True))
        if not len(x):
            raise SeriesError(f"The series is too short: a window of {recipe.window} doesn't fit into it.")
        validation = Validation(recipe, settings, self.known)
        batches = Rows(x, y, recipe.batch, recipe.seed, partial=True)
        model = network(recipe)
        rate = optimizers.warmup_cosine(recipe.learning_rate, len(batches) * recipe.epochs, warm_up=0)
        model.compile(optimizer=keras.optimizers.Adam(rate, clipnorm=1.0), loss=pinball_loss)
        stage = Stage(model, batches, recipe.epochs, measure=validation.measure, name=form, keep_best=True)
        return trainer.fit(stage), settings


def series_of(recipe: ForecastRecipe) -> Sequence[Series]:
    """The series that a recipe learns from; DatasetError if they aren't there."""
    return tuple(series.stocks().values()) if recipe.dataset == "stocks" else (series.load_series(recipe.dataset),)


def examples(recipe: ForecastRecipe, values: Array, parts: backtest.Parts, scaling: Scaling) -> tuple[Array, Array]:
    """Windows and targets of the training part, scaled.

    Args:
        recipe: its window and horizon.
        values: (n,) of the series.
        parts: where the training part ends.
        scaling: fitted on the training part.

    Returns:
        (k, window, 1) and (k, horizon), both float32.
    """
    origins = parts.training_origins(recipe.window + scaling.reach, recipe.horizon)
    return scaling.inputs(values, origins, recipe.window), scaling.targets(values, origins, recipe.horizon)


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


class Validation:
    """The pinball loss over all validation origins, divided by the naive error: the same unit for all forms."""

    def __init__(self, recipe: ForecastRecipe, settings: Settings, known: Sequence[Known]) -> None:
        """Raises SeriesError if a validation part has no room for a forecast."""
        self._horizon, self._settings, self._known = recipe.horizon, settings, known
        self._origins = [self._origins_of(each) for each in known]
        self._windows = [
            settings.scalings[each.name].inputs(each.values, origins, recipe.window)
            for each, origins in zip(known, self._origins, strict=True)
        ]

    def measure(self, model: keras.Model) -> dict[str, float]:
        """`validation_loss` of a network."""
        sizes = [len(each) for each in self._windows]
        answers = np.asarray(model.predict(np.concatenate(self._windows), batch_size=512, verbose=0))
        losses = []
        parts = np.split(answers, np.cumsum(sizes)[:-1])
        for each, origins, rows in zip(self._known, self._origins, parts, strict=True):
            shaped = rows.reshape(len(rows), self._horizon, len(LEVELS))
            quantiles = self._settings.scalings[each.name].back(shaped, each.values, origins)
            actual = backtest.truth(each.values, origins, self._horizon)
            scale = backtest.naive_scale(each.values, each.parts)
            losses.append(backtest.pinball(actual, quantiles, LEVELS).mean() / scale)
        return {"validation_loss": float(np.mean(losses))}

    def _origins_of(self, known: Known) -> Array:
        found = known.parts.validation_origins(self._horizon)
        found = found[found >= self._settings.before - 1]
        if not len(found):
            raise SeriesError("The series is too short: its validation part has no room for a forecast.")
        return found
