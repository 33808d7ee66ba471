"""Trains a forecaster: windows of the training part against what came next, by the pinball loss.

Everything is chosen on the validation part: the form in which values are read, and the epoch that is kept. The test
part is cut off before anything is computed. Recipes are in `training/recipes/forecaster.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from lstm_core.arrays import Array
from lstm_core.inference.forecaster import Settings
from lstm_core.library.card import ModelCard
from lstm_core.nn.jax_lstm import faster
from lstm_core.timeseries import backtest
from lstm_core.timeseries.backtest import SeriesError
from lstm_core.timeseries.scaling import Form, Scaling
from lstm_core.timeseries.series import Series
from lstm_core.training.recipes import forecaster
from lstm_core.training.recipes.forecaster import LEVELS, ForecastRecipe


@dataclass(frozen=True)
class ForecastProgress:
    """Where a run stands; the loss is a pinball loss in units of the one-step naive error."""

    form: str
    epoch: int
    epochs: int
    share: float
    validation: float
    whole_epoch: bool = True

    @property
    def line(self) -> str:
        """Where the run stands, for a person to read."""
        return f"{self.form}  epoch {self.epoch}/{self.epochs}  validation pinball loss {self.validation:.4f}"


Report = Callable[[ForecastProgress], Any]  # what it returns ends the run if it is True


@dataclass(frozen=True)
class _Run:
    """A network that was trained in one form, and how it fared."""

    model: keras.Model
    settings: Settings
    losses: list[float]
    validation: list[float]

    @property
    def best(self) -> float:
        """The lowest validation loss."""
        return min(self.validation)


def train_forecaster(
    recipe: ForecastRecipe, report: Report = lambda progress: None, series: Sequence[Series] = ()
) -> tuple[keras.Model, Settings, ModelCard]:
    """Train a recipe in each of its forms and keep the one with the lowest validation loss.

    Args:
        recipe: how.
        report: told after each epoch; if it returns True, training ends and the best so far is kept.
        series: what to learn from; empty for what the recipe names.

    Raises:
        DatasetError: if the recipe's series isn't there.
        SeriesError: if a series is too short, or never changes.
    """
    began = time.monotonic()
    # Nothing behind the validation part gets any further than this line.
    seen = [_without_test(each) for each in series or forecaster.series_of(recipe)]
    runs: list[_Run] = []
    ended = False

    def told(progress: ForecastProgress) -> bool:
        nonlocal ended
        ended = report(progress) is True or ended
        return ended

    for number, form in enumerate(recipe.forms):
        if ended:
            break
        keras.utils.set_random_seed(recipe.seed)
        runs.append(_train(recipe, form, seen, told, number))
    best = min(runs, key=lambda run: run.best)
    facts = {
        "form": best.settings.form,
        "validation_pinball": {run.settings.form: round(run.best, 4) for run in runs},
        "examples": {"training": sum(len(_origins(recipe, each, best.settings.form)) for each in seen)},
        "kept_epoch": int(np.argmin(best.validation)) + 1,
        "parameters": int(best.model.count_params()),
        "backend": keras.backend.backend(),
        "curves": {"loss": best.losses, "validation_loss": best.validation},
    }
    return best.model, best.settings, recipe.card(facts, time.monotonic() - began)


@dataclass(frozen=True)
class _Seen:
    """What training may know of a series: name, values before the test part, and where its parts stop."""

    name: str
    values: Array
    parts: backtest.Parts


def _without_test(series: Series) -> _Seen:
    return _Seen(series.name, series.values[: series.parts.validation], series.parts)


def _origins(recipe: ForecastRecipe, seen: _Seen, form: Form) -> Array:
    return seen.parts.training_origins(recipe.window + (form != "level"), recipe.horizon)


def examples(recipe: ForecastRecipe, values: Array, parts: backtest.Parts, scaling: Scaling) -> tuple[Array, Array]:
    """Windows and targets of the training part: (k, window, 1) and (k, horizon), both float32 and scaled."""
    origins = parts.training_origins(recipe.window + scaling.reach, recipe.horizon)
    return scaling.inputs(values, origins, recipe.window), scaling.targets(values, origins, recipe.horizon)


def network(recipe: ForecastRecipe) -> keras.Model:
    """LSTM and a Dense layer; (batch, window, 1) → (batch, horizon · levels)."""
    x = window = keras.Input((None, 1), name="window")
    x = layers.LSTM(recipe.units, name="lstm")(x)
    x = layers.Dropout(recipe.dropout, name="dropout")(x)
    return keras.Model(window, layers.Dense(recipe.horizon * len(LEVELS), name="quantiles")(x))


def pinball_loss(truth: Any, answers: Any) -> Any:
    """Mean pinball loss; truth (batch, horizon), answers (batch, horizon · levels). As `walk_forward.pinball`."""
    levels = np.array(LEVELS, np.float32)
    error = ops.expand_dims(truth, -1) - ops.reshape(answers, (-1, truth.shape[1], len(LEVELS)))
    return ops.mean(ops.maximum(levels * error, (levels - 1) * error))


def _train(recipe: ForecastRecipe, form: Form, seen: Sequence[_Seen], report: Report, number: int) -> _Run:
    scalings = {each.name: Scaling.fit(each.values, form, 0, each.parts.training) for each in seen}
    settings = Settings(recipe.window, recipe.horizon, LEVELS, form, scalings)
    pairs = [examples(recipe, each.values, each.parts, scalings[each.name]) for each in seen]
    x, y = (np.concatenate(side) for side in zip(*pairs, strict=True))
    if not len(x):
        raise SeriesError(f"The series is too short to learn from: a window of {recipe.window} doesn't fit into it.")
    model = network(recipe)
    watch = _Watch(recipe, settings, seen, report, number)
    steps = recipe.epochs * -(-len(x) // recipe.batch)
    rate = keras.optimizers.schedules.CosineDecay(recipe.rate, steps)
    model.compile(optimizer=keras.optimizers.Adam(rate, clipnorm=1.0), loss=pinball_loss)
    with faster(model):
        model.fit(x, y, batch_size=recipe.batch, epochs=recipe.epochs, verbose=0, callbacks=[watch])
    model.set_weights(watch.best)
    return _Run(model, settings, watch.losses, watch.validation)


class _Watch(keras.callbacks.Callback):
    """After each epoch: the validation loss in units that all forms share, and the best weights so far."""

    def __init__(
        self, recipe: ForecastRecipe, settings: Settings, seen: Sequence[_Seen], report: Report, number: int
    ) -> None:
        super().__init__()
        self._recipe, self._settings, self._seen = recipe, settings, seen
        self._report, self._number = report, number
        self.losses: list[float] = []
        self.validation: list[float] = []
        self.best: list[np.ndarray] = []
        self._windows = [
            settings.scalings[each.name].inputs(each.values, self._origins(each), recipe.window) for each in seen
        ]

    def _origins(self, each: _Seen) -> Array:
        found = each.parts.validation_origins(self._recipe.horizon)
        found = found[found >= self._settings.before - 1]
        if not len(found):
            raise SeriesError("The series is too short: its validation part has no room for a forecast.")
        return found

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """One more point of the curves."""
        loss = self._loss()
        if not self.best or loss < min(self.validation):
            self.best = self.model.get_weights()
        self.losses.append(round(float(logs["loss"]), 5))
        self.validation.append(round(loss, 5))
        done = self._number + (epoch + 1) / self._recipe.epochs
        form, share = self._settings.form, done / len(self._recipe.forms)
        if self._report(ForecastProgress(form, epoch + 1, self._recipe.epochs, share, loss)) is True:
            self.model.stop_training = True

    def _loss(self) -> float:
        """The pinball loss over all validation origins, divided by the naive error of the training part."""
        sizes = [len(each) for each in self._windows]
        answers = np.asarray(self.model.predict(np.concatenate(self._windows), batch_size=512, verbose=0))
        losses = []
        for each, rows in zip(self._seen, np.split(answers, np.cumsum(sizes)[:-1]), strict=True):
            origins = self._origins(each)
            shaped = rows.reshape(len(rows), self._recipe.horizon, len(LEVELS))
            quantiles = self._settings.scalings[each.name].back(shaped, each.values, origins)
            actual = backtest.truth(each.values, origins, self._recipe.horizon)
            scale = backtest.naive_scale(each.values, each.parts)
            losses.append(backtest.pinball(actual, quantiles, LEVELS).mean() / scale)
        return float(np.mean(losses))
