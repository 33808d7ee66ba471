"""All goals of a class of fifty on two cores, measured in one run of about 28 minutes: goal, figure, met.

Each part has a server of its own and calls the benchmark that measures the same alone. A part that fails says why, and
the others go on; then the exit status is 1, as it is where a goal is missed. Run it from the root, on a machine that
does nothing else: `python -m benchmarks.goals`; `--minutes 0.5` for a try.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import lstm_core
from benchmarks import crowd, load, reading, startup
from benchmarks.browser import Server, server

IMPORTED = 12.0  # seconds after which a server has imported what the pages need
FORGOTTEN = 190.0  # seconds after which it has forgotten closed tabs and unused values
SHORT = 1 / 15  # of the minutes of fifty visitors, each of the other crowds
PARTS = ("memory", "cold", "reading", "training", "fifty", "more", "same", "slider", "disturbed")
MODEL_PAGES = ("cell_microscope", "text_generation", "question_tags", "movie_reviews", "own_classifier", "forecasting")
Figures = dict[str, Any]


@dataclass(frozen=True)
class Goal:
    """One goal and what was measured."""

    what: str
    figure: float
    unit: str
    limit: float  # the largest figure that is good enough, or the smallest one
    at_least: bool = False

    @property
    def met(self) -> bool:
        """Whether the figure is good enough; False for one that is no number."""
        return self.figure >= self.limit if self.at_least else self.figure <= self.limit


@dataclass
class Run:
    """The parts of one run; `throughput` has the answers a second of the crowds so far, by visitors."""

    minutes: float
    leave: float
    repeats: int
    throughput: dict[int, float]

    def crowd(self, visitors: int, seconds: float, *more: str) -> Figures:
        """One crowd on a server of its own."""
        options = crowd.parser().parse_args(["--seconds", str(seconds), *more])
        options.visitors = visitors
        with server("run", "app.py") as app:
            time.sleep(crowd.IMPORTED)
            found = asyncio.run(crowd.crowd(app.url, options, app.process))
        print("  ".join(f"{key} {value:.4g}" for key, value in found.items()), file=sys.stderr, flush=True)
        return found

    @property
    def short(self) -> float:
        """Seconds of the short crowds."""
        return 60 * self.minutes * SHORT

    def fifty(self) -> Iterator[Goal]:
        """Fifty visitors for long, and what is left when they have gone."""
        found = self.crowd(50, 60 * self.minutes, "--leave", str(self.leave))
        self.throughput[50] = found["per_second"]
        yield Goal("50 visitors, 95th percentile", found["p95"], "s", 1)
        yield Goal("50 visitors, lost", found["lost"], "", 0)
        yield Goal("a new question, processor time", found["cpu_ms"], "ms", 60)
        yield Goal("50 visitors, more memory", found["mib_crowded"] - found["mib_before"], "MiB", 100)
        yield Goal("memory after they have left, to before", found["mib_after"] / found["mib_before"], "×", 1.2)

    def more(self) -> Iterator[Goal]:
        """A hundred, and overload."""
        for visitors in (100, 200, 300):
            found = self.crowd(visitors, self.short)
            self.throughput[visitors] = found["per_second"]
            if visitors == 100:
                yield Goal("100 visitors, 95th percentile", found["p95"], "s", 3)
        best = max(self.throughput.values())
        yield Goal("200 visitors, answers to the best measured", self.throughput[200] / best, "×", 0.8, at_least=True)

    def same(self) -> Iterator[Goal]:
        """The classroom: everybody sends the same texts."""
        found = self.crowd(50, self.short, "--shared")
        yield Goal("50 visitors with the same texts, 95th percentile", found["p95"], "s", 0.5)
        yield Goal("a question that somebody has just asked, processor time", found["cpu_ms"], "ms", 25)

    def slider(self) -> Iterator[Goal]:
        """Everybody moves the slider of the timesteps."""
        found = self.crowd(50, self.short, "--slide")
        yield Goal("a moved slider, processor time", found["cpu_ms"], "ms", 25)

    def disturbed(self) -> Iterator[Goal]:
        """Fifty visitors and one who never pauses."""
        for what in ("megabyte", "tabs", "drag"):
            found = self.crowd(50, self.short, "--disturb", what)
            yield Goal(f"50 visitors and one with {what}, 95th percentile", found["p95"], "s", 1)
            yield Goal(f"50 visitors and one with {what}, lost", found["lost"], "", 0)

    def memory(self) -> Iterator[Goal]:
        """The web process after every page was opened and every shipped model was loaded."""
        with server("run", "app.py") as app:
            time.sleep(crowd.IMPORTED)
            asyncio.run(open_everything(app))
            time.sleep(1)
            yield Goal("memory with all models loaded", app.process.memory_info().rss >> 20, "MiB", 400)

    def cold(self) -> Iterator[Goal]:
        """First pages of servers that have just started."""
        for row in startup.measure(self.repeats):
            yield Goal(f"{row.what}, cold, to streamlit hello", row.ratio, "×", row.aim or 0)

    def training(self) -> Iterator[Goal]:
        """Reading while somebody trains."""
        for row in load.measure(self.repeats):
            if row.aim:
                yield Goal(f"{row.what}, to without", row.ratio, "×", row.aim)
            else:
                print(row, file=sys.stderr)

    def reading(self) -> Iterator[Goal]:
        """Reading and attribution of 400 tokens."""
        model, _ = reading.longer(lstm_core.load("stackoverflow"))
        rows = reading.measure(model, lstm_core.load("stackoverflow").keras(), 400, 2 * self.repeats)
        found = {(row.what.split(",")[0], row.peer): row for row in rows}
        products = found[reading.READ, reading.PRODUCTS]
        yield Goal("reading 400 tokens, to the bare products", products.ratio, "×", 3)
        yield Goal("attribution of 400 tokens", found[reading.ATTRIBUTE, reading.READ].median, "s", 0.5)


def machine_speed() -> float:
    """Seconds of three million steps of a loop in Python: absolute times compare between runs with the same."""
    begun, total = time.perf_counter(), 0
    for number in range(3_000_000):
        total += number * number
    return time.perf_counter() - begun


async def open_everything(app: Server) -> None:
    """Open every page, and those that offer several models with each of them; an unknown name shows the first one."""
    places = [(page, "") for page in crowd.PAGES]
    places += [(page, f"model={card.name}") for page in MODEL_PAGES for card in lstm_core.list_models()]
    for page, query in places:
        async with crowd.browser(app.url, 10**6) as socket:
            await crowd.Visitor(socket, page, query).open()


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--minutes", type=float, default=10.0, help="of 50 visitors (default %(default)s)")
    options.add_argument("--leave", type=float, default=FORGOTTEN, help="seconds after they have left")
    options.add_argument("--repeats", type=int, default=5, help="of cold starts and of trainings (default %(default)s)")
    options.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS, help="measure these alone")
    options.add_argument("--json", action="store_true", help="print one JSON object and no table")
    return options


def collected(part: Callable[[], Iterator[Goal]], goals: list[Goal]) -> str:
    """Measure one part, adding what it has measured to `goals` at once; returns why it failed, or ""."""
    try:
        for goal in part():
            goals.append(goal)
            print(line(goal), file=sys.stderr, flush=True)
    except Exception as error:  # whatever it is: the other parts are measured all the same
        traceback.print_exc()
        return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return ""


def line(goal: Goal) -> str:
    """A row of the table."""
    sign = "≥" if goal.at_least else "≤"
    return f"{goal.what:<62} {goal.figure:>7.3g} {goal.unit:<3} {sign} {goal.limit:<5g} {'yes' if goal.met else 'NO'}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the parts; returns the exit status."""
    options = parser().parse_args(arguments)
    run = Run(options.minutes, options.leave, options.repeats, {})
    loop = machine_speed()
    print(f"— a loop of three million steps takes {loop:.2f} s", file=sys.stderr)
    goals: list[Goal] = []
    failures: dict[str, str] = {}
    for name in options.parts:
        print(f"— {name}, {time.strftime('%H:%M:%S')}", file=sys.stderr, flush=True)
        if why := collected(getattr(run, name), goals):
            failures[name] = why
    if options.json:
        rows = [{**asdict(goal), "met": goal.met} for goal in goals]
        run_of = {"benchmark": "goals", "minutes": options.minutes, "loop_seconds": loop}
        print(json.dumps({**run_of, "goals": rows, "failures": failures}))
    else:
        print("\n".join(["", *map(line, goals), *(f"{name} failed: {why}" for name, why in failures.items())]))
    return 0 if not failures and all(goal.met for goal in goals) else 1


if __name__ == "__main__":
    sys.exit(main())
