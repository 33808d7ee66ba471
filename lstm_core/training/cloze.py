"""Trains a recipe for networks that fill blanks: sentences of the grammar drawn anew in each epoch.

Chosen by the grammar's validation sentences; held-out sentences are never drawn here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import cloze_grammar
from lstm_core.datasets.cloze_grammar import Sentence
from lstm_core.library.card import ModelCard
from lstm_core.text.encoder import UNKNOWN, Encoder, Vocabulary
from lstm_core.training import family_architectures
from lstm_core.training.classifier import Progress, Trained, categorical_accuracy
from lstm_core.training.recipes.base import card_of
from lstm_core.training.recipes.family import BlankRecipe

LENGTH = 40  # words read of a sentence; the grammar's are shorter


def train_blank_filler(recipe: BlankRecipe, report: Callable[[Progress], Any] = lambda progress: None) -> Trained:
    """Train one network; keeps the last epoch's weights.

    Args:
        recipe: how.
        report: told after each epoch; if it returns True, training ends.
    """
    began = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    encoder = _encoder()
    model = family_architectures.blank_filler(len(encoder.vocabulary), len(cloze_grammar.ANSWERS), both=recipe.both)
    asked = family_architectures.at_the_place(model)
    steps = -(-recipe.sentences // recipe.batch)
    asked.compile(recipe.optimizer(steps * recipe.epochs), "categorical_crossentropy", metrics=[categorical_accuracy])
    validation = _arrays(encoder, cloze_grammar.sample("validation", recipe.validation, recipe.seed))
    random = np.random.default_rng(recipe.seed)
    curves: dict[str, list[float]] = {}
    for epoch in range(recipe.epochs):
        (ids, place), target = _arrays(
            encoder, cloze_grammar.sample("training", recipe.sentences, recipe.seed * 1000 + epoch + 1)
        )
        ids = np.where((random.random(ids.shape) < recipe.word_dropout) & (ids > UNKNOWN) & (place == 0), UNKNOWN, ids)
        past = asked.fit([ids, place], target, recipe.batch, verbose=0, validation_data=validation).history
        figures = {
            "loss": past["loss"][0], "accuracy": past["categorical_accuracy"][0],
            "validation_loss": past["val_loss"][0], "validation_accuracy": past["val_categorical_accuracy"][0],
        }  # fmt: skip
        for name, value in figures.items():
            curves.setdefault(name, []).append(round(float(value), 4))
        if report(Progress(epoch + 1, recipe.epochs, steps, steps, time.monotonic() - began, **figures)) is True:
            break
    return Trained(model, encoder, _card(recipe, curves, model, time.monotonic() - began))


def _encoder() -> Encoder:
    """Every word of the training sentences, the blank among them."""
    empty = Encoder("blanks", Vocabulary(()), LENGTH)
    words = ([token.text for token in empty.tokens_of(each.text)] for each in cloze_grammar.sentences("training"))
    return Encoder("blanks", Vocabulary.build(words, size=1000), LENGTH)


def _arrays(encoder: Encoder, drawn: Sequence[Sentence]) -> tuple[list[Array], Array]:
    """[ids (n, T), a 1 at each blank (n, T)], and the answers, one-hot (n, answers)."""
    encoded = [encoder.encode(each.text).ids for each in drawn]
    ids = np.zeros((len(drawn), LENGTH), np.int32)
    for row, values in zip(ids, encoded, strict=True):
        row[: len(values)] = values
    place = (ids == encoder.vocabulary.ids[cloze_grammar.BLANK]).astype(np.float32)
    target = np.eye(len(cloze_grammar.ANSWERS), dtype=np.float32)[
        [cloze_grammar.ANSWERS.index(each.answer) for each in drawn]
    ]
    return [ids, place], target


def _card(recipe: BlankRecipe, curves: dict[str, list[float]], model: keras.Model, seconds: float) -> ModelCard:
    facts = {
        "examples": {"training": len(cloze_grammar.sentences("training")), "validation": recipe.validation},
        "drawn": recipe.sentences * recipe.epochs,
        "batch": recipe.batch,
        "epochs": recipe.epochs,
        "kept_epoch": recipe.epochs,
        "parameters": int(model.count_params()),
        "backend": keras.backend.backend(),
        "curves": curves,
    }
    return card_of(recipe, "blank filler", "blanks", seconds, facts, cloze_grammar.ANSWERS)
