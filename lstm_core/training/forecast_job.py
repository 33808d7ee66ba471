"""Trains a forecaster on somebody's own series, as a job of `jobs/queue.py`."""

from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from lstm_core.jobs.checkpoint import Checkpoint
from lstm_core.timeseries.series import Series
from lstm_core.training.recipes import ForecastRecipe

FORECAST_JOB = "lstm_core.training.forecast_job:work"


def forecast_recipe_for(series: Series, epochs: int = 30) -> ForecastRecipe:
    """A small network that a series of this length can bear: window and horizon grow with it, up to a point."""
    length = len(series)
    horizon = min(max(length // 25, 2), 12)
    window = min(max(length // 10, 4), max(2 * series.season, 32), 64)
    return ForecastRecipe(
        name=series.name,
        title=series.title,
        dataset=series.name,
        summary=f"An LSTM that was trained just now, on the first {series.parts.training:,} values of your series.",
        window=window,
        horizon=horizon,
        units=16 if length < 400 else 24,
        dropout=0.2 if length < 400 else 0.0,
        epochs=epochs,
        batch=32 if length < 400 else 64,
    )


def forecast_arguments(series: Series, recipe: ForecastRecipe | None = None) -> dict[str, Any]:
    """What `work` is given, as plain values, which can be recorded; by default with `forecast_recipe_for` it."""
    plain = {"dates": series.dates.astype("datetime64[s]").astype(int).tolist(), "values": series.values.tolist()}
    return {"series": asdict(series) | plain, "recipe": asdict(recipe or forecast_recipe_for(series))}


def work(
    arguments: dict[str, Any],
    report: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
    checkpoint: Checkpoint | None = None,
) -> dict[str, Any]:
    """Train on a series; the work of a job.

    Args:
        arguments: as the function of that name makes them.
        report: called with the `share` that is done (0…1), the `form` of the input that is being tried, its `epoch` of
            `epochs`, and `curves`: form → the validation loss after each epoch so far.
        should_stop: True once the run is to end; the best network up to then is kept.
        checkpoint: where the run is kept after its epochs, and goes on from.

    Returns:
        `model`: the bytes of a bundle; its card holds the series.

    Raises:
        SeriesError: if the series is too short, or never changes.
    """
    from lstm_core.library import bundle
    from lstm_core.training.forecaster import ForecastTask
    from lstm_core.training.progress import Progress
    from lstm_core.training.trainer import Trainer

    recipe, given = ForecastRecipe(**arguments["recipe"]), arguments["series"]
    dates, values = np.array(given["dates"], np.int64).astype("datetime64[s]"), np.array(given["values"], np.float64)
    series = Series(**given | {"dates": dates, "values": values})
    curves: dict[str, list[float]] = {}

    def show(progress: Progress) -> None:
        done = (recipe.forms.index(progress.stage) + progress.share) / len(recipe.forms)
        losses = curves.setdefault(progress.stage, [])
        if progress.whole_epoch and progress.validation_loss is not None:
            losses.append(round(progress.validation_loss, 5))
        about = {"form": progress.stage, "epoch": progress.epoch, "epochs": progress.epochs}
        report({"share": done, **about, "curves": {form: list(each) for form, each in curves.items()}})

    found = ForecastTask(recipe, [series]).train(Trainer(show, should_stop, checkpoint))
    kept = {"command": "on the page “Forecasting”", "series": series.to_json()}
    card = replace(found.card, training={**found.card.training, **kept})
    return {"model": bundle.bundle_model(found.model, found.vocabulary, card)}
