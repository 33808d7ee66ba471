"""The memory gym in a real browser: a small race starts, moves and is stopped, and its link finds it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.looks import PHONE, choice, is_whole

expect.set_options(timeout=PATIENCE)
TRAINING = 4 * PATIENCE  # a worker starts and builds three networks on a busy machine
LAST_WORDS = "Sources: Hochreiter & Schmidhuber 1997"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_tasks_are_drawn_in_every_look(page: Page, address: str) -> None:
    page.goto(f"{address}/memory_gym")
    expect(page.get_by_text("What is the sum of the two marked numbers?")).to_be_visible()
    is_whole(page, LAST_WORDS)
    choice(page, "Embedded Reber grammar").click()
    expect(page.get_by_role("region", name="The sequence, with the relevant symbols tinted")).to_be_visible()
    page.get_by_role("button", name="Measured answer").first.click()
    expect(page.get_by_text("seeds that passed", exact=False)).to_be_visible()
    page.keyboard.press("Escape")
    page.get_by_text("Show the answer").click()
    expect(page.get_by_text("as at the second place", exact=False)).to_be_visible()
    is_whole(page, LAST_WORDS)


@pytest.mark.timeout(1500)
def test_a_race_starts_moves_survives_a_reload_and_stops(page: Page, address: str) -> None:
    page.goto(f"{address}/memory_gym?task=copy&length=30&units=4&rate=0.001&steps=4000")
    page.get_by_role("button", name="Start the race").click()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    moving = re.compile(r"[1-9][\d,]* of 4,000 batches; now the ")
    expect(page.get_by_text(moving)).to_be_visible(timeout=TRAINING)
    first = page.get_by_text(moving).inner_text()
    expect(page.get_by_text(moving)).not_to_have_text(first, timeout=TRAINING)
    page.wait_for_url(re.compile("job="))
    page.reload()
    expect(page.get_by_text(re.compile("of 4,000 batches"))).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.get_by_text("It was stopped early.", exact=False)).to_be_visible(timeout=TRAINING)
    expect(page.get_by_role("heading", name="Which unit stores it?")).to_be_visible()
    is_whole(page, LAST_WORDS)


def test_a_link_to_a_run_that_is_gone_says_so(page: Page, address: str) -> None:
    page.goto(f"{address}/memory_gym?task=order&length=40&job=nothing")
    expect(page.get_by_text("no longer exists", exact=False)).to_be_visible()
    expect(page.get_by_text("Which of X and Y came first", exact=False)).to_be_visible()
