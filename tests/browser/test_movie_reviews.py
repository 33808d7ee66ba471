"""The stories of the reviews page in a real browser: verdict, panels, short and long, light and dark."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.looks import choice, fits
from tests.browser.test_question_tags import settled
from ui.common.examples import Texts

expect.set_options(timeout=PATIENCE)
TEXTS = Texts.load("reviews.json")
PANELS = {
    "Why this answer": "add up to all but",
    "Two texts": "The second cell state minus the first",
    "Similar activations": "of the pattern",
    "Evaluation": "Test accuracy",
    "Errors": "true class|nor on this",
}


def test_every_panel_opens_and_nothing_sticks_out(page: Page, address: str) -> None:
    page.goto(f"{address}/movie_reviews?text={quote(TEXTS.examples['Turning'])}")
    expect(page).to_have_title("Movie reviews · LSTM Lab")
    settled(page)
    for name, sign in PANELS.items():
        choice(page, name).click()
        alternatives = [page.get_by_text(text, exact=False).first for text in sign.split("|")]
        seen = alternatives[0]
        for other in alternatives[1:]:
            seen = seen.or_(other)
        expect(seen.first).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        fits(page)


@pytest.mark.parametrize("words", [5, 1500])
def test_five_words_and_fifteen_hundred(page: Page, address: str, words: int) -> None:
    if words == 5:
        page.goto(f"{address}/movie_reviews?text={quote(TEXTS.examples['Five words'])}")
        settled(page)
    else:
        page.goto(f"{address}/movie_reviews")
        settled(page)
        long = " ".join((TEXTS.examples["Long"].split() * 4)[:words])
        box = page.get_by_role("textbox", name="Your review")
        box.fill(long)
        box.press("Control+Enter")
        expect(page.get_by_text("the network read the first", exact=False)).to_be_visible()
        settled(page)
    choice(page, "Why this answer").click()
    expect(page.get_by_text("add up to all but", exact=False)).to_be_visible()


def test_a_hostile_review_is_shown_and_never_run(page: Page, address: str) -> None:
    text = '<script>alert(1)</script> "><img src=x onerror=alert(2)> **what** a [film](javascript:alert(3))'
    page.goto(f"{address}/movie_reviews?text={quote(text)}&view=moments")
    settled(page)
    expect(page.get_by_role("region", name="The text, each token tinted").first).to_contain_text(text)
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0


def test_an_example_fills_the_box_and_a_bag_of_words_disagrees_visibly(page: Page, address: str) -> None:
    page.goto(f"{address}/movie_reviews")
    settled(page)
    page.get_by_role("button", name="Irony").click()
    expect(page.get_by_role("textbox", name="Your review")).to_have_value(TEXTS.examples["Irony"])
    page.get_by_role("button", name="Compare with a bag of words").click()
    expect(page.get_by_test_id("stCaptionContainer").get_by_text("a bag of words", exact=True)).to_be_visible()
    settled(page)
