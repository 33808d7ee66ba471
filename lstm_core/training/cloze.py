"""Trains networks that fill blanks, on training sentences of the grammar that are sampled anew for each epoch."""

from collections.abc import Sequence

import keras
import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import cloze_grammar
from lstm_core.datasets.cloze_grammar import Sentence
from lstm_core.text.encoder import UNKNOWN, Encoder, Vocabulary
from lstm_core.training import architectures, optimizers
from lstm_core.training.classifier import accuracy
from lstm_core.training.recipes import BlankRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.trainer import Stage, Trainer

LENGTH = 40  # words read of a sentence; the grammar's are shorter


class BlankTask:
    """Trains a `BlankRecipe`; keeps the weights of the last epoch."""

    def __init__(self, recipe: BlankRecipe) -> None:
        self.recipe = recipe
        empty = Encoder("blanks", Vocabulary(()), LENGTH)
        words = ([token.text for token in empty.tokens_of(each.text)] for each in cloze_grammar.sentences("training"))
        self.encoder = Encoder("blanks", Vocabulary.build(words, size=1000), LENGTH)

    def train(self, trainer: Trainer) -> Trained:
        """As `TrainingTask.train`."""
        recipe = self.recipe
        keras.utils.set_random_seed(recipe.seed)
        size, answers = len(self.encoder.vocabulary), len(cloze_grammar.ANSWERS)
        network = architectures.blank_filler(size, answers, both=recipe.bidirectional)
        model = architectures.at_the_place(network)
        batches = SampledSentences(self.encoder, recipe)
        optimizer = optimizers.adam(len(batches) * recipe.epochs, recipe.learning_rate)
        model.compile(optimizer, "categorical_crossentropy", metrics=[accuracy()])
        held_out = cloze_grammar.sample("validation", recipe.validation, recipe.seed)
        validation = FixedSentences(self.encoder, held_out, recipe.batch)
        fit = trainer.fit(Stage(model, batches, recipe.epochs, validation=validation, network=network))
        sizes = {"training": len(cloze_grammar.sentences("training")), "validation": recipe.validation}
        sampled = recipe.sentences_per_epoch * recipe.epochs
        about = {"examples": sizes, "drawn": sampled, "batch": recipe.batch}
        return trained(recipe, trainer, fit, self.encoder, about, cloze_grammar.ANSWERS)


class FixedSentences(keras.utils.PyDataset):
    """Batches of ((ids (n, LENGTH), a 1 at each blank), one-hot answers (n, answers)) of given sentences."""

    def __init__(self, encoder: Encoder, sentences: Sequence[Sentence], rows: int) -> None:
        super().__init__()
        self._encoder, self.rows = encoder, rows
        self._arrays = self._encoded(sentences)

    def __len__(self) -> int:
        return -(-len(self._arrays[0]) // self.rows)

    def __getitem__(self, index: int) -> tuple[tuple[Array, Array], Array]:
        ids, place, answers = (part[index * self.rows : (index + 1) * self.rows] for part in self._arrays)
        return (ids, place), answers

    def _encoded(self, sentences: Sequence[Sentence]) -> tuple[Array, Array, Array]:
        ids = np.zeros((len(sentences), LENGTH), np.int32)
        for row, sentence in zip(ids, sentences, strict=True):
            values = self._encoder.encode(sentence.text).ids
            row[: len(values)] = values
        place = (ids == self._encoder.vocabulary.ids[cloze_grammar.BLANK]).astype(np.float32)
        answers = [cloze_grammar.ANSWERS.index(sentence.answer) for sentence in sentences]
        return ids, place, np.eye(len(cloze_grammar.ANSWERS), dtype=np.float32)[answers]


class SampledSentences(FixedSentences):
    """The same of training sentences that are sampled for each epoch, with some words replaced by "unknown"."""

    def __init__(self, encoder: Encoder, recipe: BlankRecipe) -> None:
        self._recipe, self._epoch, self._random = recipe, 0, np.random.default_rng(recipe.seed)
        super().__init__(encoder, self._sample(), recipe.batch)
        self._hide_words()

    def on_epoch_end(self) -> None:
        """Prepare the next epoch."""
        self._epoch += 1
        self._arrays = self._encoded(self._sample())
        self._hide_words()

    def _sample(self) -> Sequence[Sentence]:
        seed = self._recipe.seed * 1000 + self._epoch + 1
        return cloze_grammar.sample("training", self._recipe.sentences_per_epoch, seed)

    def _hide_words(self) -> None:
        ids, place, answers = self._arrays
        hidden = (self._random.random(ids.shape) < self._recipe.word_dropout) & (ids > UNKNOWN) & (place == 0)
        order = self._random.permutation(len(ids))
        self._arrays = np.where(hidden, UNKNOWN, ids)[order], place[order], answers[order]
