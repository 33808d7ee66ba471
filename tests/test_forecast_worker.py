"""Training in a process of its own: it delivers, it stops, and whatever ends it is one clear sentence."""

from __future__ import annotations

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

import lstm_core
from lstm_core import forecast_worker, series
from lstm_core.errors import LabError
from lstm_core.forecast import Forecaster
from lstm_core.forecast_worker import MOST_WORKERS, Training, recipe_for

WAVE = series.seasons(200)
QUICK = recipe_for(WAVE, epochs=2)


def over(training: Training) -> forecast_worker.State:
    """Where it stands when it has ended."""
    training._process.wait(240)
    return training.state()


@pytest.fixture
def idle(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that never gets anywhere, and starts at once."""
    code = "import sys; sys.stdin.buffer.read()"
    popen = forecast_worker.subprocess.Popen
    monkeypatch.setattr(
        forecast_worker.subprocess, "Popen", lambda command, **rest: popen([sys.executable, "-c", code], **rest)
    )


@pytest.mark.timeout(600)  # brings TensorFlow in: a minute where the machine is busy
def test_it_trains_and_leaves_a_network() -> None:
    training = Training(WAVE, QUICK)
    assert not training.state().over
    state = over(training)
    assert state.done, state.failure
    model = lstm_core.load(training.model)
    assert isinstance(model, Forecaster)
    assert model.backtest(WAVE).quantiles.shape[1] == QUICK.horizon
    assert model.settings.scalings[WAVE.name].fitted_on == (0, WAVE.parts.training)


def test_a_mistake_of_the_visitor_is_their_sentence() -> None:
    training = Training(series.seasons(12), QUICK)
    assert over(training).failure.startswith("The series is too short")


def test_stop_stops(idle: None) -> None:
    training = Training(WAVE, QUICK)
    assert not training.state().over
    training.stop()
    assert "was stopped" in over(training).failure
    training.stop()  # once more does no harm


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no such signal here")
def test_a_killed_worker_is_one_sentence(idle: None) -> None:
    training = Training(WAVE, QUICK)
    os.kill(training._process.pid, signal.SIGKILL)
    assert "ended before it was done" in over(training).failure


def test_a_worker_that_takes_too_long_is_ended(idle: None) -> None:
    training = Training(WAVE, QUICK, limit=0.2)
    assert "took too long" in over(training).failure


def test_only_so_many_at_a_time_and_places_are_given_back(idle: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forecast_worker, "_places", threading.BoundedSemaphore(MOST_WORKERS))
    running = [Training(WAVE, QUICK) for _ in range(MOST_WORKERS)]
    with pytest.raises(LabError, match="being trained at the moment"):
        Training(WAVE, QUICK)
    for training in running:
        training.stop()
        training._process.wait(60)
    for _ in range(MOST_WORKERS):  # the watch gives them back; waits for it rather than for a while
        assert forecast_worker._places.acquire(timeout=60)


def test_what_can_not_be_started_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    places = threading.BoundedSemaphore(1)
    monkeypatch.setattr(forecast_worker, "_places", places)

    def fail(*rest: object, **options: object) -> None:
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(forecast_worker.subprocess, "Popen", fail)
    with pytest.raises(LabError, match="Cannot allocate memory"):
        Training(WAVE, QUICK)
    assert places.acquire(blocking=False)


def test_the_folder_goes_with_the_training(idle: None) -> None:
    training = Training(WAVE, QUICK)
    folder = Path(training._folder.name)
    assert folder.is_dir()
    training.stop()
    training._process.wait(60)
    training._folder.cleanup()
    assert not folder.exists()


@pytest.mark.parametrize("length", [50, 60, 105, 300, 1400, 4000])
@pytest.mark.parametrize("season", [1, 7, 52, 1000])
def test_a_recipe_fits_its_series(length: int, season: int) -> None:
    from dataclasses import replace

    found = replace(series.seasons(length), season=season)
    recipe = recipe_for(found)
    parts = found.parts
    assert len(parts.training_origins(recipe.window + 1, recipe.horizon)) >= 10
    assert len(parts.validation_origins(recipe.horizon)) >= 3
    assert len(parts.test_origins(recipe.horizon)) >= 3
