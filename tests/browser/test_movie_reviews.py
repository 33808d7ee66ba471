"""The stories of the reviews page in a real browser: verdict, panels, a long review, a hostile one."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page

from tests.browser.expecting import expect
from tests.browser.looks import FITS, PHONE, choice
from tests.browser.test_question_tags import settled
from ui.common.examples import Texts

TEXTS = Texts.load("reviews.json")
HOSTILE = '<script>alert(1)</script> "><img src=x onerror=alert(2)> **what** a [film](javascript:alert(3))'
PANELS = {
    "Why this answer": "add up to all but",
    "Two texts": "The second cell state minus the first",
    "Similar activations": "of the pattern",
    "Evaluation": "Test accuracy",
    "Errors": "true class|nor on this",
}


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_every_panel_opens_an_example_is_compared_and_other_texts_are_read(page: Page, address: str) -> None:
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
        page.wait_for_function(FITS, polling=100)
    page.get_by_role("button", name="Irony").click()
    box = page.get_by_role("textbox", name="Your review")
    expect(box).to_have_value(TEXTS.examples["Irony"])
    page.get_by_role("button", name="Compare with a bag of words").click()
    expect(page.get_by_test_id("stCaptionContainer").get_by_text("a bag of words", exact=True)).to_be_visible()

    choice(page, "Why this answer").click()
    box.fill(" ".join((TEXTS.examples["Long"].split() * 4)[:1500]))
    box.press("Control+Enter")
    expect(page.get_by_text("the network read the first", exact=False).first).to_be_visible()
    settled(page)
    expect(page.get_by_text("add up to all but", exact=False)).to_be_visible()

    box.fill(HOSTILE)
    box.press("Control+Enter")
    expect(page.get_by_role("region", name="The text, each token tinted").first).to_contain_text(HOSTILE)
    settled(page)
    assert page.locator("img[src='x']").count() == 0
    assert page.locator("a[href^='javascript']").count() == 0
