"""Many visitors at once: what they wait for, what the server answers, and what that costs it.

Visitors speak Streamlit's own protocol (the protobuf messages of its wheel, over a websocket), so that one process can
stand for hundreds of browsers. Each opens a page, then sends a new text every few seconds and waits until the page has
been drawn whole again. Run it from the root: `python -m benchmarks.crowd --visitors 50`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import psutil
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from benchmarks import timing
from benchmarks.browser import ROOT, server
from benchmarks.texts import of_tokens
from ui.common.server import COOKIE

PATIENCE = 30.0  # seconds after which an answer is lost
IMPORTED = 15.0  # seconds after which a server has imported what the pages need
SHORTEST, LONGEST = 15, 200  # tokens of a text
TABS = 20  # of a visitor who opens many
OTHERS = ("home", "navigation", "operators")  # the home page has no name of its own, visitors never see the last one
PAGES = ("", *sorted(path.stem for path in (ROOT / "pages").glob("*.py") if path.stem not in OTHERS))
WORDS = of_tokens(400).split()


@dataclass
class Tally:
    """What all visitors saw once the crowd was complete."""

    began: float = 0.0  # when it was complete
    seconds: list[float] = field(default_factory=list)  # of each answer
    opening: list[float] = field(default_factory=list)  # seconds until the first page was whole
    received: int = 0  # bytes
    lost: int = 0  # answers that didn't come in `PATIENCE`, and connections that broke


class Visitor:
    """One browser on one page."""

    def __init__(self, socket: ClientConnection, page: str, query: str = "") -> None:
        self.socket, self.page, self.query = socket, page, query
        self.script, self.text_area, self.received = "", "", 0
        self.slider, self.fragment, self.last = "", "", 1  # of the timesteps

    async def open(self) -> float:
        """Open the page; returns the seconds until it is whole."""
        return await self.run(BackMsg())

    async def send(self, text: str) -> float:
        """Put a new text into the text area; returns the seconds until the page is whole."""
        message = BackMsg()
        message.rerun_script.widget_states.widgets.add(id=self.text_area, string_value=text)
        return await self.run(message)

    async def slide(self, timestep: int) -> float:
        """Move the slider of the timesteps, which reruns its panel alone; returns the seconds until that is whole."""
        message = BackMsg()
        message.rerun_script.fragment_id = self.fragment
        value = 1 + timestep % self.last
        message.rerun_script.widget_states.widgets.add(id=self.slider).double_array_value.data.append(value)
        return await self.run(message)

    async def run(self, message: BackMsg) -> float:
        """Run the page with what a message says; returns the seconds until it is whole."""
        state = message.rerun_script
        state.page_script_hash, state.page_name = self.script, "" if self.script else self.page
        state.query_string = self.query
        started = time.perf_counter()
        await self.socket.send(message.SerializeToString())
        async with asyncio.timeout(PATIENCE):
            while not self.note(await self.message()):
                pass
        return time.perf_counter() - started

    async def message(self) -> ForwardMsg:
        """The next message of the server."""
        data = await self.socket.recv()
        assert isinstance(data, bytes)
        self.received += len(data)
        return ForwardMsg.FromString(data)

    def note(self, message: ForwardMsg) -> bool:
        """Remember what a message says; True if the script has finished."""
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.script = message.new_session.page_script_hash
        elif kind == "navigation":
            self.script = message.navigation.page_script_hash
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "text_area":
            self.text_area = message.delta.new_element.text_area.id
        elif kind == "delta" and message.delta.new_element.WhichOneof("type") == "slider":
            slider = message.delta.new_element.slider
            if slider.label == "Timestep":
                self.slider, self.fragment, self.last = slider.id, message.delta.fragment_id, int(slider.max)
        return kind == "script_finished" and message.script_finished != ForwardMsg.FINISHED_EARLY_FOR_RERUN


def browser(url: str, number: int) -> connect:
    """The connection of a visitor with a cookie of the app."""
    address, cookie = f"{url.replace('http', 'ws', 1)}/_stcore/stream", f"{COOKIE}={number:032x}"
    return connect(address, max_size=None, compression=None, additional_headers={"Cookie": cookie})


def new_text(chance: random.Random) -> str:
    """A text that nobody has read before."""
    return " ".join(chance.choices(WORDS, k=chance.randint(SHORTEST, LONGEST)))


async def visit(url: str, options: argparse.Namespace, number: int, tally: Tally) -> None:
    """Be one visitor until the task is cancelled."""
    chance = random.Random(number)
    shared = random.Random(0)  # the same texts in the same order for everybody
    await asyncio.sleep(options.ramp * number / options.visitors)
    try:
        async with browser(url, number) as socket:
            visitor = Visitor(socket, options.page)
            tally.opening.append(await visitor.open())
            if options.slide:
                await visitor.send(new_text(shared if options.shared else chance))
            while True:
                await asyncio.sleep(chance.expovariate(1 / options.think))
                before = visitor.received
                if options.slide:
                    seconds = await visitor.slide(chance.randrange(LONGEST))
                else:
                    seconds = await visitor.send(new_text(shared if options.shared else chance))
                if tally.began:
                    tally.seconds.append(seconds)
                    tally.received += visitor.received - before
    except (TimeoutError, OSError, WebSocketException):
        tally.lost += 1


async def stay(url: str, options: argparse.Namespace, number: int, tally: Tally) -> None:
    """Be one visitor, and with `options.again` another one whenever that one is lost, until the task is cancelled."""
    await visit(url, options, number, tally)
    while options.again:
        await asyncio.sleep(options.think)
        await visit(url, options, number, tally)


async def disturb(url: str, options: argparse.Namespace, number: int) -> None:
    """Be one tab of a visitor who never pauses, until the task is cancelled; a refused or broken connection ends it."""
    chance = random.Random(-1 - number)
    await asyncio.sleep(options.ramp)
    with suppress(TimeoutError, OSError, WebSocketException):
        async with browser(url, 10**6) as socket:  # many tabs are one visitor
            visitor = Visitor(socket, options.page)
            await visitor.open()
            while True:
                if options.disturb == "drag":
                    await visitor.slide(chance.randrange(LONGEST))
                elif options.disturb == "tabs":
                    await visitor.send(new_text(chance))
                else:
                    await visitor.send(" ".join(chance.choices(WORDS, k=2**20 // 5)))


async def crowd(
    url: str, options: argparse.Namespace, process: psutil.Process, tally: Tally | None = None
) -> dict[str, Any]:
    """Let the visitors come, be there and leave; returns the figures. `tally` is filled meanwhile."""
    tally = tally or Tally()
    async with browser(url, 10**6 + 1) as socket:  # the models of the page are loaded before the memory is measured
        first = Visitor(socket, options.page)
        await first.open()
        await first.send(new_text(random.Random(-1)))
    await asyncio.sleep(1)
    before = process.memory_info().rss
    visitors = [asyncio.create_task(stay(url, options, number, tally)) for number in range(options.visitors)]
    tabs = {"": 0, "tabs": TABS}.get(options.disturb, 1)
    visitors += [asyncio.create_task(disturb(url, options, number)) for number in range(tabs)]
    await asyncio.sleep(options.ramp + 5)
    tally.began, cpu = time.perf_counter(), used(process)
    await asyncio.sleep(options.seconds)
    seconds, cpu = time.perf_counter() - tally.began, used(process) - cpu
    crowded = process.memory_info().rss
    for each in visitors:
        each.cancel()
    await asyncio.gather(*visitors, return_exceptions=True)
    await asyncio.sleep(options.leave)
    answers = len(tally.seconds)
    cuts = statistics.quantiles(tally.seconds, n=20) if answers > 1 else [float("nan")] * 19
    return {
        "visitors": options.visitors,
        "answers": answers,
        "lost": tally.lost,
        "per_second": answers / seconds,
        "median": cuts[9],
        "p95": cuts[18],
        "opening_median": statistics.median(tally.opening) if tally.opening else float("nan"),
        "cpu_ms": 1000 * cpu / max(answers, 1),
        "bytes": tally.received // max(answers, 1),
        "mib_before": before >> 20,
        "mib_crowded": crowded >> 20,
        "mib_after": process.memory_info().rss >> 20,
    }


def used(process: psutil.Process) -> float:
    """Seconds of processor time so far."""
    return sum(process.cpu_times()[:2])


async def costs(url: str, process: psutil.Process, page: str, repeats: int) -> dict[str, float | str]:
    """What a run of a page costs: on the first visit of the process, and once somebody has just looked at it."""
    async with browser(url, 0) as socket:
        visitor = Visitor(socket, page)
        before, first_seconds = used(process), await visitor.open()
        await asyncio.sleep(0.3)
        first, received = used(process) - before, visitor.received
        before = used(process)
        seconds = [await visitor.run(BackMsg()) for _ in range(repeats)]
        await asyncio.sleep(0.3)
        return {
            "page": page or "home",
            "first_cpu_ms": 1000 * first,
            "first_ms": 1000 * first_seconds,
            "again_cpu_ms": 1000 * (used(process) - before) / repeats,
            "again_ms": 1000 * statistics.median(seconds),
            "bytes": (visitor.received - received) / repeats,
        }


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = timing.parser(__doc__, repeats=20)
    options.add_argument("--costs", action="store_true", help="measure what one run of each page costs instead")
    options.add_argument(
        "--visitors", type=timing.positive, nargs="+", default=[1, 10, 25, 50], help="how many at once"
    )
    options.add_argument("--page", choices=("question_tags", "movie_reviews"), default="question_tags")
    options.add_argument("--seconds", type=float, default=60.0, help="how long the whole crowd is measured")
    options.add_argument("--think", type=float, default=8.0, help="mean seconds between an answer and the next text")
    options.add_argument("--ramp", type=float, default=10.0, help="seconds within which the visitors come")
    options.add_argument("--leave", type=float, default=5.0, help="seconds after the last has left")
    options.add_argument("--slide", action="store_true", help="move the slider of the timesteps instead of a new text")
    options.add_argument(
        "--disturb",
        choices=("", "megabyte", "tabs", "drag"),
        default="",
        help="what one more visitor does without pause",
    )
    options.add_argument("--again", action="store_true", help="whoever is lost comes again")
    options.add_argument("--shared", action="store_true", help="everybody sends the same texts in the same order")
    options.add_argument("--places", type=timing.positive, help="runs of pages that compute at once (default: cores)")
    options.add_argument("--option", nargs="+", default=[], help="of Streamlit, as runner.fastReruns=false")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    rows = []
    if options.places:
        os.environ["LSTM_LAB_PLACES"] = str(options.places)
    with server("run", "app.py", *(f"--{each}" for each in options.option)) as app:
        time.sleep(IMPORTED)
        for each in PAGES if options.costs else options.visitors:
            if options.costs:
                rows.append(asyncio.run(costs(app.url, app.process, each, options.repeats)))
            else:
                own = argparse.Namespace(**vars(options) | {"visitors": each})
                rows.append(asyncio.run(crowd(app.url, own, app.process)))
            if not options.json:
                print("  ".join(f"{key} {_short(value)}" for key, value in rows[-1].items()), flush=True)
    if options.json:
        names = ("page", "shared", "slide", "disturb", "costs", "places", "option")
        about = {name: getattr(options, name) for name in names}
        print(json.dumps({"benchmark": "crowd", **about, "rows": rows}))
    return 0


def _short(value: Any) -> str:
    return (
        f"{value:.3g}"
        if isinstance(value, float) and value < 100
        else f"{value:,.0f}"
        if isinstance(value, float)
        else str(value)
    )


if __name__ == "__main__":
    sys.exit(main())
