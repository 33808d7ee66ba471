"""Nats per character of generators that go on learning while they read the test part, beside the networks as they ship.

    python -m benchmarks.dynamic_evaluation [MODEL …] [--rates RATE …] [--json] [--update-cards]

Dynamic evaluation with the averaged squares of the training gradients and a decay towards the trained weights (Krause
et al. 2018): each segment is scored first and learned from afterwards, so no character is known before it is predicted.
Learning rate and decay are chosen on the validation parts of other plays, which `shakespeare` never read; the test part
is read once.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.dynamic_evaluation.reader import DynamicReader
from lstm_core.datasets import registry, splits
from lstm_core.inference import registry as model_registry
from lstm_core.library import store
from lstm_core.library.card import ModelCard
from lstm_core.training.recipes import RECIPES

CHOSEN_WITH = "shakespeare"
MODELS = (CHOSEN_WITH, "macbeth", "julius_caesar")
LEARNING_RATES = (1e-4, 2e-4, 4e-4, 8e-4)
DECAYS = (1e-3, 3e-3, 1e-2)


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose learning rate and decay, measure each model with them, and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dynamic_evaluation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all without one")
    parser.add_argument("--rates", nargs="+", type=float, default=LEARNING_RATES, help="to choose from")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-cards", action="store_true", help="write the figures into our models' cards")
    options = parser.parse_args(arguments)
    names = options.models or MODELS
    for name in names:
        if name not in MODELS:
            parser.error(f"there is no such generator '{name}'; choose from {', '.join(MODELS)}")
    tried = choose(options.rates)
    best = min(tried, key=lambda row: row["nats_per_character"])
    rows = [measure(name, best["learning_rate"], best["decay"]) for name in names]
    if options.update_cards:
        for row in rows:
            update_card(model_registry.find_model(row["model"]), row)
    if options.json:
        print(json.dumps({"tried": tried, "rows": rows}))
        return
    for row in tried:
        print(f"rate {row['learning_rate']:g}, decay {row['decay']:g}: {row['nats_per_character']:.4f} on other plays")
    for row in rows:
        print(f"{row['model']:16}{row['as_it_is']:8.4f} as it is{row['dynamic']:8.4f} learning while it reads")


def choose(rates: Sequence[float]) -> list[dict[str, float]]:
    """Nats per character of each setting on validation parts that `CHOSEN_WITH` was never trained on."""
    recipe = RECIPES[CHOSEN_WITH]
    reader = DynamicReader(CHOSEN_WITH)
    texts = [splits.hold_out(registry.load_text(name))[1] for name in recipe.extra_texts]
    return [
        {
            "learning_rate": learning_rate,
            "decay": decay,
            "nats_per_character": float(
                np.mean([reader.surprisal(text, learning_rate, decay).mean() for text in texts])
            ),
        }
        for learning_rate, decay in itertools.product(rates, DECAYS)
    ]


def measure(name: str, learning_rate: float, decay: float) -> dict[str, Any]:
    """The nats per character of a model's test part, with the weights as they ship and with weights that move."""
    reader = DynamicReader(name)
    text = registry.load_text(RECIPES[name].dataset)
    *_, test = splits.hold_out(text.lower() if RECIPES[name].lowercase else text)
    still, moving = (float(reader.surprisal(test, each, decay).mean()) for each in (0.0, learning_rate))
    return {"model": name, "as_it_is": still, "dynamic": moving, "learning_rate": learning_rate, "decay": decay}


def update_card(folder: Path, row: dict[str, Any]) -> None:
    """Write a row of `measure` into the card's `training["dynamic"]`."""
    card = ModelCard.read(folder)
    figures = {"nats_per_character": row["dynamic"], "learning_rate": row["learning_rate"], "decay": row["decay"]}
    store.save_card(dataclasses.replace(card, training={**card.training, "dynamic": figures}), folder)


if __name__ == "__main__":
    main()
