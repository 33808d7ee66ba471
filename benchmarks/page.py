"""The latency of /question_tags: from the click on "Read" until the last chart is painted.

The peer is a round trip of an empty Streamlit page, whose button changes one text, in the same
browser. All times are taken inside the browser, by its own clock. Run it from the root:
`python -m benchmarks.page`.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Callable, Sequence
from typing import Any

from playwright.sync_api import Page

from benchmarks import texts, timing
from benchmarks.browser import chromium, server, tab

SHORT, LONG, EMPTY = "Read, 15 tokens", "Read, 400 tokens", "empty page"
TOKENS = {SHORT: 15, LONG: 400}
CHARTS, CHARTS_EXPECTED = ".js-plotly-plot", 3
TEXT = "[data-testid=stMarkdownContainer]"
QUIET = 150  # ms without a change after the end of the script run

# Promises the milliseconds from the next press of the mouse or of a key to the frame after the last change
# inside an element that matches `selector`, once so many of them have changed.
WATCH = """([selector, expected, quiet]) => {
    let pressed = null, painted = null;
    const changed = new Set();
    for (const kind of ["pointerdown", "keydown"])
        document.addEventListener(kind, event => { pressed ??= event.timeStamp; }, {capture: true, once: true});
    const observer = new MutationObserver(records => {
        const elements = records.map(({target}) => target.nodeType === 1 ? target : target.parentElement);
        const ours = elements.map(element => element?.closest(selector)).filter(element => element?.isConnected);
        if (pressed === null || ours.length === 0) return;
        ours.forEach(element => changed.add(element));
        painted = null;
        requestAnimationFrame(() => { painted = performance.now(); });
    });
    observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
    window.untilPainted = new Promise(resolve => {
        const timer = setInterval(() => {
            const resting = document.querySelector("[data-test-script-state=notRunning]");
            const present = [...changed].filter(element => element.isConnected).length;
            if (painted === null || performance.now() - painted < quiet || !resting || present < expected) return;
            clearInterval(timer);
            observer.disconnect();
            resolve(painted - pressed);
        }, 10);
    });
}"""


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    return timing.parser(__doc__, repeats=10)


def seconds_after(page: Page, act: Callable[[], Any], selector: str, expected: int) -> float:
    """Press something; seconds until the last change inside so many that match `selector` is painted."""
    page.evaluate(WATCH, [selector, expected, QUIET])
    act()
    return page.evaluate("window.untilPainted") / 1000


def click(page: Page, button: str, selector: str, expected: int) -> float:
    """Click a button; as `seconds_after`."""
    return seconds_after(page, page.get_by_role("button", name=button).click, selector, expected)


class Question:
    """The page /question_tags, which is given another question of so many tokens at each call."""

    def __init__(self, page: Page, tokens: int) -> None:
        self.page, self.tokens, self.numbers = page, tokens, itertools.count(1)

    def __call__(self) -> float:
        """Type, click "Read", and return the seconds until the last chart is painted."""
        text = f"{next(self.numbers)} {texts.of_tokens(self.tokens - 1)}"  # new from its first token on
        self.page.bring_to_front()
        self.page.get_by_role("textbox", name="Your question").fill(text)
        return click(self.page, "Read", CHARTS, CHARTS_EXPECTED)


def empty_round_trip(page: Page) -> float:
    """Click the empty page's button; seconds until its text has changed."""
    page.bring_to_front()
    return click(page, "Count", TEXT, 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    with (
        chromium() as browser,
        server("run", "app.py") as app,
        server("run", "benchmarks/empty_page.py") as empty,
        tab(browser, app.url + "/question_tags") as questions,
        tab(browser, empty.url) as nothing,
    ):
        questions.locator(CHARTS).nth(CHARTS_EXPECTED - 1).wait_for()
        nothing.get_by_role("button", name="Count").wait_for()
        measures = {
            EMPTY: lambda: empty_round_trip(nothing),
            **{name: Question(questions, tokens) for name, tokens in TOKENS.items()},
        }
        times = timing.interleaved(measures, options.repeats)
    timing.show("page", [timing.compare(times, what, EMPTY) for what in TOKENS], as_json=options.json)
    return 0


if __name__ == "__main__":
    sys.exit(main())
