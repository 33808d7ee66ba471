"""A recursive network at work: the vector of a bracket from the two vectors in it, and an answer at every node.

p = tanh(W·[left; right] + b), the same W and b at every node, and one softmax over p (Socher et al. 2011). The saved
network is one small Keras model of these layers; the way over the tree is in NumPy here. Trees are
in `datasets/sentiment_trees.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import sentiment_trees
from lstm_core.datasets.sentiment_trees import Piece, Tree
from lstm_core.errors import ModelError
from lstm_core.library.card import ModelCard, misfit
from lstm_core.nn.activations import softmax

LAYERS = ("word_vector", "compose", "answer")  # by these names a network is taken apart
MIDDLE = len(sentiment_trees.LABELS) // 2  # the class of the meaning 0


@dataclass(frozen=True)
class Words:
    """The words that can be read, in the order of their ids from 0."""

    words: tuple[str, ...] = sentiment_trees.VOCABULARY

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return {"words": list(self.words)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Words:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        if not isinstance(data["words"], list) or not all(isinstance(word, str) for word in data["words"]):
            raise TypeError("the words are not a list of texts")
        if len(set(data["words"])) != len(data["words"]) or not set(sentiment_trees.VOCABULARY) <= set(data["words"]):
            raise ValueError("a word is missing, or there twice")
        return cls(tuple(data["words"]))


@dataclass(frozen=True)
class Forest:
    """Many trees in one row of nodes, words first, children before parents.

    Attributes:
        words: (n,) ids of the leaves, the first n nodes.
        levels: for each level above them, (nodes, 2) the places of the left and the right child.
        values: (all nodes,) the class of each node; -1 where it has none.
        places: for each tree, (pieces,) where its pieces stand; the last one is its root.
    """

    words: Array
    levels: tuple[Array, ...]
    values: Array
    places: tuple[Array, ...]


def forest_of(pieces: Sequence[Sequence[Piece]], words: Words) -> Forest:
    """Trees, each as `trees.pieces` gives it, sorted by height so that a level is one matrix product."""
    ids = {word: index for index, word in enumerate(words.words)}
    heights = [_heights(tree) for tree in pieces]
    order = sorted((height, tree, piece) for tree, all_ in enumerate(heights) for piece, height in enumerate(all_))
    places = [np.zeros(len(tree), np.int32) for tree in pieces]
    for place, (_, tree, piece) in enumerate(order):
        places[tree][piece] = place
    levels: list[list[tuple[int, int]]] = [[] for _ in range(max(map(max, heights)))]
    for height, tree, piece in order:
        if height:
            node = pieces[tree][piece]
            levels[height - 1].append((places[tree][node.left], places[tree][node.right]))
    values = [pieces[tree][piece].value for _, tree, piece in order]
    return Forest(
        words=np.array([ids[pieces[tree][piece].word] for height, tree, piece in order if not height], np.int32),
        levels=tuple(np.array(level, np.int32) for level in levels),
        values=np.array([-1 if value is None else value + MIDDLE for value in values], np.int32),
        places=tuple(places),
    )


def _heights(tree: Sequence[Piece]) -> list[int]:
    found: list[int] = []
    for piece in tree:
        found.append(0 if piece.word else 1 + max(found[piece.left], found[piece.right]))
    return found


@dataclass(frozen=True)
class TreeReading:
    """One tree with what the network makes of each node; row n belongs to piece n, the last one is the whole.

    Attributes:
        tree: as it was parsed.
        pieces: its nodes, two by two.
        vectors: (n, units).
        probabilities: (n, classes).
    """

    tree: Tree
    pieces: tuple[Piece, ...]
    vectors: Array
    probabilities: Array

    @property
    def answers(self) -> Array:
        """(n,) the meaning -2…2 that the network gives each node."""
        return self.probabilities.argmax(axis=1) - MIDDLE

    @property
    def wrong(self) -> list[int]:
        """The pieces that have a meaning and were given another, children before parents."""
        return [
            place
            for place, (piece, answer) in enumerate(zip(self.pieces, self.answers, strict=True))
            if piece.value is not None and piece.value != answer
        ]


class TreeReader:
    """A recursive network, loaded; holds copies of the weights, so it is safe to share."""

    def __init__(self, card: ModelCard, words: Words, model: Any) -> None:
        """Raises ModelError if the network's parts aren't those of a recursive network."""
        parts = {layer.name: layer for layer in model.layers if layer.name in LAYERS}
        if missing := [name for name in LAYERS if name not in parts]:
            raise ModelError(f"The model '{card.name}' is no recursive network: its layer '{missing[0]}' is missing.")
        self.card, self.words, self.model = card, words, model
        embedding, compose, answer = ([np.asarray(w, np.float32) for w in parts[n].get_weights()] for n in LAYERS)
        (self.embedding,) = embedding  # (words, units)
        self.W, self.b = compose  # (2·units, units), (units,)
        self._kernel, self._bias = answer
        units = self.embedding.shape[1]
        sizes = [self.embedding.shape, self.W.shape, self._kernel.shape]
        if sizes != [(len(words.words), units), (2 * units, units), (units, len(sentiment_trees.LABELS))]:
            raise misfit(card, f"{len(words.words)} words, and layers of the shapes {', '.join(map(str, sizes))}")

    def read(self, text: str) -> TreeReading:
        """Parse a bracketed sentence and read it; raises TextError as `trees.parse` does."""
        return self.read_tree(sentiment_trees.parse_tree(text))

    def read_tree(self, tree: Tree) -> TreeReading:
        """Read a tree; every node gets its vector and its answer."""
        pieces = sentiment_trees.pieces(tree)
        forest = forest_of([pieces], self.words)
        vectors = self.vectors(forest)[forest.places[0]]
        return TreeReading(tree, pieces, vectors, self.probabilities(vectors))

    def vectors(self, forest: Forest) -> Array:
        """(all nodes, units): the words' vectors, and above them tanh(W·[left; right] + b) level by level."""
        found = self.embedding[forest.words]
        for level in forest.levels:
            both = found[level].reshape(len(level), -1)  # (nodes, 2·units): left, then right
            found = np.concatenate([found, np.tanh(both @ self.W + self.b)])
        return found

    def probabilities(self, vectors: Array) -> Array:
        """(…, classes) of vectors (…, units)."""
        return softmax(vectors @ self._kernel + self._bias)

    def answers(self, many: Sequence[Tree]) -> Array:
        """(n,) the meaning -2…2 that the network gives each of many trees."""
        forest = forest_of([sentiment_trees.pieces(tree) for tree in many], self.words)
        roots = [places[-1] for places in forest.places]
        return self.probabilities(self.vectors(forest)[roots]).argmax(axis=1) - MIDDLE


# --- Loading and measuring ----------------------------------------------------------------------


def load_tree_reader(folder: Path, card: ModelCard) -> TreeReader:
    """A recursive network from its folder; raises ModelError as `library.load` does."""
    from lstm_core.library.store import load_network, read_vocabulary

    return TreeReader(card, read_vocabulary(folder, Words.from_json), load_network(folder))


MEASURED_DEPTH = 10  # up to how many brackets within one another
MEASURED = {2: 200, 3: 500, 4: 500}  # trees of a trained depth; there are few of depth 2
BEYOND = 300  # trees of a greater depth


def tree_figures(model: TreeReader, part: str = "test") -> dict[str, Any]:
    """How many whole sentences of a part are answered right, and how it goes with their depth.

    `accuracy` is that of the depths that were trained on and have such trees; `by_depth` goes on beyond. Each row of
    it says what the most frequent answer alone would reach.
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
    examples = sum(row["count"] for row in trained)
    return {
        "model": model.card.name,
        "examples": examples,
        "accuracy": sum(row["accuracy"] * row["count"] for row in trained) / examples,
        "by_depth": {key: [row[key] for row in rows] for key in rows[0]},
    }
