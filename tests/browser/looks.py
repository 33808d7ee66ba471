"""What the stories share: how a page is looked at, that it is whole, and how something in it is chosen."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from tests.browser.conftest import look

# A story is told in one of the two, which differ in everything.
WALL: dict[str, Any] = {"width": 1400, "height": 900, "color_scheme": "light"}
PHONE: dict[str, Any] = {"width": 390, "height": 844, "color_scheme": "dark"}
# One question in place of several `expect`: each of those describes the whole page in words whenever it has to wait.
SETTLED = """() => {
    const main = document.querySelector("[data-testid=stMainBlockContainer]");
    return main?.querySelector("h1, h2, h3, h4, h5, h6")?.checkVisibility()
        && document.querySelector("[data-testid=stApp]").dataset.testScriptState === "notRunning"
        && !document.querySelector("[data-testid=stSkeleton], [data-testid=stPlotlyChart]:not(:has(.main-svg))");
}"""
FITS = "document.documentElement.scrollWidth <= window.innerWidth"


def is_settled(page: Page) -> None:
    """Drawn to the end: no run is under way, and nothing stands for what is still to come."""
    page.wait_for_function(SETTLED, polling=100)


def fits(page: Page) -> None:
    """Nothing is wider than the window; a page on the wall is looked at on a phone, too, and put back."""
    page.wait_for_function(FITS)
    if page.viewport_size and page.viewport_size["width"] == WALL["width"]:
        look(page, **PHONE)
        page.wait_for_function(FITS)
        look(page, **WALL)


def is_whole(page: Page, last_words: str, alerts: int | None = 0) -> None:
    """Drawn to the end, it `fits`, and nothing has gone wrong; None allows any number of alerts."""
    expect(page.get_by_text(last_words, exact=False).last).to_be_visible()  # twice while the old page goes
    expect(page.get_by_test_id("stException")).to_have_count(0)
    if alerts is not None:
        expect(page.get_by_test_id("stAlert")).to_have_count(alerts)
    fits(page)


def choice(page: Page, name: str) -> Locator:
    """A pill or a segment, whichever the browser is told it is."""
    return page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first
