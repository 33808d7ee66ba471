"""The recurrent family in a real browser: three cells on one text, a blank that what follows decides, bad input."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page

import lstm_core
from lstm_core.evaluation import speed
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, choice, is_whole
from ui.recurrent_family import cells, cloze

LAST_WORDS = "Shapes after Karpathy 2015"


def says(text: str) -> str:
    models = {name.removeprefix("family_"): lstm_core.load(name) for name in speed.CELL_MODELS}
    return cells.answers_in_words({kind: model.read(text) for kind, model in models.items()})


def filled(text: str) -> str:
    forward, both = (lstm_core.load(name).read(text) for name in cloze.MODELS)
    return cloze.in_a_sentence(forward, both)


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_the_story_of_the_lecture(page: Page, address: str) -> None:
    page.goto(f"{address}/recurrent_family")
    examples = cells.TEXTS.examples
    expect(page.get_by_role("heading", name=says(next(iter(examples.values()))))).to_be_visible()
    page.get_by_role("button", name="Said last").click()
    expect(page.get_by_role("heading", name=says(examples["Said last"]))).to_be_visible()
    expect(page.get_by_text("times the speed of the plain RNN", exact=False)).to_be_visible()
    is_whole(page, LAST_WORDS)

    page.get_by_role("button", name="Show it above").nth(1).click()
    expect(page).to_have_url(re.compile("view=blanks"))  # once the view is drawn
    presets = cloze.PRESETS
    expect(page.get_by_role("heading", name=filled(presets["It comes after"][0]))).to_be_visible()
    choice(page, "It came before").click()
    expect(page.get_by_role("heading", name=filled(presets["It came before"][0]))).to_be_visible()

    box = page.get_by_role("textbox", name="A sentence with a blank")
    box.fill("<script>alert(1)</script>")
    box.press("Enter")
    expect(page.get_by_test_id("stAlert")).to_contain_text("There is no blank")
    expect(box).to_have_value("<script>alert(1)</script>")
    box.fill("the ___ <b>mooed</b> 👍 at the gate")
    box.press("Enter")
    expect(page.get_by_role("heading", name=filled("the ___ <b>mooed</b> 👍 at the gate"))).to_be_visible()
    is_whole(page, LAST_WORDS)
