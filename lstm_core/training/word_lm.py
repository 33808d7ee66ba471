"""Trains a word model on sentences: each is read from its beginning, and every word of it is predicted."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from lstm_core.arrays import Array
from lstm_core.datasets import sentences
from lstm_core.inference.word_lm import CountedWords, WordModel
from lstm_core.nn.network import Network
from lstm_core.text.encoder import PAD
from lstm_core.training import optimizers
from lstm_core.training.recipes import WordRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.trainer import Stage, Trainer

NOTHING = -1  # the class of a pad; that of every word is 0, since the target word's logit comes first
STEP = 8  # lengths are rounded up to multiples of this, so that there are few shapes to compile


class SentenceBatches(keras.utils.PyDataset):
    """Batches of (rows, T) ids that begin with the end of a sentence, the (rows, T) ids that follow, and their classes.

    Every batch is full: what is left over of a length waits for the next pass. An epoch is a share of a pass.
    """

    def __init__(self, encoded: Sequence[Array], words: int, seed: int, shares: int = 1) -> None:
        """`encoded`: (T + 1,) ids each, from end to end; `words` a batch. ValueError if an epoch would be empty."""
        super().__init__()
        self._words, self._random = words, np.random.default_rng(seed)
        self._shares, self._epoch = shares, 0
        lengths = [-(-(len(ids) - 1) // STEP) * STEP for ids in encoded]
        self._tables: dict[int, Array] = {}  # length → (sentences, length + 1) ids
        for length in sorted(set(lengths)):
            rows = [row for row, each in enumerate(lengths) if each == length]
            table = np.full((len(rows), length + 1), PAD, np.int32)
            for place, row in enumerate(rows):
                table[place, : len(encoded[row])] = encoded[row]
            self._tables[length] = table
        self._shuffle()
        if not len(self):
            raise ValueError(f"{len(encoded)} sentences are too few for a batch of {words} words.")

    def __len__(self) -> int:
        return len(self._plan) // self._shares

    def __getitem__(self, index: int) -> tuple[tuple[Array, Array], Array]:
        length, rows = self._plan[self._epoch % self._shares * len(self) + index]
        ids = self._tables[length][rows]
        after = ids[:, 1:]
        return (ids[:, :-1], after), np.where(after == PAD, NOTHING, 0)

    def on_epoch_end(self) -> None:
        """The next share; after the last one, a new order."""
        self._epoch += 1
        if self._epoch % self._shares == 0:
            self._shuffle()

    def _shuffle(self) -> None:
        plan = []
        for length, table in self._tables.items():
            size = max(1, self._words // length)
            order = self._random.permutation(len(table))
            plan += [(length, order[first : first + size]) for first in range(0, len(order) - size + 1, size)]
        self._plan = [plan[place] for place in self._random.permutation(len(plan))]


class SampledSoftmax(layers.Layer):
    """The logits of the target word and of sampled words, instead of the whole vocabulary's; for training only.

    With each logit corrected by the word's expected count, this softmax has nearly the gradient of the whole one
    (Bengio & Senécal 2008; Jean et al. 2015). Words are sampled for the whole batch with P(k) ~ log((k + 1) / k), k
    being their rank by frequency, which is their id. Its losses can't be compared with those over the vocabulary.
    """

    def __init__(self, answer: layers.Dense, num_sampled: int, seed: int) -> None:
        """`answer` is the layer that is trained, `num_sampled` how many words a batch."""
        super().__init__(name="sampled")
        self.answer, self._num_sampled = answer, num_sampled
        self._seeds = keras.random.SeedGenerator(seed)

    def call(self, x: Any, targets: Any) -> Any:
        """(batch, T, projection) and (batch, T) ids → logits (batch, T, 1 + num_sampled), the target's first."""
        words = self.answer.units - 1  # all but the pad
        u = keras.random.uniform((self._num_sampled,), seed=self._seeds)
        sampled_ids = ops.clip(ops.cast(ops.exp(u * np.log(words + 1)), "int32"), 1, words)  # (num_sampled,)

        def expected_count(ids: Any) -> Any:
            """How often each id is sampled, on average."""
            k = ops.cast(ops.maximum(ids, 1), "float32")
            return ops.log((k + 1) / k) * self._num_sampled / np.log(words + 1)

        table, bias = ops.transpose(self.answer.kernel), self.answer.bias  # (vocabulary, projection)
        # The target word is always there: it is corrected by the probability to be sampled at all.
        lift = ops.take(bias, targets) - ops.log(1 - ops.exp(-expected_count(targets)))
        right = ops.sum(x * ops.take(table, targets, axis=0), axis=-1) + lift  # (batch, T)
        lift = ops.take(bias, sampled_ids) - ops.log(expected_count(sampled_ids))
        others = ops.matmul(x, ops.transpose(ops.take(table, sampled_ids, axis=0))) + lift  # (batch, T, num_sampled)
        others = ops.where(targets[..., None] == sampled_ids, -1e9, others)  # the target word is there already
        return ops.concatenate([right[..., None], others], axis=-1)


def word_network(vocabulary: int, recipe: WordRecipe) -> keras.Model:
    """Embedding, LSTM, a linear projection and a softmax; (batch, T) → (batch, T, vocabulary)."""
    tokens = keras.Input((None,), dtype="int32", name="words")
    x = layers.Embedding(vocabulary, recipe.width, name="embedding")(tokens)
    x = layers.Dropout(recipe.dropout, name="dropout_0")(x)
    x = layers.LSTM(recipe.units, return_sequences=True, name="lstm")(x)
    x = layers.Dropout(recipe.dropout, name="dropout_1")(x)
    x = layers.Dense(recipe.projection, name="narrow")(x)
    x = layers.Dropout(recipe.dropout, name="dropout_2")(x)
    return keras.Model(tokens, layers.Dense(vocabulary, activation="softmax", name="answer")(x))


class WordTask:
    """Trains a `WordRecipe`; keeps the epoch with the fewest nats per word of the validation part."""

    def __init__(self, recipe: WordRecipe) -> None:
        self.recipe = recipe
        self.corpus = sentences.corpus(recipe.dataset, recipe.training, recipe.held_out, recipe.seed)
        vocabulary = sentences.vocabulary_of(self.corpus.training, recipe.vocabulary)
        self.encoder = CountedWords.of(self.corpus.training, vocabulary, sentences.LONGEST)

    def train(self, trainer: Trainer) -> Trained:
        """As `TrainingTask.train`: the network's own layers, with sampled words in place of the vocabulary."""
        recipe, vocabulary = self.recipe, self.encoder.vocabulary
        keras.utils.set_random_seed(recipe.seed)
        end = vocabulary.ids[sentences.END]
        ids = sentences.with_ends([vocabulary.encode(words) for words in self.corpus.training], end)
        batches = SentenceBatches(
            [whole[: sentences.LONGEST + 2] for whole in ids], recipe.batch, recipe.seed, recipe.epochs_per_pass
        )
        network = word_network(len(vocabulary), recipe)
        answer = network.get_layer("answer")
        targets = keras.Input((None,), dtype="int32")
        sampled = SampledSoftmax(answer, recipe.num_sampled, recipe.seed)(answer.input, targets)
        model = keras.Model([network.input, targets], sampled)
        model.compile(
            optimizer=optimizers.adamw(len(batches) * recipe.epochs, recipe.learning_rate, recipe.weight_decay),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=NOTHING),
        )
        fit = trainer.fit(
            Stage(
                model,
                batches,
                recipe.epochs,
                measure=self._measure,
                network=network,
                keep_best=True,
                unit="nats per word",
            )
        )
        words = {name: sum(map(len, part)) for name, part in zip(("training", "validation"), self.corpus, strict=False)}
        return trained(recipe, trainer, fit, self.encoder, {"words": words, "held_out": recipe.held_out})

    def _measure(self, network: keras.Model) -> dict[str, float]:
        """Nats per word of the validation part, over the whole vocabulary."""
        model = WordModel(self.recipe.card(), self.encoder, Network(network))
        return {"validation_loss": model.nats_per_word(self.corpus.validation)}
