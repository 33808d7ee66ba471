"""Two readings side by side: alignments worked out by hand, and what must hold for any two texts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.inference.classifier import Reading, TextClassifier
from lstm_core.interpret.alignment import DIVERGENCE, Alignment, align_readings, first_divergence, memory_difference
from lstm_core.nn.trace import BidirectionalTrace, LayerTrace
from lstm_core.text.encoder import Encoding


def reading(text: str, probabilities: np.ndarray | None = None) -> Reading:
    """A reading of words without a network; its answers are all even unless given."""
    words = tuple(text.split())
    encoded = Encoding(words, tuple((0, 1) for _ in words), np.ones(len(words), np.int32), len(words))
    even = np.full((len(words), 2), 0.5)
    return Reading(text, encoded, ("no", "yes"), even if probabilities is None else probabilities, ())


def rows_of(alignment: Alignment) -> list[tuple[int, int, bool]]:
    return list(zip(alignment.first.tolist(), alignment.second.tolist(), alignment.same.tolist(), strict=True))


@pytest.mark.parametrize(
    ("first", "second", "rows"),
    [
        pytest.param("a b c", "a x b c", [(0, 0, True), (0, 1, False), (1, 2, True), (2, 3, True)], id="in between"),
        pytest.param("a b", "x a b", [(-1, 0, False), (0, 1, True), (1, 2, True)], id="inserted first"),
        pytest.param("x a b", "a b", [(0, -1, False), (1, 0, True), (2, 1, True)], id="deleted first"),
        pytest.param("x b", "y b", [(0, -1, False), (0, 0, False), (1, 1, True)], id="replaced first"),
        pytest.param("a", "a x", [(0, 0, True), (0, 1, False)], id="inserted last"),
        pytest.param("a x", "a", [(0, 0, True), (1, 0, False)], id="deleted last"),
        pytest.param("a x", "a y", [(0, 0, True), (1, 0, False), (1, 1, False)], id="replaced last"),
        pytest.param("a b a", "a b a", [(0, 0, True), (1, 1, True), (2, 2, True)], id="identical"),
        pytest.param(
            "a b", "x y z", [(0, -1, False), (1, -1, False), (1, 0, False), (1, 1, False), (1, 2, False)], id="strange"
        ),
    ],
)
def test_alignments_by_hand(first: str, second: str, rows: list[tuple[int, int, bool]]) -> None:
    assert rows_of(align_readings(reading(first), reading(second))) == rows


words = st.lists(st.sampled_from("abcd"), min_size=1, max_size=12).map(" ".join)


@given(words, words)
@settings(deadline=None, max_examples=100, derandomize=True, database=None)
def test_every_token_of_both_stands_in_one_row_and_in_order(first: str, second: str) -> None:
    one, two = reading(first), reading(second)
    rows = rows_of(align_readings(one, two))
    at = (-1, -1)
    for a, b, same in rows:
        steps = (a - at[0], b - at[1])
        assert steps == (1, 1) if same else steps in {(1, 0), (0, 1)}
        assert not same or one.tokens[a] == two.tokens[b]
        at = (a, b)
    assert at == (len(one.tokens) - 1, len(two.tokens) - 1)


def test_a_long_text_of_one_word_is_no_junk() -> None:
    rows = align_readings(reading("a " * 300), reading("b " + "a " * 299))  # `difflib` drops frequent words from 200 on
    assert rows.same.sum() == 299


# --- Where the answers part -----------------------------------------------------------------


def answers(*chances: float) -> np.ndarray:
    return np.array([[1 - chance, chance] for chance in chances])


@pytest.mark.parametrize(
    ("second", "row"),
    [
        ((0.5, 0.5, 0.5), None),
        ((0.5, 0.5 + DIVERGENCE - 0.01, 0.5), None),
        ((0.5, 0.5, 0.5 + DIVERGENCE + 0.01), 2),
        ((0.5, 0.5 - DIVERGENCE - 0.01, 0.5), 1),  # they may come together again
        ((0.9, 0.1, 0.9), 0),
    ],
)
def test_answers_part_at_the_first_row_over_the_limit(second: tuple[float, ...], row: int | None) -> None:
    one, two = reading("a b c"), reading("a b c", answers(*second))
    assert first_divergence(one, two, align_readings(one, two)) == row
    assert first_divergence(two, one, align_readings(two, one)) == row


def test_in_a_gap_the_last_answer_of_the_other_stands() -> None:
    one, two = reading("a b", answers(0.5, 0.5)), reading("a x b", answers(0.5, 0.7, 0.5))
    assert first_divergence(one, two, align_readings(one, two)) == 1


@pytest.mark.parametrize(("first", "second"), [("a b", "x a b"), ("x a b", "a b"), ("x b", "y b"), ("a b", "x y")])
def test_a_text_that_has_not_begun_has_no_answer_to_part_from(first: str, second: str) -> None:
    one, two = reading(first), reading(second)
    assert first_divergence(one, two, align_readings(one, two)) is None


# --- Memories -------------------------------------------------------------------------------


def test_one_text_read_twice_has_the_same_memory_and_answer(tiny: TextClassifier) -> None:
    one, two = tiny.read("how do i sort a list"), tiny.read("how do i sort a list")
    rows = align_readings(one, two)
    assert rows.same.all()
    difference = memory_difference(one, two, rows)
    assert difference.shape == (6, 5)
    assert not difference.any()
    assert first_divergence(one, two, rows) is None


def test_texts_are_alike_until_their_first_difference(tiny: TextClassifier) -> None:
    one, two = tiny.read("how do i sort the list in java"), tiny.read("how do i loop the list in java")
    rows = align_readings(one, two)
    difference = memory_difference(one, two, rows)
    changed = int(np.flatnonzero(~rows.same)[0])
    assert changed == 3
    assert not difference[:changed].any()
    assert np.abs(difference[changed:]).max(axis=1).min() > 1e-3  # it remembers what it read
    parted = first_divergence(one, two, rows)
    assert parted is None or parted >= changed


def test_memories_are_compared_row_by_row(tiny: TextClassifier) -> None:
    one, two = tiny.read("sort list"), tiny.read("in sort the list")
    rows = align_readings(one, two)
    assert rows_of(rows) == [(-1, 0, False), (0, 1, True), (0, 2, False), (1, 3, True)]
    c_one, c_two = one.layers[0].c, two.layers[0].c
    expected = np.stack([c_two[0], c_two[1] - c_one[0], c_two[2] - c_one[0], c_two[3] - c_one[1]])
    np.testing.assert_array_equal(memory_difference(one, two, rows), expected)
    np.testing.assert_array_equal(memory_difference(two, one, align_readings(two, one)), -expected)


def only_h(trace: LayerTrace) -> LayerTrace:
    return replace(trace, kind="rnn", signals={"h": trace.h})


def test_a_layer_without_cell_state_is_compared_by_h(tiny: TextClassifier) -> None:
    one, two = (replace(each, layers=(only_h(each.layers[0]),)) for each in map(tiny.read, ("sort", "list")))
    rows = Alignment(np.array([0]), np.array([0]), np.array([False]))
    np.testing.assert_array_equal(memory_difference(one, two, rows), two.layers[0].h - one.layers[0].h)


def test_the_layer_can_be_chosen_and_both_ways_means_ahead(tiny: TextClassifier) -> None:
    one, two = tiny.read("sort"), tiny.read("list")
    rows = Alignment(np.array([0]), np.array([0]), np.array([False]))
    wanted = memory_difference(one, two, rows)
    deep_one, deep_two = (
        replace(each, layers=(only_h(trace), BidirectionalTrace(trace, only_h(trace), trace.outputs)))
        for each, trace in ((one, one.layers[0]), (two, two.layers[0]))
    )
    assert wanted.any()
    np.testing.assert_array_equal(memory_difference(deep_one, deep_two, rows, layer=1), wanted)
    assert not np.array_equal(memory_difference(deep_one, deep_two, rows, layer=0), wanted)
