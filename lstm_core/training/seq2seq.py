"""Trains the encoder–decoder on random numbers; the decoder is given the true characters so far (teacher forcing)."""

import keras
import numpy as np
from keras import layers

from lstm_core.arrays import Array
from lstm_core.datasets import number_words
from lstm_core.inference.seq2seq import EDGE, LONGEST_WORD, NumberAlphabet, Rewriter, rewriting_figures
from lstm_core.nn.keras_config import saved_network
from lstm_core.training import optimizers
from lstm_core.training.recipes import SequenceRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.trainer import Stage, Trainer


def encoder_decoder(alphabet: NumberAlphabet, units: int, width: int) -> keras.Model:
    """(batch, T) ids of digits, 0 for none, and (batch, n) ids of characters → (batch, n, 1 + characters)."""
    digits = keras.Input((None,), dtype="int32", name="digits")
    x = layers.Embedding(1 + len(alphabet.digits), width, mask_zero=True, name="read")(digits)  # (batch, T, width)
    _, h, c = layers.LSTM(units, return_state=True, name="encoder")(x)  # (batch, units) each: all that is handed over
    so_far = keras.Input((None,), dtype="int32", name="so_far")
    y = layers.Embedding(1 + len(alphabet.characters), width, name="written")(so_far)  # (batch, n, width)
    y = layers.LSTM(units, return_sequences=True, name="decoder")(y, initial_state=[h, c])  # (batch, n, units)
    answer = layers.Dense(1 + len(alphabet.characters), activation="softmax", name="answer")(y)
    return keras.Model([digits, so_far], answer)


class Numbers(keras.utils.PyDataset):
    """Batches of ([digits, characters so far], characters, weights): what stands behind the end weighs nothing."""

    def __init__(self, alphabet: NumberAlphabet, batch: int, steps: int, seed: int) -> None:
        super().__init__()
        self._alphabet, self.rows, self._steps = alphabet, batch, steps
        self._random = np.random.default_rng(seed)

    def __len__(self) -> int:
        return self._steps

    def __getitem__(self, index: int) -> tuple[tuple[Array, Array], Array, Array]:
        return encoded(self._alphabet, number_words.sample(self.rows, self._random))


def encoded(alphabet: NumberAlphabet, numbers: list[str]) -> tuple[tuple[Array, Array], Array, Array]:
    """Numbers of up to `spelling.LONGEST_TRAINED` digits as one batch, see `Numbers`; all batches have one shape."""
    steps = number_words.LONGEST_TRAINED * LONGEST_WORD  # the last space makes room for the end
    digits = np.zeros((len(numbers), number_words.LONGEST_TRAINED), np.int32)
    wanted, weights = (np.zeros((len(numbers), steps), kind) for kind in (np.int32, np.float32))
    for row, number in enumerate(numbers):
        ids = alphabet.encode_words(number_words.spelled_backwards(number))
        digits[row, : len(number)] = alphabet.encode_number(number)
        wanted[row, : len(ids)] = ids  # and EDGE behind
        weights[row, : len(ids) + 1] = 1
    so_far = np.pad(wanted[:, :-1], ((0, 0), (1, 0)), constant_values=EDGE)
    return (digits, so_far), wanted, weights


class Seq2SeqTask:
    """Trains a `SequenceRecipe` for the encoder–decoder; keeps the weights of the last epoch."""

    def __init__(self, recipe: SequenceRecipe) -> None:
        self.recipe, self.alphabet = recipe, NumberAlphabet()

    def train(self, trainer: Trainer) -> Trained:
        """As `TrainingTask.train`."""
        recipe = self.recipe
        keras.utils.set_random_seed(recipe.seed)
        model = encoder_decoder(self.alphabet, recipe.units, recipe.width)
        batches = Numbers(self.alphabet, recipe.batch, recipe.steps_per_epoch, recipe.seed)
        optimizer = optimizers.adam(len(batches) * recipe.epochs, recipe.learning_rate)
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", weighted_metrics=[])
        fit = trainer.fit(Stage(model, batches, recipe.epochs, measure=self._measure))
        examples = {"training": recipe.batch * len(batches) * recipe.epochs}
        return trained(recipe, trainer, fit, self.alphabet, {"examples": examples, "batch": recipe.batch})

    def _measure(self, network: keras.Model) -> dict[str, float]:
        """The share of validation numbers that are answered without a mistake."""
        figures = rewriting_figures(Rewriter(self.recipe.card(), self.alphabet, saved_network(network)), "validation")
        return {"validation_accuracy": figures["accuracy"]}
