"""Networks that go on learning while they read: the update by hand, and a small network over a text that repeats."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import keras
import numpy as np
import pytest

from benchmarks.dynamic_evaluation import __main__ as command
from benchmarks.dynamic_evaluation import reader as dynamic
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.library.card import ModelCard
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet
from lstm_core.training import char_lm

TEXT = "to be, or not to be: that is the question. " * 200


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> dynamic.DynamicReader:
    """Of an untrained network with a small recipe, on a text of one sentence."""
    keras.utils.set_random_seed(3)
    for name in command.MODELS:
        recipe = dataclasses.replace(dynamic.RECIPES[name], units=(9, 8), width=5, lowercase=True)
        monkeypatch.setitem(dynamic.RECIPES, name, recipe)
    alphabet = Alphabet.of(TEXT)
    model = TextGenerator(recipe.card(), alphabet, Network(char_lm.writer(len(alphabet), recipe)))
    monkeypatch.setattr(dynamic.model_registry, "load", lambda name: model)
    monkeypatch.setattr(dynamic.registry, "load_text", lambda name: TEXT)
    found = dynamic.DynamicReader("macbeth")
    found.shipped = model
    return found


def test_one_update_by_hand() -> None:
    weight = keras.Variable(np.array([2.0, 5.0], np.float32))
    update = dynamic.DynamicUpdate()
    update.build([weight])
    update.squares[0].assign([4.0, 16.0])
    weight.assign([3.0, 5.0])  # it has moved away from 2
    update.learning_rate.assign(0.5)
    update.decay.assign(0.1)
    update.apply([keras.ops.array([1.0, 8.0])], [weight])
    # √s is 2 and 4, 3 on average: 3 - 0.5 · 1 / 2 + 0.1 · 2/3 · (2 - 3), and 5 - 0.5 · 8 / 4.
    assert np.array(weight) == pytest.approx([3 - 0.25 - 0.1 * 2 / 3, 4.0], abs=1e-3)


def test_without_a_rate_it_is_the_network_as_it_is(reader: dynamic.DynamicReader) -> None:
    found = reader.surprisal(TEXT, learning_rate=0.0, decay=0.001)
    segments = len(found)
    assert segments == (len(TEXT) - 1) // dynamic.SEGMENT
    expected = reader.shipped.score(TEXT).surprisal[: segments * dynamic.SEGMENT]
    assert found == pytest.approx(expected.reshape(segments, -1).mean(axis=1), abs=1e-4)


def test_it_learns_from_what_it_has_read_and_begins_anew(reader: dynamic.DynamicReader) -> None:
    still, moving, again = (reader.surprisal(TEXT[:2000], rate, 0.001) for rate in (0.0, 0.003, 0.0))
    assert moving[0] == pytest.approx(still[0], abs=1e-5)  # nothing was read before it
    assert moving[-1] < still[-1] - 0.3
    assert again == pytest.approx(still, abs=1e-5)


def test_the_rate_is_chosen_on_other_plays(reader: dynamic.DynamicReader, capsys: pytest.CaptureFixture[str]) -> None:
    command.main(["julius_caesar", "--rates", "0", "1e-3", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert len(found["tried"]) == 2 * len(command.DECAYS)
    (row,) = found["rows"]
    assert row["learning_rate"] == 1e-3
    assert row["dynamic"] < row["as_it_is"]


def test_both_tables_are_printed(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    tried = [{"learning_rate": 2e-4, "decay": 1e-3, "nats_per_character": 1.25}]
    row = {"model": "macbeth", "as_it_is": 1.5, "dynamic": 1.4, "learning_rate": 2e-4, "decay": 1e-3}
    monkeypatch.setattr(command, "choose", lambda rates: tried)
    monkeypatch.setattr(command, "measure", lambda name, learning_rate, decay: row)
    command.main(["macbeth"])
    printed = capsys.readouterr().out
    assert "rate 0.0002, decay 0.001: 1.2500 on other plays" in printed
    assert "1.5000 as it is  1.4000 learning while it reads" in printed


def test_the_figure_goes_into_the_card(folder: Path) -> None:
    before = ModelCard.read(folder)
    row = {"model": "tiny", "as_it_is": 1.5, "dynamic": 1.4, "learning_rate": 2e-4, "decay": 1e-3}
    command.update_card(folder, row)
    card = ModelCard.read(folder)
    assert card.training == before.training | {
        "dynamic": {"nats_per_character": 1.4, "learning_rate": 2e-4, "decay": 1e-3}
    }
    assert card.measured == before.measured


def test_an_unknown_generator_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        command.main(["hamlet"])
    assert "there is no such generator 'hamlet'" in capsys.readouterr().err
