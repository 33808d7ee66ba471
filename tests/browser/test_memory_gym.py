"""The memory gym in a real browser: a small race starts, moves and is stopped; its sequences are drawn."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

from tests.browser.expecting import PATIENCE, expect
from tests.browser.looks import PHONE, choice, is_whole

TRAINING = 4 * PATIENCE  # a worker starts and builds three networks on a busy machine
LAST_WORDS = "Sources: Hochreiter & Schmidhuber 1997"


@pytest.mark.timeout(1500)
@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_race_starts_moves_and_stops_and_sequences_are_drawn(page: Page, address: str) -> None:
    page.goto(f"{address}/memory_gym?task=copy&length=30&units=4&rate=0.001&steps=4000&job=nothing")
    expect(page.get_by_text("no longer exists", exact=False)).to_be_visible()
    page.get_by_role("button", name="Start the race").click()
    moving = re.compile(r"[1-9][\d,]* of 4,000 batches; now the ")
    expect(page.get_by_text(moving)).to_be_visible(timeout=TRAINING)
    page.wait_for_url(re.compile("job="))
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("It was stopped early.", exact=False)).to_be_visible(timeout=TRAINING)
    expect(page.get_by_role("heading", name="Which unit stores it?")).to_be_visible()
    is_whole(page, LAST_WORDS)

    choice(page, "Embedded Reber grammar").click()
    expect(page.get_by_role("region", name="The sequence, with the relevant symbols tinted")).to_be_visible()
    page.get_by_role("button", name="Measured answer").first.click()
    expect(page.get_by_text("seeds that passed", exact=False)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("Show the answer").click()
    expect(page.get_by_text("as at the second place", exact=False)).to_be_visible()
    is_whole(page, LAST_WORDS)
