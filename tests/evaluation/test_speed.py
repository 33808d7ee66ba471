"""The family as a whole: three cells that differ in nothing else, what they keep, and how speed is measured."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
import pytest

import lstm_core
from lstm_core import Clamp
from lstm_core.evaluation import speed
from lstm_core.inference.classifier import TextClassifier
from lstm_core.training.recipes import RECIPES

TEXT = "import pandas as pd. how do i read a file line by line and count the words in it ?"
SIGNALS = {"family_rnn": {"h"}, "family_gru": {"z", "r", "g", "h"}, "family_lstm": {"f", "i", "g", "o", "c", "h"}}


@pytest.fixture(scope="module", params=speed.CELL_MODELS)
def member(request: pytest.FixtureRequest) -> TextClassifier:
    model = lstm_core.load(request.param)
    assert isinstance(model, TextClassifier)
    return model


def test_the_three_recipes_differ_in_their_cell_alone() -> None:
    first, *others = (RECIPES[name] for name in speed.CELL_MODELS)
    for other in others:
        same = {field.name for field in fields(first) if getattr(first, field.name) == getattr(other, field.name)}
        different = {field.name for field in fields(first)} - same
        assert different == {"name", "title", "summary", "notes", "build", "optimizer"}
        assert first.optimizer.args == other.optimizer.args


def test_reading_gives_the_answer_of_keras_after_every_token(member: TextClassifier) -> None:
    reading = member.read(TEXT)
    layer = reading.layers[0]
    assert set(layer.signals) == SIGNALS[member.card.name]
    assert layer.signals["h"].shape == (len(reading.tokens), 32)
    for t in (0, 4, len(reading.tokens) - 1):
        asked = member.keras().predict_on_batch(reading.encoded.ids[None, : t + 1])
        np.testing.assert_allclose(reading.probabilities[t], asked[0], atol=1e-4)


def test_a_state_held_at_zero_gives_the_same_answer_to_every_text(member: TextClassifier) -> None:
    held = [member.read(text, clamps=[Clamp("h", 0.0)]).probabilities[-1] for text in (TEXT, "var x = null ;")]
    np.testing.assert_allclose(held[0], held[1], atol=1e-6)
    assert abs(member.read(TEXT).probabilities[-1] - held[0]).max() > 0.05


def test_what_is_kept_of_the_beginning(member: TextClassifier) -> None:
    reading = member.read(TEXT)
    assert speed.moved_by_beginning(member, reading, 0) == pytest.approx(0, abs=1e-6)
    all_unknown = member.keras().predict_on_batch(np.ones((1, len(reading.tokens)), np.int32))[0]
    moved = speed.moved_by_beginning(member, reading, len(reading.tokens))
    assert moved == pytest.approx(np.abs(all_unknown - reading.probabilities[-1]).sum() / 2, abs=1e-4)
    assert 0 <= speed.moved_by_beginning(member, reading, 3) <= 1
    with pytest.raises(ValueError, match="tokens; received"):
        speed.moved_by_beginning(member, reading, len(reading.tokens) + 1)


def test_gates_beat_no_gates_on_the_test_part() -> None:
    rnn, gru, lstm = (lstm_core.load(name).card.measured["accuracy"] for name in speed.CELL_MODELS)
    assert rnn + 0.1 < min(gru, lstm)


def test_weights_of_the_cells_by_hand() -> None:
    width, units = 16, 32
    one = units * (width + units)  # W and U of one gate
    found = {name: speed.cell_weights(lstm_core.load(name)) for name in speed.CELL_MODELS}
    assert found["family_rnn"] == one + units
    assert found["family_gru"] == 3 * (one + 2 * units)  # a bias for each product
    assert found["family_lstm"] == 4 * (one + units)
    both, forward = (speed.cell_weights(lstm_core.load(name)) for name in ("blank_both", "blank_forward"))
    tree = lstm_core.load("negation_tree")
    assert speed.cell_weights(tree) == tree.W.size + tree.b.size
    assert both == 2 * 4 * (16 * (16 + 16) + 16) < forward


def test_every_member_is_shipped_and_has_a_trial_that_reads() -> None:
    assert {member.model for member in speed.FAMILY_MEMBERS} >= {
        name for name, recipe in RECIPES.items() if recipe.task == "blank filler" or name.startswith("family_")
    }
    for member in speed.FAMILY_MEMBERS:
        run, count = member.trial(lstm_core.load(member.model))
        run()
        assert count > 0


def test_speed_counts_what_was_read_and_the_best_run(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 2.0, 10.0, 11.0, 20.0, 24.0])  # runs of 2, 1 and 4 seconds
    monkeypatch.setattr(speed.time, "perf_counter", lambda: next(clock))
    calls: list[int] = []
    found = speed.throughput({"one": (lambda: calls.append(1), 100)}, rounds=3)
    assert found == {"one": speed.Speed(best=100.0, middle=50.0)}
    assert len(calls) == 4  # one that doesn't count
