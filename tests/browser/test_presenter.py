"""The presenter view in a real browser: every page without the menu, in large type, until Escape."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.test_accessibility import darken, is_settled
from ui.home.path import SECTIONS

expect.set_options(timeout=PATIENCE)
PAGES = [name.lower().replace(" ", "_") for names in SECTIONS.values() for name in names]
WALL = {"width": 1280, "height": 720, "color_scheme": "dark"}
# The smallest font of what has been drawn of the figures, in pixels on the screen.
SMALLEST = """() => {
    const texts = (root) => [...root.querySelectorAll("*")].flatMap(
        (one) => [...(one.shadowRoot ? texts(one.shadowRoot) : []), ...(one.matches("svg text") ? [one] : [])]);
    const sizes = texts(document).filter((one) => one.textContent.trim() && one.getBoundingClientRect().width > 0)
        .map((one) => parseFloat(getComputedStyle(one).fontSize) * Math.hypot(one.getCTM().a, one.getCTM().b));
    return sizes.length ? Math.min(...sizes) : 99;
}"""


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fills_the_wall(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{'' if name == 'home' else name}?present=1")
    is_settled(page)
    fills(page, width=1400)
    darken(page, width=1280, height=720)
    fills(page, width=1280)


def fills(page: Page, width: int) -> None:
    expect(page.get_by_role("button", name="Leave the presenter view")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    assert page.evaluate(SMALLEST) >= 14
    wide = page.get_by_test_id("stMainBlockContainer").bounding_box()
    assert wide is not None
    assert wide["width"] == width
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 18


@pytest.mark.parametrize("page", [WALL], indirect=True)
def test_links_keep_it_and_escape_leaves_it(page: Page, address: str) -> None:
    page.goto(f"{address}/cell_microscope")
    page.get_by_role("button", name="Presenter view").click()
    leave = page.get_by_role("button", name="Leave the presenter view")
    expect(leave).to_be_visible()
    root = page.get_by_label("Cell microscope", exact=True)
    for part in (".strip", ".answer", ".diagram", ".equations"):
        box = root.locator(part).bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 720, part
    page.get_by_role("link", name=re.compile("^Next")).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Cell microscope")
    page.wait_for_url(re.compile("present=1"))
    page.get_by_role("link", name=re.compile("^Back")).click()
    root.get_by_role("slider", name="Token").focus()
    page.keyboard.press("Escape")
    expect(leave).to_have_count(0)
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    assert "present=1" not in page.url
