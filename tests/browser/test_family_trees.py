"""The encoder–decoder and the tree in a real browser: a number too long, other brackets, a node by click."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page

import lstm_core
from lstm_core.inference.seq2seq import Rewriter
from lstm_core.inference.tree_rnn import TreeReader
from tests.browser.axe import is_readable
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, choice, is_whole, rerun
from ui.recurrent_family import seq2seq, tree


def figure(page: Page, key: str) -> Locator:
    return page.locator(f"[class*='st-key-{key}'] .js-plotly-plot").first


def typed(page: Page, label: str, text: str) -> Locator:
    box = page.get_by_label(label, exact=True)
    box.fill(text)
    box.press("Enter")
    return box


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_number_is_spelled_and_words_mean_something_else_in_other_brackets(page: Page, address: str) -> None:
    page.goto(f"{address}/recurrent_family?view=rewriting")
    a_number_longer_than_in_training_is_spelled_wrong(page)
    choice(page, "Over a tree").click()
    the_same_words_in_other_brackets_mean_something_else(page)
    a_click_on_a_circle_chooses_its_node(page)


def a_number_longer_than_in_training_is_spelled_wrong(page: Page) -> None:
    model = lstm_core.load("number_words")
    assert isinstance(model, Rewriter)
    for preset in ("As in training", "Longer than in training"):
        choice(page, preset).click()
        found = model.rewrite(seq2seq.PRESETS[preset])
        expect(page.get_by_role("heading", name=seq2seq.verdict(found))).to_be_visible()
        expect(figure(page, "s2s_diagram")).to_be_visible()
    expect(page.get_by_text(f"True: {found.truth}")).to_be_visible()
    is_whole(page, "Sutskever, Vinyals & Le 2014")

    box = typed(page, "Number", "4 and 2")
    expect(page.get_by_text("Only the digits 0 to 9 can be read", exact=False)).to_be_visible()
    expect(box).to_have_value("4 and 2")
    is_whole(page, "Sutskever, Vinyals & Le 2014", alerts=1)


def the_same_words_in_other_brackets_mean_something_else(page: Page) -> None:
    model = lstm_core.load("negation_tree")
    assert isinstance(model, TreeReader)
    for preset in ("One order of words", "Same words, other brackets"):
        choice(page, preset).click()
        verdict = tree.verdict(model.read(tree.PRESETS[preset]))
        expect(page.get_by_role("heading", name=verdict)).to_be_visible()
    is_whole(page, "Socher et al. 2013")
    is_readable(page)
    box = typed(page, "A bracketed sentence", "(good and")
    expect(page.get_by_text("Something is missing after 'and' at the end", exact=False)).to_be_visible()
    expect(box).to_have_value("(good and")


def a_click_on_a_circle_chooses_its_node(page: Page) -> None:
    rerun(page, lambda: typed(page, "A bracketed sentence", "(not (bad but good))"))
    sign = figure(page, "tree_node_").locator(".scatterlayer .text text").filter(has_text="+").first  # the word good
    sign.scroll_into_view_if_needed()
    box = sign.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.get_by_text("The answer at 'good'", exact=False)).to_be_visible()
    expect(page.get_by_label("Node", exact=True)).to_have_value("good")
    expect(page).to_have_url(re.compile("node=3"))
