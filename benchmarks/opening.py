"""The latency of the pages: from the address, from the menu, and from a slider's key to the last chart.

The peers are an empty Streamlit page in the same browser, opened, and its button. The models are loaded, and every
page has been opened once before it counts; a slider goes on one step at a time, so that nothing is computed twice. All
times are taken inside the browser, by its own clock. Run it from the root: `python -m benchmarks.opening`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import ExitStack

from playwright.sync_api import Browser, Page

from benchmarks import timing
from benchmarks.browser import chromium, server, tab
from benchmarks.page import CHARTS, EMPTY, QUIET, empty_round_trip, seconds_after

# The number of charts of a page with default settings.
OPENED = {"home": 0, "gradient_lab": 4, "recurrent_family": 3, "word_order": 1, "forecasting": 3, "memory_gym": 1}
OPENED |= {"training_studio": 0}
VISITED = {"Gradient lab": 4, "Forecasting": 3}  # by the menu of an app that is open
# A slider of a page, and the number of charts that depend on it.
SLIDERS = {"gradient_lab": ("Length", 1), "forecasting": ("Forecast origin (test set)", 1)}
OPEN_EMPTY = "open an empty page"

# Promises the milliseconds from the start of the navigation to the frame after the last change on the page.
SETTLED = """([selector, expected, quiet]) => new Promise(resolve => {
    let painted = performance.now();
    const observer = new MutationObserver(() => requestAnimationFrame(() => { painted = performance.now(); }));
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    const timer = setInterval(() => {
        const resting = document.querySelector("[data-test-script-state=notRunning]");
        if (performance.now() - painted < quiet || !resting) return;
        if (!document.querySelector("[data-testid=stMarkdownContainer]")) return;
        if (document.querySelectorAll(selector).length < expected) return;
        clearInterval(timer);
        observer.disconnect();
        resolve(painted);
    }, 10);
})"""


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    return timing.parser(__doc__, repeats=5)


def opening(browser: Browser, url: str, expected: int) -> float:
    """Open an address in a new tab; seconds until the last change."""
    with tab(browser, url) as page:
        return page.evaluate(SETTLED, [CHARTS, expected, 4 * QUIET]) / 1000


def visit(page: Page, name: str, charts: int) -> float:
    """Go to a page by the menu, and back; seconds until its last chart is painted."""
    page.bring_to_front()
    menu = page.get_by_test_id("stSidebarNav")
    taken = seconds_after(page, menu.get_by_role("link", name=name, exact=True).click, CHARTS, charts)
    menu.get_by_role("link", name="Training studio", exact=True).click()
    page.get_by_role("button", name="Train", exact=True).wait_for()
    return taken


def step(page: Page, slider: str, charts: int) -> float:
    """Move a slider by one step; seconds until its charts have followed."""
    page.bring_to_front()
    handle = page.get_by_role("slider", name=slider)
    return seconds_after(page, lambda: handle.press("ArrowRight"), CHARTS, charts)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    with (
        chromium() as browser,
        server("run", "app.py") as app,
        server("run", "benchmarks/empty_page.py") as empty,
        tab(browser, empty.url) as nothing,
        ExitStack() as tabs,
    ):
        for name, charts in OPENED.items():
            opening(browser, f"{app.url}/{name}", charts)
        measures = {OPEN_EMPTY: lambda: opening(browser, empty.url, 0), EMPTY: lambda: empty_round_trip(nothing)}
        peers = {}
        for name, charts in OPENED.items():
            peers[f"open {name}"] = OPEN_EMPTY
            measures[f"open {name}"] = lambda url=f"{app.url}/{name}", charts=charts: opening(browser, url, charts)
        studio = tabs.enter_context(tab(browser, f"{app.url}/training_studio"))
        studio.evaluate(SETTLED, [CHARTS, 0, QUIET])
        for name, charts in VISITED.items():
            peers[f"go to {name}"] = EMPTY
            measures[f"go to {name}"] = lambda name=name, charts=charts: visit(studio, name, charts)
        for name, (slider, charts) in SLIDERS.items():
            page = tabs.enter_context(tab(browser, f"{app.url}/{name}"))
            page.evaluate(SETTLED, [CHARTS, OPENED[name], QUIET])
            peers[f"{name}: {slider}"] = EMPTY
            measures[f"{name}: {slider}"] = lambda page=page, slider=slider, n=charts: step(page, slider, n)
        times = timing.interleaved(measures, options.repeats)
    timing.show("opening", [timing.compare(times, what, peer) for what, peer in peers.items()], as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
