"""What a lesson learns from, as arrays: texts, or windows of a series."""

from collections.abc import Callable
from typing import Any

from lstm_core.errors import LabError
from lstm_core.timeseries import backtest
from lstm_core.timeseries.series import Series
from lstm_core.training.forecaster import Known, examples, series_of, settings_for
from lstm_core.training.lessons.recipe import OWN, PLANS, LessonRecipe
from lstm_core.training.lessons.texts import TrainingData, labelled_texts, running_text
from lstm_core.training.recipes import LEVELS


def prepare(recipe: LessonRecipe, own: bytes | None = None) -> TrainingData:
    """Read a lesson's data; `own` is an uploaded file, where the data set is `OWN`.

    Raises:
        LabError: in one sentence, if the data isn't there or can't be learnt from.
    """
    if (recipe.dataset == OWN) != (own is not None):
        raise LabError("Choose a file to learn from." if own is None else "This lesson reads no file of your own.")
    if recipe.task == "forecaster":
        if own is not None:
            raise LabError(
                "A series of your own can be forecast on the forecasting page; here, choose one of the list."
            )
        return _windows(recipe)
    return _PREPARE[recipe.task](recipe, own)


def _windows(recipe: LessonRecipe) -> TrainingData:
    if recipe.dataset not in PLANS:
        raise LabError(f"There is no series '{recipe.dataset[:60]}' to learn from; there are {', '.join(PLANS)}.")
    horizon, form = PLANS[recipe.dataset]
    many = series_of(recipe.dataset)
    known = [Known.of(each) for each in many]
    settings = settings_for(known, recipe.length, horizon, form)
    learnt, held = (examples(settings, known, part) for part in ("training", "validation"))
    if min(len(learnt[0]), len(held[0])) < 2:
        raise LabError(f"A window of {recipe.length} values doesn't fit into this series; take a shorter length.")
    return TrainingData(
        *(*learnt, *held),
        vocabulary=settings,
        size=0,
        outputs=horizon * len(LEVELS),
        sizes={"training": len(learnt[0]), "validation": len(held[0])},
        example=_forecast(many[0]),
    )


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


_PREPARE: dict[str, Callable[[LessonRecipe, bytes | None], TrainingData]] = {
    "classifier": labelled_texts,
    "generator": running_text,
}
