"""Gate surgery in a real browser: predict and compare, add and remove clamps, a shared link; on every page with it."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

import lstm_core
from lstm_core import Clamp
from lstm_core.inference.classifier import TextClassifier
from tests.browser.axe import is_readable
from tests.browser.conftest import PATIENCE
from tests.browser.looks import PHONE, choice
from tests.browser.test_text_generation import finished

expect.set_options(timeout=PATIENCE)
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


def test_a_shared_link_reopens_text_and_clamps(page: Page, address: str) -> None:
    page.goto(f"{address}/question_tags?view=surgery&text={quote(TEXT)}&clamps={quote('f=1:0-63;i=0@2-')}")
    held = [Clamp("f", 1.0, units=range(64)), Clamp("i", 0.0, timesteps=range(2, len(TEXT.split())))]
    expect(page.get_by_role("heading", name="After")).to_be_visible()
    expect(page.get_by_role("heading", name=" · ").last).to_contain_text(confidence(held))
    page.get_by_role("button", name="Input gate i = 0, token 3-").click()
    expect(page.get_by_role("heading", name=" · ").last).to_contain_text(confidence(held[:1]))
    expect(page).not_to_have_url(re.compile("i%3D0"))  # written after the panel is drawn
    page.get_by_role("button", name="Forget gate f = 1, unit 0-63").click()
    expect(page.get_by_role("heading", name="After")).to_have_count(0)


def test_the_ablation_map_is_measured_on_demand(page: Page, address: str) -> None:
    page.goto(f"{address}/question_tags?view=surgery&text={quote(TEXT)}")
    page.get_by_role("button", name="Measure").click()
    expect(page.get_by_text("changes most", exact=False)).to_be_visible()


def test_the_microscope_shows_a_held_gate(page: Page, address: str) -> None:
    page.goto(f"{address}/cell_microscope?model=stackoverflow&text={quote(TEXT)}&clamps={quote('o=0')}&t=3&unit=5")
    expect(page.get_by_text("with these clamps it is", exact=False)).to_be_visible()
    expect(page.get_by_text(confidence([Clamp("o", 0.0)]), exact=False).first).to_be_visible()
    page.get_by_role("button", name="Gate surgery").click()
    page.get_by_role("button", name="Output gate o = 0").click()
    expect(page.get_by_text("with these clamps it is", exact=False)).to_have_count(0)


def test_a_network_writes_with_a_gate_held(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?length=20&clamps={quote('o=0')}")
    finished(page)
    choice(page, "Gate surgery").click()
    expect(page.get_by_text("compare the two texts", exact=False)).to_be_visible()
    page.get_by_role("button", name="Write both").click()
    stop = page.get_by_role("button", name="Stop both")
    expect(stop).to_be_visible()
    expect(stop).to_be_disabled()
    free, held = page.locator(".written").nth(1), page.locator(".written").nth(2)
    expect(free.locator(".character")).to_have_count(300)
    expect(held.locator(".character")).to_have_count(300)
    assert free.inner_text() != held.inner_text()
    expect(page.get_by_text("gates clamped", exact=False).first).to_be_visible()
