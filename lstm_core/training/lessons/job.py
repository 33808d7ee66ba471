"""A lesson from beginning to end, as a job runs it: read, train, and hand back a model as bytes with all that was seen.

The command line runs the same function and gets the same curves. `work` also runs the recipes of the shipped models.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import keras

from lstm_core.inference.char_lm import TextGenerator
from lstm_core.inference.classifier import TextClassifier
from lstm_core.inference.forecaster import Forecaster
from lstm_core.library import bundle
from lstm_core.library.card import ModelCard
from lstm_core.nn.network import Network
from lstm_core.training.forecaster import pinball_loss
from lstm_core.training.lessons import checkpoints, data, trainer
from lstm_core.training.lessons.material import TrainingData
from lstm_core.training.lessons.recipe import LessonRecipe
from lstm_core.training.lessons.trainer import LessonProgress, Run
from lstm_core.training.recipes import registry
from lstm_core.training.recipes.base import facts_of

Tell = Callable[[dict[str, Any]], None]
Stopped = Callable[[], bool]


class Lesson(NamedTuple):
    """What a lesson leaves: the three things that `library.save` writes, and the run."""

    model: keras.Model
    vocabulary: Any
    card: ModelCard
    run: Run


def work(arguments: dict[str, Any], tell: Tell, stopped: Stopped) -> dict[str, Any]:
    """Train one thing; the work of a job.

    Args:
        arguments: `lesson` (as `LessonRecipe.to_json`) and, for a data set of one's own, `data` (bytes); or `recipe`
            (the name of any recipe in the book) and, if it should differ, `seed`.
        tell: hears of a `stage` ("data", "network", "training"), of progress (`LessonProgress.event`), and, before
            the first step, of `parameters` and `summary`.
        stopped: true once somebody wants it to end; what is there by then is kept.

    Returns:
        `model` (bytes of a pack, None if there is none yet), `task`, `ended` ("finished", "stopped", "diverged"),
        `diverged`, `steps` and `epochs` (curves), `examples`, `snapshots` (see `lessons/checkpoints.py`), `summary`,
        `parameters`, `seconds`, `settings` and `card`.

    Raises:
        LabError: in one sentence, if the data can't be had or the recipe isn't one.
    """
    began = time.monotonic()
    if "recipe" in arguments:
        return _work_on_recipe(arguments, tell, stopped, began)
    recipe = LessonRecipe.from_json(arguments["lesson"])
    lesson = run_lesson(recipe, arguments.get("data"), tell, stopped)
    run = lesson.run
    return {
        "model": bundle.bundle_model(lesson.model, lesson.vocabulary, lesson.card),
        "task": recipe.task,
        "ended": run.ended,
        "diverged": run.diverged,
        "steps": run.steps,
        "epochs": run.epochs,
        "examples": run.examples,
        "snapshots": checkpoints.pack_checkpoints(run.kept),
        "summary": summary(lesson.model),
        "parameters": int(lesson.model.count_params()),
        "seconds": round(time.monotonic() - began, 2),
        "settings": recipe.to_json(),
        "card": asdict(lesson.card),
    }


def train_lesson(recipe: LessonRecipe, report: Callable[[LessonProgress], Any] = lambda progress: None) -> Lesson:
    """Train a lesson as the command line does; `report` may return True to end it.

    Raises:
        LabError: in one sentence, if the data can't be had.
    """
    wanted = False

    def told(progress: LessonProgress) -> None:
        nonlocal wanted
        wanted = bool(report(progress)) or wanted

    return _run(recipe, None, lambda event: None, told, lambda: wanted)


def run_lesson(recipe: LessonRecipe, own: bytes | None, tell: Tell, stopped: Stopped) -> Lesson:
    """Train a lesson and tell of it in events; see `work`."""
    return _run(recipe, own, tell, lambda progress: tell(progress.event), stopped)


def _run(
    recipe: LessonRecipe,
    own: bytes | None,
    tell: Tell,
    told: Callable[[LessonProgress], None],
    stopped: Stopped,
) -> Lesson:
    began = time.monotonic()
    tell({"stage": "data"})
    material = data.prepare(recipe, own)
    tell({"stage": "network", "examples": material.sizes})
    card = data.card(recipe, material, {})
    described = False

    def loaded(model: keras.Model) -> Any:
        nonlocal described
        if not described:
            described = True
            tell({"stage": "training", "parameters": int(model.count_params()), "summary": summary(model)})
        return _LOADED[recipe.task](card, material, model)

    loss = pinball_loss if recipe.task == "forecaster" else None
    run = trainer.train(recipe, material, loaded, told, stopped, loss)
    facts = _facts(recipe, material, run, time.monotonic() - began)
    return Lesson(run.model, material.vocabulary, replace(card, training=facts), run)


_LOADED: dict[str, Callable[[ModelCard, Any, keras.Model], Any]] = {
    "classifier": lambda card, material, model: TextClassifier(card, material.vocabulary, model, Network(model)),
    "generator": lambda card, material, model: TextGenerator(card, material.vocabulary, model, Network(model)),
    "forecaster": lambda card, material, model: Forecaster(card, material.vocabulary, model, Network(model)),
}


def summary(model: keras.Model) -> str:
    """The network as Keras summarises it."""
    lines: list[str] = []
    model.summary(print_fn=lambda line, **_: lines.append(line), line_length=76)
    return "\n".join(lines)


def _facts(recipe: LessonRecipe, material: TrainingData, run: Run, seconds: float) -> dict[str, Any]:
    """What the card says of the training."""
    facts = {
        "examples": material.sizes,
        "batch": recipe.batch,
        "epochs": recipe.epochs,
        "kept_epoch": len(run.epochs.get("loss", [])),
        "ended": run.ended,
        "parameters": int(run.model.count_params()),
        "backend": keras.backend.backend(),
        "settings": recipe.to_json(),
        "curves": run.epochs,
    }
    return facts_of(recipe.command, recipe.seed, seconds, facts)


# --- the recipes of shipped models ----------------------------------------------------------


def _work_on_recipe(arguments: dict[str, Any], tell: Tell, stopped: Stopped, began: float) -> dict[str, Any]:
    """Any recipe of the book, followed by what it reports; it ends at its next report after a stop."""
    name = arguments["recipe"]
    recipe = registry.find_recipe(name)
    if isinstance(recipe, LessonRecipe):
        given = {"lesson": recipe.to_json() | {key: arguments[key] for key in ("seed",) if key in arguments}}
        return work(given, tell, stopped)
    if "seed" in arguments:
        recipe = replace(recipe, seed=arguments["seed"])
    last: dict[str, Any] = {}
    ended = "finished"

    def report(progress: Any) -> bool:
        nonlocal ended
        last.update(asdict(progress), line=progress.line, whole_epoch=progress.whole_epoch)
        tell({key: value for key, value in last.items() if value is not None})
        if stopped():
            ended = "stopped"
        return ended == "stopped"

    tell({"stage": "training"})
    try:
        made = registry.run_recipe(name, recipe, report)
    except registry.NothingKeptError:
        return {"model": None, "task": "", "ended": "stopped", "seconds": round(time.monotonic() - began, 2)}
    curves = made.card.training.get("curves", {})
    return {
        "model": bundle.bundle_model(made.model, made.vocabulary, made.card),
        "task": made.card.task,
        "ended": ended,
        "diverged": None,
        "steps": {},
        "epochs": dict(curves),
        "examples": [],
        "snapshots": None,
        "summary": summary(made.model),
        "parameters": int(made.model.count_params()),
        "seconds": round(time.monotonic() - began, 2),
        "settings": {"recipe": name, "seed": recipe.seed},
        "card": asdict(made.card),
    }
