"""Nats per character of generators that go on learning while they read the test part, beside the networks as they ship.

    python -m benchmarks.dynamic_evaluation [MODEL …] [--rates RATE …] [--json] [--update-cards]

Dynamic evaluation with the averaged squares of the training gradients and a pull towards the trained weights (Krause et
al. 2018): each segment is scored first and learned from afterwards, so no character is known before it is predicted.
The rates are chosen on the validation parts of other plays, which `shakespeare` never read; the test part is read once.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits
from lstm_core.inference import registry as model_registry
from lstm_core.library import store
from lstm_core.library.card import ModelCard
from lstm_core.training import char_lm
from lstm_core.training.recipes import RECIPES

CHOSEN_WITH = "shakespeare"
MODELS = (CHOSEN_WITH, "macbeth", "julius_caesar")
SEGMENT = 32  # characters between two updates
SAMPLES = 300  # segments of the training part whose gradients are averaged
RATES = (1e-4, 2e-4, 4e-4, 8e-4)
PULLS = (1e-3, 3e-3, 1e-2)
EPSILON = 1e-4  # beside the root of the average square


def main(arguments: Sequence[str] | None = None) -> None:
    """Choose rate and pull, measure each model with them, and print the figures."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.dynamic_evaluation", description=__doc__.splitlines()[0]
    )
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(MODELS)}; all without one")
    parser.add_argument("--rates", nargs="+", type=float, default=RATES, help="to choose from")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-cards", action="store_true", help="write the figures into our models' cards")
    options = parser.parse_args(arguments)
    names = options.models or MODELS
    for name in names:
        if name not in MODELS:
            parser.error(f"there is no such generator '{name}'; choose from {', '.join(MODELS)}")
    tried = choose(options.rates)
    best = min(tried, key=lambda row: row["nats_per_character"])
    rows = [measure(name, best["rate"], best["pull"]) for name in names]
    if options.update_cards:
        for row in rows:
            update_card(model_registry.find_model(row["model"]), row)
    if options.json:
        print(json.dumps({"tried": tried, "rows": rows}))
        return
    for row in tried:
        print(f"rate {row['rate']:g}, pull {row['pull']:g}: {row['nats_per_character']:.4f} on other plays")
    for row in rows:
        print(f"{row['model']:16}{row['as_it_is']:8.4f} as it is{row['dynamic']:8.4f} learning while it reads")


def choose(rates: Sequence[float]) -> list[dict[str, float]]:
    """Each rate and pull, and its nats per character on validation parts that `CHOSEN_WITH` was never trained on."""
    recipe = RECIPES[CHOSEN_WITH]
    reader = DynamicReader(CHOSEN_WITH)
    texts = [splits.hold_out(registry.load_text(name))[1] for name in recipe.extra_texts]
    return [
        {
            "rate": rate,
            "pull": pull,
            "nats_per_character": float(np.mean([reader.surprisal(text, rate, pull).mean() for text in texts])),
        }
        for rate, pull in itertools.product(rates, PULLS)
    ]


def measure(name: str, rate: float, pull: float) -> dict[str, Any]:
    """The nats per character of a model's test part, with the weights as they ship and with weights that move."""
    reader = DynamicReader(name)
    text = registry.load_text(RECIPES[name].dataset)
    *_, test = splits.hold_out(text.lower() if RECIPES[name].lowercase else text)
    still, moving = (float(reader.surprisal(test, each, pull).mean()) for each in (0.0, rate))
    return {"model": name, "as_it_is": still, "dynamic": moving, "rate": rate, "pull": pull}


def update_card(folder: Path, row: dict[str, Any]) -> None:
    """Write a row of `measure` into the card's `training["dynamic"]`."""
    card = ModelCard.read(folder)
    figures = {"nats_per_character": row["dynamic"], "rate": row["rate"], "pull": row["pull"]}
    store.save_card(dataclasses.replace(card, training={**card.training, "dynamic": figures}), folder)


class DynamicUpdate(keras.optimizers.Optimizer):
    """Krause et al. 2018, equations 5 to 7: w ← w - rate · g / (√s + ε) + pull · n · (w₀ - w).

    s is the average of g² over the training part, w₀ the trained weight and n = √s divided by its mean over a weight
    array, at most 1 / pull. While `counting` is 1, s is summed up.
    """

    def __init__(self) -> None:
        super().__init__(learning_rate=0.0, name="dynamic_update")

    def build(self, variables: Any) -> None:
        """As in Keras, with the squares, the trained weights and two settings."""
        super().build(variables)
        self.pull, self.counting = (self.add_variable((), name=name) for name in ("pull", "counting"))
        self.squares = [self.add_variable_from_reference(each, name="squares") for each in variables]
        self.trained = [self.add_variable_from_reference(each, name="trained") for each in variables]
        for kept, variable in zip(self.trained, variables, strict=True):
            kept.assign(ops.convert_to_numpy(variable))  # a buffer of its own

    def update_step(self, gradient: Any, variable: Any, learning_rate: Any) -> None:
        """As in Keras."""
        index = self._get_variable_index(variable)
        squares, trained = self.squares[index], self.trained[index]
        self.assign_add(squares, self.counting * ops.square(gradient))
        root = ops.sqrt(squares)
        norm = ops.minimum(root / (ops.mean(root) + EPSILON), 1 / ops.maximum(self.pull, EPSILON))
        step = self.pull * norm * (trained - variable) - learning_rate * gradient / (root + EPSILON)
        self.assign_add(variable, (1 - self.counting) * step)


class DynamicReader:
    """A shipped generator that learns from each segment of a text after it has predicted it."""

    def __init__(self, name: str) -> None:
        """Load it, and average the squares of the gradients over its training part.

        Raises:
            ModelError: if the model isn't there.
            DatasetError: if its text isn't there and can't be had.
        """
        recipe, model = RECIPES[name], model_registry.load(name)
        one = dataclasses.replace(recipe, dropout=0.0, batch=1, bptt_steps=SEGMENT)
        network = char_lm.writer(len(model.alphabet), one)
        char_lm.copy_weights(model, network, model.alphabet)
        self.model, self.optimizer, self._encode = (
            char_lm.carrying(network, one),
            DynamicUpdate(),
            model.alphabet.encode,
        )
        self.model.compile(self.optimizer, keras.losses.SparseCategoricalCrossentropy())
        self.optimizer.build(self.model.trainable_variables)
        self._trained = self.model.get_weights()
        training, *_ = splits.hold_out(registry.load_text(recipe.dataset))
        self._average_squares(self._encode(training.lower() if recipe.lowercase else training))

    def surprisal(self, text: str, rate: float, pull: float) -> Array:
        """(segments,) nats per character of whole segments of a text, each before the network learns from it.

        Args:
            text: read from an empty state on.
            rate: of the steps; 0 for the weights as they ship.
            pull: the share of the way back to the trained weights in each step.
        """
        self.model.set_weights(self._trained)  # the states too
        self.optimizer.learning_rate.assign(rate)
        self.optimizer.pull.assign(pull)
        ids = self._encode(text)
        return np.array([self._step(ids, first) for first in range(0, len(ids) - SEGMENT, SEGMENT)])

    def _average_squares(self, ids: Array) -> None:
        firsts = range(0, len(ids) - SEGMENT, max(SEGMENT, len(ids) // SAMPLES))
        self.optimizer.counting.assign(1)
        for first in firsts:
            self._step(ids, first)
        self.optimizer.counting.assign(0)
        for squares in self.optimizer.squares:
            squares.assign(squares / len(firsts))

    def _step(self, ids: Array, first: int) -> float:
        """The nats per character of one segment, with the weights before it."""
        x, y = (ids[None, at : at + SEGMENT] for at in (first, first + 1))
        return float(self.model.train_on_batch(x, y))


if __name__ == "__main__":
    main()
