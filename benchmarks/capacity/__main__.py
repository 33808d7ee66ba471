"""How many visitors one and two replicas serve behind nginx, and what 50 to 50,000 visitors need.

The replicas run behind the proxy's configuration of `deploy/`, and `benchmarks.crowd`'s visitors come. Everything
shares the cores of this machine, so two replicas aren't twice as fast here; what they would be on cores of their own
follows from the processor time of an answer. The table is computed from the measured figures, and from the assumptions
that stand below. Run it from the root: `python -m benchmarks.capacity`.

With `--minutes` it looks at memory instead: each minute is a line of JSON in `--log`, written at once, visitors who are
lost come again, and no table is made, so that a machine that does other work as well only makes it slower.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import math
import os
import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from types import SimpleNamespace
from typing import Any

import psutil

from benchmarks import crowd, timing
from benchmarks.browser import server
from deploy.local_proxy import nginx

PATIENT_FOR_HOURS = 120.0  # seconds after which an answer is lost, where memory is looked at
EVERY = 60.0  # seconds between two looks at memory
LEAVE = 240.0  # seconds after which the server has forgotten who has left
TABLE = (50, 500, 5_000, 50_000)  # visitors
PATIENT = 1.0  # seconds that 95% of the answers may take
# Assumptions of the table: who trains, and what one machine and one network card have.
TRAINING = 0.05 * 60 / 600  # of the visitors at any time: one in twenty trains a lesson of a minute every ten minutes
MACHINE_CORES, MACHINE_GIB, NETWORK = 16, 64, 10_000  # the last in megabits a second
WATCHES = 4 + 1 / 1.5  # questions of a replica with a class to the database each second (`ui/classroom/hub.py`)


class Group:
    """Several processes as if they were one, for `crowd.crowd`."""

    def __init__(self, processes: Sequence[psutil.Process]) -> None:
        self.processes = processes

    def memory_info(self) -> SimpleNamespace:
        """Resident bytes of all of them."""
        return SimpleNamespace(rss=sum(each.memory_info().rss for each in self.processes))

    def cpu_times(self) -> tuple[float, float]:
        """Seconds in the programs and in the system."""
        return tuple(map(sum, zip(*(each.cpu_times()[:2] for each in self.processes), strict=True)))


@dataclass(frozen=True)
class Measured:
    """What the table is computed from.

    Attributes:
        visitors: whom one replica serves with 95% of the answers in `PATIENT` seconds.
        rate: answers a second of each visitor.
        web: seconds of processor time of an answer, in the replica.
        proxy: the same, in nginx.
        most: cores that one replica keeps busy when it can't keep up.
        received: bytes of an answer.
        base: MiB of a replica without visitors.
        each: MiB for each visitor.
        database: seconds of a question to the database.
    """

    visitors: float
    rate: float
    web: float
    proxy: float
    most: float
    received: float
    base: float
    each: float
    database: float


def plan(measured: Measured, visitors: int) -> dict[str, Any]:
    """What so many visitors need, and which parts are too small if there is one of each, the tightest first."""
    answers = visitors * measured.rate  # a second
    replicas = max(2, math.ceil(visitors / measured.visitors))  # two, so that one may end
    busy = measured.visitors * measured.rate * measured.web / measured.most  # of a replica's cores, with its visitors
    cores = answers * measured.web / busy
    needs = {
        "web cores": math.ceil(max(cores, replicas * measured.most)),
        "proxy cores": answers * measured.proxy,
        "GiB": (replicas * measured.base + visitors * measured.each) / 1024,
        "replicas": replicas,
        "workers": max(2, math.ceil(visitors * TRAINING)),
        "Mbit/s": answers * measured.received * 8 / 1e6,
    }
    limits = {
        "one replica": visitors / measured.visitors,
        f"one machine of {MACHINE_CORES} cores": (needs["web cores"] + needs["workers"]) / MACHINE_CORES,
        f"one machine of {MACHINE_GIB} GiB": needs["GiB"] / MACHINE_GIB,
        "one proxy process": needs["proxy cores"],
        f"a network of {NETWORK:,} Mbit/s": needs["Mbit/s"] / NETWORK,
        "one database process": replicas * WATCHES * measured.database,
    }
    reached = sorted(((share, name) for name, share in limits.items()), reverse=True)
    tight = [each for each in reached if each[0] > 1] or reached[:1]
    needs["at its limit"] = ", ".join(f"{name} ({share:.0%})" for share, name in tight)
    return {"visitors": visitors, **needs}


def measured_from(rows: Sequence[dict[str, Any]], idle: float, database: float) -> Measured:
    """The figures of the runs of one replica.

    Args:
        rows: of `serve`.
        idle: MiB of a replica that has drawn its pages once.
        database: seconds of a question.
    """
    alone = [row for row in rows if row["replicas"] == 1]
    good = [row for row in alone if row["p95"] <= PATIENT and not row["lost"]]
    if not good:
        raise SystemExit(f"No run kept 95% of the answers below {PATIENT:.0f} s; measure fewer visitors.")
    best, fullest = (max(runs, key=lambda row: row["visitors"]) for runs in (good, alone))
    return Measured(
        visitors=best["visitors"],
        rate=best["per_second"] / best["visitors"],
        web=best["cpu_ms"] / 1000,
        proxy=best["proxy_ms"] / 1000,
        most=max(1.0, fullest["per_second"] * fullest["cpu_ms"] / 1000),
        received=best["bytes"],
        base=idle,
        each=max(0.0, best["mib_crowded"] - best["mib_before"]) / best["visitors"],
        database=database,
    )


def serve(replicas: int, crowds: Sequence[int], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Run so many replicas behind the proxy; a row for each crowd."""
    with ExitStack() as stack:
        apps = [stack.enter_context(server("run", "app.py")) for _ in range(replicas)]
        proxy = stack.enter_context(nginx([each.url.removeprefix("http://") for each in apps]))
        time.sleep(crowd.IMPORTED)
        for each in apps:
            asyncio.run(crowd.costs(each.url, each.process, options.page, 3))  # its models are loaded
        web, front = Group([each.process for each in apps]), psutil.Process(proxy.process.pid)
        nginxes = Group([front, *front.children()])
        idle = web.memory_info().rss / replicas / 2**20
        for visitors in crowds:
            own = argparse.Namespace(**vars(options) | {"visitors": visitors})
            before, tally = crowd.used(nginxes), crowd.Tally()
            with sampled(partial(look, web, nginxes, tally), options) as over_time:
                row = asyncio.run(crowd.crowd(proxy.url, own, web, tally))
            row["proxy_ms"] = 1000 * (crowd.used(nginxes) - before) / max(row["answers"], 1)  # its visitors' pages, too
            yield {"replicas": replicas, **row, "idle_mib": idle, **({"each_minute": over_time} if over_time else {})}


def look(web: Group, nginxes: Group, tally: crowd.Tally) -> dict[str, float]:
    """MiB and seconds of processor time of the replicas and of the proxy, and what the visitors have seen by now."""
    return {
        "web_mib": web.memory_info().rss >> 20,
        "proxy_mib": nginxes.memory_info().rss >> 20,
        "web_cpu": round(sum(web.cpu_times()), 1),
        "answers": len(tally.seconds),
        "lost": tally.lost,
        "median": round(statistics.median(tally.seconds[-100:] or [0.0]), 3),
    }


@contextmanager
def sampled(figures: Callable[[], dict[str, float]], options: argparse.Namespace) -> Iterator[list[dict[str, float]]]:
    """Take figures every `EVERY` seconds within the block, if it lasts for minutes, and add each to the log at once."""
    found: list[dict[str, float]] = []
    over, began = threading.Event(), time.monotonic()

    def sample() -> None:
        while not over.wait(EVERY):
            found.append({"minute": round((time.monotonic() - began) / 60, 2), **figures()})
            if options.log:
                with open(options.log, "a", encoding="utf-8") as log:
                    log.write(json.dumps(found[-1]) + "\n")

    thread = threading.Thread(target=sample, daemon=True)
    if options.minutes:
        thread.start()
    try:
        yield found
    finally:
        over.set()


def question(repeats: int = 200) -> float:
    """The median seconds in which the database of LSTM_LAB_DATABASE says that a class has no news."""
    from lstm_core import classroom

    code, _ = classroom.start("lecturer of the benchmark")
    try:
        return statistics.median(timing.timed(lambda: classroom.news([code]))() for _ in range(repeats))
    finally:
        classroom.end(code, "lecturer of the benchmark")


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = timing.parser(__doc__, repeats=1)
    options.add_argument(
        "--one", type=timing.positive, nargs="+", default=[50, 100, 200], help="visitors of one replica"
    )
    options.add_argument("--two", type=timing.positive, nargs="*", default=[100, 200], help="visitors of two replicas")
    options.add_argument("--seconds", type=float, default=15.0, help="how long each crowd is measured")
    options.add_argument("--minutes", type=float, default=0.0, help="how long instead, for the memory of each minute")
    options.add_argument("--log", default="", help="a file to which each minute is added as a line of JSON")
    options.set_defaults(page="question_tags", think=8.0, ramp=8.0, leave=2.0, slide=False, disturb="", shared=False)
    options.set_defaults(again=False)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    if options.minutes:
        crowd.PATIENCE, options.again = PATIENT_FOR_HOURS, True
        options.seconds, options.leave = 60 * options.minutes, min(LEAVE, 6 * options.minutes)
    os.environ["LSTM_LAB_PLACES"] = os.environ.get("LSTM_LAB_PLACES", "1")  # a replica has a core of its own
    rows = []
    for replicas, crowds in ((1, options.one), (2, options.two)):
        for row in serve(replicas, crowds, options) if crowds else ():
            rows.append(row)
            if not options.json:
                print("  ".join(f"{name} {crowd._short(value)}" for name, value in row.items()), flush=True)
    if options.minutes:
        if options.json:
            print(json.dumps({"benchmark": "capacity", "rows": rows}))
        return 0
    found = measured_from(rows, rows[0]["idle_mib"], question())
    plans = [plan(found, visitors) for visitors in TABLE]
    two = [row for row in rows if row["replicas"] == 2]
    ratio = 2 * found.web * 1000 / two[0]["cpu_ms"] if two else None
    if options.json:
        about = {"measured": asdict(found), "two_to_one_on_own_cores": ratio}
        print(json.dumps({"benchmark": "capacity", "rows": rows, **about, "plans": plans}))
        return 0
    print("  ".join(f"{name} {value:.3g}" for name, value in asdict(found).items()))
    print(f"two replicas on cores of their own serve {ratio:.2f} times as many, by processor time" if ratio else "")
    for each in plans:
        print("  ".join(f"{name} {crowd._short(value)}" for name, value in each.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
