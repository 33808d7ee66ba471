"""Training on somebody's own series: it delivers, stops and keeps, and a mistake is one clear sentence."""

from __future__ import annotations

from typing import Any

import msgpack
import pytest

from lstm_core.errors import LabError
from lstm_core.inference import registry
from lstm_core.inference.forecaster import Forecaster
from lstm_core.timeseries import series
from lstm_core.training import forecast_job
from lstm_core.training.forecast_job import forecast_recipe_for

WAVE = series.seasons(200)


def worked(found: series.Series, epochs: int, stop: bool = False) -> tuple[Any, list[dict[str, Any]]]:
    """What the work returns for a series, and what it told; the recipe is that of a longer one."""
    told: list[dict[str, Any]] = []
    arguments = forecast_job.forecast_arguments(found, forecast_recipe_for(WAVE, epochs))
    given = msgpack.unpackb(msgpack.packb(arguments))  # as another web process that goes on with a run reads them
    return forecast_job.work(given, told.append, lambda: stop), told


def test_it_trains_and_leaves_a_network() -> None:
    result, told = worked(WAVE, 2)
    model = registry.load_bundle(result["model"])
    assert isinstance(model, Forecaster)
    assert model.backtest(WAVE).quantiles.shape[1] == forecast_recipe_for(WAVE).horizon
    assert model.settings.scalings[WAVE.name].fitted_on == (0, WAVE.parts.training)
    shares = [event["share"] for event in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1
    assert all(1 <= event["epoch"] <= event["epochs"] for event in told)
    last = told[-1]["curves"]
    assert all(len(losses) == told[-1]["epochs"] for losses in last.values())


def test_stopped_it_keeps_what_there_is() -> None:
    result, told = worked(WAVE, 50, stop=True)
    assert len(told) == 1
    assert isinstance(registry.load_bundle(result["model"]), Forecaster)


def test_a_mistake_of_the_visitor_is_their_sentence() -> None:
    with pytest.raises(LabError, match=r"^The series is too short"):
        worked(series.seasons(12), 2)


@pytest.mark.parametrize("length", [50, 60, 105, 300, 1400, 4000])
@pytest.mark.parametrize("season", [1, 7, 52, 1000])
def test_a_recipe_fits_its_series(length: int, season: int) -> None:
    from dataclasses import replace

    found = replace(series.seasons(length), season=season)
    recipe = forecast_recipe_for(found)
    parts = found.parts
    assert len(parts.training_origins(recipe.window + 1, recipe.horizon)) >= 10
    assert len(parts.validation_origins(recipe.horizon)) >= 3
    assert len(parts.test_origins(recipe.horizon)) >= 3
