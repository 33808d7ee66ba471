"""The one trainer: curves, the best weights, stopping, divergence, taking turns, and what it reports."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from lstm_core.jobs.checkpoint import Checkpoint
from lstm_core.training import trainer
from lstm_core.training.batches import Rows
from lstm_core.training.progress import Progress
from lstm_core.training.trainer import Fitting, Stage, Trainer

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(40, 3)).astype(np.float32)
Y = (X @ np.array([[1.0], [-2.0], [0.5]])).astype(np.float32)


def model(learning_rate: float = 0.1) -> keras.Model:
    """A linear unit that starts at zero."""
    start = keras.Input((3,))
    found = keras.Model(start, keras.layers.Dense(1, kernel_initializer="zeros")(start))
    found.compile(optimizer=keras.optimizers.SGD(learning_rate), loss="mse")
    return found


def stage(learning_rate: float = 0.1, epochs: int = 5, **settings: Any) -> Stage:
    return Stage(model(learning_rate), Rows(X, Y, 8, seed=1), epochs, **settings)


def weights(network: keras.Model) -> np.ndarray:
    return np.concatenate([each.ravel() for each in network.get_weights()])


def test_it_learns_and_its_curves_have_a_point_for_each_step_and_epoch() -> None:
    found = Trainer().fit(stage(epochs=30, validation=Rows(X, Y, 40, seed=None)))
    np.testing.assert_allclose(weights(found.network), [1, -2, 0.5, 0], atol=1e-2)
    assert found.steps["step"] == list(range(1, 151))
    assert found.epochs["loss"][-1] < 1e-3 < found.epochs["loss"][0]
    assert len(found.epochs["validation_loss"]) == 30
    assert found.kept_epoch == 30


def test_points_are_means_over_the_steps_since_the_last_one(monkeypatch: pytest.MonkeyPatch) -> None:
    fine = Trainer().fit(stage())
    monkeypatch.setattr(trainer, "POINTS", 1)
    coarse = Trainer().fit(stage())
    assert coarse.steps["step"] == [5, 10, 15, 20, 25]
    assert coarse.steps["loss"] == pytest.approx(np.reshape(fine.steps["loss"], (5, 5)).mean(axis=1), rel=1e-4)
    assert coarse.epochs["loss"] == pytest.approx(coarse.steps["loss"], rel=1e-4)


class Uneven(Rows):
    """Batches of 4, 1, 4, … rows: a small one is followed by others, as in `TextBatches`."""

    cuts = (0, 4, 5, 9, 13)

    def __len__(self) -> int:
        return len(self.cuts) - 1

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        return X[self.cuts[index] : self.cuts[index + 1]], Y[self.cuts[index] : self.cuts[index + 1]]

    @property
    def sizes(self) -> list[int]:
        return np.diff(self.cuts).tolist()


def test_a_point_is_the_loss_of_its_own_batch_whatever_its_size() -> None:
    found = Trainer().fit(Stage(model(learning_rate=0.0), Uneven(X, Y, 4, seed=1), 1))  # zeros stay zeros
    assert found.steps["loss"] == pytest.approx([float((y**2).mean()) for _, y in Uneven(X, Y, 4, seed=1)], rel=1e-4)


@pytest.mark.parametrize(
    ("losses", "kept"), [([0.9, 0.5, 0.7], 2), ([0.9, 0.5, 0.5], 2), ([0.1, 0.2, 0.3], 1), ([3, 2, 1], 3)]
)
def test_the_weights_of_the_epoch_with_the_lowest_validation_loss_are_kept(losses: list[float], kept: int) -> None:
    seen: list[np.ndarray] = []

    def measure(network: keras.Model) -> dict[str, float]:
        seen.append(weights(network))
        return {"validation_loss": losses[len(seen) - 1], "width": 2.0}

    found = Trainer().fit(stage(epochs=3, measure=measure, keep_best=True))
    assert (found.kept_epoch, found.epochs["validation_loss"], found.epochs["width"]) == (kept, losses, [2.0] * 3)
    np.testing.assert_array_equal(weights(found.network), seen[kept - 1])


def test_a_stop_ends_it_within_an_epoch_and_keeps_what_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "CHECK_EVERY", 0.0)
    asked: list[int] = []
    run = Trainer(should_stop=lambda: asked.append(1) or len(asked) == 7)  # type: ignore[func-returns-value]
    found = run.fit(stage())
    assert run.ended == "stopped"
    assert len(found.epochs["loss"]) == 1  # the second epoch was cut short
    assert np.abs(weights(found.network)).max() > 0.1
    assert run.fit(stage()).epochs == {}  # nothing more is trained


@pytest.mark.parametrize(("rate", "chance"), [(1e3, None), (1e30, None), (2.0, 1e-3)])
def test_a_loss_that_blows_up_ends_it_with_finite_weights(rate: float, chance: float | None) -> None:
    seen: list[Progress] = []
    run = Trainer(seen.append)
    found = run.fit(stage(rate, epochs=50, chance=chance))
    assert run.ended == "diverged"
    assert found.diverged is not None
    assert "smaller learning rate" in found.diverged["why"]
    assert seen[-1].diverged == found.diverged
    assert math.isfinite(seen[-1].loss)
    assert np.isfinite(weights(found.network)).all()


def test_reports_say_where_it_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer, "REPORT_EVERY", 0.0)
    seen: list[Progress] = []
    example = iter(range(9))
    Trainer(seen.append).fit(stage(epochs=2, name="only", example=lambda network: {"n": next(example)}))
    assert [(each.epoch, each.step) for each in seen] == [(e, s) for e in (1, 2) for s in range(1, 6)]
    assert [each.whole_epoch for each in seen] == [False] * 4 + [True] + [False] * 4 + [True]
    assert [each.example for each in seen if each.whole_epoch] == [{"n": 1}, {"n": 2}]
    assert all(each.stage == "only" for each in seen)
    assert seen[-1].share == 1.0
    assert seen[-1].event["samples_per_second"] > 0
    assert "accuracy" not in seen[-1].event
    assert seen[0].line.startswith("only: epoch 1/2  step 1/5")


def test_networks_can_take_turns() -> None:
    run, batches = Trainer(), Rows(X, Y, 8, seed=None)
    one, other = (Fitting(run, Stage(model(rate), batches, 4)) for rate in (0.1, 0.01))
    for _ in range(2):
        one.run(2)
        other.run(2)
    alone = Trainer().fit(Stage(model(0.1), batches, 4))
    assert one.finish().epochs["loss"] == pytest.approx(alone.epochs["loss"], rel=1e-4)
    assert other.finish().epochs["loss"][-1] > one.result.epochs["loss"][-1]


def test_the_softmax_is_left_to_the_loss_and_comes_back() -> None:
    start = keras.Input((3,))
    network = keras.Model(start, keras.layers.Dense(2, activation="softmax")(start))
    network.compile(keras.optimizers.SGD(0.5), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    labels = (Y[:, 0] > 0).astype(np.int32)
    found = Trainer().fit(Stage(network, Rows(X, labels, 8, seed=1), 20, logits=True))
    answers = np.asarray(found.network(X))
    np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-5)
    assert (answers.argmax(axis=1) == labels).mean() > 0.8
    assert network.layers[-1].activation is keras.activations.softmax


class LostError(Exception):
    """The worker was lost."""


def noisy(seed: int = 3) -> Stage:
    """A network whose steps depend on dropout, on the order of the rows and on the state of its optimizer."""
    keras.utils.set_random_seed(seed)
    start = keras.Input((3,))
    found = keras.Model(start, keras.layers.Dense(1)(keras.layers.Dropout(0.4)(keras.layers.Dense(6)(start))))
    found.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse")
    about = {"example": lambda network: {"n": float(weights(network)[0])}, "keep_epochs": True}
    return Stage(found, Rows(X, Y, 8, seed=1), 6, validation=Rows(X, Y, 40, seed=None), **about)


@pytest.mark.parametrize("keep_best", [False, True])
def test_a_run_goes_on_after_its_last_epoch_as_if_no_worker_had_been_lost(
    keep_best: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path))
    monkeypatch.setattr(trainer, "SAVE_SHARE", 1.0)  # after every epoch, however short
    whole = noisy()
    whole.keep_best = keep_best
    expected = Trainer().fit(whole)

    def lose(progress: Progress) -> None:
        if progress.epoch == 4:
            raise LostError

    notes: list[str] = []
    first, second = noisy(), noisy(seed=8)
    first.keep_best = second.keep_best = keep_best
    with pytest.raises(LostError):
        Trainer(lose, checkpoint=Checkpoint("one", notes.append)).fit(first)
    assert notes == ["written"] * 3
    seen: list[Progress] = []
    found = Trainer(seen.append, checkpoint=Checkpoint("one", notes.append)).fit(second)
    assert notes.count("read") == 1
    np.testing.assert_array_equal(weights(found.network), weights(expected.network))
    np.testing.assert_array_equal(weights(second.model), weights(whole.model))
    assert (found.steps, found.epochs, found.examples) == (expected.steps, expected.epochs, expected.examples)
    assert (found.kept_epoch, len(found.weights)) == (expected.kept_epoch, 7)
    for kept, other in zip(found.weights, expected.weights, strict=True):
        assert all(np.array_equal(one, two) for one, two in zip(kept, other, strict=True))
    epochs = [progress for progress in seen if progress.whole_epoch]
    assert [progress.epoch for progress in epochs] == [1, 2, 3, 4, 5, 6]  # those before are reported again
    assert [progress.example for progress in epochs] == expected.examples[1:]
    assert [progress.seconds for progress in seen] == sorted(progress.seconds for progress in seen)


def test_a_stage_that_has_ended_is_not_trained_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path))
    monkeypatch.setattr(trainer, "SAVE_SHARE", 1.0)
    one = Trainer(checkpoint=Checkpoint("two"))
    expected = [one.fit(stage()), one.fit(stage(0.01))]
    again = Trainer(checkpoint=Checkpoint("two"))
    monkeypatch.setattr(keras.Model, "fit", lambda *_, **__: pytest.fail("it trained again"))
    for fit, rate in zip(expected, (0.1, 0.01), strict=True):
        np.testing.assert_array_equal(weights(again.fit(stage(rate)).network), weights(fit.network))


def test_a_checkpoint_of_another_network_or_a_damaged_one_is_ignored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path))
    Trainer(checkpoint=Checkpoint("three")).fit(noisy())
    expected = Trainer().fit(stage()).epochs
    assert Trainer(checkpoint=Checkpoint("three")).fit(stage()).epochs == expected
    (tmp_path / "runs" / "three" / "stage-1").write_bytes(b"PK damaged")
    assert Trainer(checkpoint=Checkpoint("three")).fit(stage()).epochs == expected
    Checkpoint("three").forget()
    assert not list((tmp_path / "runs").iterdir())
