"""A training as a job: read, train, and hand back a model as bytes with all that was seen on the way."""

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import keras

from lstm_core.errors import NothingKeptError
from lstm_core.jobs.checkpoint import Checkpoint
from lstm_core.library import bundle
from lstm_core.training import registry
from lstm_core.training.lessons import checkpoints
from lstm_core.training.lessons.recipe import LessonRecipe
from lstm_core.training.lessons.task import LessonTask
from lstm_core.training.task import Trained
from lstm_core.training.trainer import Fit, Trainer

Report = Callable[[dict[str, Any]], None]
ShouldStop = Callable[[], bool]


def work(
    arguments: dict[str, Any], report: Report, should_stop: ShouldStop, checkpoint: Checkpoint | None = None
) -> dict[str, Any]:
    """Train one thing; the work of a job.

    Args:
        arguments: `lesson` (as `LessonRecipe.to_json`) and, for a data set of one's own, `data` (bytes); or `recipe`
            (the name of any recipe) and, if it should differ, `seed`.
        report: called with a `stage` ("data", "network", "training"), with progress (`Progress.event`), and, before
            the first step of a lesson, with `parameters` and `summary`.
        should_stop: True once the run is to end; what is there by then is kept.
        checkpoint: where the run is kept after its epochs, and goes on from.

    Returns:
        `model` (bytes of a bundle, None if there is none yet), `task`, `ended` ("finished", "stopped", "diverged"),
        `diverged`, `steps` and `epochs` (curves), `examples`, `snapshots` (see `lessons/checkpoints.py`), `summary`,
        `parameters`, `seconds`, `settings` and `card`.

    Raises:
        LabError: in one sentence, if the data can't be had or there is no such recipe.
    """
    began = time.monotonic()
    if "lesson" in arguments:
        recipe: Any = LessonRecipe.from_json(arguments["lesson"])
    else:
        recipe = registry.find_recipe(arguments["recipe"])
        recipe = replace(recipe, seed=arguments.get("seed", recipe.seed))
    trainer = Trainer(lambda progress: report(progress.event), should_stop, checkpoint)
    if isinstance(recipe, LessonRecipe):
        return _train_lesson(recipe, arguments.get("data"), trainer, report, began)
    report({"stage": "training"})
    try:
        made = registry.task_of(recipe).train(trainer)
    except NothingKeptError:
        return {"model": None, "task": "", "ended": "stopped", "seconds": round(time.monotonic() - began, 2)}
    settings = {"recipe": recipe.name, "seed": recipe.seed}
    return _result(made, trainer, began) | {"epochs": dict(made.card.training["curves"]), "settings": settings}


def _train_lesson(
    recipe: LessonRecipe, own: bytes | None, trainer: Trainer, report: Report, began: float
) -> dict[str, Any]:
    report({"stage": "data"})
    task = LessonTask(recipe, own)
    report({"stage": "network", "examples": task.data.sizes})

    def begins(model: keras.Model) -> None:
        report({"stage": "training", "parameters": int(model.count_params()), "summary": summary(model)})

    made = task.train(trainer, begins)
    return _result(made, trainer, began, task.fit) | {"settings": recipe.to_json()}


def _result(made: Trained, trainer: Trainer, began: float, fit: Fit | None = None) -> dict[str, Any]:
    """What `work` returns, but for the settings; without a fit, the curves are empty."""
    fit = fit or Fit(made.model)
    return {
        "model": bundle.bundle_model(made.model, made.vocabulary, made.card),
        "task": made.card.task,
        "ended": trainer.ended,
        "diverged": fit.diverged,
        "steps": fit.steps,
        "epochs": fit.epochs,
        "examples": fit.examples,
        "snapshots": checkpoints.pack_checkpoints(fit.weights),
        "summary": summary(made.model),
        "parameters": int(made.model.count_params()),
        "seconds": round(time.monotonic() - began, 2),
        "card": asdict(made.card),
    }


def summary(model: keras.Model) -> str:
    """The network as Keras summarises it."""
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=76)
    return "\n".join(lines)
