"""The encoder–decoder and the tree in a real browser: a number too long, meddling with the state, a node by click."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

import lstm_core
from lstm_core.inference.seq2seq import Rewriter
from lstm_core.inference.tree_rnn import TreeReader
from lstm_core.interpret import state_patching
from tests.browser.axe import is_readable
from tests.browser.conftest import PATIENCE
from tests.browser.looks import PHONE, choice, is_whole
from ui.recurrent_family import seq2seq, tree

expect.set_options(timeout=PATIENCE)
PAGE = "recurrent_family"


def figure(page: Page, key: str) -> Locator:
    return page.locator(f"[class*='st-key-{key}'] .js-plotly-plot").first


def test_a_number_longer_than_in_training_is_spelled_wrong(page: Page, address: str) -> None:
    model = lstm_core.load("number_words")
    assert isinstance(model, Rewriter)
    page.goto(f"{address}/{PAGE}?view=rewriting")
    for preset in ("As in training", "Longer than in training"):
        choice(page, preset).click()
        found = model.rewrite(seq2seq.PRESETS[preset])
        expect(page.get_by_role("heading", name=seq2seq.verdict(found))).to_be_visible()
        expect(figure(page, "s2s_diagram")).to_be_visible()
    expect(page.get_by_text(f"True: {found.truth}")).to_be_visible()
    is_whole(page, "Sutskever, Vinyals & Le 2014")

    page.get_by_label("Number", exact=True).fill("4 and 2")
    page.get_by_label("Number", exact=True).press("Enter")
    expect(page.get_by_text("Only the digits 0 to 9 can be read", exact=False)).to_be_visible()
    expect(page.get_by_label("Number", exact=True)).to_have_value("4 and 2")
    is_whole(page, "Sutskever, Vinyals & Le 2014", alerts=1)


def test_a_link_reopens_what_was_done_to_the_state(page: Page, address: str) -> None:
    model = lstm_core.load("number_words")
    assert isinstance(model, Rewriter)
    page.goto(f"{address}/{PAGE}?view=rewriting&number=4072&handed=c&other=98")
    text = model.write(*state_patching.swap_state(model.state("4072"), model.state("98"), "c"), 100).text
    expect(page.get_by_text(f"The decoder writes: {text}", exact=True)).to_be_visible()
    page.get_by_text("Try this: where is the length stored?").click()
    expect(page.get_by_text("counts with the norm of c", exact=False)).to_be_visible()
    assert "other=98" in page.url


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_the_same_words_in_other_brackets_mean_something_else(page: Page, address: str) -> None:
    model = lstm_core.load("negation_tree")
    assert isinstance(model, TreeReader)
    page.goto(f"{address}/{PAGE}?view=tree")
    for preset in ("One order of words", "Same words, other brackets"):
        choice(page, preset).click()
        verdict = tree.verdict(model.read(tree.PRESETS[preset]))
        expect(page.get_by_role("heading", name=verdict)).to_be_visible()
    is_whole(page, "Socher et al. 2013")
    is_readable(page)
    page.get_by_text("Try this: all bracketings").click()
    expect(page.get_by_text("2 trees have these words in this order", exact=False)).to_be_visible()

    page.get_by_label("A bracketed sentence", exact=True).fill("(good and")
    page.get_by_label("A bracketed sentence", exact=True).press("Enter")
    expect(page.get_by_text("Something is missing after 'and' at the end", exact=False)).to_be_visible()
    expect(page.get_by_label("A bracketed sentence", exact=True)).to_have_value("(good and")


def test_a_click_on_a_circle_chooses_its_node(page: Page, address: str) -> None:
    page.goto(f"{address}/{PAGE}?view=tree&sentence={quote('(not (bad but good))')}")
    sign = figure(page, "tree_node_").locator(".scatterlayer .text text").filter(has_text="+").first  # the word good
    sign.scroll_into_view_if_needed()
    box = sign.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text("The answer at 'good'", exact=False)).to_be_visible()
    expect(page.get_by_label("Node", exact=True)).to_have_value("good")
    expect(page).to_have_url(re.compile("node=3"))
