"""Training on one running text: streams, carried state, and a model that has learnt its text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest

from lstm_core.datasets import registry
from lstm_core.errors import ModelError
from lstm_core.inference import registry as model_registry
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.nn.network import Network
from lstm_core.text.speaker_names import SpeakerNames
from lstm_core.training.char_lm import CarriedLSTM, CharacterTask, StatefulBatches
from lstm_core.training.progress import Progress
from lstm_core.training.recipes import CharacterRecipe
from lstm_core.training.task import Trained
from lstm_core.training.trainer import Trainer

TEXT = "To be or not to be, that is the question. " * 120
RECIPE = CharacterRecipe(
    name="tiny",
    title="Tiny",
    dataset="macbeth",
    summary="One sentence.",
    lowercase=True,
    units=(16,),
    width=8,
    bptt_steps=16,
    batch=8,
    epochs=6,
    learning_rate=2e-2,
)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load_text", lambda name: TEXT)


@pytest.fixture(scope="module")
def learnt() -> tuple[Trained, list[Progress]]:
    """A model that has learnt the text, and what was reported meanwhile."""
    seen: list[Progress] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(registry, "load_text", lambda name: TEXT)
        return train(RECIPE, seen.append), seen


def train(recipe: CharacterRecipe, report: Callable[[Progress], Any] = lambda progress: None) -> Trained:
    return CharacterTask(recipe).train(Trainer(report))


def test_streams_are_the_text_in_order_and_targets_are_the_next_characters() -> None:
    ids = np.arange(103)
    batches = StatefulBatches(ids, rows=4, steps=6, seed=0)
    inputs, targets = (
        np.concatenate(side, axis=1) for side in zip(*(batches[k] for k in range(len(batches))), strict=True)
    )
    assert inputs.shape == (4, 24)
    for row in range(4):
        np.testing.assert_array_equal(inputs[row], np.arange(25 * row, 25 * row + 24))
    np.testing.assert_array_equal(targets, inputs + 1)


def test_an_epoch_begins_elsewhere_and_keeps_the_order() -> None:
    batches = StatefulBatches(np.arange(103), rows=2, steps=5, seed=1)
    first = batches[0][0].copy()
    batches.on_epoch_end()
    second, targets = batches[0]
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(targets % 103, (second + 1) % 103)


def test_a_text_that_is_too_short_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        StatefulBatches(np.arange(20), rows=8, steps=16, seed=0)


@pytest.mark.parametrize("length", [80, 100, 130])
def test_each_epoch_reads_the_ids_that_are_renewed_for_it(length: int) -> None:
    epochs = iter(range(1, 9))
    batches = StatefulBatches(np.zeros(100), rows=2, steps=49, seed=0, renew=lambda _: np.full(length, next(epochs)))
    assert set(batches[0][0].ravel()) == {0}
    for epoch in (1, 2, 3):
        batches.on_epoch_end()
        assert len(batches) == 1
        assert set(np.concatenate(batches[0], axis=None)) == {epoch}


def test_speakers_get_other_names_in_each_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    play = "ROMEO:\nAy.\n\nJULIET:\nNay, Romeo.\n\n" * 60
    monkeypatch.setattr(registry, "load_text", lambda name: play)
    task = CharacterTask(replace(RECIPE, lowercase=False))
    batches = task._streams(task.training, renamed=1.0)
    decoded = []
    for _ in range(12):
        rows = np.concatenate([batches[index][0] for index in range(len(batches))], axis=1)
        decoded.append(task.alphabet.decode(rows[0].tolist()))
        batches.on_epoch_end()
    assert "ROMEO" in decoded[0]
    assert any("ROMEO" not in text for text in decoded)


@pytest.mark.usefixtures("play")
def test_names_change_while_a_run_is_validated_and_stay_while_the_validation_part_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares: list[tuple[str, float]] = []
    renamed = SpeakerNames.renamed

    def watched(names: SpeakerNames, text: str, share: float, random: np.random.Generator) -> str:
        shares.append((text, share))
        return renamed(names, text, share, random)

    monkeypatch.setattr(SpeakerNames, "renamed", watched)
    recipe = replace(RECIPE, epochs=3, epochs_alone=1, refit_epochs=3, renamed_speakers=0.7)
    training = CharacterTask(recipe).training
    train(recipe)
    assert shares
    assert set(shares) == {(training, 0.7)}
    shares.clear()
    train(replace(recipe, renamed_speakers=0.0))
    assert not shares


@pytest.mark.usefixtures("play")
def test_the_seconds_of_the_card_include_those_with_the_validation_part() -> None:
    seen: list[Progress] = []
    card = train(replace(RECIPE, epochs=1, epochs_alone=0, refit_epochs=1), seen.append).card
    last = max(progress.seconds for progress in seen if progress.stage == "all")
    assert card.training["seconds"] >= round(last, 1)


@pytest.mark.usefixtures("play")
@pytest.mark.parametrize("refit_epochs", [0, 1])
def test_a_calibrated_recipe_scales_the_network_that_is_kept_to_the_validation_part(refit_epochs: int) -> None:
    recipe = replace(RECIPE, epochs=2, epochs_alone=0, refit_epochs=refit_epochs)
    plain, found = (train(replace(recipe, calibrated=calibrated)) for calibrated in (False, True))
    scale = found.card.training["calibration"]["scale"]
    assert "calibration" not in plain.card.training
    for before, after in zip(*(each.model.get_layer("answer").get_weights() for each in (plain, found)), strict=True):
        np.testing.assert_allclose(after, before * scale, rtol=1e-4)
    if refit_epochs:
        return
    before, after = (
        TextGenerator(each.card, each.vocabulary, Network(each.model)).score(CharacterTask(recipe).validation)
        for each in (plain, found)
    )
    assert after.nats_per_character < before.nats_per_character


def test_the_state_is_carried_from_batch_to_batch() -> None:
    lstm = keras.layers.LSTM(3, return_sequences=True)
    layer = CarriedLSTM(lstm, 2)
    x = np.random.default_rng(0).normal(size=(2, 8, 4)).astype("float32")
    whole = layer(x)
    layer.h.assign(np.zeros((2, 3)))
    layer.c.assign(np.zeros((2, 3)))
    parts = [keras.ops.convert_to_numpy(layer(x[:, first : first + 4])) for first in (0, 4)]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), keras.ops.convert_to_numpy(whole), atol=1e-6)


def test_it_learns_its_text_and_says_so(learnt: tuple[Trained, list[Progress]]) -> None:
    (model, alphabet, card), seen = learnt
    assert all(progress.whole_epoch == (progress.validation_loss is not None) for progress in seen)
    seen = [progress for progress in seen if progress.whole_epoch]
    assert [progress.epoch for progress in seen] == [1, 2, 3, 4, 5, 6]
    assert seen[-1].validation_loss < 0.5 < seen[0].validation_loss
    generator = TextGenerator(card, alphabet, Network(model))
    assert generator.score(TEXT.lower()[-400:]).nats_per_character < 0.6
    written = "".join(each.character for each in generator.stream("to be or", 34, temperature=0))
    assert written == " not to be, that is the question. "
    assert alphabet.characters == tuple(sorted(set(TEXT.lower())))
    assert card.task == "generator"
    curve = card.training["curves"]["validation_loss"]
    assert card.training["kept_epoch"] == 1 + int(np.argmin(curve))
    assert card.training["command"] == "python -m lstm_core train tiny"


@pytest.mark.usefixtures("play")
def test_the_same_seed_trains_the_same_model(learnt: tuple[Trained, list[Progress]]) -> None:
    again = train(RECIPE)
    assert again.card.training["curves"] == learnt[0].card.training["curves"]
    for one, other in zip(again.model.get_weights(), learnt[0].model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_a_run_begins_with_another_model_and_then_reads_its_text_alone(
    learnt: tuple[Trained, list[Progress]], monkeypatch: pytest.MonkeyPatch
) -> None:
    (model, alphabet, card), first = learnt
    known = TextGenerator(card, alphabet, Network(model))
    monkeypatch.setattr(model_registry, "load", lambda name: known)
    monkeypatch.setattr(registry, "load_text", lambda name: TEXT.replace(",", ""))
    seen: list[Progress] = []
    second = replace(
        RECIPE, initial_model="tiny", extra_texts=("julius_caesar",), epochs=3, epochs_alone=2, learning_rate=1e-3
    )
    _, smaller, _ = train(second, lambda progress: seen.append(progress) if progress.whole_epoch else None)
    assert set(smaller.characters) == set(alphabet.characters) - {","}
    assert [progress.epoch for progress in seen] == [1, 2, 3]
    # With random weights and a rate 20 times as high, the first epoch ends far worse.
    unlearnt = next(progress for progress in first if progress.whole_epoch)
    assert seen[0].validation_loss < 0.7 * unlearnt.validation_loss


@pytest.mark.usefixtures("play")
def test_a_run_does_not_begin_with_a_model_of_other_sizes(
    learnt: tuple[Trained, list[Progress]], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, alphabet, card = learnt[0]
    known = TextGenerator(card, alphabet, Network(model))
    monkeypatch.setattr(model_registry, "load", lambda name: known)
    with pytest.raises(ModelError, match="other sizes"):
        train(replace(RECIPE, initial_model="tiny", units=(8,)))
