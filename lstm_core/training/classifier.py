"""Trains text classifiers: data to batches, teachers where a recipe has them, and one network at the end."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits
from lstm_core.datasets.splits import Split, joined, without_labels
from lstm_core.errors import NothingKeptError
from lstm_core.nn.calibration import Calibration
from lstm_core.text import language_names
from lstm_core.text.encoder import Bigrams, Encoder, Token, Vocabulary
from lstm_core.training.distillation import out_of_fold
from lstm_core.training.recipes import TextRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.text_batches import Augmentation, Inputs, Prefixes, TextBatches
from lstm_core.training.trainer import Fit, Stage, Trainer


class Taught(NamedTuple):
    """What teachers that didn't see a text answer to it: (n, outputs) for each part; None where nobody asked them."""

    training: Array | None = None
    validation: Array | None = None
    unlabelled: Array | None = None


class ClassifierTask:
    """Trains a `TextRecipe`, choosing by a validation part of the training split.

    The stages are "teacher 1 of 4" and so on, "round 1 of 2" if there are rounds, "network", and, with `recipe.refit`,
    "all texts": the network that is returned was then trained once more, in the same way, on the whole training split;
    the card's curves are those of the run that was validated. A run that is stopped keeps the network as it is.
    """

    def __init__(self, recipe: TextRecipe) -> None:
        self.recipe = recipe
        data = registry.load_labelled(recipe.dataset)
        self.labels = data.labels
        self.training, self.validation = splits.validation_split(data.train, recipe.validation, recipe.seed)
        self.unlabelled = without_labels(
            registry.load_unlabelled(recipe.dataset) if recipe.unlabelled else (), self.training
        )

    def train(self, trainer: Trainer) -> Trained:
        """As `TrainingTask.train`.

        Raises:
            NothingKeptError: if it was stopped before the network itself was trained.
            LabError: if the recipe needs a library that isn't installed.
        """
        recipe = self.recipe
        taught = self._teach(trainer) if recipe.teachers else Taught()
        encoder = fit_encoder(recipe, self.training, self.labels)
        targets = self.targets(self.training, taught.training)
        for number in range(1, recipe.rounds):
            texts = self._and_unlabelled(self.training, targets, taught)
            name = f"round {number} of {recipe.rounds}"
            fit = self._fit(trainer, recipe.earlier, encoder, *texts, self.validation, name=name)
            _require_finished(trainer, name)
            taught = taught._replace(unlabelled=self._plain_batches(encoder, self.unlabelled).answers(fit.network))
        texts = self._and_unlabelled(self.training, targets, taught)
        fit = self._fit(trainer, recipe, encoder, *texts, self.validation)
        calibration = self._calibration(encoder, fit.network) if recipe.calibrated else None
        network = fit.network
        if recipe.refit and trainer.ended == "finished":
            targets = np.concatenate([targets, self.targets(self.validation, taught.validation)])
            whole = joined(self.training, self.validation)
            encoder = fit_encoder(recipe, whole, self.labels)
            texts = self._and_unlabelled(whole, targets, taught)
            network = self._fit(trainer, recipe, encoder, *texts, name="all texts").network
        if calibration is not None:
            calibration.put_into(network)
        found = trained(recipe, trainer, fit, encoder, self._facts(calibration), self.labels)
        return found._replace(model=network)

    def _calibration(self, encoder: Encoder, network: keras.Model) -> Calibration:
        """The one that fits the validation part best, which the network wasn't trained on."""
        answers = self._plain_batches(encoder, self.validation).answers(network)
        return Calibration.fit(answers, self.hard_targets(self.validation))

    def _facts(self, calibration: Calibration | None) -> dict[str, Any]:
        """What the card says of the texts, and of the last layer if it was calibrated."""
        sizes = {"training": len(self.training), "validation": len(self.validation)}
        if self.recipe.unlabelled:
            sizes["unlabelled"] = len(self.unlabelled)
        facts: dict[str, Any] = {"examples": sizes, "batch": self.recipe.batch}
        return facts if calibration is None else facts | {"calibration": asdict(calibration)}

    @property
    def outputs(self) -> int:
        """How many numbers the network answers with: one a class, or a single sigmoid unit for two."""
        return len(self.labels) if len(self.labels) > 2 else 1

    def hard_targets(self, split: Split) -> Array:
        """(n, outputs): 1 for the label."""
        if self.outputs == 1:
            return split.labels[:, None].astype(np.float32)
        return np.eye(self.outputs, dtype=np.float32)[split.labels]

    def targets(self, split: Split, taught: Array | None = None) -> Array:
        """(n, outputs): the label, mixed with the rating of a review and with the answers of teachers."""
        found, recipe = self.hard_targets(split), self.recipe
        if recipe.rating_weight and len(split.ratings):
            found = (1 - recipe.rating_weight) * found + recipe.rating_weight * (split.ratings[:, None] - 0.5) / 10
        if taught is not None:
            found = (1 - recipe.distillation_weight) * found + recipe.distillation_weight * taught
        return found.astype(np.float32)

    def _and_unlabelled(self, texts: Split, targets: Array, taught: Taught) -> tuple[Split, Array]:
        """The texts and their targets, and behind them those without a label with their teachers' answers."""
        if taught.unlabelled is None:
            return texts, targets
        return joined(texts, self.unlabelled), np.concatenate([targets, taught.unlabelled])

    def _teach(self, trainer: Trainer) -> Taught:
        """Train the teachers and let them answer."""
        recipe = self.recipe
        epochs = recipe.teacher_epochs or recipe.epochs
        plain = replace(recipe.earlier, epochs=epochs, prefix_share=0.0, restored_names=0.0)
        encoder = fit_encoder(recipe, self.training, self.labels)  # words and pairs, no labels
        nearby = _encode(encoder, self.unlabelled.texts)

        def teach(texts: Split, others: Split, number: int) -> Array:
            own = replace(plain, seed=recipe.seed + 1000 * (number + 1))
            name = f"teacher {number + 1} of {recipe.teachers}"
            fit = self._fit(trainer, own, encoder, texts, self.targets(texts), name=name, nearby=nearby)
            _require_finished(trainer, name)
            return self._plain_batches(encoder, others).answers(fit.network)

        others = joined(self.validation, self.unlabelled)
        if recipe.distillation_weight:
            found, elsewhere = out_of_fold(self.training, others, recipe.teachers, recipe.seed, teach)
        else:  # texts with a label keep it, so the teachers may see them all
            found = None
            elsewhere = np.mean([teach(self.training, others, number) for number in range(recipe.teachers)], axis=0)
        validation, unlabelled = np.split(elsewhere, [len(self.validation)])
        return Taught(found, validation, unlabelled if recipe.unlabelled else None)

    def _fit(
        self,
        trainer: Trainer,
        recipe: TextRecipe,
        encoder: Encoder,
        texts: Split,
        targets: Array,
        validation: Split | None = None,
        name: str = "network",
        nearby: Sequence[Inputs] = (),
    ) -> Fit:
        """Fit one network to texts and their targets; its initial embeddings come from these texts and `nearby`."""
        keras.utils.set_random_seed(recipe.seed)
        batches = self._batches(recipe, encoder, texts, targets)
        network = recipe.build(len(encoder.vocabulary), self.outputs, len(encoder.pairs) if encoder.pairs else 0)
        if recipe.start is not None:
            recipe.start.put_into(network, [*batches.plain, *nearby], recipe.seed)
        model = ConsistentModel(network, recipe.consistency) if recipe.consistency else network
        optimizer = recipe.optimizer(len(batches) * recipe.epochs)
        callbacks: tuple[keras.callbacks.Callback, ...] = ()
        if recipe.ema_momentum:
            optimizer.use_ema, optimizer.ema_momentum = True, recipe.ema_momentum
            callbacks = (keras.callbacks.SwapEMAWeights(swap_on_epoch=True),)
        loss = keras.losses.CategoricalCrossentropy() if self.outputs > 1 else keras.losses.BinaryCrossentropy()
        model.compile(optimizer=optimizer, loss=loss, metrics=[accuracy()])
        return trainer.fit(
            Stage(
                model,
                batches,
                recipe.epochs,
                validation=self._plain_batches(encoder, validation) if validation else None,
                network=network,
                name=name,
                keep_best=recipe.keep_best and validation is not None,
                chance=float(np.log(len(self.labels))),
                callbacks=callbacks,
            )
        )

    def _plain_batches(self, encoder: Encoder, texts: Split) -> TextBatches:
        """The texts as they are, in order of length."""
        recipe = self.recipe
        return TextBatches(
            [_encode(encoder, texts.texts)], self.hard_targets(texts), batch=recipe.batch, length=recipe.length
        )

    def _batches(self, recipe: TextRecipe, encoder: Encoder, texts: Split, targets: Array) -> TextBatches:
        """Shuffled, with the recipe's augmentation."""
        readings = [_encode(encoder, texts.texts)]
        if recipe.restored_names:
            readings.append(_encode(encoder, _named(texts, self.labels)))
        prefixes = None
        if recipe.prefix_share:
            blank, *names = encoder.vocabulary.encode(
                [language_names.BLANK, *(language_names.NAMES[label] for label in self.labels)]
            )
            prefixes = Prefixes(recipe.prefix_share, blank, tuple(names), encoder.pairs)
        return TextBatches(
            readings,
            targets,
            hard=self.hard_targets(texts),
            batch=recipe.batch,
            length=recipe.training_length or recipe.length,
            augmentation=Augmentation(
                named=recipe.restored_names,
                unknown=recipe.word_dropout,
                deleted=recipe.deleted,
                anywhere=recipe.anywhere,
                prefixes=prefixes,
            ),
            twice=recipe.consistency > 0,
            seed=recipe.seed,
        )


class ConsistentModel(keras.Model):
    """A classifier that learns from batches which hold each text twice (R-drop: Liang et al. 2021).

    To the loss it adds, while it is trained, `weight` · ½ (KL(p‖q) + KL(q‖p)) of both answers, the mean over the texts.
    It shares its layers with the network, which is the one that is saved.
    """

    def __init__(self, network: keras.Model, weight: float) -> None:
        super().__init__(network.input, network.output)
        self._weight = weight

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """As in Keras, with the divergence while it is trained."""
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        return loss + self._weight * divergence(y_pred) if training else loss


def divergence(answers: Any) -> Any:
    """½ (KL(p‖q) + KL(q‖p)), the mean over the rows p of the first half of a batch and those q of the second.

    Args:
        answers: (2 n, classes) probabilities, or (2 n, 1) of a sigmoid unit.
    """
    if answers.shape[-1] == 1:
        answers = ops.concatenate([answers, 1 - answers], axis=1)
    p, q = ops.split(ops.clip(answers, keras.backend.epsilon(), 1), 2)
    return ops.mean(ops.sum((p - q) * (ops.log(p) - ops.log(q)), axis=1)) / 2


def accuracy() -> keras.metrics.Metric:
    """The share of `categorical_accuracy`; a function would become a metric within the first step, traced twice."""
    return keras.metrics.MeanMetricWrapper(categorical_accuracy, name="categorical_accuracy")


def categorical_accuracy(targets: Any, answers: Any) -> Any:
    """(n,): 1 where the most probable class is the target's, which may be a soft one; Keras takes the mean."""
    if answers.shape[-1] == 1:
        return ops.cast(ops.equal(targets[:, 0] > 0.5, answers[:, 0] > 0.5), "float32")
    return ops.cast(ops.equal(ops.argmax(targets, axis=-1), ops.argmax(answers, axis=-1)), "float32")


def fit_encoder(recipe: TextRecipe, training: Split, labels: tuple[str, ...]) -> Encoder:
    """An encoder whose vocabulary comes from the given texts alone; restored names are part of it."""
    empty = Encoder(recipe.tokenizer, Vocabulary(()), recipe.length, recipe.padding, recipe.mask_names)
    texts: list[list[Token]] = [empty.tokens_of(text) for text in training.texts]
    if recipe.whole_words:
        counts = Counter(word for text in texts for word in {token.text for token in text})
        whole = Vocabulary(tuple(word for word, count in counts.items() if count >= recipe.whole_words))
        cutter = replace(empty, vocabulary=whole, cut_words=True)
        texts = [[piece for token in text for piece in cutter.pieces_of(token)] for text in texts]
    words = [[token.text for token in text] for text in texts]
    names = [language_names.NAMES[label] for label in labels] if recipe.restored_names else []
    frequent = [name for name in names for _ in range(max(len(words), recipe.min_count))]  # they must be known
    vocabulary = Vocabulary.build([*words, frequent], recipe.vocabulary, recipe.min_count)
    encoder = replace(empty, vocabulary=vocabulary, cut_words=bool(recipe.whole_words))
    if not recipe.pairs:
        return encoder
    pairs = Bigrams.build((vocabulary.encode(each) for each in words), recipe.pairs, min_count=3)
    return replace(encoder, pairs=pairs)


def _require_finished(trainer: Trainer, name: str) -> None:
    if trainer.ended != "finished":
        raise NothingKeptError(f"Stopped while {name} was trained: there is no network yet.")


def _named(split: Split, labels: tuple[str, ...]) -> list[str]:
    return [
        language_names.restore_names(text, labels[label]) for text, label in zip(split.texts, split.labels, strict=True)
    ]


def _encode(encoder: Encoder, texts: Sequence[str]) -> list[Inputs]:
    return [encoder.encode(text, mask_names=False).inputs for text in texts]
