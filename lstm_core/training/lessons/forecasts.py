"""What a lesson in forecasting reads: windows of a series' training part, and a forecast as the fixed example.

Scaling is fitted on the training part alone, the validation part comes right after it, and the test part is cut off
before anything is computed. Texts are in `training/lessons/data.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError
from lstm_core.inference.forecaster import Settings
from lstm_core.timeseries import backtest, series
from lstm_core.timeseries.scaling import Form, Scaling
from lstm_core.timeseries.series import Series
from lstm_core.training.lessons.material import TrainingData
from lstm_core.training.lessons.recipe import LessonRecipe
from lstm_core.training.recipes import LEVELS

STOCKS = "stocks"  # all six companies
# How far ahead, and in which form values are read, as in the recipes of the shipped forecasters.
PLANS: dict[str, tuple[int, Form]] = {
    STOCKS: (4, "log_difference"),
    "seasons": (14, "level"),
    "sunspots": (12, "level"),
    "random_walk": (4, "log_difference"),
}


def windows(recipe: LessonRecipe) -> TrainingData:
    """The windows of a lesson's series.

    Raises:
        LabError: in one sentence, if there is no such series or the window doesn't fit into it.
    """
    if recipe.dataset not in PLANS:
        raise LabError(f"There is no series '{recipe.dataset[:60]}' to learn from; there are {', '.join(PLANS)}.")
    horizon, form = PLANS[recipe.dataset]
    many = list(series.stocks().values()) if recipe.dataset == STOCKS else [series.load_series(recipe.dataset)]
    scalings = {each.name: Scaling.fit(each.values, form, 0, each.parts.training) for each in many}
    settings = Settings(recipe.length, horizon, LEVELS, form, scalings)
    learnt, held = (_examples(settings, many, part) for part in ("training", "validation"))
    return TrainingData(
        *(*learnt, *held),
        vocabulary=settings,
        size=0,
        outputs=horizon * len(LEVELS),
        sizes={"training": len(learnt[0]), "validation": len(held[0])},
        example=_forecast(many[0]),
    )


def _examples(settings: Settings, many: Sequence[Series], part: str) -> tuple[Array, Array]:
    """(k, window, 1) and (k, horizon) of one part of all series."""
    pairs = []
    for each in many:
        known = each.values[: each.parts.validation]  # nothing of the test part gets any further
        if part == "training":
            origins = each.parts.training_origins(settings.before, settings.horizon)
        else:
            origins = each.parts.validation_origins(settings.horizon)
        origins = origins[origins >= settings.before - 1]
        scaling = settings.scalings[each.name]
        pairs.append(
            (scaling.inputs(known, origins, settings.window), scaling.targets(known, origins, settings.horizon))
        )
    x, y = (np.concatenate(side) for side in zip(*pairs, strict=True))
    if len(x) < 2:
        raise LabError(f"A window of {settings.window} values doesn't fit into this series; take a shorter length.")
    return x, y


def _forecast(of: Series) -> Callable[[Any], dict[str, Any]]:
    """Forecasts from the middle of the validation part."""

    def forecast(model: Any) -> dict[str, Any]:
        horizon, levels = model.settings.horizon, model.settings.levels
        places = of.parts.validation_origins(horizon)
        origin = places[len(places) // 2 : len(places) // 2 + 1]
        known = of.values[: of.parts.validation]
        quantiles = model.forecast(known, origin, model.scaling(of))[0]  # (horizon, levels)
        first = max(0, int(origin[0]) + 1 - 2 * horizon)
        return {
            "series": of.name,
            "before": known[first : int(origin[0]) + 1].round(4).tolist(),
            "truth": backtest.truth(known, origin, horizon)[0].round(4).tolist(),
            "quantiles": quantiles.round(4).tolist(),
            "levels": list(levels),
        }

    return forecast
