"""What the stories share: how a page is looked at, that it is whole, and how something in it is chosen."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from playwright.sync_api import Locator, Page, TimeoutError

from tests.browser.expecting import PATIENCE, expect

# A story is told in one of the two, which differ in everything. What fits a phone fits a wall.
WALL: dict[str, Any] = {"width": 1400, "height": 900, "color_scheme": "light"}
PHONE: dict[str, Any] = {"width": 390, "height": 844, "color_scheme": "dark"}
# One question in place of several `expect`.
SETTLED = """() => {
    const main = document.querySelector("[data-testid=stMainBlockContainer]");
    return main?.querySelector("h1, h2, h3, h4, h5, h6")?.checkVisibility()
        && document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning"
        && !document.querySelector("[data-testid=stSkeleton], [data-testid=stPlotlyChart]:not(:has(.main-svg))");
}"""
FITS = "document.documentElement.scrollWidth <= window.innerWidth"
# Makes `ran` true at the end of the next run; another theme may put a new element in the place of the app's.
AWAIT_RUN = """() => {
    window.ran = false;
    new MutationObserver((changes) => {
        window.ran ||= changes.some((one) => one.target.dataset.testScriptState === "notRunning");
    }).observe(document.body, { attributeFilter: ["data-test-script-state"], subtree: true });
}"""


def is_settled(page: Page) -> None:
    """Drawn to the end: no run is under way, and nothing stands for what is still to come."""
    page.wait_for_function(SETTLED, polling=100)


def rerun(page: Page, act: Callable[[], object]) -> None:
    """Do what lets the server run the page again, and wait for the end of that run: what is seen then is of it.

    For a run that takes a while: a busy browser draws the beginning and the end of a short one at once.
    """
    is_settled(page)
    page.evaluate(AWAIT_RUN)
    act()
    page.wait_for_function("ran", polling=100)  # a busy browser may draw no frame to look at
    is_settled(page)


def left(page: Page, script: str, argument: Any = None) -> list[Any]:
    """What a script finds wrong, once it has had the time to find nothing: figures follow a window or a run later."""
    with suppress(TimeoutError):
        page.wait_for_function(
            f"argument => !({script})(argument).length", arg=argument, polling=100, timeout=PATIENCE / 2
        )
    found: list[Any] = page.evaluate(script, argument)
    return found


def is_whole(page: Page, last_words: str, alerts: int | None = 0) -> None:
    """Drawn to the end, nothing is wider than the window or has gone wrong; None allows any number of alerts."""
    expect(page.get_by_text(last_words, exact=False).last).to_be_visible()  # twice while the old page goes
    expect(page.get_by_test_id("stException")).to_have_count(0)
    if alerts is not None:
        expect(page.get_by_test_id("stAlert")).to_have_count(alerts)
    page.wait_for_function(FITS, polling=100)


def choice(page: Page, name: str) -> Locator:
    """A pill or a segment, whichever the browser is told it is."""
    return page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first
