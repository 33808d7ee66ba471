"""Trains character models: on parallel streams of running text with carried state, or over windows as the articles do.

With carried state, a step goes on where the last one ended: truncated BPTT (Williams & Peng 1990).
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits
from lstm_core.errors import ModelError
from lstm_core.inference import registry as model_registry
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.nn.activations import softmax
from lstm_core.nn.calibration import Calibration
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet
from lstm_core.text.speaker_names import SpeakerNames
from lstm_core.training import optimizers
from lstm_core.training.batches import Rows
from lstm_core.training.recipes import CharacterRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.trainer import Fit, Fitting, Stage, Trainer

UNIT = "nats per character"


class CarriedLSTM(layers.Layer):
    """A stock LSTM layer that goes on where the last batch ended; for training only."""

    def __init__(self, lstm: layers.LSTM, batch: int) -> None:
        """`lstm` is the layer that is trained, `batch` the rows of every batch."""
        super().__init__(name=f"carried_{lstm.name}")
        self.lstm = lstm
        self._shape = (batch, lstm.units)

    def build(self, input_shape: Any) -> None:
        """The state, as two weights that aren't trained."""
        if not self.lstm.built:
            self.lstm.build(input_shape)
        self.h, self.c = (self.add_weight(shape=self._shape, trainable=False, initializer="zeros") for _ in range(2))

    def call(self, x: Any) -> Any:
        """(batch, T, features) → (batch, T, units)."""
        self.lstm.return_state = True
        outputs, h, c = self.lstm.call(x, initial_state=[self.h.value, self.c.value], training=True)
        self.lstm.return_state = False  # as it is in the network that is saved
        self.h.assign(ops.stop_gradient(h))
        self.c.assign(ops.stop_gradient(c))
        return outputs


class StatefulBatches(keras.utils.PyDataset):
    """Batches of (rows, steps) ids and the ids that follow them; each epoch starts at another place in the text.

    Args:
        ids: (n,) of the training text.
        rows, steps: of each batch.
        seed: of the places.
        renew: (random) → (m,) the ids that the next epoch reads instead; n of them are taken, from the start on.

    Raises:
        ValueError: if the text is too short for one batch.
    """

    def __init__(
        self,
        ids: Array,
        rows: int,
        steps: int,
        seed: int,
        renew: Callable[[np.random.Generator], Array] | None = None,
    ) -> None:
        super().__init__()
        self._ids, self.rows, self._steps, self._renew = ids, rows, steps, renew
        self._random = np.random.default_rng(seed)
        self._batches = (len(ids) // rows - 1) // steps
        if self._batches < 1:
            raise ValueError(f"{len(ids)} characters are too few for {rows} streams of {steps} steps.")
        self._rolled = ids

    def __len__(self) -> int:
        return self._batches

    def __getitem__(self, index: int) -> tuple[Array, Array]:
        length = len(self._rolled) // self.rows
        streams = self._rolled[: length * self.rows].reshape(self.rows, length)
        first = index * self._steps
        return streams[:, first : first + self._steps], streams[:, first + 1 : first + self._steps + 1]

    def on_epoch_end(self) -> None:
        """Prepare the next epoch."""
        ids = self._ids if self._renew is None else np.resize(self._renew(self._random), len(self._ids))
        self._rolled = np.roll(ids, -int(self._random.integers(len(ids))))


def windows(ids: Array, alphabet: int, recipe: CharacterRecipe) -> Rows:
    """Batches of (batch, window, 1) ids / alphabet, and the (batch,) ids that follow; each epoch in another order.

    Args:
        ids: (n,) of the training text.
        alphabet: its number of characters.
        recipe: its window, batch and seed.

    Raises:
        ValueError: if the text holds no window and a character behind it.
    """
    if len(ids) <= recipe.window:
        raise ValueError(f"{len(ids)} characters are too few for windows of {recipe.window} and one more.")
    numbers = (ids[:-1] / alphabet).astype(np.float32)
    x = np.lib.stride_tricks.sliding_window_view(numbers, recipe.window)[..., None]  # (n - window, window, 1)
    return Rows(x, ids[recipe.window :], recipe.batch, recipe.seed, partial=True)


def writer(alphabet: int, recipe: CharacterRecipe) -> keras.Model:
    """The stock network that ships: LSTM layers, each with dropout, and a Dense softmax.

    Over running text it begins with an embedding and answers after each character, (batch, T) → (batch, T, alphabet);
    over windows it reads numbers and answers once, (batch, window, 1) → (batch, alphabet).
    """
    if recipe.window:
        x = start = keras.Input((recipe.window, 1), name="characters")
    else:
        start = keras.Input((None,), dtype="int32", name="characters")
        x = layers.Embedding(alphabet, recipe.width, name="embedding")(start)
    last = len(recipe.units) - 1
    for number, units in enumerate(recipe.units):
        x = layers.LSTM(units, return_sequences=number < last or not recipe.window, name=f"lstm_{number}")(x)
        x = layers.Dropout(recipe.dropout, name=f"dropout_{number}")(x)
    return keras.Model(start, layers.Dense(alphabet, activation="softmax", name="answer")(x))


def carrying(network: keras.Model, recipe: CharacterRecipe) -> keras.Model:
    """The layers of a network of `writer`, with carried state; (batch, bptt_steps) → the same answers."""
    x = start = keras.Input(batch_shape=(recipe.batch, recipe.bptt_steps), dtype="int32")
    for layer in network.layers[1:]:
        x = (CarriedLSTM(layer, recipe.batch) if isinstance(layer, layers.LSTM) else layer)(x)
    return keras.Model(start, x)


class CharacterTask:
    """Trains a `CharacterRecipe`; keeps the epoch with the fewest nats per character of the validation part."""

    def __init__(self, recipe: CharacterRecipe) -> None:
        self.recipe = recipe
        texts = [registry.load_text(name) for name in (recipe.dataset, *recipe.extra_texts)]
        texts = [text.lower() for text in texts] if recipe.lowercase else texts
        self.training, self.validation, _ = splits.hold_out(texts[0])
        self.others = [splits.hold_out(text)[0] for text in texts[1:]]
        self.alphabet = Alphabet.of("".join(texts))

    def train(self, trainer: Trainer) -> Trained:
        """As `TrainingTask.train`.

        Raises:
            ModelError: if the initial model isn't there, or has other sizes.
        """
        recipe = self.recipe
        keras.utils.set_random_seed(recipe.seed)
        network = writer(len(self.alphabet), recipe)
        if recipe.initial_model:
            copy_weights(model_registry.load(recipe.initial_model), network, self.alphabet)
        fit = self._fit_windows(trainer, network) if recipe.window else self._fit_streams(trainer, network)
        facts: dict[str, Any] = {"characters": {"training": len(self.training), "validation": len(self.validation)}}
        calibration = self._calibration(fit.network) if recipe.calibrated else None
        finished = trainer.ended == "finished"
        last = self._refit(trainer, network, fit) if recipe.refit_epochs and finished else fit
        if calibration is not None:
            calibration.put_into(last.network)
            facts["calibration"] = {"scale": calibration.scale}
        return trained(recipe, trainer, fit, self.alphabet, facts)._replace(model=last.network)

    def _refit(self, trainer: Trainer, network: keras.Model, fit: Fit) -> Fit:
        """Train on from the weights that were validated, with the validation part as well."""
        recipe = self.recipe
        network.set_weights(fit.network.get_weights())
        gentle = replace(recipe, epochs=recipe.refit_epochs, learning_rate=recipe.learning_rate / 2)
        batches = self._streams(self.training + self.validation)
        model = self._compiled(gentle, network, len(batches) * gentle.epochs)
        return trainer.fit(Stage(model, batches, gentle.epochs, network=network, name="all", logits=True))

    def _fit_windows(self, trainer: Trainer, network: keras.Model) -> Fit:
        recipe = self.recipe
        ids = self.alphabet.encode(self.training)
        batches = windows(ids, len(self.alphabet), recipe)
        network.compile(keras.optimizers.Adam(recipe.learning_rate), "sparse_categorical_crossentropy")
        return trainer.fit(Stage(network, batches, recipe.epochs, measure=self._measure, keep_best=True, unit=UNIT))

    def _fit_streams(self, trainer: Trainer, network: keras.Model) -> Fit:
        """All texts first, then the text itself alone, under one schedule."""
        recipe = self.recipe
        texts = "\n\n".join([self.training, *self.others]), self.training
        batches = [self._streams(text, recipe.renamed_speakers) for text in texts]
        lengths = [recipe.epochs - recipe.epochs_alone, recipe.epochs_alone]
        model = self._compiled(recipe, network, int(np.dot([len(part) for part in batches], lengths)))
        fitting = Fitting(
            trainer,
            Stage(
                model,
                batches[0],
                recipe.epochs,
                measure=self._measure,
                network=network,
                keep_best=True,
                logits=True,
                unit=UNIT,
            ),
        )
        for part, length in zip(batches, lengths, strict=True):
            fitting.run(length, part)
        return fitting.finish()

    def _streams(self, text: str, renamed: float = 0.0) -> StatefulBatches:
        """A text in which that share of the speakers has another name in each epoch after the first."""
        recipe, renew = self.recipe, None
        if renamed:
            names = SpeakerNames.of(text)

            def renew(random: np.random.Generator) -> Array:
                return self.alphabet.encode(names.renamed(text, renamed, random))

        return StatefulBatches(self.alphabet.encode(text), recipe.batch, recipe.bptt_steps, recipe.seed, renew)

    def _compiled(self, recipe: CharacterRecipe, network: keras.Model, steps: int) -> keras.Model:
        model = carrying(network, recipe)
        model.compile(
            optimizer=optimizers.adamw(steps, recipe.learning_rate, recipe.weight_decay),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        return model

    def _calibration(self, network: keras.Model) -> Calibration:
        """Temperature scaling, fitted to the validation part, which the network wasn't trained on."""
        logits, following = zip(*self._reading(network).predictions(self.alphabet.encode(self.validation)), strict=True)
        targets = np.eye(len(self.alphabet), dtype=np.float32)[np.concatenate(following)]
        return Calibration.fit(softmax(np.concatenate(logits)), targets, shifted=False)

    def _measure(self, network: keras.Model) -> dict[str, float]:
        """Nats per character of the validation part."""
        return {"validation_loss": self._reading(network).score(self.validation).nats_per_character}

    def _reading(self, network: keras.Model) -> TextGenerator:
        return TextGenerator(self.recipe.card(), self.alphabet, Network(network))


def copy_weights(first: Any, network: keras.Model, alphabet: Alphabet) -> None:
    """Put the weights of a loaded generator into a network with another alphabet; new characters keep their own.

    Args:
        first: the loaded generator.
        network: of `writer`.
        alphabet: of the network.

    Raises:
        ModelError: if the sizes differ.
    """
    pairs = [(alphabet.ids[each], old) for each, old in first.alphabet.ids.items() if each in alphabet.ids]
    new, old = (np.array(side) for side in zip(*pairs, strict=True))
    mixed = []
    for variable, before in zip(network.weights, first.saved.weights, strict=True):
        after = ops.convert_to_numpy(variable).copy()
        if variable.path.startswith("embedding"):
            after[new] = before[old]
        elif variable.path.startswith("answer"):
            after[..., new] = before[..., old]
        elif after.shape == before.shape:
            after = before
        else:
            raise ModelError(f"The model '{first.card.name}' has other sizes, so its weights can't be initial ones.")
        mixed.append(after)
    network.set_weights(mixed)
