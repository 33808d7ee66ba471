"""Interleaved measurements, with medians and ratios between peers.

A machine slows down and recovers while a benchmark runs. So the contenders take turns, A B A B …,
each round gives one ratio, and the median of those ratios is what counts. Knows nothing of what
is being measured.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

Measure = Callable[[], float]  # runs once and returns the seconds that it took


@dataclass(frozen=True)
class Comparison:
    """A comparison with a peer; times in seconds.

    Attributes:
        what: the thing.
        median: of its times.
        peer: what it is compared with.
        peer_median: of the peer's times.
        ratio: the median over the rounds of time / peer's time; below 1 is faster than the peer.
        low: the lower quartile of the ratios.
        high: the upper quartile.
        rounds: in how many rounds both took part.
        aim: the largest ratio that is good enough; None where there is no aim.
    """

    what: str
    median: float
    peer: str
    peer_median: float
    ratio: float
    low: float
    high: float
    rounds: int
    aim: float | None = None

    @property
    def met(self) -> bool | None:
        """Whether the aim is met; None where there is none."""
        return None if self.aim is None else self.ratio <= self.aim


def timed(action: Callable[[], Any], clock: Callable[[], float] = time.perf_counter) -> Measure:
    """A measure of one call of `action`."""

    def measure() -> float:
        start = clock()
        action()
        return clock() - start

    return measure


def interleaved(
    measures: Mapping[str, Measure], repeats: int, every: Mapping[str, int] | None = None
) -> dict[str, list[float]]:
    """Measure the contenders in turns, after a warm-up round.

    Args:
        measures: name → measure, in the order in which they run within a round.
        repeats: how many rounds.
        every: names of slow contenders → how seldom they run: 5 is the first, sixth … round.

    Returns:
        name → one time a round, seconds; NaN where it sat the round out.
    """
    every = every or {}
    for measure in measures.values():
        measure()
    times: dict[str, list[float]] = {name: [] for name in measures}
    for turn in range(repeats):
        for name, measure in measures.items():
            times[name].append(math.nan if turn % every.get(name, 1) else measure())
    return times


def compare(times: Mapping[str, Sequence[float]], what: str, peer: str, aim: float | None = None) -> Comparison:
    """Compare two contenders of `interleaved` by the ratios of each round."""
    pairs = zip(times[what], times[peer], strict=True)
    ratios = [own / other for own, other in pairs if not (math.isnan(own) or math.isnan(other))]
    low, ratio, high = statistics.quantiles(ratios, n=4, method="inclusive") if len(ratios) > 1 else ratios * 3
    return Comparison(
        what=what,
        median=_median(times[what]),
        peer=peer,
        peer_median=_median(times[peer]),
        ratio=ratio,
        low=low,
        high=high,
        rounds=len(ratios),
        aim=aim,
    )


def _median(times: Sequence[float]) -> float:
    return statistics.median(value for value in times if not math.isnan(value))


def parser(description: str | None, repeats: int) -> argparse.ArgumentParser:
    """The options that every benchmark has; `description` is its docstring, `repeats` its default."""
    options = argparse.ArgumentParser(description=(description or "").splitlines()[0])
    options.add_argument("--repeats", type=positive, default=repeats, help="rounds that count (default %(default)s)")
    options.add_argument("--json", action="store_true", help="print one JSON object and no table")
    return options


def positive(text: str) -> int:
    """A whole number above zero, for argparse."""
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; received {number}")
    return number


def show(name: str, comparisons: Sequence[Comparison], *, as_json: bool, **about: str | int) -> None:
    """Print a benchmark's result: a table, or one JSON object with times in seconds.

    Args:
        name: of the benchmark.
        comparisons: the rows.
        as_json: which of the two.
        about: what else a reader must know, such as the model.
    """
    if as_json:
        rows = [{**asdict(row), "met": row.met} for row in comparisons]
        print(json.dumps({"benchmark": name, **about, "comparisons": rows}))
        return
    print(", ".join([name, *(f"{key} {value}" for key, value in about.items())]))
    heads = ("what", "median", "against", "median", "ratio", "quartiles", "rounds", "aim", "met")
    lines = [heads, *(_cells(row) for row in comparisons)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cells(row: Comparison) -> tuple[str, ...]:
    return (
        row.what,
        _milliseconds(row.median),
        row.peer,
        _milliseconds(row.peer_median),
        f"{row.ratio:.3g}" + (f" ({1 / row.ratio:.0f} x faster)" if row.ratio <= 0.5 else ""),
        f"{row.low:.3g}–{row.high:.3g}",
        str(row.rounds),
        "" if row.aim is None else f"≤ {row.aim:g}",
        {None: "", True: "yes", False: "NO"}[row.met],
    )


def _milliseconds(seconds: float) -> str:
    return f"{1000 * seconds:,.2f} ms" if seconds < 0.1 else f"{1000 * seconds:,.0f} ms"
