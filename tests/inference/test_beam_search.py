"""The tree of continuations: exact probabilities, shared beginnings, and the best of all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from lstm_core.inference import beam_search
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.nn.activations import softmax
from tests.inference.test_char_lm import ALPHABET, generator


@pytest.fixture(scope="module")
def tiny() -> TextGenerator:
    return generator()


def probability(model: TextGenerator, prompt: str, text: str) -> float:
    """The product of what the network gives each character, computed the plain way."""
    step, found = model.read(prompt), 1.0
    for sign in text:
        identity = model.alphabet.ids[sign]
        found *= float(softmax(step.logits)[identity])
        step = model.reader.step(identity, step.state)
    return found


def test_a_wide_beam_finds_the_best_of_all_texts(tiny: TextGenerator) -> None:
    found = beam_search.beam_search(tiny, "ab", 2, len(ALPHABET))
    every = {
        "".join(pair): probability(tiny, "ab", "".join(pair))
        for pair in itertools.product(ALPHABET.characters, repeat=2)
    }
    best = sorted(every.items(), key=lambda item: -item[1])[:3]
    assert [text for text, _ in found[:3]] == [text for text, _ in best]
    np.testing.assert_allclose([p for _, p in found[:3]], [p for _, p in best], rtol=1e-4)


def test_every_node_of_the_tree_has_its_own_probability_and_its_parent(tiny: TextGenerator) -> None:
    branches = beam_search.continuation_tree(tiny, "bad", 5, 4)
    assert branches[0] == beam_search.Branch("", 1.0, -1, False)
    for branch in branches[1:]:
        assert branches[branch.parent].text == branch.text[:-1]
        assert branch.probability == pytest.approx(probability(tiny, "bad", branch.text), rel=1e-3)
    assert [branch.text for branch in branches if branch.whole] == [
        text for text, _ in beam_search.beam_search(tiny, "bad", 5, 4)
    ]
    assert len({branch.text for branch in branches}) == len(branches)
    for index, branch in enumerate(branches):
        below = sum(other.probability for other in branches if other.parent == index)
        assert below <= branch.probability * (1 + 1e-5)


@pytest.mark.parametrize(("length", "width"), [(0, 3), (201, 3), (3, 0), (3, 51)])
def test_sizes_out_of_range_are_refused(tiny: TextGenerator, length: int, width: int) -> None:
    with pytest.raises(ValueError, match="length is 1"):
        beam_search.continuation_tree(tiny, "a", length, width)
