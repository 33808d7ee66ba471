"""The presenter view in a real browser: links keep it, and Escape leaves it."""

from __future__ import annotations

import re

from playwright.sync_api import Page

from tests.browser.conftest import look
from tests.browser.expecting import expect
from tests.browser.looks import is_settled, left

BELOW = """root => [".strip", ".answer", ".diagram", ".equations"]
    .filter((part) => root.querySelector(part).getBoundingClientRect().bottom > window.innerHeight)"""


def test_a_link_opens_it_links_keep_it_and_escape_leaves_it(page: Page, address: str) -> None:
    look(page, 1280, 720, color_scheme="dark")
    page.goto(f"{address}/cell_microscope?present=1")
    leave = page.get_by_role("button", name="Leave the presenter view")
    expect(leave).to_be_visible()
    is_settled(page)
    root = page.get_by_label("Cell microscope", exact=True)
    for part in (".strip", ".answer", ".diagram", ".equations"):
        expect(root.locator(part)).to_be_visible()
    assert left(page, BELOW, root.element_handle()) == []
    page.get_by_role("link", name=re.compile("^Next")).click()
    expect(page.get_by_role("heading", level=1)).not_to_have_text("Cell microscope")
    page.wait_for_url(re.compile("present=1"))
    page.get_by_role("link", name=re.compile("^Back")).click()
    root.get_by_role("slider", name="Token").focus()
    page.keyboard.press("Escape")
    expect(leave).to_have_count(0)
    expect(page.get_by_test_id("stSidebar")).to_be_visible()
    expect(page).not_to_have_url(re.compile("present=1"))
