"""Trains a character model on one running text: parallel streams, carried state, cut-off gradients.

The text is cut into as many streams as a batch has rows; every step reads the next stretch of all
of them and goes on from the state in which the last stretch ended (truncated back-propagation
through time, Williams & Peng 1990). Backend-neutral; the saved model is a stock Keras model that
starts from zeros.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from lstm_core.datasets import registry, splits
from lstm_core.errors import ModelError
from lstm_core.inference import registry as model_registry
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.library.card import ModelCard
from lstm_core.nn.jax_lstm import faster
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet
from lstm_core.training.recipes.char_lm import CharacterRecipe


@dataclass(frozen=True)
class WritingProgress:
    """Where a run stands; losses in nats per `unit`, the validation part's only after an epoch."""

    epoch: int
    epochs: int
    seconds: float
    loss: float
    validation: float | None
    share: float = 1.0  # of this epoch that is done
    unit: str = "character"

    @property
    def whole_epoch(self) -> bool:
        """Whether an epoch has just ended."""
        return self.share == 1.0

    @property
    def line(self) -> str:
        """Where the run stands, for a person to read."""
        line = f"epoch {self.epoch}/{self.epochs}  {self.seconds:4.0f} s  loss {self.loss:.3f}"
        if self.validation is None:
            return f"{line}  {self.share:4.0%} done"
        return f"{line}  validation {self.validation:.3f} nats per {self.unit}"


Report = Callable[[WritingProgress], Any]  # what it returns ends the run if it is True
REPORT_EVERY = 0.5  # seconds between two reports within an epoch


class CarriedLSTM(layers.Layer):
    """An LSTM that goes on where the last batch ended; for training only."""

    def __init__(self, units: int, batch: int, name: str) -> None:
        """`units` of the LSTM and rows of every batch."""
        super().__init__(name=name)
        self.lstm = layers.LSTM(units, return_sequences=True, return_state=True)
        self._shape = (batch, units)

    def build(self, input_shape: Any) -> None:
        """The LSTM's weights, and the state as two weights that aren't trained."""
        self.lstm.build(input_shape)
        self.h, self.c = (self.add_weight(shape=self._shape, trainable=False, initializer="zeros") for _ in range(2))

    def call(self, x: Any) -> Any:
        """(batch, T, features) → (batch, T, units)."""
        outputs, h, c = self.lstm(x, initial_state=[self.h.value, self.c.value])
        self.h.assign(ops.stop_gradient(h))
        self.c.assign(ops.stop_gradient(c))
        return outputs


class StatefulBatches(keras.utils.PyDataset):
    """Batches of (streams, steps) ids and the ids that follow them.

    Each epoch starts at another place in the text, so that it is not always cut at the same ones.
    """

    def __init__(self, ids: np.ndarray, streams: int, steps: int, seed: int) -> None:
        """`ids` (n,) of the training text; raises ValueError if it is too short for one batch."""
        super().__init__()
        self._ids, self._streams, self._steps = ids, streams, steps
        self._random = np.random.default_rng(seed)
        self._batches = (len(ids) // streams - 1) // steps
        if self._batches < 1:
            raise ValueError(f"{len(ids)} characters are too few for {streams} streams of {steps} steps.")
        self._rolled = ids

    def __len__(self) -> int:
        return self._batches

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        length = len(self._rolled) // self._streams
        rows = self._rolled[: length * self._streams].reshape(self._streams, length)
        first = index * self._steps
        return rows[:, first : first + self._steps], rows[:, first + 1 : first + self._steps + 1]

    def on_epoch_end(self) -> None:
        """Begin elsewhere next time."""
        self._rolled = np.roll(self._ids, -int(self._random.integers(len(self._ids))))


def writer(alphabet: int, recipe: CharacterRecipe) -> keras.Model:
    """The stock network that ships: Embedding, LSTM layers, Dense softmax; (batch, T) → (batch, T, alphabet)."""
    tokens = keras.Input((None,), dtype="int32", name="characters")
    x = layers.Embedding(alphabet, recipe.width, name="embedding")(tokens)
    for number, units in enumerate(recipe.units):
        x = layers.LSTM(units, return_sequences=True, name=f"lstm_{number}")(x)
        x = layers.Dropout(recipe.dropout, name=f"dropout_{number}")(x)
    return keras.Model(tokens, layers.Dense(alphabet, activation="softmax", name="answer")(x))


def _carrying(alphabet: int, recipe: CharacterRecipe) -> keras.Model:
    """The same network with carried state and logits; its trainable weights are in the same order."""
    tokens = keras.Input(batch_shape=(recipe.streams, recipe.steps), dtype="int32")
    x = layers.Embedding(alphabet, recipe.width)(tokens)
    for number, units in enumerate(recipe.units):
        x = CarriedLSTM(units, recipe.streams, f"carried_{number}")(x)
        x = layers.Dropout(recipe.dropout)(x)
    return keras.Model(tokens, layers.Dense(alphabet)(x))


def train_characters(
    recipe: CharacterRecipe, report: Report = lambda progress: None
) -> tuple[keras.Model, Alphabet, ModelCard]:
    """Train a recipe; keeps the epoch whose validation part surprises it least.

    When `report` returns True, training ends at once; if that was within the first epoch, the weights are kept as
    they are.

    Raises:
        DatasetError: if a text isn't there.
        ModelError: if the model to begin with isn't there, or has other sizes.
    """
    began = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    texts = [registry.load_text(name) for name in (recipe.dataset, *recipe.also)]
    if recipe.small_letters:
        texts = [text.lower() for text in texts]
    training, validation, _ = splits.hold_out(texts[0])
    others = [splits.hold_out(text)[0] for text in texts[1:]]
    alphabet = Alphabet.of("".join(texts))
    model, shipped = _carrying(len(alphabet), recipe), writer(len(alphabet), recipe)
    if recipe.begin_with:
        _take_over(model_registry.load(recipe.begin_with), shipped, alphabet)
        _copy(shipped, model)
    watch = _CarryingWatch(shipped, recipe, alphabet, validation, report, began)
    stages = [(alphabet.encode("\n\n".join([training, *others])), recipe.epochs - recipe.alone)]
    stages.append((alphabet.encode(training), recipe.epochs))
    _fit(recipe, model, stages, watch)
    shipped.set_weights(watch.best)
    if recipe.finish and not watch.ended:
        _finish(recipe, model, shipped, alphabet.encode(training + validation), report, began)
    seconds = time.monotonic() - began
    return shipped, alphabet, recipe.card(watch.curves, len(training), len(validation), shipped.count_params(), seconds)


def _fit(recipe: CharacterRecipe, model: keras.Model, stages: list[tuple[np.ndarray, int]], watch: Any) -> None:
    """Train on the ids of each stage until its last epoch, under one schedule."""
    batches = [StatefulBatches(ids, recipe.streams, recipe.steps, recipe.seed) for ids, _ in stages]
    lengths = np.diff([0, *(last for _, last in stages)])
    steps = sum(len(part) * int(length) for part, length in zip(batches, lengths, strict=True))
    model.compile(
        optimizer=_optimizer(recipe, steps), loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    with faster(model):
        for part, length, (_, last) in zip(batches, lengths, stages, strict=True):
            if getattr(watch, "ended", False):
                return
            first = last - int(length)
            model.fit(part, initial_epoch=first, epochs=last, shuffle=False, verbose=0, callbacks=[watch])


def _finish(
    recipe: CharacterRecipe, model: keras.Model, shipped: keras.Model, ids: np.ndarray, report: Report, began: float
) -> None:
    """Go on from the weights of `shipped` with all that may be trained on, and put the new ones there."""
    _copy(shipped, model)
    gentle = replace(recipe, rate=recipe.rate / 2)

    def show(epoch: int, logs: Any) -> None:
        seconds = time.monotonic() - began
        at = recipe.epochs + epoch + 1, recipe.epochs + recipe.finish
        if report(WritingProgress(*at, seconds, logs["loss"], None)) is True:
            model.stop_training = True

    _fit(gentle, model, [(ids, recipe.finish)], keras.callbacks.LambdaCallback(on_epoch_end=show))
    _copy(model, shipped)


def _take_over(first: Any, shipped: keras.Model, alphabet: Alphabet) -> None:
    """Put the weights of a trained generator into a network with another alphabet; strange characters stay as they are.

    Raises:
        ModelError: if the sizes differ.
    """
    known = [(alphabet.ids[sign], old) for sign, old in first.alphabet.ids.items() if sign in alphabet.ids]
    new, old = (np.array(side) for side in zip(*known, strict=True))
    mixed = []
    for variable, before in zip(shipped.weights, first.model.get_weights(), strict=True):
        after = keras.ops.convert_to_numpy(variable).copy()
        if variable.path.startswith("embedding"):
            after[new] = before[old]
        elif variable.path.startswith("answer"):
            after[..., new] = before[..., old]
        elif after.shape == before.shape:
            after = before
        else:
            raise ModelError(f"The model '{first.card.name}' has other sizes, so nothing can begin with it.")
        mixed.append(after)
    shipped.set_weights(mixed)


def _optimizer(recipe: CharacterRecipe, steps: int) -> Any:
    warm_up = min(100, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        0.0, max(steps - warm_up, 1), warmup_target=recipe.rate, warmup_steps=warm_up
    )
    return keras.optimizers.AdamW(schedule, weight_decay=recipe.decay, global_clipnorm=1.0)


def _copy(source: keras.Model, target: keras.Model) -> None:
    for variable, other in zip(target.trainable_variables, source.trainable_variables, strict=True):
        variable.assign(other.value)


class Watch(keras.callbacks.Callback):
    """Says how far an epoch is; after it, reads the validation part and keeps the best weights.

    Attributes:
        curves: `loss` and `validation_loss`, a point an epoch.
        best: the weights of the epoch with the lowest validation loss.
        ended: whether somebody ended the run.
        unit: what a loss is counted per.
    """

    unit = "character"

    def __init__(self, recipe: Any, vocabulary: Any, validation: Any, report: Report, began: float) -> None:
        super().__init__()
        self._recipe, self._vocabulary, self._validation = recipe, vocabulary, validation
        self._report, self._began, self._epoch, self._said = report, began, 0, 0.0
        self.curves: dict[str, list[float]] = {"loss": [], "validation_loss": []}
        self.best: list[np.ndarray] = []
        self.ended = False

    def stock(self) -> keras.Model:
        """The network that is validated and kept."""
        return self.model

    def nats(self, network: keras.Model) -> float:
        """How surprised a network is by the validation part, in nats per unit."""
        card = ModelCard(self._recipe.name, self._recipe.title, "generator", self._recipe.dataset, "")
        return (
            TextGenerator(card, self._vocabulary, network, Network(network)).score(self._validation).nats_per_character
        )

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Keep count."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A report now and then."""
        steps = self.params["steps"]
        if time.monotonic() - self._said >= REPORT_EVERY and batch + 1 < steps:
            self._say(float(logs["loss"]), None, (batch + 1) / steps)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """One more point of the curves; an epoch that was cut short isn't validated."""
        network = self.stock()
        if self.ended:
            self.best = self.best or network.get_weights()
            return
        nats = self.nats(network)
        if not self.best or nats < min(self.curves["validation_loss"]):
            self.best = network.get_weights()
        self.curves["loss"].append(round(float(logs["loss"]), 4))
        self.curves["validation_loss"].append(round(nats, 4))
        self._say(float(logs["loss"]), nats, 1.0)

    def _say(self, loss: float, validation: float | None, share: float) -> None:
        self._said = time.monotonic()
        where = self._epoch, self._recipe.epochs, self._said - self._began
        if self._report(WritingProgress(*where, loss, validation, share, self.unit)) is True:
            self.ended = self.model.stop_training = True


class _CarryingWatch(Watch):
    """The same for a network with carried state, whose weights are put into the stock one first."""

    def __init__(self, shipped: keras.Model, *about: Any) -> None:
        super().__init__(*about)
        self._shipped = shipped

    def stock(self) -> keras.Model:
        """The stock network, with the weights of now."""
        _copy(self.model, self._shipped)
        return self._shipped
