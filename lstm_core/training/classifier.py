"""Trains a recipe: data to batches, batches to a Keras model, progress on the way, a card at the end.

Backend-neutral: nothing here names TensorFlow or JAX, and the saved model is a stock Keras model.
Deterministic for a seed, a machine and a backend. Augmentation is in `training/text_batches.py`, what teachers
and a start for the embeddings do in `training/distillation.py`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import keras
import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits
from lstm_core.datasets.splits import Split
from lstm_core.library.store import ModelCard
from lstm_core.nn.jax_lstm import faster
from lstm_core.text import language_names
from lstm_core.text.encoder import Bigrams, Encoder, Token, Vocabulary
from lstm_core.training.distillation import joined, out_of_fold
from lstm_core.training.recipes.base import card_of
from lstm_core.training.recipes.classifier import TextRecipe
from lstm_core.training.recipes.registry import NothingKeptError
from lstm_core.training.text_batches import Augmentation, Inputs, Openings, TextBatches


@dataclass(frozen=True)
class Progress:
    """Where a training run stands; sent after every few steps and after each epoch.

    `loss` and `accuracy` are means over the epoch so far (cross-entropy in nats; 0…1). The
    validation figures are there at the end of an epoch of the "network" stage only. A run has up to
    three stages, each with epochs from 1: "teacher 1 of 4" and so on, "network", and "all texts".
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
    stage: str = "network"

    @property
    def whole_epoch(self) -> bool:
        """Whether an epoch has just ended."""
        return self.step == self.steps

    @property
    def line(self) -> str:
        """Where the run stands, for a person to read."""
        line = (
            f"{self.stage}: epoch {self.epoch}/{self.epochs}  step {self.step}/{self.steps}  {self.seconds:4.0f} s  "
            f"loss {self.loss:.3f}  accuracy {self.accuracy:.3f}"
        )
        if self.validation_loss is None:
            return line
        return f"{line}  validation {self.validation_loss:.3f} {self.validation_accuracy:.3f}"


Report = Callable[[Progress], Any]  # what it returns ends the run if it is True


class Trained(NamedTuple):
    """What `train_classifier` returns: the three things that `library.save` writes."""

    model: keras.Model
    encoder: Encoder
    card: ModelCard


@dataclass(frozen=True)
class _Run:
    """One call of `train_classifier`: what all its networks have in common."""

    recipe: TextRecipe
    labels: tuple[str, ...]
    report: Report
    began: float
    ended: list[str] = field(default_factory=list)  # the stage in which somebody ended the run

    @property
    def outputs(self) -> int:
        """How many numbers the network answers with: one a class, or a single one for two."""
        return len(self.labels) if len(self.labels) > 2 else 1  # one sigmoid unit tells two apart

    def hard_targets(self, split: Split) -> Array:
        """(n, outputs): 1 for the label."""
        if self.outputs == 1:
            return split.labels[:, None].astype(np.float32)
        return np.eye(self.outputs, dtype=np.float32)[split.labels]

    def targets(self, split: Split, taught: Array | None = None) -> Array:
        """(n, outputs): the label, tempered by the stars that a review gives and by what teachers say."""
        found, recipe = self.hard_targets(split), self.recipe
        if recipe.stars and len(split.ratings):
            found = (1 - recipe.stars) * found + recipe.stars * (split.ratings[:, None] - 0.5) / 10
        if taught is not None:
            found = (1 - recipe.taught) * found + recipe.taught * taught
        return found.astype(np.float32)


def train_classifier(recipe: TextRecipe, report: Report = lambda progress: None) -> Trained:
    """Train a recipe on its data set, choosing by a validation part of the training split.

    With `recipe.everything`, the network that is returned was trained once more, in the same way,
    on the whole training split; the card's curves are those of the run that was validated. When
    `report` returns True, training ends at once and the network is kept as it is.

    Raises:
        NothingKeptError: if it was ended while its teachers were trained.
        DatasetError: if the data set isn't there and can't be had.
        LabError: if the recipe needs a library that isn't installed.
    """
    began = time.monotonic()
    keras.utils.set_random_seed(recipe.seed)
    data = registry.load_labelled(recipe.dataset)
    training, validation = splits.validation_split(data.train, recipe.validation, recipe.seed)
    run = _Run(recipe, data.labels, report, began)
    taught = taught_elsewhere = None
    if recipe.teachers:
        taught, taught_elsewhere = _teach(run, training, validation)
    encoder = _fit_encoder(recipe, training, data.labels)
    model, history = _fit(run, encoder, training, run.targets(training, taught), validation)
    if recipe.everything and not run.ended:
        targets = np.concatenate([run.targets(training, taught), run.targets(validation, taught_elsewhere)])
        whole = joined(training, validation)
        encoder = _fit_encoder(recipe, whole, data.labels)
        model, _ = _fit(run, encoder, whole, targets, stage="all texts")
    sizes = {"training": len(training.texts), "validation": len(validation.texts)}
    card = _card(recipe, data.labels, model, history, sizes, time.monotonic() - began)
    return Trained(model, encoder, card)


def _teach(run: _Run, training: Split, validation: Split) -> tuple[Array, Array]:
    """What teachers that didn't see a text say about it: (n, outputs) for each of the two parts."""
    recipe = run.recipe
    pupil = replace(recipe, epochs=recipe.teacher_epochs or recipe.epochs, openings=0.0, restored_names=0.0)
    encoder = _fit_encoder(recipe, training, run.labels)  # words and pairs, no labels

    def teach(texts: Split, asked: Split, number: int) -> Array:
        own = replace(run, recipe=replace(pupil, seed=recipe.seed + 1000 * (number + 1)))
        stage = f"teacher {number + 1} of {recipe.teachers}"
        model, _ = _fit(own, encoder, texts, own.targets(texts), stage=stage)
        if run.ended:
            raise NothingKeptError(f"Stopped while {stage} was trained: there is no network yet.")
        plain = TextBatches(
            [_encode(encoder, asked.texts)], own.hard_targets(asked), batch=recipe.batch, length=recipe.length
        )
        return plain.answers(model)

    return out_of_fold(training, validation, recipe.teachers, recipe.seed, teach)


def _fit(
    run: _Run, encoder: Encoder, texts: Split, targets: Array, validation: Split | None = None, stage: str = "network"
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Fit one network; its weights and the history of its figures."""
    recipe = run.recipe
    keras.utils.set_random_seed(recipe.seed)
    batches = _batches(run, encoder, texts, targets)
    held_out = None
    if validation is not None:
        held_out = TextBatches(
            [_encode(encoder, validation.texts)],
            run.hard_targets(validation),
            batch=recipe.batch,
            length=recipe.length,
        )
    model = recipe.build(len(encoder.vocabulary), run.outputs, len(encoder.pairs) if encoder.pairs else 0)
    if recipe.start is not None:
        recipe.start.put_into(model, batches.plain, recipe.seed)
    optimizer = recipe.optimizer(len(batches) * recipe.epochs)
    callbacks: list[keras.callbacks.Callback] = []
    if recipe.average:
        optimizer.use_ema, optimizer.ema_momentum = True, recipe.average
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    loss = keras.losses.CategoricalCrossentropy() if run.outputs > 1 else keras.losses.BinaryCrossentropy()
    model.compile(optimizer=optimizer, loss=loss, metrics=[categorical_accuracy])
    reporter = _Reporter(run, len(batches), stage)
    callbacks.append(reporter)
    if recipe.keep_best and validation is not None:
        callbacks.append(_KeepBest())
    with faster(model):
        history = model.fit(
            batches, validation_data=held_out, epochs=recipe.epochs, callbacks=callbacks, verbose=0, shuffle=False
        ).history
    if reporter.cut_short:  # an epoch that wasn't finished is no point of a curve
        history = {name: values[:-1] for name, values in history.items()}
    return model, history


def categorical_accuracy(targets: Any, answers: Any) -> Any:
    """(n,): 1 where the most probable class is the target's, which may be a soft one; Keras takes the mean."""
    ops = keras.ops
    if answers.shape[-1] == 1:
        return ops.cast(ops.equal(targets[:, 0] > 0.5, answers[:, 0] > 0.5), "float32")
    return ops.cast(ops.equal(ops.argmax(targets, axis=-1), ops.argmax(answers, axis=-1)), "float32")


def _batches(run: _Run, encoder: Encoder, texts: Split, targets: Array) -> TextBatches:
    """Shuffled, with the recipe's augmentation."""
    recipe = run.recipe
    readings = [_encode(encoder, texts.texts)]
    if recipe.restored_names:
        readings.append(_encode(encoder, _named(texts, run.labels)))
    openings = None
    if recipe.openings:
        blank, *names = encoder.vocabulary.encode(
            [language_names.BLANK, *(language_names.NAMES[label] for label in run.labels)]
        )
        openings = Openings(recipe.openings, blank, tuple(names), encoder.pairs)
    return TextBatches(
        readings,
        targets,
        hard=run.hard_targets(texts),
        batch=recipe.batch,
        length=recipe.training_length or recipe.length,
        draw=Augmentation(
            named=recipe.restored_names,
            unknown=recipe.word_dropout,
            deleted=recipe.deleted,
            anywhere=recipe.anywhere,
            openings=openings,
        ),
        seed=recipe.seed,
    )


def _fit_encoder(recipe: TextRecipe, training: Split, labels: tuple[str, ...]) -> Encoder:
    """The vocabulary comes from the texts given alone; restored names are part of it."""
    empty = Encoder(recipe.tokenizer, Vocabulary(()), recipe.length, recipe.padding, recipe.mask_names)
    texts: list[list[Token]] = [empty.tokens_of(text) for text in training.texts]
    if recipe.whole_words:
        counts = Counter(word for text in texts for word in {token.text for token in text})
        whole = Vocabulary(tuple(word for word, count in counts.items() if count >= recipe.whole_words))
        cutter = replace(empty, vocabulary=whole, cut_words=True)
        texts = [[piece for token in text for piece in cutter.pieces_of(token)] for text in texts]
    words = [[token.text for token in text] for text in texts]
    names = [language_names.NAMES[label] for label in labels] if recipe.restored_names else []
    frequent = [name for name in names for _ in range(max(len(words), recipe.at_least))]  # they must be known
    vocabulary = Vocabulary.build([*words, frequent], recipe.vocabulary, recipe.at_least)
    encoder = replace(empty, vocabulary=vocabulary, cut_words=bool(recipe.whole_words))
    if not recipe.pairs:
        return encoder
    pairs = Bigrams.build((vocabulary.encode(each) for each in words), recipe.pairs, min_count=3)
    return replace(encoder, pairs=pairs)


def _named(split: Split, labels: tuple[str, ...]) -> list[str]:
    return [
        language_names.restore_names(text, labels[label]) for text, label in zip(split.texts, split.labels, strict=True)
    ]


def _encode(encoder: Encoder, texts: Sequence[str]) -> list[Inputs]:
    return [encoder.encode(text, mask_names=False).inputs for text in texts]


class _Reporter(keras.callbacks.Callback):
    """Turns Keras's callbacks into `Progress`, at most a few times a second."""

    def __init__(self, run: _Run, steps: int, stage: str) -> None:
        super().__init__()
        self._run, self._steps, self._stage = run, steps, stage
        self._epoch, self._last = 0, 0.0
        self.cut_short = False  # whether the run was ended within an epoch

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Which epoch it is, from 1."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """A sign of life, not more than a few times a second."""
        if time.monotonic() - self._last > 0.25:
            self._send(batch + 1, logs)
            self.cut_short = bool(self._run.ended)

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        """Nobody waits for the validation part of a run that was ended."""
        if self._run.ended:
            self.model.stop_evaluating = True

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """The figures of a whole epoch, validation included."""
        if not self._run.ended:
            self._send(self._steps, logs)

    def _send(self, step: int, logs: Any) -> None:
        self._last = time.monotonic()
        progress = Progress(
            epoch=self._epoch,
            epochs=self._run.recipe.epochs,
            step=step,
            steps=self._steps,
            seconds=self._last - self._run.began,
            loss=float(logs["loss"]),
            accuracy=float(logs["categorical_accuracy"]),
            validation_loss=logs.get("val_loss"),
            validation_accuracy=logs.get("val_categorical_accuracy"),
            stage=self._stage,
        )
        if self._run.report(progress) is True:
            self._run.ended.append(self._stage)
            self.model.stop_training = True


class _KeepBest(keras.callbacks.Callback):
    """At the end, puts back the weights of the epoch with the lowest validation loss."""

    def on_train_begin(self, logs: Any = None) -> None:
        """Nothing is kept yet."""
        self._best, self._weights = np.inf, None

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Keeps the weights if no epoch before was better; one that was cut short wasn't validated."""
        if not getattr(self.model, "stop_evaluating", False) and logs["val_loss"] < self._best:
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
        "categorical_accuracy": "accuracy",
        "val_loss": "validation_loss",
        "val_categorical_accuracy": "validation_accuracy",
    }
    curves = {name: [round(float(value), 4) for value in history[key]] for key, name in names.items()}
    kept = history["val_loss"]
    facts = {
        "examples": sizes,
        "batch": recipe.batch,
        "epochs": recipe.epochs,
        "kept_epoch": 1 + int(np.argmin(kept)) if recipe.keep_best and kept else len(kept),
        "parameters": int(model.count_params()),
        "backend": keras.backend.backend(),
        "curves": curves,
    }
    return card_of(recipe, "classifier", recipe.dataset, seconds, facts, labels)
