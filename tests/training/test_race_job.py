"""A race in this process: it learns, repeats itself, stops, and gives weights that NumPy reads as Keras does."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from benchmarks import memory
from lstm_core import LabError
from lstm_core.memory_tasks import config, tasks
from lstm_core.memory_tasks import network as gym_networks
from lstm_core.memory_tasks.batch import Batch
from lstm_core.memory_tasks.config import PRESETS, RACE_RANGES, Race
from lstm_core.memory_tasks.network import GymNetwork
from lstm_core.nn.weights import CellWeights
from lstm_core.training import race_job
from lstm_core.training.trainer import Trainer

TINY: dict[str, Any] = {"task": "copy", "length": 1, "units": 8, "rate": 0.03, "steps": 50, "keep_bias": 1.0}


def raced(**changes: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    told: list[dict[str, Any]] = []
    return race_job.work(TINY | changes, told.append, lambda: False), told


@pytest.fixture(scope="module")
def tiny() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    return raced()


@pytest.fixture
def one_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    """Races of the LSTM alone, which are built in a third of the time."""
    monkeypatch.setattr(race_job, "KINDS", ("lstm",))


class TestRace:
    def test_it_learns_and_tells_on_the_way(self, tiny: tuple[dict[str, Any], list[dict[str, Any]]]) -> None:
        result, told = tiny
        for kind in race_job.KINDS:
            cell = result["cells"][kind]
            assert len(cell["score"]) == len(cell["error"]) == cell["steps"] // race_job.ROUND
            assert cell["error"][-1] < np.log(2)  # better than a coin
            assert cell["seconds"] > 0
        assert result["ended"] in ("all", "steps")
        assert told[0]["cells"] == {}
        assert [event["turn"] for event in told[:4]] == ["rnn", "rnn", "gru", "lstm"]
        assert told[0]["race"] == config.race_from_arguments(TINY).arguments
        json.dumps(told)  # plain values only

    def test_the_same_seed_runs_the_same_race(
        self, tiny: tuple[dict[str, Any], list[dict[str, Any]]], one_cell: None
    ) -> None:
        wanted = tiny[0]["cells"]["lstm"]["error"]
        assert raced()[0]["cells"]["lstm"]["error"] == pytest.approx(wanted, abs=1e-5)
        assert raced(seed=2, steps=25)[0]["cells"]["lstm"]["error"] != pytest.approx(wanted[:1], abs=1e-5)

    def test_the_weights_that_come_back_have_the_score_that_was_told(
        self, tiny: tuple[dict[str, Any], list[dict[str, Any]]]
    ) -> None:
        race = config.race_from_arguments(TINY)
        batch = race_job.validation_of(race)
        for kind, network in gym_networks.networks_from_weights(tiny[0]["weights"]).items():
            score, error = gym_networks.measure_network(race.of, network, batch)
            assert score == pytest.approx(tiny[0]["cells"][kind]["score"][-1], abs=1e-4)
            assert error == pytest.approx(tiny[0]["cells"][kind]["error"][-1], abs=1e-4)

    def test_stop_ends_it_between_two_turns_and_keeps_what_there_is(self, monkeypatch: pytest.MonkeyPatch) -> None:
        turns: list[tuple[float, float]] = []
        monkeypatch.setattr(race_job, "measure_network", lambda *about: turns.append((0.0, 1.0)) or turns[-1])
        result = race_job.work(TINY | {"steps": 4000}, lambda event: None, lambda: len(turns) == 4)
        assert result["ended"] == "stopped"
        assert [len(result["cells"][kind]["score"]) for kind in race_job.KINDS] == [2, 1, 1]
        assert set(result["weights"]) == set(race_job.KINDS)

    def test_stopped_before_it_began_there_are_weights_and_no_score(self, one_cell: None) -> None:
        result = race_job.work(TINY, lambda event: None, lambda: True)
        assert result["ended"] == "stopped"
        assert result["cells"]["lstm"]["score"] == []
        assert gym_networks.from_bytes(result["weights"]["lstm"]).kind == "lstm"

    def test_time_up_is_an_end_too(self, monkeypatch: pytest.MonkeyPatch, one_cell: None) -> None:
        monkeypatch.setattr(race_job, "LONGEST", 0.0)
        assert raced()[0]["ended"] == "time"

    def test_a_cell_that_passes_rests(self, monkeypatch: pytest.MonkeyPatch, one_cell: None) -> None:
        monkeypatch.setattr(race_job, "measure_network", lambda task, network, batch: (1.0, 0.1))
        result, _ = raced(steps=1000)
        assert (result["ended"], result["cells"]["lstm"]["passed"]) == ("all", race_job.ROUND)

    def test_weights_beyond_all_numbers_end_a_cells_race(self, monkeypatch: pytest.MonkeyPatch, one_cell: None) -> None:
        monkeypatch.setattr(race_job, "measure_network", lambda task, network, batch: (0.0, float("nan")))
        result, _ = raced()
        assert result["cells"]["lstm"]["diverged"]
        assert result["cells"]["lstm"]["error"] == [-1.0]

    @pytest.mark.parametrize("name", ["adding", "order", "counting", "noise"])
    def test_every_loss_can_be_raced(self, name: str, one_cell: None) -> None:
        result, _ = raced(task=name, length=tasks.TASKS[name].lengths[0], units=3, steps=25)
        assert len(result["cells"]["lstm"]["score"]) == 1


class TestNetworks:
    @pytest.mark.parametrize("kind", race_job.KINDS)
    @pytest.mark.parametrize("name", ["adding", "reber"])
    def test_numpy_answers_as_keras_does(self, kind: Any, name: str) -> None:
        race = Race(name, 12, 5, 3, 2.0, 0.01, 25)
        batch = race.of.batch(12, 6, 1)
        runner = race_job.Runner(race, kind, race_job.block_of(race, 0), Trainer())
        network = gym_networks.from_bytes(runner.network().to_bytes())
        _, sums = network.read(batch.x)
        expected = np.asarray(runner.model(batch.x))
        np.testing.assert_allclose(sums if race.of.every_step else sums[:, -1], expected, atol=1e-5)
        assert network.parameters == runner.model.count_params()

    def test_the_gate_that_keeps_begins_open(self) -> None:
        race = Race("adding", 12, 5, 3, 2.5, 0.01, 25)
        first = race_job.block_of(race, 0)
        network = {kind: race_job.Runner(race, kind, first, Trainer()).network() for kind in race_job.KINDS}
        trace, _ = network["lstm"].read(np.zeros((1, 1, 2), np.float32))
        assert trace.f == pytest.approx(1 / (1 + np.exp(-2.5)), abs=1e-5)
        assert trace.i == pytest.approx(0.5)
        trace, _ = network["gru"].read(np.zeros((1, 1, 2), np.float32))
        assert trace.z == pytest.approx(1 / (1 + np.exp(-2.5)), abs=1e-5)

    def test_without_a_forget_gate_f_is_one_before_and_after_training(self, one_cell: None) -> None:
        result, _ = raced(task="reber_stream", length=14, units=4, steps=25, forget_gate=False)
        network = gym_networks.networks_from_weights(result["weights"])["lstm"]
        trace, _ = network.read(tasks.TASKS["reber_stream"].batch(14, 3, 1).x)
        assert (trace.f == 1).all()
        units = network.cell.units
        assert not network.cell.kernel[:, units : 2 * units].any()
        assert network.cell.kernel[:, :units].any()

    @pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"nonsense" * 50])
    def test_damaged_weights_are_one_sentence(self, data: bytes) -> None:
        with pytest.raises(LabError, match="missing or damaged"):
            gym_networks.from_bytes(data)


def counter(units: int = 3, noise: float = 0.0) -> GymNetwork:
    """An LSTM whose last unit counts a up and b down in its cell state, by hand; the others see nothing."""
    kernel = np.zeros((4, 4 * units), np.float32)
    bias = np.zeros(4 * units, np.float32)
    i, f, g, o = (gate * units + units - 1 for gate in range(4))
    bias[[i, f, o]] = 30, 30, 30  # open
    kernel[1, g], kernel[2, g] = 20, -20  # a, b
    bias[:units] += noise
    cell = CellWeights("lstm", "lstm", kernel, np.zeros((units, 4 * units), np.float32), bias, np.zeros_like(bias))
    return GymNetwork(cell, np.zeros((units, 3), np.float32), np.zeros(3, np.float32))


class TestCarrier:
    def test_it_finds_the_unit_that_counts(self) -> None:
        task = tasks.TASKS["counting"]
        found = gym_networks.carrier_unit(counter(), task.batch(8, 50, 1), task.batch(8, 50, 2))
        assert found.unit == 2
        assert found.measured == pytest.approx(1, abs=1e-4)
        assert found.all.tolist() == pytest.approx([0, 0, 1], abs=1e-4)

    def test_it_is_judged_on_other_sequences(self) -> None:
        task = tasks.TASKS["counting"]
        chosen, judged = task.batch(8, 50, 1), task.batch(8, 50, 2)
        shuffled = np.random.default_rng(0).permuted(judged.memory, axis=1)
        wrong = Batch(**{**vars(judged), "memory": shuffled})
        found = gym_networks.carrier_unit(counter(), chosen, wrong)
        assert found.chosen == pytest.approx(1, abs=1e-4)
        assert abs(found.measured) < 0.5

    def test_how_far_it_counts(self) -> None:
        network, task = counter(), tasks.TASKS["counting"]
        network.readout[2] = [20, 20, -20]  # something is missing: a or b, not T
        network.readout_bias[:] = [-5, -5, 5]
        right = gym_networks.counts_to(task, network, 12)
        assert right.shape == (12,)
        assert not right.any()  # after b it goes on to say a, which is wrong


class TestSettings:
    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"task": "juggling"}, "no task 'juggling'"),
            ({"length": 999}, "takes a length from"),
            ({"length": 2.5}, "takes a length from"),
            ({"units": 1}, "units can be from 2 to 64; received 1"),
            ({"units": 3.5}, "must be a whole number; received '3.5'"),
            ({"seed": -1}, "seed can be from 0"),
            ({"steps": 100_000}, "batches can be from 25 to 4000"),
            ({"steps": True}, "must be a whole number"),
            ({"keep_bias": "open"}, "forget-gate bias must be a number; received 'open'"),
            ({"keep_bias": float("nan")}, "forget-gate bias can be from"),
            ({"rate": 0.5}, "learning rate can be 0.001, 0.003"),
            ({"forget_gate": 1}, "has a forget gate or none"),
            ({"colour": 1}, "no setting 'colour'"),
        ],
    )
    def test_what_can_not_be_raced_is_one_sentence(self, changes: dict[str, Any], words: str) -> None:
        with pytest.raises(LabError, match=words):
            config.race_from_arguments(TINY | changes)

    def test_presets_are_races_and_claim_something(self) -> None:
        for name, preset in PRESETS.items():
            assert config.race_from_arguments(preset.race.arguments) == preset.race
            assert bool(preset.passes or preset.fails) == (name in config.measured_races()), name
            assert not set(preset.passes) & set(preset.fails)
        assert set(tasks.TASKS) <= set(PRESETS)
        assert set(RACE_RANGES) < set(vars(Race()))

    def test_a_missing_measurement_is_none(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
        assert set(config.measured_races()) <= set(PRESETS)
        monkeypatch.setattr(config, "MEASURED", tmp_path / "none.json")
        assert config.measured_races() == {}


class TestBenchmark:
    """The arithmetic of `benchmarks/memory.py` on runs made up here."""

    @staticmethod
    def run(seed: int, took: float = 10.0, **passed: int | None) -> dict[str, Any]:
        cells = {
            kind: {"passed": passed.get(kind), "seconds": 2.0 * seed, "score": 0.9 if passed.get(kind) else 0.2}
            for kind in race_job.KINDS
        }
        return {"seed": seed, "took": took, "baseline": 0.15, "cells": cells}

    def test_a_claim_holds_in_most_seeds(self) -> None:
        preset = PRESETS["adding"]  # gru and lstm pass, the plain RNN doesn't
        runs = [self.run(1, lstm=100, gru=50), self.run(2, lstm=300, gru=50), self.run(3)]
        found = memory.summary(preset, runs, batch=32)
        assert found["holds"]
        assert found["cells"]["lstm"] == {"passed": 2, "sequences": 6400, "seconds": 3.0, "score": 0.9}
        assert found["cells"]["rnn"] == {"passed": 0, "sequences": None, "seconds": None, "score": 0.2}
        assert not memory.summary(preset, [*runs, self.run(4)], batch=32)["holds"]  # two of four is not most
        assert not memory.summary(preset, [self.run(1, lstm=1, gru=1, rnn=1)], batch=32)["holds"]
        assert not memory.summary(preset, [self.run(1, took=121, lstm=1, gru=1)], batch=32)["holds"]

    def test_the_table_has_a_row_a_cell(self) -> None:
        found = {"adding": memory.summary(PRESETS["adding"], [self.run(1, lstm=100, gru=50)], batch=32)}
        rows = memory.table(found).splitlines()
        assert len(rows) == 5
        assert rows[-1] == "|  | LSTM | 1 of 1 | 3,200 | 2.0 | 90.0% | 15.0% | 99% |"
        assert "Adding, 50 steps: passed by the GRU and the LSTM, not passed by the plain RNN. Holds." in memory.page(
            found
        )

    def test_the_committed_table_is_of_the_committed_figures(self) -> None:
        assert memory.table(config.measured_races()) in memory.TABLE.read_text(encoding="utf-8")
