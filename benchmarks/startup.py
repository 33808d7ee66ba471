"""The time from `streamlit run app.py` until its first page can be used.

The peer is `streamlit hello`, Streamlit's own small app, until its first page's heading shows.
The time until /question_tags shows its verdict stands beside it. Run it from the root: `python -m benchmarks.startup`.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable, Sequence

from playwright.sync_api import Browser, Page

from benchmarks import timing
from benchmarks.browser import chromium, server, tab

HOME, VERDICT, HELLO = "app.py, first page usable", "app.py, /question_tags answers", "streamlit hello"
AIMS = {HOME: 1.1, VERDICT: 1.4}


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    return timing.parser(__doc__, repeats=5)


def heading(page: Page) -> None:
    """Wait for the page's title."""
    page.locator("h1").first.wait_for()


def usable(page: Page) -> None:
    """Wait for the page's title and for an enabled input."""
    heading(page)
    page.locator("input:enabled:visible").first.wait_for()


def verdict(page: Page) -> None:
    """Wait for the heading that names a tag and its probability."""
    page.locator("h3", has_text=re.compile(r"\d%")).first.wait_for()


def cold_start(browser: Browser, command: tuple[str, ...], path: str, wait: Callable[[Page], None]) -> float:
    """Seconds from starting the process until `wait` returns."""
    with server(*command) as running, tab(browser, running.url + path) as page:
        wait(page)
        return time.perf_counter() - running.started


def measure(repeats: int) -> list[timing.Comparison]:
    """Compare both with the peer, after one round that doesn't count."""
    with chromium() as browser:
        measures = {
            HELLO: lambda: cold_start(browser, ("hello",), "", heading),
            HOME: lambda: cold_start(browser, ("run", "app.py"), "", usable),
            VERDICT: lambda: cold_start(browser, ("run", "app.py"), "/question_tags", verdict),
        }
        times = timing.interleaved(measures, repeats)
    return [timing.compare(times, what, HELLO, aim) for what, aim in AIMS.items()]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    timing.show("startup", measure(options.repeats), as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
