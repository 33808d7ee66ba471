"""Trains the encoder–decoder: numbers drawn at random, the true characters so far given to the decoder.

Backend-neutral, and deterministic for a seed, a machine and a backend. What the network does once it is trained is
in `inference/seq2seq.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import layers

from lstm_core.arrays import Array
from lstm_core.datasets import number_words
from lstm_core.inference.seq2seq import EDGE, LONGEST_WORD, NumberAlphabet, Rewriter, rewriting_figures
from lstm_core.library.card import ModelCard
from lstm_core.nn.jax_lstm import faster
from lstm_core.training.recipes.seq2seq_tree import SequenceProgress, SequenceRecipe

Report = Callable[[SequenceProgress], Any]  # what it returns ends the run if it is True
WARM_UP = 100  # steps


def encoder_decoder(signs: NumberAlphabet, units: int, width: int) -> keras.Model:
    """(batch, T) ids of digits, 0 for none, and (batch, n) ids of characters → (batch, n, 1 + characters)."""
    digits = keras.Input((None,), dtype="int32", name="digits")
    x = layers.Embedding(1 + len(signs.digits), width, mask_zero=True, name="read")(digits)  # (batch, T, width)
    _, h, c = layers.LSTM(units, return_state=True, name="encoder")(x)  # (batch, units) each: all that is handed over
    so_far = keras.Input((None,), dtype="int32", name="so_far")
    y = layers.Embedding(1 + len(signs.characters), width, name="written")(so_far)  # (batch, n, width)
    y = layers.LSTM(units, return_sequences=True, name="decoder")(y, initial_state=[h, c])  # (batch, n, units)
    answer = layers.Dense(1 + len(signs.characters), activation="softmax", name="answer")(y)
    return keras.Model([digits, so_far], answer)


class Numbers(keras.utils.PyDataset):
    """Batches of ([digits, characters so far], characters, weights): what stands behind the end weighs nothing."""

    def __init__(self, signs: NumberAlphabet, batch: int, steps: int, seed: int) -> None:
        super().__init__()
        self._signs, self._batch, self._steps = signs, batch, steps
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[tuple[Array, Array], Array, Array]:
        return encoded(self._signs, number_words.sample(self._batch, self._random))


def encoded(signs: NumberAlphabet, numbers: list[str]) -> tuple[tuple[Array, Array], Array, Array]:
    """Numbers of up to `spelling.LONGEST_TRAINED` digits as one batch, see `Numbers`; all batches have one shape."""
    steps = number_words.LONGEST_TRAINED * LONGEST_WORD  # the last space makes room for the end
    digits = np.zeros((len(numbers), number_words.LONGEST_TRAINED), np.int32)
    wanted, weights = (np.zeros((len(numbers), steps), kind) for kind in (np.int32, np.float32))
    for row, number in enumerate(numbers):
        ids = signs.encode_words(number_words.spelled_backwards(number))
        digits[row, : len(number)] = signs.encode_number(number)
        wanted[row, : len(ids)] = ids  # and EDGE behind
        weights[row, : len(ids) + 1] = 1
    so_far = np.pad(wanted[:, :-1], ((0, 0), (1, 0)), constant_values=EDGE)
    return (digits, so_far), wanted, weights


def train_rewriter(
    recipe: SequenceRecipe, report: Report = lambda progress: None
) -> tuple[keras.Model, NumberAlphabet, ModelCard]:
    """Train a recipe of task "rewriter"; the last epoch's weights are kept."""
    began = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    signs = NumberAlphabet()
    model = encoder_decoder(signs, recipe.units, recipe.width)
    batches = Numbers(signs, recipe.batch, recipe.steps, recipe.seed)
    model.compile(optimizer=falling_adam(recipe), loss="sparse_categorical_crossentropy", weighted_metrics=[])

    def share_right() -> float:
        return rewriting_figures(Rewriter(recipe.card({}, {}, 0, 0), signs, model), "validation")["accuracy"]

    watch = EpochWatch(recipe, share_right, report, began)
    with faster(model):
        model.fit(batches, epochs=recipe.epochs, shuffle=False, verbose=0, callbacks=[watch])
    examples = {"training": recipe.batch * recipe.steps * recipe.epochs}
    return model, signs, recipe.card(watch.curves, examples, model.count_params(), time.monotonic() - began)


def falling_adam(recipe: SequenceRecipe) -> keras.optimizers.Optimizer:
    """Adam whose rate rises over the first steps and falls to zero along a half cosine; gradients of norm 1 at most."""
    steps = recipe.steps * recipe.epochs
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - WARM_UP, 1), warmup_target=recipe.rate, warmup_steps=WARM_UP
    )
    return keras.optimizers.Adam(schedule, global_clipnorm=1.0)


class EpochWatch(keras.callbacks.Callback):
    """After each epoch, measures on the validation part and reports; keeps the curves."""

    def __init__(self, recipe: SequenceRecipe, measure: Callable[[], float], report: Report, began: float) -> None:
        super().__init__()
        self._recipe, self._measure, self._report, self._began = recipe, measure, report, began
        self.curves: dict[str, list[float]] = {"loss": [], "validation_accuracy": []}

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """One more point of the curves."""
        loss, validation = float(logs["loss"]), self._measure()
        self.curves["loss"].append(round(loss, 4))
        self.curves["validation_accuracy"].append(round(validation, 4))
        seconds = time.monotonic() - self._began
        if self._report(SequenceProgress(epoch + 1, self._recipe.epochs, seconds, loss, validation)) is True:
            self.model.stop_training = True
