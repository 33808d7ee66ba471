"""A class on one server: how soon a lecturer's step is on every page, and how soon votes are counted and shown.

Followers speak Streamlit's own protocol and the websocket of a class, as their browsers do, so that one process can
stand for hundreds of them; lecturer, followers and server share the machine. A step begins when the lecturer sends a
new text and ends when a follower's page with that text is whole. Run it from the root:
`python -m benchmarks.classroom`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import uvloop
from websockets.asyncio.client import connect

from benchmarks import timing
from benchmarks.browser import server
from benchmarks.classroom.guests import SCRUBBED, Follower, Lecturer, Seen, cookie, visitor_name
from benchmarks.crowd import IMPORTED, browser, new_text, used
from lstm_core import classroom
from lstm_core.lesson_plans import Question

STEPS, BETWEEN = 12, 3.0  # steps of a lecturer, and the seconds between two of them
ROUNDS = 3  # of a vote
SCRUBS, SCRUB_EVERY = 40, 0.15  # tokens of the microscope, and the seconds between them
PATIENCE = 20.0  # seconds after which a step or a vote is lost
QUESTION = Question("choice", "Which gate forgets?", ("f", "i", "o"), "f")


@dataclass
class Room:
    """A class with its lecturer and followers."""

    code: str
    lecturer: Lecturer
    followers: list[Follower]
    seen: Seen
    leader: str  # see `visitor_name`

    async def steps(self, count: int) -> None:
        """Let the lecturer make steps; each is over when everybody has it, or after `PATIENCE`."""
        rng = random.Random(self.code)
        for _ in range(count):
            text = new_text(rng)
            self.seen.began[text] = began = time.perf_counter()
            await self.lecturer.step(text)
            while len(self.seen.seconds.get(text, ())) < len(self.followers):
                if time.perf_counter() - began > PATIENCE:
                    break
                await asyncio.sleep(0.02)
            await asyncio.sleep(max(0.0, BETWEEN - (time.perf_counter() - began)))

    async def votes(self) -> dict[str, float]:
        """Let everybody vote in some rounds; the seconds from the last vote until the lecturer sees them all."""
        classroom.ask(self.code, self.leader, QUESTION)
        rng, shown, counted = random.Random(1), [], 0
        for number in range(1, ROUNDS + 1):
            if number > 1:
                classroom.vote_again(self.code, self.leader)
            await self._until(lambda news, number=number: (news.get("asked") or {}).get("round") == number)
            asked = self.lecturer.news["asked"]
            await asyncio.gather(*(each.vote(rng, asked) for each in self.followers))
            last = time.perf_counter()
            await self._until(lambda news: news["asked"]["voters"][-1] >= len(self.followers))
            shown.append(time.perf_counter() - last)
            await asyncio.sleep(1.0)
            counted += sum(self.lecturer.news["asked"]["votes"][-1])
        classroom.dismiss(self.code, self.leader)
        return {"votes_lost": len(self.followers) * ROUNDS - counted, "votes_shown": max(shown)}

    async def _until(self, holds: Any) -> None:
        deadline = time.perf_counter() + PATIENCE
        while not holds(self.lecturer.news) and time.perf_counter() < deadline:
            await asyncio.sleep(0.01)

    async def scrub(self) -> None:
        """Drag through the tokens of the microscope."""
        for token in range(1, SCRUBS + 1):
            self.seen.scrubbed[token] = time.perf_counter()
            await self.lecturer.live.send(json.dumps({"view": f"{SCRUBBED}?model=imdb&t={token}&unit=3&signal=c"}))
            await asyncio.sleep(SCRUB_EVERY)
        await asyncio.sleep(1.0)


@asynccontextmanager
async def room(url: str, followers: int, first: int) -> AsyncIterator[Room]:
    """A class to which everybody has come; `first` is the number of its lecturer among all visitors."""
    leader = visitor_name(first)
    code, _ = classroom.start(leader)
    seen, tasks, guests = Seen(), [], []
    address = f"{url.replace('http', 'ws', 1)}/live/{code}"
    try:
        for number in range(first, first + followers + 1):
            page = await browser(url, number)
            live = await connect(address, max_size=None, additional_headers=cookie(number))
            kind = Lecturer if number == first else Follower
            guests.append(guest := kind(page, live, code))
            await guest.open()
            tasks.append(asyncio.create_task(guest.hear()))
            if isinstance(guest, Follower):
                guest.seen = seen
                tasks.append(asyncio.create_task(guest.follow()))
        lecturer, *students = guests
        yield Room(code, lecturer, students, seen, leader)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.gather(*(each.close() for guest in guests for each in (guest.socket, guest.live)))
        classroom.end(code, leader)


def cuts(seconds: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    if len(seconds) < 2:
        return float("nan"), float("nan")
    return statistics.median(seconds), statistics.quantiles(seconds, n=20)[18]


def figures(rooms: Sequence[Room], steps: int) -> dict[str, float]:
    """What all followers of some classes saw of the lecturers' steps."""
    seconds = [each for one in rooms for seen in one.seen.seconds.values() for each in seen]
    median, p95 = cuts(seconds)
    due = sum(len(one.followers) for one in rooms) * steps
    return {"steps_lost": due - len(seconds), "median": median, "p95": p95, "longest": max(seconds, default=0.0)}


async def one_class(app: Any, followers: int, steps: int) -> dict[str, Any]:
    """A class of some followers: steps, votes and the microscope."""
    async with room(app.url, followers, 10**6) as one:
        before = used(app.process)
        await one.steps(steps)
        cpu = (used(app.process) - before) / steps / followers
        votes = await one.votes()
        await one.scrub()
        median, p95 = cuts(one.seen.scrubs)
        row = {"classes": 1, "followers": followers, **figures([one], steps), "cpu_ms": 1000 * cpu, **votes}
        return row | {"scrub_median": median, "scrub_p95": p95}


async def two_classes(app: Any, followers: int, steps: int) -> dict[str, Any]:
    """Two classes whose lecturers make their steps at the same time."""
    async with room(app.url, followers, 2 * 10**6) as one, room(app.url, followers, 3 * 10**6) as other:
        await asyncio.gather(one.steps(steps), other.steps(steps))
        return {"classes": 2, "followers": followers, **figures([one, other], steps)}


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = timing.parser(__doc__, repeats=STEPS)
    options.add_argument("--followers", type=timing.positive, nargs="+", default=[30, 60, 200], help="of one class")
    options.add_argument(
        "--two", type=timing.positive, nargs="*", default=[30], help="followers of each of two classes"
    )
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ["LSTM_LAB_MODELS"] = folder
        os.environ.setdefault("LSTM_LAB_DATABASE", f"sqlite:///{folder}/lab.db")
        with server("run", "app.py") as app:
            time.sleep(IMPORTED)
            runs = [(one_class, each) for each in options.followers] + [(two_classes, each) for each in options.two]
            for measure, followers in runs:
                rows.append(uvloop.run(measure(app, followers, options.repeats)))
                if not options.json:
                    print("  ".join(f"{name} {value:.3g}" for name, value in rows[-1].items()), flush=True)
    if options.json:
        print(json.dumps({"benchmark": "classroom", "rows": rows}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
