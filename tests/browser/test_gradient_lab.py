"""The gradient lab in a real browser: the plain RNN loses its gradient, presets change the story, a run explodes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from lstm_core.interpret import gradient_flow
from tests.browser.axe import is_readable
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, choice, is_whole
from ui.gradient_lab.panels import result

LAST_WORDS = "Sources: Hochreiter 1991"


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_the_story_of_the_lecture(page: Page, address: str) -> None:
    page.goto(f"{address}/gradient_lab")
    begin = gradient_flow.initial_flows(100, 32, 1, scale=1.0, activation="tanh", keep_bias=3.0)
    expect(page.get_by_role("heading", name=result(begin))).to_be_visible()
    expect(page.get_by_text("the run diverges at step", exact=False)).to_be_visible()
    is_whole(page, LAST_WORDS)

    choice(page, "Forget gate f ≈ 0.5").click()
    half = gradient_flow.initial_flows(100, 32, 1, scale=1.0, activation="tanh", keep_bias=0.0)
    expect(page.get_by_role("heading", name=result(half))).to_be_visible()
    choice(page, "After training").click()
    expect(page.get_by_role("heading", name=result(gradient_flow.trained_flows(100, 1)))).to_be_visible()
    expect(page.get_by_text("Accuracy at this length", exact=False)).to_be_visible()

    choice(page, "Constant error flow").click()
    expect(page.get_by_text("the product of the forget gates is", exact=False)).to_be_visible()
    choice(page, "Saturated gates").click()
    expect(page.get_by_text("On average over the units", exact=False)).to_be_visible()
    is_whole(page, LAST_WORDS)
    is_readable(page)
