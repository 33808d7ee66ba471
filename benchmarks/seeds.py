"""The spread of a recipe's validation accuracy, or of its loss where it has none, over several seeds.

    python -m benchmarks.seeds RECIPE [--seeds 1 2 3] [--json] [--update-card]

Each seed has its own validation split and initial weights. The test split isn't used.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstm_core.inference import registry
from lstm_core.library import store
from lstm_core.library.card import ModelCard

TASKS = ("classifier", "word model", "generator")


def main(arguments: Sequence[str] | None = None) -> None:
    """Train a recipe with each seed, and print the mean and the standard deviation."""
    from lstm_core.nn import keras_backend

    keras_backend.choose()
    from lstm_core.training.recipes import RECIPES  # imports Keras, which takes its backend now

    parser = argparse.ArgumentParser(prog="python -m benchmarks.seeds", description=__doc__.splitlines()[0])
    names = [name for name, recipe in RECIPES.items() if recipe.task in TASKS]
    parser.add_argument("recipe", choices=sorted(names))
    parser.add_argument("--seeds", nargs="+", type=int, default=[1, 2, 3], metavar="SEED")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-card", action="store_true", help="write the figures into the model's card")
    options = parser.parse_args(arguments)
    runs = [train(RECIPES[options.recipe], seed) for seed in options.seeds]
    figures = summary(runs)
    if options.update_card:
        update_card(registry.find_model(options.recipe), figures)
    if options.json:
        print(json.dumps(figures))
        return
    for run in figures["runs"]:
        accuracy = f"accuracy {run['accuracy']:.2%}, " if "accuracy" in run else ""
        print(f"seed {run['seed']}: {accuracy}cross-entropy {run['loss']:.4f}")
    form = ".2%" if "accuracy" in runs[0] else ".4f"
    print(f"mean {figures['mean']:{form}}, standard deviation {figures['deviation']:{form}}")


def train(recipe: Any, seed: int) -> dict[str, Any]:
    """The validation metrics of the best epoch of a run."""
    from lstm_core.training.registry import task_of
    from lstm_core.training.trainer import Trainer

    alone = {name: value for name, value in (("refit", False), ("refit_epochs", 0)) if hasattr(recipe, name)}
    card = task_of(dataclasses.replace(recipe, seed=seed, **alone)).train(Trainer()).card
    return figures_of(card, seed)


def figures_of(card: ModelCard, seed: int) -> dict[str, Any]:
    """From a card's curves: `seed`, `loss` and, if it is measured, `accuracy` on validation data at the kept epoch."""
    curves, kept = card.training["curves"], card.training["kept_epoch"] - 1
    names = ("accuracy", "loss")
    found = {name: curves[f"validation_{name}"][kept] for name in names if f"validation_{name}" in curves}
    return {"seed": seed, **found}


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """`runs`, and the `mean` and standard `deviation` (n - 1) of their accuracies, or else of their losses."""
    values = [run.get("accuracy", run["loss"]) for run in runs]
    deviation = statistics.stdev(values) if len(values) > 1 else 0.0
    return {"runs": list(runs), "mean": round(statistics.mean(values), 5), "deviation": round(deviation, 5)}


def update_card(folder: Path, figures: dict[str, Any]) -> None:
    """Write a summary into the card's `training["seeds"]`."""
    card = ModelCard.read(folder)
    store.save_card(dataclasses.replace(card, training={**card.training, "seeds": figures}), folder)


if __name__ == "__main__":
    main()
