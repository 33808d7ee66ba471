"""Half an hour of mixed visitors against a server of its own: what it answers, what it keeps, and what it loses.

Visitors read texts, upload models and tables, good and bad, start and stop trainings, and close their tabs at any
moment; training workers are killed. They speak Streamlit's protocol, as those of `benchmarks/crowd.py` do. Memory is
read when nobody has been there for a while: after every page was opened once, and after the last visitor has left. Run
it from the root: `python -m benchmarks.soak`; exit status 1 if the web process has grown by more than a fifth, a run is
lost, a page failed, or a process is left once the server has ended.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psutil
from websockets.exceptions import WebSocketException

from benchmarks.browser import server
from benchmarks.crowd import PAGES, browser
from benchmarks.soak.guest import ROLES, Guest, Tally, train

MOST_GROWTH = 1.2  # of the web process's memory
STAY = 15.0, 60.0  # seconds between a visitor's arrival and departure
FORGET = 195.0  # seconds after which the server has forgotten closed tabs and unused values: two minutes, and some
BETWEEN_KILLS = 40.0  # seconds, on average
DRAIN = 180.0  # seconds in which the last runs have to end
OVER = {"finished", "stopped", "failed"}
LOST = ("The server", "The connection to the training workers was lost")  # how the messages of lost runs begin


async def come_and_go(url: str, number: int, tally: Tally, until: float) -> None:
    """Be one visitor after another, each with a cookie of its own, until the end."""
    chance = random.Random(number)
    pages, query, act = ROLES[number % len(ROLES)]
    for turn in range(10**6):
        if time.monotonic() > until:
            return
        tally.visitors += 1
        try:
            async with browser(url, 1 + number + 1000 * turn) as socket:
                guest = Guest(socket, chance.choice(pages), url, tally)
                guest.query = query
                leaves = time.monotonic() + chance.uniform(*STAY)
                if pages is PAGES:
                    with suppress(TimeoutError):
                        async with asyncio.timeout(chance.uniform(0.02, 0.5)):
                            await guest.open()
                    tally.closed += 1
                else:
                    await guest.open()
                    while time.monotonic() < min(leaves, until):
                        await act(guest, chance)
                socket.transport.abort()  # as a closed laptop does
        except (TimeoutError, OSError, WebSocketException) as error:
            tally.lost_visitors += 1
            print(f"lost a visitor of {pages[0] or 'home'}: {type(error).__name__} {error}", file=sys.stderr)
        await asyncio.sleep(chance.expovariate(1 / 3))


async def watch(process: psutil.Process, database: Path, tally: Tally) -> None:
    """Note the server's processes and the state of all runs every second, until the task is cancelled."""
    while True:
        with suppress(psutil.Error):
            for each in process.children(recursive=True):
                tally.below[each.pid] = each
                with suppress(psutil.Error):
                    if "multiprocessing.spawn" in " ".join(each.cmdline()):
                        tally.workers.add(each.pid)
        note_runs(database, tally)
        await asyncio.sleep(1)


def note_runs(database: Path, tally: Tally) -> None:
    """Note the state of all runs that the database holds; older ones are forgotten there."""
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=5)) as rows:
        found = rows.execute("select identity, state, message, restarts from runs").fetchall()
        tally.runs.update({identity: (state, message, restarts) for identity, state, message, restarts in found})


async def kill_workers(tally: Tally, until: float) -> None:
    """Kill a training worker now and then."""
    chance = random.Random(-1)
    while time.monotonic() < until:
        await asyncio.sleep(chance.expovariate(1 / BETWEEN_KILLS))
        alive = [tally.below[number] for number in tally.workers if tally.below[number].is_running()]
        if alive and time.monotonic() < until:
            with suppress(psutil.NoSuchProcess):
                chance.choice(alive).kill()
                tally.kills += 1


async def once(url: str, tally: Tally) -> None:
    """Open every page and do everything once, as one visitor after the other."""
    chance = random.Random(0)
    for page in PAGES:
        async with browser(url, 10**6) as socket:
            await Guest(socket, page, url, tally).open()
    for number, (pages, query, act) in enumerate(ROLES[:-1]):
        async with browser(url, 10**6 + number) as socket:
            guest = Guest(socket, pages[0], url, tally)
            guest.query = query
            await guest.open()
            for _ in range(3 if act is not train else 1):
                await act(guest, chance)


async def still_there(processes: list[psutil.Process], seconds: float) -> list[psutil.Process]:
    """The processes that have not ended after so many seconds."""
    until = time.monotonic() + seconds
    while (left := [each for each in processes if _runs(each)]) and time.monotonic() < until:
        await asyncio.sleep(0.1)
    return left


def _runs(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


def unfinished(tally: Tally) -> list[str]:
    """The runs that are not over, or that visitors saw and the database has never held."""
    return [each for each in {*tally.started, *tally.runs} if tally.runs.get(each, ("missing",))[0] not in OVER]


async def soak(url: str, options: argparse.Namespace, process: psutil.Process, database: Path) -> dict[str, Any]:
    """Let the visitors come and go; returns the figures."""
    tally = Tally()
    watching = asyncio.create_task(watch(process, database, tally))
    await once(url, tally)
    await asyncio.sleep(options.forget)
    before = most = process.memory_info().rss
    until = time.monotonic() + 60 * options.minutes
    tasks = [asyncio.create_task(come_and_go(url, number, tally, until)) for number in range(options.visitors)]
    tasks.append(asyncio.create_task(kill_workers(tally, until)))
    while time.monotonic() < until:
        await asyncio.sleep(1)
        most = max(most, process.memory_info().rss)
    await asyncio.gather(*tasks)
    left = time.monotonic()
    while time.monotonic() < left + DRAIN and unfinished(tally):
        await asyncio.sleep(1)
    await asyncio.sleep(max(0.0, left + options.forget - time.monotonic()))
    after = process.memory_info().rss
    process.terminate()
    psutil.wait_procs([process], timeout=30)
    watching.cancel()
    note_runs(database, tally)
    orphans = await still_there(list(tally.below.values()), 20)
    for each in orphans:
        with suppress(psutil.NoSuchProcess):
            each.kill()
    lost = {*unfinished(tally), *(each for each, run in tally.runs.items() if run[1].startswith(LOST))}
    why = {f"a run {state}: {message}" for state, message, _ in tally.runs.values() if message}
    print(*sorted(why), sep="\n", file=sys.stderr)
    return _figures(tally) | {
        "MiB of the web process, each page opened once": before >> 20,
        "MiB at most": most >> 20,
        "MiB after everybody has left": after >> 20,
        "growth": round(after / before, 3),
        "lost runs": len(lost),
        "processes left": len(orphans),
    }


def _figures(tally: Tally) -> dict[str, Any]:
    states = [state for state, _, _ in tally.runs.values()]
    return {
        "visitors": tally.visitors,
        "visitors lost": tally.lost_visitors,
        "answers": tally.answers,
        "pages that failed": tally.internal,
        "tabs closed early": tally.closed,
        "uploads": tally.uploads,
        "refusals": tally.refusals,
        "good uploads refused": tally.refused_good,
        "bad uploads accepted": tally.accepted_bad,
        "runs": len(tally.runs),
        **{f"runs {state}": states.count(state) for state in sorted(set(states))},
        "runs restarted": sum(restarts > 0 for _, _, restarts in tally.runs.values()),
        "workers killed": tally.kills,
        "workers started": len(tally.workers),
    }


def holds(figures: dict[str, Any]) -> bool:
    """Whether the server kept its memory, its runs and its pages, and left no process."""
    nothing = ("lost runs", "processes left", "pages that failed")
    return figures["growth"] <= MOST_GROWTH and not any(figures[name] for name in nothing)


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--minutes", type=float, default=30.0, help="how long visitors come (default %(default)s)")
    options.add_argument("--visitors", type=int, default=12, help="how many at a time (default %(default)s)")
    options.add_argument("--forget", type=float, default=FORGET, help="seconds of quiet before memory is read")
    options.add_argument("--json", action="store_true", help="print one JSON object instead of a table")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        database = Path(folder) / "lstm_lab.db"
        os.environ |= {"LSTM_LAB_MODELS": folder, "LSTM_LAB_DATABASE": f"sqlite:///{database}"}
        with server("run", "app.py") as app:
            time.sleep(10)  # what the pages need is imported
            figures = asyncio.run(soak(app.url, options, app.process, database))
    if options.json:
        print(json.dumps({"benchmark": "soak", "minutes": options.minutes, **figures, "holds": holds(figures)}))
    else:
        print("\n".join(f"{name:46}{value:>10,}" for name, value in figures.items()))
    return 0 if holds(figures) else 1


if __name__ == "__main__":
    sys.exit(main())
