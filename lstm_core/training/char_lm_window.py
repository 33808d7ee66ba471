"""Trains the articles' character network: the last few characters, one number each, tell the next one.

Every position of the training part gives a window and the character behind it, shuffled anew in
each epoch. Our own networks read running text instead, in `training/char_lm.py`.
"""

from __future__ import annotations

import time

import keras
import numpy as np
from keras import layers

from lstm_core.datasets import registry, splits
from lstm_core.library.card import ModelCard
from lstm_core.nn.jax_lstm import faster
from lstm_core.text.alphabet import Alphabet
from lstm_core.training.char_lm import Report, Watch, train_characters
from lstm_core.training.recipes.char_lm import CharacterRecipe


class Windows(keras.utils.PyDataset):
    """Batches of (rows, window, 1) ids / alphabet, and the (rows,) ids that follow; each epoch in another order."""

    def __init__(self, ids: np.ndarray, alphabet: int, window: int, rows: int, seed: int) -> None:
        """`ids` (n,) of the training text; raises ValueError if it holds no window and a character behind it."""
        super().__init__()
        if len(ids) <= window:
            raise ValueError(f"{len(ids)} characters are too few for windows of {window} and one more.")
        self._windows = np.lib.stride_tricks.sliding_window_view(ids[:-1], window)  # (n - window, window)
        self._next, self._alphabet, self._rows = ids[window:], alphabet, rows
        self._random = np.random.default_rng(seed)
        self.on_epoch_end()

    def __len__(self) -> int:
        return -(-len(self._next) // self._rows)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rows = self._order[index * self._rows : (index + 1) * self._rows]
        return (self._windows[rows] / self._alphabet).astype(np.float32)[..., None], self._next[rows]

    def on_epoch_end(self) -> None:
        """Shuffle."""
        self._order = self._random.permutation(len(self._next))


def window_writer(alphabet: int, recipe: CharacterRecipe) -> keras.Model:
    """LSTM layers, each with dropout, and a Dense softmax; (batch, window, 1) → (batch, alphabet)."""
    x = numbers = keras.Input((recipe.window, 1), name="characters")
    last = len(recipe.units) - 1
    for number, units in enumerate(recipe.units):
        x = layers.LSTM(units, return_sequences=number < last, name=f"lstm_{number}")(x)
        x = layers.Dropout(recipe.dropout, name=f"dropout_{number}")(x)
    return keras.Model(numbers, layers.Dense(alphabet, activation="softmax", name="answer")(x))


def train_writer(
    recipe: CharacterRecipe, report: Report = lambda progress: None
) -> tuple[keras.Model, Alphabet, ModelCard]:
    """Train a recipe for characters, over windows where it has one, and else with a carried state."""
    return (train_windows if recipe.window else train_characters)(recipe, report)


def train_windows(
    recipe: CharacterRecipe, report: Report = lambda progress: None
) -> tuple[keras.Model, Alphabet, ModelCard]:
    """Train a recipe that has a window; keeps the epoch whose validation part surprises it least.

    Adam with its usual settings and categorical cross-entropy. The validation part is read from
    its first character, so its first windows are padded.

    Raises:
        DatasetError: if the text isn't there.
    """
    began = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    text = registry.load_text(recipe.dataset)
    text = text.lower() if recipe.small_letters else text
    training, validation, _ = splits.hold_out(text)
    alphabet = Alphabet.of(text)
    model = window_writer(len(alphabet), recipe)
    batches = Windows(alphabet.encode(training), len(alphabet), recipe.window, recipe.streams, recipe.seed)
    watch = Watch(recipe, alphabet, validation, report, began)
    model.compile(optimizer=keras.optimizers.Adam(recipe.rate), loss="sparse_categorical_crossentropy")
    with faster(model):
        model.fit(batches, epochs=recipe.epochs, shuffle=False, verbose=0, callbacks=[watch])
    model.set_weights(watch.best)
    seconds = time.monotonic() - began
    return model, alphabet, recipe.card(watch.curves, len(training), len(validation), model.count_params(), seconds)
