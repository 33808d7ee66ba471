"""Targets from other LSTMs, each of which answers texts that it was not trained on, and initial embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets.splits import Split, joined
from lstm_core.optional import library

# (training texts, texts to answer, number of the teacher) → (texts, outputs)
Teacher = Callable[[Split, Split, int], Array]


def out_of_fold(split: Split, others: Split, folds: int, seed: int, teach: Teacher) -> tuple[Array, Array]:
    """Targets by cross-fitting: each text is answered by the one teacher that never saw it.

    Args:
        split: the training part; its groups stay together.
        others: texts that no teacher sees; they get the mean of all teachers.
        folds: how many parts, and how many teachers.
        seed: of the parting.
        teach: trains a teacher and lets it answer.

    Returns:
        (n, outputs) for `split` and (m, outputs) for `others`.
    """
    groups = np.unique(split.groups, return_inverse=True)[1] if split.groups else np.arange(len(split))
    fold = (np.random.default_rng(seed).permutation(groups.max() + 1) % folds)[groups]
    answers: dict[int, Array] = {}
    elsewhere = []
    for number in range(folds):
        inside, outside = np.flatnonzero(fold == number), np.flatnonzero(fold != number)
        asked = joined(split.take(inside), others)
        found = teach(split.take(outside), asked, number)
        answers |= dict(zip(inside.tolist(), found, strict=False))
        elsewhere.append(found[len(inside) :])
    return np.stack([answers[row] for row in range(len(split))]), np.mean(elsewhere, axis=0)


@dataclass(frozen=True)
class Start:
    """How embeddings are initialized from which tokens stand near each other (`neighbour_embeddings`).

    Attributes:
        scale: root mean square of the embeddings' values.
        window: tokens on each side that count as near.
        even: give every token the same norm, or else frequent ones a larger one.
        pairs: initialize the pairs' embedding too.
    """

    scale: float
    window: int
    even: bool
    pairs: bool = False

    def put_into(self, model: Any, texts: Sequence[tuple[Array, ...]], seed: int) -> None:
        """Set the model's embeddings from the ids of its training texts."""
        tables = [model.get_layer("embedding")]
        if self.pairs:
            tables.append(model.get_layer("pair_embedding"))
        sizes, width = [table.input_dim for table in tables], max(table.output_dim for table in tables)
        found = neighbour_embeddings(texts, sizes, width, self.window, seed)
        for table, values in zip(tables, np.split(found, np.cumsum(sizes)[:-1]), strict=True):
            kept = values[:, : table.output_dim]
            rows = np.sqrt((kept**2).mean(axis=1, keepdims=True))
            level = rows if self.even else np.sqrt((kept**2).mean())
            table.set_weights([kept / np.maximum(level, 1e-6) * self.scale])


def neighbour_embeddings(
    texts: Sequence[tuple[Array, ...]], sizes: Sequence[int], width: int, window: int, seed: int
) -> Array:
    """Embeddings from a singular value decomposition of positive pointwise mutual information.

    After Levy, Goldberg & Dagan (2015): near tokens count more, contexts are smoothed by ^0.75.

    Args:
        texts: the ids of each text, (T,) for tokens and, for two sizes, (T,) for pairs.
        sizes: how many ids there are of each kind.
        width: of the embeddings.
        window: tokens on each side that count as near.
        seed: of the decomposition.

    Returns:
        (sum of the sizes, width) float32, the kinds below each other.

    Raises:
        MissingLibraryError: without SciPy.
    """
    sparse = library("scipy.sparse", "train")
    counts = _near(texts, sizes, window, sparse)
    total, rows = counts.sum(), np.asarray(counts.sum(axis=1)).ravel()
    contexts = np.asarray(counts.sum(axis=0)).ravel() ** 0.75
    contexts *= total / contexts.sum()
    counts = counts.tocoo()
    information = np.log(counts.data * total / (rows[counts.row] * contexts[counts.col]))
    seen = information > 0
    places = counts.row[seen], counts.col[seen]
    return _left_half(sparse.csr_matrix((information[seen].astype(np.float32), places), counts.shape), width, seed)


def _left_half(matrix: Any, width: int, seed: int, rounds: int = 4) -> Array:
    """U √S of the largest `width` singular values, by random projection (Halko, Martinsson & Tropp 2011)."""
    random = np.random.default_rng(seed)
    basis = np.linalg.qr(matrix @ random.normal(size=(matrix.shape[1], width + 10)).astype(np.float32))[0]
    for _ in range(rounds):
        basis = np.linalg.qr(matrix @ np.linalg.qr(matrix.T @ basis)[0])[0]
    u, s, _ = np.linalg.svd((matrix.T @ basis).T, full_matrices=False)
    return ((basis @ u[:, :width]) * np.sqrt(s[:width])).astype(np.float32)


def _near(texts: Sequence[tuple[Array, ...]], sizes: Sequence[int], window: int, sparse: Any) -> Any:
    """Sparse (sum of sizes, tokens): how often each id stands near each token, the nearer the more."""
    gap = np.zeros(window, np.int32)
    flat = [np.concatenate([part for text in texts for part in (text[kind], gap)]) for kind in range(len(sizes))]
    tokens, blocks = flat[0], []
    for ids, size in zip(flat, sizes, strict=True):
        block = sparse.csr_matrix((size, sizes[0]), dtype=np.float32)
        for distance in range(1, window + 1):
            neighbours = [(ids[:-distance], tokens[distance:]), (ids[distance:], tokens[:-distance])]
            for row, column in neighbours[: 1 if ids is tokens else 2]:
                known = (row > 1) & (column > 1)
                weights = np.full(int(known.sum()), 1 / distance, np.float32)
                block += sparse.csr_matrix((weights, (row[known], column[known])), block.shape)
        blocks.append(block + block.T if ids is tokens else block)  # nearness is mutual
    return sparse.vstack(blocks, format="csr")
