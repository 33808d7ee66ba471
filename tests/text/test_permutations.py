"""Orders of words: every one once, random ones where there are too many, moves, links and ranks."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest

from lstm_core.text import permutations as orders
from lstm_core.text.permutations import words_in_order


@pytest.mark.parametrize(
    ("sentence", "expected"), [("a", 1), ("a b c", 6), ("a a b", 3), ("a a a a a", 1), ("a b a b c", 30)]
)
def test_orders_that_read_alike_are_counted_once(sentence: str, expected: int) -> None:
    words = sentence.split()
    assert orders.count_orders(words) == expected == len(set(permutations(words)))
    found = orders.orders_to_try(words, 200, 1)
    assert found[0] == tuple(range(len(words)))
    assert {words_in_order(words, order) for order in found} == set(permutations(words))
    assert len(found) == expected
    assert all(sorted(order) == list(range(len(words))) for order in found)


def test_seven_words_have_every_order_and_eight_a_draw() -> None:
    assert len(orders.orders_to_try("abcdefg", 200, 1)) == orders.MOST_ORDERS
    found = orders.orders_to_try("abcdefgh", 200, 1)
    assert len({words_in_order("abcdefgh", order) for order in found}) == len(found) == 201
    assert found[0] == tuple(range(8))
    assert found == orders.orders_to_try("abcdefgh", 200, 1) != orders.orders_to_try("abcdefgh", 200, 2)


def test_a_sentence_of_the_greatest_length_with_many_equal_words() -> None:
    words = ["very"] * 38 + ["good"]
    assert len(orders.orders_to_try(words, 200, 1)) == 39


def test_a_shuffle_always_reads_differently_if_it_can() -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        assert words_in_order("ab", orders.shuffle_order("ab", (0, 1), random)) == ("b", "a")
    assert orders.shuffle_order("aaa", (2, 0, 1), random) == (2, 0, 1)


def test_an_order_goes_through_a_link() -> None:
    assert orders.format_order((2, 0, 1)) == "3-1-2"
    assert orders.parse_order("3-1-2", 3) == (2, 0, 1)


@pytest.mark.parametrize(
    "text", ["", "1-2", "1-2-2", "0-1-2", "1-2-4", "a-b-c", "1--2", "²-1-3", "9999999-1-2", "\x00"]
)
def test_what_is_no_order_is_none(text: str) -> None:
    assert orders.parse_order(text, 3) is None


def test_the_rank_counts_lower_surprisals_and_ties_are_equal() -> None:
    nats = np.array([3.0, 1.0, 2.0, 3.0, 3.00001])
    assert [orders.rank_of_order(nats, value) for value in (1.0, 2.0, 3.0)] == [1, 2, 3]
