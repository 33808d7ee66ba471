"""A recursive network: the vector of a bracket from the two vectors in it, and an answer at every node.

p = tanh(W·[left; right] + b), the same W and b at every node, and one softmax over p (Socher et al. 2011). The saved
network is one small Keras model of these layers; the recursion over the tree is in NumPy here. Trees are in
`datasets/sentiment_trees.py`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import sentiment_trees
from lstm_core.datasets.sentiment_trees import Piece, Tree
from lstm_core.inference.protocol import Expected, Model, named_layers, weighted_figures
from lstm_core.library.card import ModelCard, misfit
from lstm_core.library.store import read_network, read_vocabulary
from lstm_core.nn.activations import softmax
from lstm_core.nn.saved import SavedNetwork

LAYERS = ("word_vector", "compose", "answer")  # the names of the Keras model's layers
MIDDLE = len(sentiment_trees.LABELS) // 2  # the class of the meaning 0


@dataclass(frozen=True)
class Words:
    """The words that can be read, in the order of their ids from 0."""

    words: tuple[str, ...] = sentiment_trees.VOCABULARY

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return {"words": list(self.words)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        if not isinstance(data["words"], list) or not all(isinstance(word, str) for word in data["words"]):
            raise TypeError("the words are not a list of texts")
        if len(set(data["words"])) != len(data["words"]) or not set(sentiment_trees.VOCABULARY) <= set(data["words"]):
            raise ValueError("a word is missing, or there twice")
        return cls(tuple(data["words"]))


@dataclass(frozen=True)
class Forest:
    """Many trees as one array of nodes: words first, children before parents."""

    words: Array  # (n,) ids of the leaves, the first n nodes
    levels: tuple[Array, ...]  # for each level above the leaves, (nodes, 2) indices of the left and the right child
    values: Array  # (all nodes,) the class of each node; -1 where it has none
    places: tuple[Array, ...]  # for each tree, (pieces,) the indices of its nodes; the last one is its root


def forest_of(pieces: Sequence[Sequence[Piece]], words: Words) -> Forest:
    """Trees, each from `sentiment_trees.pieces`, sorted by height so that a level is one matrix product."""
    ids = {word: index for index, word in enumerate(words.words)}
    nodes = []  # (height, tree, piece) of every node
    for tree, own in enumerate(pieces):
        heights: list[int] = []
        for piece in own:
            heights.append(0 if piece.word else 1 + max(heights[piece.left], heights[piece.right]))
        nodes += [(height, tree, number) for number, height in enumerate(heights)]
    nodes.sort()
    places = [np.zeros(len(tree), np.int32) for tree in pieces]
    leaves: list[int] = []
    levels: list[list[tuple[int, int]]] = [[] for _ in range(nodes[-1][0])]
    values = []
    for place, (height, tree, number) in enumerate(nodes):
        piece = pieces[tree][number]
        places[tree][number] = place
        values.append(-1 if piece.value is None else piece.value + MIDDLE)
        if height:
            levels[height - 1].append((places[tree][piece.left], places[tree][piece.right]))
        else:
            leaves.append(ids[piece.word])
    rows = tuple(np.array(level, np.int32) for level in levels)
    return Forest(np.array(leaves, np.int32), rows, np.array(values, np.int32), tuple(places))


@dataclass(frozen=True)
class TreeReading:
    """One tree with the network's vector and answer at each node; row n belongs to piece n, the last is the root."""

    tree: Tree  # as it was parsed
    pieces: tuple[Piece, ...]  # its nodes, from `sentiment_trees.pieces`
    vectors: Array  # (n, units)
    probabilities: Array  # (n, classes)

    @property
    def answers(self) -> Array:
        """(n,) the predicted sentiment of each node, -2…2."""
        return self.probabilities.argmax(axis=1) - MIDDLE

    @property
    def wrong(self) -> list[int]:
        """The pieces whose predicted sentiment is not their own, children before parents."""
        rows = enumerate(zip(self.pieces, self.answers, strict=True))
        return [place for place, (piece, answer) in rows if piece.value not in (None, answer)]


class TreeReader(Model):
    """A loaded recursive network; holds copies of the weights, so it is safe to share."""

    def __init__(self, card: ModelCard, words: Words, saved: SavedNetwork, folder: Path | None = None) -> None:
        """Raises ModelError if the network's layers aren't those of a recursive network."""
        self.card, self.words, self._saved, self.folder = card, words, saved, folder
        word, left, right = (*saved.inputs, *["three inputs"] * 3)[:3]
        expected: dict[str, Expected] = {
            "word_vector": ("Embedding", (word,), {"mask_zero": False}),
            "both": ("Concatenate", (left, right), {"axis": -1}),
            "compose": ("Dense", ("both",), {"activation": "tanh", "use_bias": True}),
            "answer": ("Dense", ("word_vector", "compose"), {"activation": "softmax", "use_bias": True}),
        }
        parts = named_layers(card, saved, expected, "recursive network")
        embedding, compose, answer = (parts[name].weights for name in LAYERS)
        (self.embedding,) = embedding  # (words, units)
        self.W, self.b = compose  # (2·units, units), (units,)
        self._kernel, self._bias = answer
        units = self.embedding.shape[1]
        sizes = [self.embedding.shape, self.W.shape, self._kernel.shape]
        if sizes != [(len(words.words), units), (2 * units, units), (units, len(sentiment_trees.LABELS))]:
            raise misfit(card, f"{len(words.words)} words, and layers of the shapes {', '.join(map(str, sizes))}")

    def read(self, text: str) -> TreeReading:
        """Parse a bracketed sentence and read it; raises TextError as `sentiment_trees.parse_tree` does."""
        return self.read_tree(sentiment_trees.parse_tree(text))

    def read_tree(self, tree: Tree) -> TreeReading:
        """Read a tree; every node gets its vector and its answer."""
        pieces = sentiment_trees.pieces(tree)
        forest = forest_of([pieces], self.words)
        vectors = self.vectors(forest)[forest.places[0]]
        return TreeReading(tree, pieces, vectors, self.probabilities(vectors))

    def vectors(self, forest: Forest) -> Array:
        """(all nodes, units): the vectors of the words, then tanh(W·[left; right] + b) level by level."""
        found = self.embedding[forest.words]
        for level in forest.levels:
            both = found[level].reshape(len(level), -1)  # (nodes, 2·units): left, then right
            found = np.concatenate([found, np.tanh(both @ self.W + self.b)])
        return found

    def probabilities(self, vectors: Array) -> Array:
        """(…, units) vectors → (…, classes) probabilities."""
        return softmax(vectors @ self._kernel + self._bias)

    def answers(self, many: Sequence[Tree]) -> Array:
        """(n,) the predicted sentiment of each of many trees, -2…2."""
        forest = forest_of([sentiment_trees.pieces(tree) for tree in many], self.words)
        roots = [places[-1] for places in forest.places]
        return self.probabilities(self.vectors(forest)[roots]).argmax(axis=1) - MIDDLE


def load_tree_reader(folder: Path, card: ModelCard) -> TreeReader:
    """A recursive network from its folder; raises ModelError as `inference.load` does."""
    return TreeReader(card, read_vocabulary(folder, Words.from_json), read_network(folder), folder)


MEASURED_DEPTH = 10  # the deepest nesting of brackets
MEASURED = {2: 200, 3: 500, 4: 500}  # trees of a trained depth; there are few of depth 2
BEYOND = 300  # trees of a greater depth


def tree_figures(model: TreeReader, part: str = "test") -> dict[str, Any]:
    """How many whole sentences of a part are answered correctly, by the depth of their trees.

    `accuracy` is over the trained depths; `by_depth` goes on to deeper trees. `guessing` is the share of the most
    frequent answer.
    """
    rows = []
    for depth in range(2, (MEASURED_DEPTH if part == "test" else sentiment_trees.TRAINED_DEPTH) + 1):
        many = sentiment_trees.trees(part, depth, MEASURED.get(depth, BEYOND), np.random.default_rng(depth))
        truth = np.array([sentiment_trees.meaning(tree) for tree in many])
        rows.append(
            {
                "depth": depth,
                "count": len(many),
                "words": float(np.mean([len(tree.words) for tree in many])),
                "accuracy": float((model.answers(many) == truth).mean()),
                "guessing": float(max((truth == value).mean() for value in range(-MIDDLE, MIDDLE + 1))),
            }
        )
    trained = [row for row in rows if row["depth"] <= sentiment_trees.TRAINED_DEPTH]
    return weighted_figures(model, trained) | {"by_depth": {key: [row[key] for row in rows] for key in rows[0]}}
