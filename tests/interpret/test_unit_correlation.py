"""Units that follow something readable: the features by hand, the search on a network whose unit is known."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from lstm_core.inference.char_lm import TextGenerator
from lstm_core.interpret import unit_correlation
from lstm_core.interpret.unit_correlation import FEATURES, ReadableUnit
from lstm_core.library.card import ModelCard
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet

TEXT = 'SCENE I.\nMACBETH. She said "go" [Exit.]\n\nFirst Citizen:\nwe are'


def marked(feature: str, text: str = TEXT) -> str:
    """The characters at which a feature is 1."""
    return "".join(sign for sign, value in zip(text, FEATURES[feature](text), strict=True) if value == 1)


@pytest.mark.parametrize(
    ("feature", "expected"),
    [
        ("inside quotation marks", '"go'),
        ("inside a stage direction", "[Exit."),
        ("inside a speaker's name", "MACBETH.First Citizen:"),
        ("a vowel was just read", "EEIAEeaioEiiiieeae"),
        ("the line ends next", ".]\n:"),
    ],
)
def test_features_by_hand(feature: str, expected: str) -> None:
    assert marked(feature) == expected


def test_positions_count_from_the_last_end() -> None:
    np.testing.assert_array_equal(FEATURES["position in the line"]("ab\n\nc"), [1, 2, 0, 0, 1])
    np.testing.assert_array_equal(FEATURES["position in the word"]("ab, cd"), [1, 2, 0, 0, 1, 2])
    np.testing.assert_array_equal(FEATURES["the word ends next"]("ab cd"), [0, 1, 0, 0, 0])


def test_a_quotation_that_is_never_closed_ends_with_its_paragraph() -> None:
    assert marked("inside quotation marks", 'a "b\n\nc') == '"b'


def vowel_counter() -> TextGenerator:
    """One unit of three opens its memory for vowels only and forgets at once."""
    alphabet = Alphabet.of("abcdeiou \n")
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(len(alphabet), 1)(tokens)
    x = layers.LSTM(3, return_sequences=True)(x)
    model = keras.Model(tokens, layers.Dense(len(alphabet), activation="softmax")(x))
    random = np.random.default_rng(1)
    weights = [random.normal(0, 0.05, weight.shape) for weight in model.get_weights()]
    weights[0] = np.array([[1.0 if sign in "aeiou" else 0.0] for sign in alphabet.characters])
    kernel, recurrent, bias = weights[1:4]  # gates in the order i, f, g, o; unit 1 of each
    kernel[0, [1, 7]], bias[[1, 4, 7]] = 12, [-6, -9, 0]
    recurrent[:, [1, 4, 7, 10]] = 0
    model.set_weights(weights)
    return TextGenerator(ModelCard("v", "V", "generator", "macbeth", "-"), alphabet, Network(model))


def test_the_search_finds_the_unit_that_was_built_to_follow() -> None:
    random = np.random.default_rng(2)
    texts = ["".join(random.choice(list("abcdeiou \n"), 400)) for _ in range(2)]
    found = {unit.feature: unit for unit in unit_correlation.find_readable_units(vowel_counter(), *texts)}
    best = found["a vowel was just read"]
    assert (best.layer, best.unit) == (0, 1)
    assert abs(best.correlation) > 0.98
    assert "inside quotation marks" not in found  # there are none
    assert [abs(unit.correlation) for unit in found.values()] == sorted(
        (abs(unit.correlation) for unit in found.values()), reverse=True
    )


def test_a_card_brings_the_units_back_and_a_strange_one_brings_none() -> None:
    unit = ReadableUnit("position in the line", 1, "c", 7, -0.91)
    assert unit_correlation.readable_units_from_card({"readable": unit_correlation.readable_units_to_json([unit])}) == [
        unit
    ]
    for strange in ({}, {"readable": [{"unit": 1}]}, {"readable": 5}, None):
        assert unit_correlation.readable_units_from_card(strange) == []
