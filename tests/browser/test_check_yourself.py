"""“Check yourself” in a real browser: guess, run, keep the result, follow the link to the spot."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import downloaded
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, is_settled, is_whole


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_guess_is_answered_by_a_run_and_the_result_is_kept(page: Page, address: str) -> None:
    page.goto(f"{address}/check_yourself")
    is_whole(page, "Which network gives them different probabilities?")
    page.get_by_role("radio", name="Less than a billionth").check(force=True)
    page.locator(".st-key-check_half_forgotten_0_run button").click()
    expect(page.get_by_text("Correct: Less than a billionth.", exact=False)).to_be_visible()
    expect(page.get_by_text("1 of 1 correct", exact=False)).to_be_visible()
    is_settled(page)
    sheet = downloaded(page, page.get_by_role("button", name="Download the result")).decode()
    assert "1 of 1 correct; 1 of 12 answered" in sheet
    assert sheet.count("<li>") == 12
    page.emulate_media(reduced_motion="reduce")
    page.get_by_role("link", name="Forget gates at f ≈ 0.5").click()
    spot = page.locator(".st-key-lab_preset.lab-spot")
    expect(spot).to_be_in_viewport()
    assert spot.evaluate("one => getComputedStyle(one).animationName") == "none"  # marked, but nothing fades
    moving = "document.getAnimations().filter((one) => one.effect.getComputedTiming().activeDuration > 10).length"
    assert page.evaluate(moving) == 0
