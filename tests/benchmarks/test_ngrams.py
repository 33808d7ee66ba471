"""Kneser–Ney smoothing by hand, on sequences of four ids: 0, 1, 2, and 3, which begins them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from benchmarks import ngrams, words
from lstm_core.datasets.sentences import END
from lstm_core.text.encoder import Encoder, Vocabulary


def probabilities(training: Sequence[Sequence[int]], context: Sequence[int], order: int) -> list[float]:
    """p of each of the four ids after a context."""
    found = ngrams.kneser_ney(training, [[*context, each] for each in range(4)], order, 4)
    return np.exp(-found.reshape(4, -1)[:, -1]).tolist()


# In "3 0 0 1", two different ids stand before a 0 and one before a 1. With the usual discounts, 1 of 2 and ½ of 1:
# p(0) = (2 - 1 + 1.5 / 4) / 3, p(1) = (1 - ½ + 1.5 / 4) / 3, and the others 1.5 / 4 / 3.
ALONE = [11 / 24, 7 / 24, 3 / 24, 3 / 24]
# After a 0 stood one 0 and one 1: p(x | 0) = (count - ½ + 1 · p(x)) / 2.
AFTER_0 = [23 / 48, 19 / 48, 3 / 48, 3 / 48]


def test_two_ids_by_hand() -> None:
    training = [[3, 0, 0, 1]]
    assert probabilities(training, [0], 2) == pytest.approx(AFTER_0)
    assert probabilities(training, [1], 2) == pytest.approx(ALONE)  # nothing ever stood behind a 1
    assert probabilities(training, [2], 2) == pytest.approx(ALONE)
    assert probabilities(training, [3], 2) == pytest.approx([0.5 + 0.5 * 11 / 24, *(each / 2 for each in ALONE[1:])])


def test_one_id_alone_has_its_own_count() -> None:
    # Two 0 and one 1: p(0) = (2 - 1 + 1.5 / 4) / 3, as above, since the first id is only a context.
    assert probabilities([[3, 0, 0, 1]], [2], 1) == pytest.approx(ALONE)


def test_what_begins_a_sequence_counts_each_time() -> None:
    # "3 0" stands twice and "3 1" once, always at the beginning, so these are their counts: 1 of 2 and ½ of 1 are
    # taken off. Before a 0 stands only the 3, as before a 1: p(0) = p(1) = (½ + 1 / 4) / 2 = 3 / 8.
    found = probabilities([[3, 0], [3, 0], [3, 1]], [3], 3)
    assert found == pytest.approx([(1 + 1.5 * 3 / 8) / 3, (0.5 + 1.5 * 3 / 8) / 3, 1.5 / 8 / 3, 1.5 / 8 / 3])


def test_no_n_gram_crosses_from_one_sequence_to_the_next() -> None:
    assert probabilities([[3, 0], [3, 1]], [0], 2) == pytest.approx(probabilities([[3, 0], [3, 1]], [2], 2))


@pytest.mark.parametrize("context", [[3], [0], [3, 0], [1, 0, 1], [2, 2, 2, 2]])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_sum_to_one(context: list[int], order: int) -> None:
    random = np.random.default_rng(1)
    training = [[3, *random.integers(0, 3, 12).tolist()] for _ in range(8)]
    assert sum(probabilities(training, context, order)) == pytest.approx(1)


def test_discounts_by_hand() -> None:
    # 8, 4, 2 and 1 n-grams of counts 1, 2, 3 and 4: Y = 8 / (8 + 2 · 4) = ½.
    count = np.repeat([1, 2, 3, 4, 9], [8, 4, 2, 1, 3])
    assert ngrams.discounts(count) == pytest.approx((1 - 1 * 4 / 8, 2 - 1.5 * 2 / 4, 3 - 2 * 1 / 2))
    assert ngrams.discounts(np.array([1, 2, 3])) == ngrams.USUAL_DISCOUNTS
    steep = np.repeat([1, 2, 3, 4], [8, 4, 2, 8])  # 3 - 2 * 8 / 2 is below 0
    assert ngrams.discounts(steep) == ngrams.USUAL_DISCOUNTS


def test_sentences_are_ids_between_ends() -> None:
    encoder = Encoder("sentence", Vocabulary((END, "a", "b")), 10)  # ids 2, 3 and 4 of 5
    found = words.kneser_ney_nats([["a", "a", "b"]], [["a"]], encoder, 2)
    # Before an a stand two different ids, before a b and an end one; of four, 1, ½ and ½ are taken off.
    a, end = (2 - 1 + 2 / 5) / 4, (1 - 0.5 + 2 / 5) / 4
    # After an end stood one a; after an a stood an a and a b, but no end.
    assert found == pytest.approx(-(math.log(0.5 + 0.5 * a) + math.log(1 / 2 * end)) / 2)
