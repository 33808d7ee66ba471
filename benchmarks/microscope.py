"""The cell microscope: from "Read" to its first frame, its frames while it plays, and the bytes sent to it.

400 tokens of 128 units. The peer of the first is a round trip of an empty Streamlit page; the peer of the second is
that page at rest, whose frames cost nothing. All times are taken inside the browser, by its own clock. Run it from the
root: `python -m benchmarks.microscope`.
"""

from __future__ import annotations

import argparse
import itertools
import sys
from collections.abc import Sequence
from urllib.parse import quote

from playwright.sync_api import Page

import lstm_core
from benchmarks import texts, timing
from benchmarks.browser import chromium, server, tab
from benchmarks.page import empty_round_trip
from lstm_core.exhibit import View, pack

TOKENS = 400
READ, EMPTY = "Read to first frame", "empty page, round trip"
PLAYING, RESTING = "a frame while playing at 4×", "a frame of an empty page"
FRAMES_MS = 2000  # duration of counting frames

# Promises the milliseconds from the next press of the mouse to the frame in which the first token is the one given.
UNTIL_SHOWN = """token => {
    const root = () => [...document.querySelectorAll("*")].map(one => one.shadowRoot?.querySelector(".microscope"))
        .find(Boolean);
    let pressed = null;
    document.addEventListener("pointerdown", event => { pressed = event.timeStamp; }, {capture: true, once: true});
    window.untilShown = new Promise(resolve => {
        const look = now => {
            if (pressed !== null && root()?.querySelector(".chip")?.textContent === token) resolve(now - pressed);
            else requestAnimationFrame(look);
        };
        requestAnimationFrame(look);
    });
}"""

# Mean milliseconds per frame.
A_FRAME = """length => new Promise(resolve => {
    let first = null, frames = 0;
    const count = now => {
        first ??= now;
        if (now - first >= length) resolve((now - first) / frames);
        else { frames += 1; requestAnimationFrame(count); }
    };
    requestAnimationFrame(count);
})"""


def parser() -> argparse.ArgumentParser:
    """The options of this benchmark."""
    return timing.parser(__doc__, repeats=10)


class Reads:
    """The microscope's page, which is given another text of 400 tokens at each call."""

    def __init__(self, page: Page) -> None:
        self.page, self.numbers = page, itertools.count(1)

    def __call__(self) -> float:
        """Type, click "Read", and return the seconds until the first token of the text is painted."""
        number = str(next(self.numbers))
        self.page.bring_to_front()
        self.page.get_by_role("textbox", name="Text to read").fill(f"{number} {texts.of_tokens(TOKENS - 1)}")
        self.page.evaluate(UNTIL_SHOWN, number)
        self.page.get_by_role("button", name="Read", exact=True).click()
        return self.page.evaluate("window.untilShown") / 1000


def playing_frame(page: Page) -> float:
    """Seconds per frame while the microscope plays."""
    page.bring_to_front()
    page.get_by_role("button", name="4×").click()
    page.get_by_role("button", name="First token (Home)").click()
    page.get_by_role("button", name="Play (space)").click()
    seconds = page.evaluate(A_FRAME, FRAMES_MS) / 1000
    page.get_by_role("button", name="Pause (space)").click()
    return seconds


def resting_frame(page: Page) -> float:
    """Seconds per frame of a static page."""
    page.bring_to_front()
    return page.evaluate(A_FRAME, FRAMES_MS) / 1000


def payload_bytes() -> int:
    """The bytes sent to the browser for 400 tokens of 128 units."""
    reading = lstm_core.load("stackoverflow").read(texts.of_tokens(TOKENS))
    return len(pack(View(reading.tokens, reading.layers[0])))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark; returns the exit status."""
    options = parser().parse_args(arguments)
    text = quote(texts.of_tokens(TOKENS))
    with (
        chromium() as browser,
        server("run", "app.py") as app,
        server("run", "benchmarks/empty_page.py") as empty,
        tab(browser, f"{app.url}/cell_microscope?model=stackoverflow&text={text}") as microscope,
        tab(browser, empty.url) as nothing,
    ):
        microscope.get_by_role("button", name="Open in the microscope").last.wait_for()
        nothing.get_by_role("button", name="Count").wait_for()
        measures = {
            EMPTY: lambda: empty_round_trip(nothing),
            READ: Reads(microscope),
            RESTING: lambda: resting_frame(nothing),
            PLAYING: lambda: playing_frame(microscope),
        }
        times = timing.interleaved(measures, options.repeats)
    rows = [timing.compare(times, READ, EMPTY), timing.compare(times, PLAYING, RESTING, aim=2.0)]
    timing.show("microscope", rows, as_json=options.json, payload_bytes=payload_bytes())
    return 0


if __name__ == "__main__":
    sys.exit(main())
