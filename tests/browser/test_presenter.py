"""The presenter view in a real browser: every page without the menu, in large type, until Escape."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.looks import is_settled
from ui.home.path import SECTIONS

expect.set_options(timeout=PATIENCE)
PAGES = [name.lower().replace(" ", "_") for names in SECTIONS.values() for name in names]
WALL = {"width": 1280, "height": 720, "color_scheme": "dark"}
# What has been drawn smaller than 14 pixels on the screen, in figures and around them, also inside components and as an
# index; the indices of formulas alone are smaller.
SMALL = """() => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
    const has_text = (one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const seen = (one) => { const { width, height } = one.getBoundingClientRect(); return width > 1 && height > 1; };
    const size = (one) => {
        const matrix = one.getCTM?.() ?? { a: 1, b: 0 };
        return parseFloat(getComputedStyle(one).fontSize) * Math.hypot(matrix.a, matrix.b);
    };
    return all(document.body)
        .filter((one) => !one.closest("style, script, .katex") && has_text(one) && seen(one) && size(one) < 13.99)
        .map((one) => `${one.textContent.trim()}: ${size(one)}`);
}"""


@pytest.mark.parametrize("page", [WALL], indirect=True, ids=["projector"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_fills_the_wall(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{'' if name == 'home' else name}?present=1")
    is_settled(page)
    expect(page.get_by_role("button", name="Leave the presenter view")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    assert page.evaluate(SMALL) == []
    wide = page.get_by_test_id("stMainBlockContainer").bounding_box()
    assert wide is not None
    assert wide["width"] == WALL["width"]
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 18


@pytest.mark.parametrize("page", [WALL], indirect=True)
def test_links_keep_it_and_escape_leaves_it(page: Page, address: str) -> None:
    page.goto(f"{address}/cell_microscope")
    page.get_by_role("button", name="Presenter view").click()
    leave = page.get_by_role("button", name="Leave the presenter view")
    expect(leave).to_be_visible()
    is_settled(page)
    root = page.get_by_label("Cell microscope", exact=True)
    for part in (".strip", ".answer", ".diagram", ".equations"):
        expect(root.locator(part)).to_be_visible()
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
