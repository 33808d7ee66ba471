"""What the stories share: how a page is looked at, that it is whole, and how something in it is chosen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

# A story is told in the two that differ in everything; every page is turned into the other two as well.
LOOKS = [
    pytest.param({"width": 1400, "height": 900, "color_scheme": "light"}, id="light-1400"),
    pytest.param({"width": 390, "height": 844, "color_scheme": "dark"}, id="dark-390"),
]


def is_whole(page: Page, last_words: str, alerts: int | None = 0) -> None:
    """Drawn to the end, nothing wider than the window, and nothing gone wrong; None allows any number of alerts."""
    expect(page.get_by_text(last_words, exact=False).last).to_be_visible()  # twice while the old page goes
    expect(page.get_by_test_id("stException")).to_have_count(0)
    if alerts is not None:
        expect(page.get_by_test_id("stAlert")).to_have_count(alerts)
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def choice(page: Page, name: str) -> Locator:
    """A pill or a segment, whichever the browser is told it is."""
    return page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name, exact=True)).first
