"""Trains a recipe: data to batches, batches to a Keras model, progress on the way, a card at the end.

Backend-neutral: nothing here names TensorFlow or JAX, and the saved model is a stock Keras model.
Deterministic for a seed, a machine and a backend.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

import keras
import numpy as np

from lstm_core import datasets, pastes, splits
from lstm_core.classify import pad
from lstm_core.fastlstm import faster
from lstm_core.library import ModelCard
from lstm_core.recipes import TextRecipe
from lstm_core.splits import Split
from lstm_core.text import PAD, UNKNOWN, Encoded, Encoder, Pairs, Vocabulary

Texts = list[Encoded]


@dataclass(frozen=True)
class Progress:
    """Where a training run stands; sent after every few steps and after each epoch.

    `loss` and `accuracy` are means over the epoch so far (cross-entropy in nats; 0…1). The
    validation figures are there at the end of an epoch only.
    """

    epoch: int
    epochs: int
    step: int
    steps: int
    seconds: float
    loss: float
    accuracy: float
    validation_loss: float | None = None
    validation_accuracy: float | None = None


Report = Callable[[Progress], None]


@dataclass(frozen=True)
class Trained:
    """What `train_classifier` returns: the three things that `library.save` writes."""

    model: keras.Model
    encoder: Encoder
    card: ModelCard


def train_classifier(recipe: TextRecipe, report: Report = lambda progress: None) -> Trained:
    """Train a recipe on its data set, choosing by a validation part of the training split.

    Raises:
        DatasetError: if the data set isn't there and can't be had.
    """
    began = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    data = datasets.load_labelled(recipe.dataset)
    training, validation = splits.validation_split(data.train, recipe.validation, recipe.seed)
    encoder = _fit_encoder(recipe, training, data.labels)
    batches = TextBatches.of(recipe, encoder, training, data.labels)
    held_out = TextBatches.plain(recipe, encoder, validation)

    classes = len(data.labels) if len(data.labels) > 2 else 1  # one sigmoid unit tells two apart
    model = recipe.build(len(encoder.vocabulary), classes, len(encoder.pairs) if encoder.pairs else 0)
    optimizer = recipe.optimizer(len(batches) * recipe.epochs)
    callbacks: list[keras.callbacks.Callback] = []
    if recipe.average:
        optimizer.use_ema, optimizer.ema_momentum = True, recipe.average
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    model.compile(
        optimizer=optimizer,
        loss=keras.losses.SparseCategoricalCrossentropy() if classes > 1 else keras.losses.BinaryCrossentropy(),
        metrics=["accuracy"],
    )
    callbacks.append(_Reporter(report, recipe.epochs, len(batches), began))
    if recipe.keep_best:
        callbacks.append(_KeepBest())
    with faster(model):
        history = model.fit(
            batches, validation_data=held_out, epochs=recipe.epochs, callbacks=callbacks, verbose=0, shuffle=False
        ).history
    sizes = {"training": len(training.texts), "validation": len(validation.texts)}
    card = _card(recipe, data.labels, model, history, sizes, time.monotonic() - began)
    return Trained(model, encoder, card)


def _fit_encoder(recipe: TextRecipe, training: Split, labels: tuple[str, ...]) -> Encoder:
    """The vocabulary comes from the training part alone; restored names are part of it."""
    empty = Encoder(recipe.tokenizer, Vocabulary(()), recipe.length, recipe.padding, recipe.mask_names)
    texts = list(training.texts)
    if recipe.restored_names:
        texts += _named(training, labels)
    words = [[token.text for token in empty.tokens_of(text)] for text in texts]
    vocabulary = Vocabulary.build(words, recipe.vocabulary, recipe.at_least)
    pairs = None
    if recipe.pairs:
        plain = words[: len(training.texts)]  # a restored name is one token; its neighbours need no pair of their own
        pairs = Pairs.build((vocabulary.encode(each) for each in plain), recipe.pairs, at_least=3)
    return replace(empty, vocabulary=vocabulary, pairs=pairs)


def _named(split: Split, labels: tuple[str, ...]) -> list[str]:
    return [pastes.restore_names(text, labels[label]) for text, label in zip(split.texts, split.labels, strict=True)]


class TextBatches(keras.utils.PyDataset):
    """Batches of ids and labels. Texts of like length share a batch, so that little is padding.

    Each text has one or two readings (as in the data; with its language's name restored), of
    which one is drawn each epoch. All randomness comes from one seeded generator.
    """

    def __init__(
        self,
        readings: Sequence[Texts],
        labels: np.ndarray,
        *,
        batch: int,
        length: int,
        second_share: float = 0.0,
        word_dropout: float = 0.0,
        seed: int | None = None,
    ) -> None:
        super().__init__()
        self._readings, self._labels = readings, np.asarray(labels, np.int32)
        self._batch, self._length = batch, length
        self._second_share, self._word_dropout = second_share, word_dropout
        self._random = None if seed is None else np.random.default_rng(seed)
        self._lengths = np.array([len(text.ids) for text in readings[0]])
        self._plan = self._planned()

    @classmethod
    def of(cls, recipe: TextRecipe, encoder: Encoder, split: Split, labels: tuple[str, ...]) -> TextBatches:
        """Shuffled, with the recipe's augmentation; for training."""
        readings = [_encode(encoder, split.texts)]
        if recipe.restored_names:
            readings.append(_encode(encoder, _named(split, labels)))
        return cls(
            readings,
            split.labels,
            batch=recipe.batch,
            length=recipe.length,
            second_share=recipe.restored_names,
            word_dropout=recipe.word_dropout,
            seed=recipe.seed,
        )

    @classmethod
    def plain(cls, recipe: TextRecipe, encoder: Encoder, split: Split) -> TextBatches:
        """As in the data, nothing drawn; for validation."""
        return cls([_encode(encoder, split.texts)], split.labels, batch=recipe.batch, length=recipe.length)

    def __len__(self) -> int:
        return len(self._plan)

    def __getitem__(self, index: int) -> tuple[np.ndarray | tuple[np.ndarray, ...], np.ndarray]:
        chosen = self._plan[index]
        rows = [self._readings[self._which(len(self._readings))][text].inputs for text in chosen]
        inputs = tuple(pad(ids, up_to=self._length) for ids in zip(*rows, strict=True))
        if self._random is not None and self._word_dropout:
            dropped = self._random.random(inputs[0].shape) < self._word_dropout
            for ids in inputs:
                ids[dropped & (ids != PAD)] = UNKNOWN
        return inputs if len(inputs) > 1 else inputs[0], self._labels[chosen]

    def _which(self, readings: int) -> int:
        """The second reading for a share of the texts, where there are two."""
        return int(readings > 1 and self._random is not None and self._random.random() < self._second_share)

    def on_epoch_end(self) -> None:
        """A new order for the next epoch."""
        self._plan = self._planned()

    def _planned(self) -> list[np.ndarray]:
        if self._random is None:
            order = np.argsort(self._lengths, kind="stable")
            return np.split(order, range(self._batch, len(order), self._batch))
        order = self._random.permutation(len(self._lengths))
        pool = self._batch * 32  # sorted by length within a pool, so batches stay random between epochs
        pools = [part[np.argsort(self._lengths[part], kind="stable")] for part in _cut(order, pool)]
        plan = [rows for part in pools for rows in _cut(part, self._batch)]
        return [plan[index] for index in self._random.permutation(len(plan))]


def _cut(order: np.ndarray, size: int) -> list[np.ndarray]:
    return np.split(order, range(size, len(order), size))


def _encode(encoder: Encoder, texts: Sequence[str]) -> Texts:
    return [encoder.encode(text, mask_names=False) for text in texts]


class _Reporter(keras.callbacks.Callback):
    """Turns Keras's callbacks into `Progress`, at most a few times a second."""

    def __init__(self, report: Report, epochs: int, steps: int, began: float) -> None:
        super().__init__()
        self._report, self._epochs, self._steps, self._began = report, epochs, steps, began
        self._epoch, self._last = 0, 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Which epoch it is, from 1."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A sign of life, not more than a few times a second."""
        if time.monotonic() - self._last > 0.25:
            self._send(batch + 1, logs)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The figures of a whole epoch, validation included."""
        self._send(self._steps, logs)

    def _send(self, step: int, logs: Any) -> None:
        self._last = time.monotonic()
        self._report(
            Progress(
                epoch=self._epoch,
                epochs=self._epochs,
                step=step,
                steps=self._steps,
                seconds=self._last - self._began,
                loss=float(logs["loss"]),
                accuracy=float(logs["accuracy"]),
                validation_loss=logs.get("val_loss"),
                validation_accuracy=logs.get("val_accuracy"),
            )
        )


class _KeepBest(keras.callbacks.Callback):
    """At the end, puts back the weights of the epoch with the lowest validation loss."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Nothing is kept yet."""
        self._best, self._weights = np.inf, None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keeps the weights if no epoch before was better."""
        if logs["val_loss"] < self._best:
            self._best, self._weights = logs["val_loss"], self.model.get_weights()

    def on_train_end(self, logs: Any = None) -> None:
        """The best weights go back in."""
        if self._weights is not None:
            self.model.set_weights(self._weights)


def _card(
    recipe: TextRecipe,
    labels: tuple[str, ...],
    model: keras.Model,
    history: dict[str, list[float]],
    sizes: dict[str, int],
    seconds: float,
) -> ModelCard:
    names = {
        "loss": "loss",
        "accuracy": "accuracy",
        "val_loss": "validation_loss",
        "val_accuracy": "validation_accuracy",
    }
    curves = {name: [round(float(value), 4) for value in history[key]] for key, name in names.items()}
    return ModelCard(
        name=recipe.name,
        title=recipe.title,
        task="classifier",
        dataset=recipe.dataset,
        summary=recipe.summary,
        labels=labels,
        notes=recipe.notes,
        training={
            "command": recipe.command,
            "seed": recipe.seed,
            "date": datetime.now(UTC).date().isoformat(),
            "examples": sizes,
            "batch": recipe.batch,
            "epochs": recipe.epochs,
            "kept_epoch": 1 + int(np.argmin(history["val_loss"])) if recipe.keep_best else recipe.epochs,
            "parameters": int(model.count_params()),
            "seconds": round(seconds),
            "backend": keras.backend.backend(),
            "versions": {name: version(name) for name in ("keras", "numpy")} | {"python": platform.python_version()},
            "curves": curves,
        },
    )
