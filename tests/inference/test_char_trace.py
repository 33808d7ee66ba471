"""The trace of a text that a character model has read, beside what the model computes character by character."""

from __future__ import annotations

import numpy as np
import pytest

import lstm_core
from lstm_core import Clamp, TextError
from lstm_core.inference import char_lm
from lstm_core.nn import softmax
from tests.exhibit.traces import unpacked


@pytest.mark.parametrize("clamps", [(), (Clamp("f", 0.0, units=[3], layer=1), Clamp("h", 0.5))])
def test_it_equals_reading_character_by_character(clamps: tuple[Clamp, ...]) -> None:
    model = lstm_core.load("macbeth")
    found, step = model.trace("Is this a", clamps), model.read("Is this a", clamps)
    np.testing.assert_allclose(found.probabilities[-1], softmax(step.logits), atol=1e-5)
    for trace, layer in zip(found.layers, step.layers, strict=True):
        np.testing.assert_allclose(trace.c[-1], layer.c, atol=1e-5)
    assert "".join(found.tokens) == found.text == "is this a"
    assert found.clamps == clamps


def test_a_window_is_the_last_one_with_its_padding() -> None:
    model = lstm_core.load("macbeth_article")
    short = model.trace("Is this a")
    assert len(short.tokens) == len(short.probabilities) == model.reader.memory
    assert (short.text, short.first) == ("is this a", model.reader.memory - 9)
    np.testing.assert_allclose(short.probabilities[-1], softmax(model.read("Is this a").logits), atol=1e-5)
    assert model.trace("x" * 30 + "is this a dagger " * 9).first == 0


def test_it_is_an_exhibit() -> None:
    found = lstm_core.load("macbeth").trace("so", [Clamp("o", 1.0, layer=1)])
    header, _ = unpacked(found.microscope(layer=1).payload)
    assert header["tokens"] == ["s", "o"]
    assert [clamp["letter"] for clamp in header["clamps"]] == ["o"]
    best = header["answers"]["rows"][1][0]
    assert header["answers"]["labels"][best[0]] == found.alphabet[found.probabilities[1].argmax()]
    assert found.arrays()["clamps"].tolist() == ["1:o=1"]
    first, second = (layer.name for layer in found.layers)
    np.testing.assert_array_equal(found.to_dataframe()[second]["c"], found.layers[1].c)
    assert first in found._repr_html_()


def test_nothing_and_too_much_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = lstm_core.load("macbeth")
    with pytest.raises(TextError, match="nothing to read"):
        model.trace("漢字")
    monkeypatch.setattr(char_lm, "LONGEST_TRACE", 5)
    with pytest.raises(TextError, match="has 6 characters; 5 can be traced"):
        model.trace("abcdef")
