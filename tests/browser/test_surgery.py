"""Gate surgery in a real browser: predict and compare, and the map of what matters."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page

import lstm_core
from lstm_core import Clamp
from lstm_core.inference.classifier import TextClassifier
from tests.browser.axe import is_readable
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, choice

TEXT = "how do i reverse a list in place without using a loop ? my_list . reverse ( ) prints none"


def confidence(clamps: list[Clamp]) -> str:
    model = lstm_core.load("stackoverflow")
    assert isinstance(model, TextClassifier)
    return f"{model.read(TEXT, clamps=clamps).confidence:.1%}"


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_one_guesses_and_then_sees_before_and_after(page: Page, address: str) -> None:
    page.goto(f"{address}/question_tags?view=surgery&text={quote(TEXT)}")
    choice(page, "Forget gate closed").click()
    expect(page.get_by_text("Choose what you expect", exact=False)).to_be_visible()
    expect(page.get_by_role("heading", name="After")).to_have_count(0)
    choice(page, "It stays the same").click()
    expect(page.get_by_role("heading", name="After")).to_be_visible()
    expect(page.get_by_text("was read again in", exact=False)).to_be_visible()
    answers = page.get_by_role("heading", name=" · ")
    expect(answers.last).to_contain_text(confidence([Clamp("f", 0.0)]))
    is_readable(page)
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("changes most", exact=False)).to_be_visible()
