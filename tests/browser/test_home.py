"""The home page in a real browser: the path draws itself, and its links open what they promise."""

from __future__ import annotations

from playwright.sync_api import Page

from tests.browser.expecting import expect
from tests.browser.looks import FITS, is_settled
from ui.home import tour


def test_every_stop_gets_its_picture_and_ten_minutes_open_what_they_promise(page: Page, address: str) -> None:
    page.goto(address)
    expect(page.get_by_text("network is loading", exact=False)).to_have_count(0)
    pictures = page.get_by_test_id("stHtml").get_by_role("img")
    expect(pictures).to_have_count(1 + len(tour.STOPS))
    page.evaluate("Promise.all([...document.images].map((one) => one.decode()))")
    drawn = "pictures => pictures.map((one) => one.naturalWidth > 100 && one.alt.length > 20)"
    assert all(pictures.evaluate_all(drawn))
    is_settled(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
    page.wait_for_function(FITS, polling=100)
    last = page.get_by_role("link", name="Next: How does a network read?").bounding_box()
    assert last is not None
    assert last["y"] + last["height"] <= 2 * 900
    page.get_by_role("link", name="Closed forget gate").click()
    expect(page.get_by_text("At every token the cell state is cleared", exact=False)).to_be_visible()
    expect(page.locator(".st-key-tags_preset.lab-spot")).to_be_in_viewport()
