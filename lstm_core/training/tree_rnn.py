"""Trains the recursive network: batches of trees, one level of all of them at a time."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from lstm_core.arrays import Array
from lstm_core.datasets import sentiment_trees
from lstm_core.datasets.sentiment_trees import Tree
from lstm_core.inference.tree_rnn import LAYERS, Forest, TreeReader, Words, forest_of, tree_figures
from lstm_core.nn.keras_config import saved_network
from lstm_core.training import optimizers
from lstm_core.training.recipes import SequenceRecipe
from lstm_core.training.task import Trained, trained
from lstm_core.training.trainer import Stage, Trainer

DEPTHS = (0.02, 0.08, 0.3, 0.3, 0.3)  # how often each depth is sampled


def recursive_network(words: Words, units: int) -> keras.Model:
    """Word id (batch,), left and right vectors (batch, units) → vectors and answers of the word and of the bracket."""
    word = keras.Input((), dtype="int32", name="word")
    left, right = keras.Input((units,), name="left"), keras.Input((units,), name="right")
    spread = keras.initializers.RandomNormal(stddev=0.5)
    leaf = layers.Embedding(len(words.words), units, embeddings_initializer=spread, name=LAYERS[0])(word)
    both = layers.Concatenate(name="both")([left, right])  # (batch, 2·units)
    bracket = layers.Dense(units, activation="tanh", name=LAYERS[1])(both)
    answer = layers.Dense(len(sentiment_trees.LABELS), activation="softmax", name=LAYERS[2])
    return keras.Model([word, left, right], [leaf, bracket, answer(leaf), answer(bracket)])


class ForestNetwork(keras.Model):
    """The same layers run over a whole forest; only for training."""

    def __init__(self, network: keras.Model) -> None:
        super().__init__()
        self.word_vector, self.compose, self.answer = (network.get_layer(name) for name in LAYERS)

    def call(self, inputs: Sequence[Any]) -> Any:
        """(1, words) ids and for each level (1, nodes, 2) places → (1, all nodes, classes)."""
        words, *levels = inputs
        found = self.word_vector(words)[0]  # (words, units)
        for level in levels:
            both = ops.reshape(ops.take(found, level[0], axis=0), (level.shape[1], -1))  # (nodes, 2·units)
            found = ops.concatenate([found, self.compose(both)])
        return self.answer(found)[None]


class Forests(keras.utils.PyDataset):
    """The same batches in each epoch in another order; all are padded to one shape, and a pad weighs nothing."""

    def __init__(self, forests: Sequence[Forest], seed: int, rows: int) -> None:
        super().__init__()
        self.rows = rows  # trees of a batch
        self._random = np.random.default_rng(seed)
        heights = max(len(forest.levels) for forest in forests)
        sizes = [[len(forest.words), *map(len, forest.levels)] for forest in forests]
        caps = np.max([row + [0] * (1 + heights - len(row)) for row in sizes], axis=0)
        self._batches = [padded(forest, caps) for forest in forests]
        self.on_epoch_end()

    def __len__(self) -> int:
        return len(self._batches)

    def __getitem__(self, index: int) -> tuple[tuple[Array, ...], Array, Array]:
        return self._batches[self._order[index]]

    def on_epoch_end(self) -> None:
        """Prepare the next epoch."""
        self._order = self._random.permutation(len(self._batches))


def padded(forest: Forest, caps: Array) -> tuple[tuple[Array, ...], Array, Array]:
    """One forest as (inputs of `ForestNetwork`, classes, weights), each level filled up to its cap."""
    levels = [*forest.levels, *[np.zeros((0, 2), np.int32)] * (len(caps) - 1 - len(forest.levels))]
    sizes = np.array([len(forest.words), *map(len, levels)])
    starts, new_starts = np.cumsum(sizes) - sizes, np.cumsum(caps) - caps
    level_of = np.repeat(np.arange(len(sizes)), sizes)
    moved = np.arange(sizes.sum()) + (new_starts - starts)[level_of]  # where each node stands now
    values, weights = np.zeros(caps.sum(), np.int32), np.zeros(caps.sum(), np.float32)
    values[moved], weights[moved] = np.maximum(forest.values, 0), forest.values >= 0
    words = np.pad(forest.words, (0, caps[0] - sizes[0]))
    filled = [
        np.pad(moved[level].astype(np.int32), ((0, cap - len(level)), (0, 0)))
        for level, cap in zip(levels, caps[1:], strict=True)
    ]
    return (words[None], *(level[None] for level in filled)), values[None], weights[None]


def sample(count: int, rng: np.random.Generator) -> list[Tree]:
    """Random training trees, of depths distributed as `DEPTHS`; a tree may occur twice."""
    found: list[Tree] = []
    while len(found) < count:
        tree = sentiment_trees.random_tree(int(rng.choice(len(DEPTHS), p=DEPTHS)), rng)
        if sentiment_trees.part_of(tree) == "training":
            found.append(tree)
    return found


class TreeTask:
    """Trains a `SequenceRecipe` for the recursive network; keeps the weights of the last epoch."""

    def __init__(self, recipe: SequenceRecipe) -> None:
        self.recipe, self.words = recipe, Words()

    def train(self, trainer: Trainer) -> Trained:
        """As `TrainingTask.train`."""
        recipe, rng = self.recipe, np.random.default_rng(self.recipe.seed)
        keras.utils.set_random_seed(recipe.seed)
        steps = range(recipe.steps_per_epoch)
        forests = [[sentiment_trees.pieces(tree) for tree in sample(recipe.batch, rng)] for _ in steps]
        batches = Forests([forest_of(trees, self.words) for trees in forests], recipe.seed, recipe.batch)
        network = recursive_network(self.words, recipe.units)
        model = ForestNetwork(network)
        optimizer = optimizers.adam(len(batches) * recipe.epochs, recipe.learning_rate)
        model.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", weighted_metrics=[])
        fit = trainer.fit(Stage(model, batches, recipe.epochs, measure=self._measure, network=network))
        examples = {"training": recipe.batch * recipe.steps_per_epoch}
        return trained(recipe, trainer, fit, self.words, {"examples": examples, "batch": recipe.batch})

    def _measure(self, network: keras.Model) -> dict[str, float]:
        """The share of validation trees that are answered right."""
        figures = tree_figures(TreeReader(self.recipe.card(), self.words, saved_network(network)), "validation")
        return {"validation_accuracy": figures["accuracy"]}
