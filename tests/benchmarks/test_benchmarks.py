"""The benchmarks' arithmetic on clocks that we set by hand, and that each script starts. Nothing is timed here."""

from __future__ import annotations

import importlib
import io
import json
import math
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import lstm_core
from benchmarks import lessons, seeds, texts, timing, training
from lstm_core.library.card import ModelCard
from lstm_core.text.encoder import TOKENIZERS
from lstm_core.training.lessons import presets

SCRIPTS = ("reading", "generation", "tracing.__main__", "startup", "page", "opening")


class FakeClock:
    """A clock that stands still until somebody spends time."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now

    def spend(self, seconds: float) -> None:
        self.now += seconds


def script(name: str):
    if name in ("startup", "page", "opening"):
        pytest.importorskip("playwright")
    return importlib.import_module(f"benchmarks.{name}")


@pytest.mark.parametrize("name", SCRIPTS)
def test_options(name: str):
    options = script(name).parser().parse_args(["--repeats", "3", "--json"])
    assert options.repeats == 3
    assert options.json


@pytest.mark.parametrize("name", SCRIPTS)
@pytest.mark.parametrize("repeats", ["0", "-1", "some"])
def test_repeats_must_be_a_number_above_zero(name: str, repeats: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit, match="2"):
        script(name).parser().parse_args(["--repeats", repeats])
    assert "--repeats" in capsys.readouterr().err


def test_reading_reads_ours_unless_told_otherwise():
    parser = script("reading").parser()
    assert parser.parse_args([]).model == "stackoverflow"
    assert parser.parse_args(["--model", "other"]).model == "other"


@pytest.fixture
def tiny_writer(monkeypatch: pytest.MonkeyPatch):
    """The generation benchmark with small networks in place of all of its own, and an empty shelf."""
    generation = script("generation")
    monkeypatch.setattr(lstm_core, "list_models", list)
    small = {"shakespeare": {"units": (6, 5), "width": 3}, "macbeth_article": {"units": (4, 4), "window": 7}}
    for name, sizes in small.items():
        monkeypatch.setitem(generation.RECIPES, name, replace(generation.RECIPES[name], **sizes))
    return generation


def test_generation_takes_macbeth_then_shakespeare_then_random_weights(tiny_writer, monkeypatch: pytest.MonkeyPatch):
    known = {"macbeth": tiny_writer.fresh(5), "shakespeare": tiny_writer.fresh(6)}
    monkeypatch.setattr(lstm_core, "load", known.__getitem__)
    monkeypatch.setattr(
        lstm_core, "list_models", lambda: [replace(model.card, name=name) for name, model in known.items()]
    )
    assert tiny_writer.ours(None) is known["macbeth"]
    assert tiny_writer.ours("shakespeare") is known["shakespeare"]
    assert tiny_writer.ours("random").card.name == "random"
    del known["macbeth"]
    assert tiny_writer.ours(None) is known["shakespeare"]
    known.clear()
    assert tiny_writer.ours(None).card.name == "random"


def test_tracing_has_all_peers_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    tracing = script("tracing.__main__")
    for name, size in (("STEPS", 12), ("UNITS", 3)):
        monkeypatch.setattr(tracing, name, size)
    assert tracing.main(["--repeats", "1", "--sequences", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert [row["aim"] for row in result["comparisons"]] == [1.2, 1.2, None, None]
    assert 0 < result["html_bytes"] < 3_000_000


def test_generation_refuses_what_carries_no_state(capsys: pytest.CaptureFixture[str]):
    assert script("generation").main(["--model", "stackoverflow_article"]) == 2
    assert "carries no state" in capsys.readouterr().err


def test_generation_has_all_peers_write(tiny_writer, capsys: pytest.CaptureFixture[str]):
    pytest.importorskip("torch")
    assert tiny_writer.main(["--repeats", "1", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["model"], result["units"]) == ("random", "6 and 5")
    rows = result["comparisons"]
    assert [row["aim"] for row in rows] == [0.01, 1.0, 3.0]
    assert [row["peer"].split(",")[0] for row in rows] == ["Keras predict", "PyTorch", "bare matrix products"]


def test_a_measure_is_the_time_that_its_action_spends():
    clock = FakeClock()
    assert timing.timed(lambda: clock.spend(2.5), clock)() == 2.5


def test_contenders_take_turns_after_a_round_that_does_not_count():
    order: list[str] = []

    def contender(name: str) -> timing.Measure:
        def measure() -> float:
            order.append(name)
            return float(len(order))

        return measure

    times = timing.interleaved({name: contender(name) for name in "ab"}, repeats=2)
    assert order == ["a", "b"] * 3
    assert times == {"a": [3.0, 5.0], "b": [4.0, 6.0]}


def test_slow_contenders_sit_rounds_out():
    times = timing.interleaved({"a": lambda: 1.0, "slow": lambda: 9.0}, repeats=5, every={"slow": 2})
    assert times["a"] == [1.0] * 5
    assert [math.isnan(value) for value in times["slow"]] == [False, True, False, True, False]


def test_drift_cancels_in_the_ratio():
    clock = FakeClock()
    slowness = [1.0, 1.0, 4.0, 16.0, 2.0, 8.0]  # of the machine, warm-up first

    def contender(seconds: float) -> timing.Measure:
        rounds: Iterator[float] = iter(slowness)
        return timing.timed(lambda: clock.spend(seconds * next(rounds)), clock)

    times = timing.interleaved({"ours": contender(3.0), "peer": contender(2.0)}, repeats=5)
    row = timing.compare(times, "ours", "peer", aim=1.5)
    assert (row.low, row.ratio, row.high) == (1.5, 1.5, 1.5)
    assert (row.median, row.peer_median, row.rounds) == (12.0, 8.0, 5)
    assert row.met


def test_the_ratio_is_the_median_over_the_rounds_in_which_both_took_part():
    times = {"ours": [1.0, 2.0, 9.0, 4.0], "peer": [2.0, 2.0, math.nan, 1.0]}
    row = timing.compare(times, "ours", "peer")
    assert (row.low, row.ratio, row.high) == (0.75, 1.0, 2.5)  # quartiles of 0.5, 1, 4
    assert (row.median, row.peer_median, row.rounds) == (3.0, 2.0, 3)
    assert row.met is None


def test_one_round_is_enough_for_a_ratio():
    row = timing.compare({"ours": [3.0], "peer": [2.0]}, "ours", "peer", aim=1.0)
    assert (row.low, row.ratio, row.high) == (1.5, 1.5, 1.5)
    assert row.met is False


def test_the_table_names_ratio_and_aim(capsys: pytest.CaptureFixture[str]):
    rows = [
        timing.compare({"ours": [0.001], "peer": [0.25]}, "ours", "peer", aim=0.01),
        timing.compare({"ours": [3.0], "peer": [2.0]}, "ours", "peer", aim=1.0),
    ]
    timing.show("example", rows, as_json=False, model="some")
    first, _, fast, slow = capsys.readouterr().out.splitlines()
    assert first == "example, model some"
    assert fast.split("  ")[0] == "ours"
    assert "1.00 ms" in fast
    assert "0.004 (250 x faster)" in fast
    assert fast.endswith("yes")
    assert "3,000 ms" in slow
    assert slow.endswith("NO")


def test_json_is_one_object_with_seconds(capsys: pytest.CaptureFixture[str]):
    timing.show("example", [timing.compare({"a": [3.0], "b": [2.0]}, "a", "b", aim=2.0)], as_json=True, model="some")
    result = json.loads(capsys.readouterr().out)
    assert (result["benchmark"], result["model"]) == ("example", "some")
    (row,) = result["comparisons"]
    assert (row["what"], row["peer"], row["median"], row["ratio"]) == ("a", "b", 3.0, 1.5)
    assert (row["aim"], row["met"], row["rounds"]) == (2.0, True, 1)


@pytest.mark.parametrize("tokenizer", sorted(TOKENIZERS))
@pytest.mark.parametrize("count", [1, 14, 100, 400, 1000])
def test_texts_have_so_many_tokens(tokenizer: str, count: int):
    assert len(list(TOKENIZERS[tokenizer](texts.of_tokens(count, tokenizer)))) == count


def test_seeds_are_summed_up_and_written_into_the_card(folder: Path) -> None:
    card = ModelCard.read(folder)
    curves = {"validation_accuracy": [0.5, 0.9], "validation_loss": [1.0, 0.3]}
    runs = [seeds.figures_of(replace(card, training={"curves": curves, "kept_epoch": kept}), kept) for kept in (1, 2)]
    figures = seeds.summary(runs)
    assert figures["mean"] == pytest.approx(0.7)
    assert figures["deviation"] == pytest.approx(0.4 / 2**0.5, abs=1e-5)
    seeds.update_card(folder, figures)
    kept_card = ModelCard.read(folder)
    assert kept_card.training["seeds"]["runs"][1] == {"seed": 2, "accuracy": 0.9, "loss": 0.3}
    assert kept_card.measured == card.measured
    unread = replace(card, training={"curves": {"validation_loss": [4.0, 5.0]}, "kept_epoch": 1})
    runs = [seeds.figures_of(unread, 7), {"seed": 8, "loss": 6.0}]
    assert seeds.summary(runs) == {"runs": [{"seed": 7, "loss": 4.0}, runs[1]], "mean": 5.0, "deviation": 1.41421}


SMALL = training.Spec("small", steps=5, units=(3, 4), batch=6, width=4, vocabulary=9)


@pytest.mark.parametrize("contender", [training.OURS, training.KERAS, training.TORCH_KEPT])
@pytest.mark.parametrize("change", [{}, {"every": True}, {"masked": True}, {"width": 0}])
def test_every_contender_trains_every_kind_of_network(
    contender: str, change: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if contender == training.TORCH_KEPT:
        pytest.importorskip("torch")
    monkeypatch.setattr(training.keras_backend, "keep_memory", lambda: None)  # it's for the whole process
    monkeypatch.setitem(training.SPECS, "small", replace(SMALL, **change))
    monkeypatch.setattr("sys.stdin", io.StringIO("2\n1\n"))
    training.serve(contender, "small")
    assert all(float(line) > 0 for line in capsys.readouterr().out.splitlines())


def test_a_row_of_the_training_table_has_speeds_and_ratios() -> None:
    times = {
        training.OURS: [1.0, 2.0],
        training.KERAS_JAX: [2.0, 4.0],
        training.KERAS: [4.0, 8.0],
        training.TORCH: [1.0, 1.0],
        training.TORCH_KEPT: [0.5, 0.5],
    }
    found = training.row(SMALL, times)
    assert found["samples_per_second"][training.OURS] == pytest.approx(1 / 1.5)
    peers = {training.KERAS_JAX: 2, training.KERAS: 4, training.TORCH: 2 / 3, training.TORCH_KEPT: 1 / 3}
    assert found["times_as_fast_as"] == pytest.approx(peers)
    printed = training.table([found]).splitlines()
    assert len({len(line) for line in printed}) == 1
    assert "3+4" in printed[1]


def test_a_contender_is_asked_in_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    code = "import sys\nfor line in sys.stdin: print(int(line) * 0.5, flush=True)"
    start = subprocess.Popen
    monkeypatch.setattr(subprocess, "Popen", lambda command, **how: start([sys.executable, "-c", code], **how))
    contender = training.Contender(training.KERAS, SMALL, seconds=3.0, threads=1)
    assert contender.measure() == pytest.approx(0.5 / SMALL.batch)
    contender.end()


def test_an_unknown_network_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert training.main(["nothing"]) == 2
    assert capsys.readouterr().err.startswith("There is no network 'nothing'; there are tags, article")


def test_a_lesson_is_measured_and_kept_beside_the_others(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(lessons, "MEASURED", tmp_path / "lessons.json")
    monkeypatch.setattr(presets, "MEASURED", tmp_path / "lessons.json")
    figures = {"validation_loss": 0.5, "seconds": 8.0, "wall_seconds": 9.0, "parameters": 1234}
    monkeypatch.setattr(lessons, "in_a_process", lambda name: figures)
    presets.measured_lessons.cache_clear()
    for name in ("tags_15s", "negation_15s"):
        assert lessons.main([name]) == 0
        assert "1,234 parameters  loss 0.500" in capsys.readouterr().out
    presets.measured_lessons.cache_clear()
    assert list(presets.measured_lessons()) == ["negation_15s", "tags_15s"]  # in the order of the lessons
    presets.measured_lessons.cache_clear()
