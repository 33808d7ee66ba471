"""The table of what visitors need, from figures that can be reckoned by hand."""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from pathlib import Path

import psutil
import pytest

from benchmarks import crowd
from benchmarks.capacity import __main__ as capacity
from benchmarks.capacity.__main__ import Group, Measured, measured_from, plan

FIGURES = Measured(
    visitors=100, rate=0.1, web=0.05, proxy=0.001, most=1.0, received=100_000, base=200, each=2, database=0.001
)
ROW = {"replicas": 1, "lost": 0, "cpu_ms": 50.0, "proxy_ms": 1.0, "bytes": 9, "mib_before": 300, "mib_crowded": 500}


def test_a_thousand_visitors() -> None:
    found = plan(FIGURES, 1000)
    assert found["replicas"] == 10
    assert found["web cores"] == 10  # 100 answers a second, 5 s of work, and a replica is half busy with its visitors
    assert found["proxy cores"] == pytest.approx(0.1)
    assert found["GiB"] == pytest.approx((10 * 200 + 1000 * 2) / 1024)
    assert found["Mbit/s"] == pytest.approx(80)
    assert found["workers"] == 5
    assert found["at its limit"] == "one replica (1000%)"


def test_few_visitors_have_two_replicas_and_the_tightest_part_is_named() -> None:
    found = plan(FIGURES, 50)
    assert (found["replicas"], found["workers"]) == (2, 2)
    assert found["at its limit"] == "one replica (50%)"
    assert "network" in plan(FIGURES, 200_000)["at its limit"]


def test_the_largest_crowd_that_is_served_in_time_counts() -> None:
    rows = [
        ROW | {"visitors": 50, "p95": 0.1, "per_second": 5.0},
        ROW | {"visitors": 100, "p95": 0.9, "per_second": 10.0},
        ROW | {"visitors": 200, "p95": 3.0, "per_second": 24.0},
    ]
    found = measured_from(rows, idle=250.0, database=0.001)
    assert (found.visitors, found.rate, found.each) == (100, 0.1, 2.0)
    assert found.most == pytest.approx(1.2)  # of the crowd that it can't serve in time
    with pytest.raises(SystemExit, match="fewer"):
        measured_from(rows[2:], 250.0, 0.001)


def test_processes_are_added_up() -> None:
    own = psutil.Process()
    assert sum(Group([own, own]).cpu_times()) >= 2 * sum(own.cpu_times()[:2]) * 0.9
    assert Group([own, own]).memory_info().rss > own.memory_info().rss


def test_each_minute_is_in_the_log_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity, "EVERY", 0.01)
    own, tally = Group([psutil.Process()]), crowd.Tally(seconds=[0.5, 1.5], lost=1)
    options = argparse.Namespace(minutes=1.0, log=str(tmp_path / "log"))
    with capacity.sampled(lambda: capacity.look(own, own, tally), options) as found:
        deadline = time.monotonic() + 20
        while not (tmp_path / "log").exists() or not (lines := (tmp_path / "log").read_text().splitlines()):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        first = json.loads(lines[0])
    assert first == found[0]
    assert (first["answers"], first["lost"], first["median"]) == (2, 1, 1.0)
    assert first["web_mib"] > 10


@pytest.mark.parametrize("again", [True, False])
def test_who_is_lost_comes_again_if_that_is_wanted(again: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    visits: list[int] = []

    async def visit(url: str, options: argparse.Namespace, number: int, tally: crowd.Tally) -> None:
        visits.append(number)
        if len(visits) == 3:
            options.again = False

    monkeypatch.setattr(crowd, "visit", visit)
    asyncio.run(crowd.stay("", argparse.Namespace(again=again, think=0.0), 7, crowd.Tally()))
    assert visits == [7] * (3 if again else 1)
