"""Training on windows: every position once an epoch, and a model that has learnt its text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import lstm_core
from lstm_core import __main__ as command_line
from lstm_core.datasets import registry, splits
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet
from lstm_core.training import trainer
from lstm_core.training.char_lm import CharacterTask, windows, writer
from lstm_core.training.progress import Progress
from lstm_core.training.recipes import CharacterRecipe
from lstm_core.training.registry import ALL_RECIPES
from lstm_core.training.task import Trained
from lstm_core.training.trainer import Trainer

TEXT = "To be or not to be, that is the question. " * 60
RECIPE = replace(
    ALL_RECIPES["macbeth_article"],
    name="tiny",
    units=(20, 20),
    window=10,
    dropout=0.0,
    batch=64,
    epochs=8,
    learning_rate=2e-2,
)


@pytest.fixture(autouse=True)
def play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load_text", lambda name: TEXT)


def train(recipe: CharacterRecipe, report: Callable[[Progress], Any] = lambda progress: None) -> Trained:
    return CharacterTask(recipe).train(Trainer(report))


def test_every_position_comes_once_an_epoch_with_what_follows() -> None:
    batches = windows(np.arange(33), 40, replace(RECIPE, window=4, batch=5, seed=0))
    orders = []
    for _ in range(2):
        x, y = (np.concatenate(side) for side in zip(*(batches[k] for k in range(len(batches))), strict=True))
        assert x.shape == (29, 4, 1)
        np.testing.assert_allclose(x[..., 0] * 40, y[:, None] + np.arange(-4, 0), rtol=1e-6)
        assert sorted(y) == list(range(4, 33))
        orders.append(y)
        batches.on_epoch_end()
    assert not np.array_equal(*orders)
    again = windows(np.arange(33), 40, replace(RECIPE, window=4, batch=5, seed=0))
    np.testing.assert_array_equal(again[0][1], orders[0][:5])


def test_a_text_without_a_window_is_refused() -> None:
    with pytest.raises(ValueError, match="10 characters are too few for windows of 10"):
        windows(np.arange(10), 10, replace(RECIPE, window=10))


def test_the_articles_network() -> None:
    recipe = ALL_RECIPES["macbeth_article"]
    model = writer(40, recipe)
    assert [type(layer) for layer in model.layers[1:]] == [layers.LSTM, layers.Dropout] * 2 + [layers.Dense]
    assert model.input_shape == (None, 50, 1)
    assert model.output_shape == (None, 40)
    assert [layer.units for layer in model.layers if isinstance(layer, layers.LSTM)] == [300, 300]
    assert [layer.rate for layer in model.layers if isinstance(layer, layers.Dropout)] == [0.2, 0.2]
    assert (recipe.batch, recipe.lowercase) == (30, True)


def test_it_learns_its_text_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "REPORT_EVERY", 0.0)
    seen: list[Progress] = []
    model, alphabet, card = train(RECIPE, seen.append)
    whole = [progress for progress in seen if progress.whole_epoch]
    assert [progress.epoch for progress in whole] == list(range(1, 9))
    first = [progress.step / progress.steps for progress in seen if progress.epoch == 1]
    assert len(first) > 2
    assert first == sorted(set(first))
    assert first[-1] == 1.0
    generator = TextGenerator(card, alphabet, Network(model))
    assert not generator.carries
    assert generator.score(TEXT.lower()[-300:]).nats_per_character < 1.0 < whole[0].loss
    assert alphabet == Alphabet.of(TEXT.lower())
    curve = card.training["curves"]["validation_loss"]
    assert card.training["kept_epoch"] == 1 + int(np.argmin(curve))
    assert curve == [pytest.approx(progress.validation_loss, rel=1e-5) for progress in whole]
    kept = generator.score(splits.hold_out(TEXT.lower())[1]).nats_per_character
    assert kept == pytest.approx(min(curve), abs=1e-4)  # the best epoch's weights


def test_the_command_line_trains_the_same_model_measures_and_writes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = replace(RECIPE, epochs=1, dropout=0.2)
    here = train(recipe).model
    monkeypatch.setitem(ALL_RECIPES, "tiny", recipe)
    monkeypatch.setenv("LSTM_LAB_TRAINING_BACKEND", keras.backend.backend())
    monkeypatch.setenv("KERAS_BACKEND", keras.backend.backend())  # which the command sets
    folder = str(tmp_path / "tiny")
    assert command_line.main(["train", "tiny", "--into", folder]) == 0
    assert "nats per character" in capsys.readouterr().out
    assert command_line.main(["evaluate", folder]) == 0
    assert f"nats per character on {len(TEXT) // 10 - 1}" in capsys.readouterr().out
    assert command_line.main(["generate", folder, "--prompt", "to", "--length", "5", "--seed", "1"]) == 0
    loaded = lstm_core.load(folder)
    assert isinstance(loaded, TextGenerator)
    for one, other in zip(loaded.keras().get_weights(), here.get_weights(), strict=True):  # the same seed
        np.testing.assert_allclose(one, other, rtol=2.0**-11, atol=1e-6)  # the command stores 11 bits
