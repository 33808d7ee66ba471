"""A lesson in a real browser: the keys, what is hidden, the speaker's window, the handout; and an embedded page."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import downloaded, look
from tests.browser.expecting import expect
from tests.browser.looks import FITS, is_settled


def test_a_lesson_is_walked_through_with_the_keys_of_a_clicker(page: Page, address: str) -> None:
    page.goto(f"{address}/lessons")
    handout = downloaded(page, page.get_by_role("button", name="Handout").first)
    assert handout.startswith(b"%PDF-")
    page.get_by_role("button", name="Walk through it").nth(1).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Gradient lab")
    expect(page.get_by_text("A hundred multiplications", exact=True)).to_be_visible()
    expect(page.locator(".st-key-lab_product")).to_be_hidden()
    page.get_by_role("radio", name="About 0.00003").click()
    expect(page.get_by_text("Correct: About 0.00003")).to_be_visible()
    page.get_by_role("button", name="Show the whole page").click()
    expect(page.locator(".st-key-lab_product")).to_be_visible()
    page.locator("h1").click()
    page.keyboard.press("PageDown")
    expect(page.get_by_text("Three networks, one backward pass").first).to_be_visible()
    expect(page.locator(".st-key-lab_product")).to_be_hidden()
    page.reload()
    expect(page.get_by_text("stop 2 of 5")).to_be_visible()
    with page.context.expect_page() as opening:
        page.get_by_role("link", name="Notes").click()
    notes = opening.value
    expect(notes.get_by_text("Over 100 steps the gradient shrinks")).to_be_visible()
    page.keyboard.press("PageDown")
    expect(page.get_by_text("stop 3 of 5")).to_be_visible()
    expect(notes.get_by_text("It shrinks by a factor of")).to_be_visible()
    look(page, 390, 844)
    is_settled(page)
    page.wait_for_function(FITS, polling=100)
    page.get_by_role("button", name="End").click()
    expect(page.get_by_role("button", name="Next")).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_have_text("Gradient lab")


@pytest.mark.parametrize("page", [{"width": 1000, "height": 600}], indirect=True)
def test_an_embedded_page_has_no_menu_and_hides_what_its_link_says(page: Page, address: str) -> None:
    page.goto(f"{address}/question_tags?embed=true&hide=tags_closer,guess&text=def+f(x)")
    expect(page.get_by_role("heading", name="Inside the memory")).to_be_visible()
    expect(page.get_by_role("heading", name="Look closer")).to_be_hidden()
    expect(page.get_by_text("Guess first.")).to_be_hidden()
    expect(page.get_by_test_id("stSidebar")).to_have_count(0)
    expect(page.get_by_role("button", name="Presenter view")).to_have_count(0)
    expect(page).to_have_url(
        f"{address}/question_tags?embed=true&text=def+f%28x%29&signal=c&t=5&hide=tags_closer%2Cguess"
    )
    is_settled(page)
    title = page.get_by_role("heading", level=1).bounding_box()
    assert title is not None
    assert title["y"] < 60
