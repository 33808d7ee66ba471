"""The encoder–decoder: its task, its equality with the Keras model, loading, measuring and meddling."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lstm_core import ModelError
from lstm_core.datasets import number_words
from lstm_core.errors import TextError
from lstm_core.inference import registry
from lstm_core.inference.seq2seq import (
    EDGE,
    END,
    NumberAlphabet,
    Rewriter,
    correct_characters,
    count_correct_words,
    longest_for,
    rewriting_figures,
)
from lstm_core.interpret import state_patching
from lstm_core.library import store
from lstm_core.library.card import ModelCard
from lstm_core.nn.keras_config import saved_network
from lstm_core.training.recipes import RECIPES

CARD = ModelCard("small", "Small", "rewriter", "numbers", "Random weights, for tests.")
NUMBERS = ("7", "40", "4072", "000000", "123456789012")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, randomised: Callable[..., Any]) -> Path:
    """A saved model; not to be written to."""
    from lstm_core.training.seq2seq import encoder_decoder

    path = tmp_path_factory.mktemp("models") / "small"
    store.save(randomised(encoder_decoder(NumberAlphabet(), units=7, width=3)), NumberAlphabet(), CARD, path)
    return path


@pytest.fixture(scope="module")
def model(folder: Path) -> Rewriter:
    found = registry.load(folder)
    assert isinstance(found, Rewriter)
    return found


@pytest.fixture(scope="module")
def shipped() -> Rewriter:
    return registry.load("number_words")  # type: ignore[return-value]


# --- the task ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("number", "words"), [("4072", "two seven zero four"), ("7", "seven"), ("00", "zero zero"), ("19", "nine one")]
)
def test_numbers_are_spelled_out_backwards(number: str, words: str) -> None:
    assert number_words.spelled_backwards(number) == words


@given(st.text(max_size=60))
def test_what_is_typed_is_a_number_or_gets_one_sentence(text: str) -> None:
    number = text.strip()
    if 0 < len(number) <= number_words.MOST_DIGITS and set(number) <= set("0123456789"):
        assert number_words.checked(text) == number
        return
    with pytest.raises(TextError) as caught:
        number_words.checked(text)
    assert str(caught.value).splitlines() == [str(caught.value)]
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no number to read"),
        (" \n", "no number to read"),
        ("40a2", "character 3 is 'a'"),
        ("4 072", "character 2 is a space"),
        ("4😀", "character 2 is '😀'"),
        ("٣", "character 1 is '٣'"),
        ("-1", "character 1 is '-'"),
        ("1" * 500, "500 digits"),
        ("\x001", "an invisible character"),
    ],
)
def test_what_is_no_number_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(TextError, match=words):
        number_words.checked(text)


def test_the_parts_share_no_number_and_short_ones_are_all_trained_on() -> None:
    rng = np.random.default_rng(1)
    tested = {number for length in (3, 4, 5, 6) for number in number_words.numbers("test", length, 300, rng)}
    validated = {number for length in (3, 4, 5, 6) for number in number_words.numbers("validation", length, 300, rng)}
    trained = set(number_words.sample(4000, rng))
    assert not tested & validated
    assert not (tested | validated) & trained
    assert {len(number) for number in trained} == {1, 2, 3, 4, 5, 6}
    assert number_words.part_of("07") == "training"
    assert number_words.part_of("1234567") == "test"


@pytest.mark.parametrize(("length", "count"), [(3, 10), (3, 5000), (5, 40)])
def test_numbers_of_a_part_are_different_and_as_many_as_there_are(length: int, count: int) -> None:
    found = number_words.numbers("test", length, count, np.random.default_rng(2))
    assert len(found) == len(set(found))
    assert {number_words.part_of(number) for number in found} == {"test"}
    every = sum(number_words.part_of(f"{code:03d}") == "test" for code in range(1000))
    assert len(found) == min(count, every) if length == 3 else len(found) == count


# --- equal to Keras ------------------------------------------------------------------------------


def keras_answer(model: Rewriter, number: str, so_far: np.ndarray) -> np.ndarray:
    """(n, ids): what the saved Keras model says after each of these characters."""
    digits = model.alphabet.encode_number(number)[None]
    return np.asarray(model.keras().predict([digits, so_far[None]], verbose=0))[0]


@pytest.mark.parametrize("number", NUMBERS)
def test_every_step_equals_the_keras_model(model: Rewriter, number: str) -> None:
    found = model.rewrite(number)
    ids = np.array([(END + model.alphabet.characters).index(sign) for sign in found.written.characters])
    so_far = np.append(EDGE, ids[:-1]).astype(np.int32)
    np.testing.assert_allclose(found.written.probabilities, keras_answer(model, number, so_far), atol=1e-5)
    assert (found.written.probabilities.argmax(axis=1) == ids).all()
    assert len(found.encoder) == len(number)
    assert len(found.written.trace) == len(ids)
    np.testing.assert_array_equal(found.written.trace.initial_state[1], found.c)


def test_the_shipped_model_equals_keras_too(shipped: Rewriter) -> None:
    found = shipped.rewrite("407213")
    so_far = np.append(EDGE, shipped.alphabet.encode_words(found.truth)).astype(np.int32)
    np.testing.assert_allclose(found.written.probabilities, keras_answer(shipped, "407213", so_far), atol=1e-5)
    assert found.is_right


def test_many_numbers_are_answered_as_one_by_one(model: Rewriter, shipped: Rewriter) -> None:
    for each in (model, shipped):
        numbers = ["4072", "0000", "9310"]
        texts = [each.rewrite(number).written for number in numbers]
        assert each.answers(numbers) == [text.text + ("" if text.finished else END) for text in texts]


def test_a_decoder_that_never_ends_is_stopped(model: Rewriter) -> None:
    bias = model._bias.copy()
    try:
        model._bias[EDGE] = -100
        found = model.rewrite("12")
        assert not found.written.finished
        assert len(found.written.characters) == longest_for("12")
        assert not found.is_right
        assert model.answers(["12"])[0].endswith(END)
    finally:
        model._bias[:] = bias


# --- what the shipped model reaches --------------------------------------------------------------


def test_the_shipped_card_says_what_is_measured_again(shipped: Rewriter) -> None:
    figures = rewriting_figures(shipped)
    measured = shipped.card.measured
    assert figures["accuracy"] == pytest.approx(measured["accuracy"], abs=0.005)
    assert figures["accuracy"] >= 0.99
    assert figures["examples"] == measured["examples"] > 1000
    by_length = figures["by_length"]
    assert by_length["digits"] == list(range(1, 13))
    assert by_length["accuracy"][-1] < 0.05 < 0.95 < by_length["accuracy"][number_words.LONGEST_TRAINED - 1]
    assert by_length["words_right"] == pytest.approx(measured["by_length"]["words_right"], abs=0.01)


def test_figures_count_what_is_wrong(shipped: Rewriter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        shipped, "answers", lambda numbers: [number_words.spelled_backwards(n[:-1] + "0") for n in numbers]
    )
    figures = rewriting_figures(shipped)
    assert 0.02 < figures["accuracy"] < 0.25  # one in ten ends in a zero
    for digits, share, words in zip(
        *(figures["by_length"][k] for k in ("digits", "accuracy", "words_right")), strict=True
    ):
        assert words == pytest.approx((digits - 1 + share) / digits)


def test_a_recipe_is_trained_and_its_card_says_so() -> None:
    from lstm_core.training.seq2seq import Seq2SeqTask
    from lstm_core.training.trainer import Trainer

    seen: list[Any] = []
    recipe = replace(RECIPES["number_words"], units=6, width=3, batch=8, steps_per_epoch=2, epochs=2)
    model, signs, card = Seq2SeqTask(recipe).train(Trainer(seen.append))
    assert [each.line.split("  ")[0] for each in seen if each.whole_epoch] == ["epoch 1/2", "epoch 2/2"]
    assert card.training["examples"] == {"training": 32}
    assert card.training["parameters"] == model.count_params()
    assert len(card.training["curves"]["loss"]) == 2
    assert Rewriter(card, signs, saved_network(model)).encoder.units == 6


def test_batches_hide_what_stands_behind_the_end() -> None:
    from lstm_core.training.seq2seq import encoded

    signs = NumberAlphabet()
    (digits, so_far), wanted, weights = encoded(signs, ["72", "333333"])
    assert digits.tolist() == [[8, 3, 0, 0, 0, 0], [4] * 6]
    length = len("two seven")
    assert weights.sum(axis=1).tolist() == [length + 1, len("three " * 6)]
    assert so_far[0, : length + 1].tolist() == [EDGE, *signs.encode_words("two seven")]
    assert wanted[0, : length + 1].tolist() == [*signs.encode_words("two seven"), EDGE]


# --- right and wrong -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "truth", "wrong"),
    [
        ("two six", "two six", ""),
        ("two sex", "two six", "e"),
        ("tw six", "two six", ""),
        ("twoo six", "two six", "o"),
        ("two six one", "two six", " one"),
        ("", "two", ""),
    ],
)
def test_wrong_characters_are_found_word_by_word(answer: str, truth: str, wrong: str) -> None:
    marks = correct_characters(answer, truth)
    assert len(marks) == len(answer)
    assert "".join(sign for sign, good in zip(answer, marks, strict=True) if not good) == wrong


def test_words_are_counted_in_their_places() -> None:
    assert count_correct_words("one two three", "one three two") == 1
    assert count_correct_words("one", "one two") == 1
    assert count_correct_words("", "one") == 0


# --- meddling ------------------------------------------------------------------------------------


def test_states_are_swapped_scaled_and_wiped(shipped: Rewriter) -> None:
    own, other = shipped.state("407213"), shipped.state("986")
    assert state_patching.swap_state(own, other, "h") == (other[0], own[1])
    assert state_patching.swap_state(own, other, "c") == (own[0], other[1])
    np.testing.assert_allclose(state_patching.scale_state(own, 0.5)[1] * 2, own[1])
    h, c = state_patching.erase_units(own, 3)
    gone = np.argsort(-np.abs(own[1]))[:3]
    assert not h[gone].any()
    assert not c[gone].any()
    assert (c != 0).sum() == len(c) - 3
    for kept, all_ in ((h, own[0]), (c, own[1])):
        np.testing.assert_array_equal(np.delete(kept, gone), np.delete(all_, gone))


def test_the_whole_state_of_another_number_is_that_number(shipped: Rewriter) -> None:
    state = shipped.state("986")
    assert shipped.write(*state, 60).text == shipped.rewrite("986").written.text == "six eight nine"
    assert shipped.write_many(*(part[None] for part in state), 60) == ["six eight nine"]


def test_the_length_lives_in_c_and_the_first_letter_in_h(shipped: Rewriter) -> None:
    found = state_patching.patch_states(shipped)
    assert found.words_c > 0.75 > 0.25 > found.words_h
    assert found.letter_h > 0.75 > 0.5 > found.letter_c
    less, same, more = state_patching.words_when_scaled(shipped, (0.5, 1.0, 1.5))
    assert less < same == 4 < more


# --- damage --------------------------------------------------------------------------------------


def complaint(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        registry.load(path)
    assert str(caught.value).splitlines() == [str(caught.value)]
    return str(caught.value)


@pytest.mark.parametrize(
    "data",
    [{}, {"digits": "0123456789"}, {"digits": 5, "characters": "ab"}, {"digits": "01", "characters": "ab"},
     {"digits": "0123456789", "characters": "aab"}, {"digits": "0123456789", "characters": ""}],
)  # fmt: skip
def test_a_damaged_vocabulary_is_one_sentence(folder: Path, tmp_path: Path, data: dict[str, Any]) -> None:
    path = shutil.copytree(folder, tmp_path / "broken")
    (path / store.VOCABULARY).write_text(json.dumps(data))
    assert "vocabulary.json is damaged" in complaint(path)


def test_files_that_do_not_belong_together_are_refused(folder: Path, tmp_path: Path) -> None:
    path = shutil.copytree(folder, tmp_path / "broken")
    (path / store.VOCABULARY).write_text(json.dumps({"digits": "0123456789", "characters": "abc"}))
    assert "don't belong together" in complaint(path)
    shutil.copy(store.SHIPPED / "negation_tree" / store.WEIGHTS, path / store.WEIGHTS)
    assert "no encoder–decoder" in complaint(path)
