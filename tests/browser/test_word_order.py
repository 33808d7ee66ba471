"""Word order in a real browser: a word is dragged, or moved by keyboard; orders are ranked; two readers answer."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

import lstm_core
from lstm_core.inference.word_lm import WordModel
from tests.browser.conftest import PATIENCE
from tests.browser.looks import PHONE, choice, is_whole
from ui.word_order.panels import result

expect.set_options(timeout=PATIENCE)
LAST_WORDS = "Sources: Shannon 1948"
SENTENCE = "the film was not good it was bad"


def reads(page: Page, text: str) -> None:
    """The chips stand in this order, and the sentence below is about it."""
    expect(page.get_by_role("heading", name=surprise_of(text))).to_be_visible()
    expect(page.locator(".chip")).to_have_text(text.split())


def surprise_of(text: str) -> str:
    model = lstm_core.load("everyday_words")
    assert isinstance(model, WordModel)
    return result(model.score(text.split()))


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_the_story_of_the_lecture(page: Page, address: str) -> None:
    page.goto(f"{address}/word_order")
    shuffled = "network recurrent need we neural a why do"
    reads(page, shuffled)
    page.get_by_role("button", name="As typed", exact=True).click()
    reads(page, "why do we need a recurrent neural network")
    page.get_by_role("button", name="Try 200 shuffles").click()
    expect(page.get_by_role("heading", name="Of 200 shuffles and the sentence", exact=False)).to_be_visible()
    is_whole(page, LAST_WORDS, alerts=None)

    choice(page, "Never boring").click()
    reads(page, "never funny always boring")
    expect(page.get_by_role("heading", name="The bag of words gives 2 orders", exact=False)).to_have_count(1)
    page.get_by_role("button", name="never boring always funny", exact=False).click()
    reads(page, "never boring always funny")
    page.get_by_role("button", name="Shuffle", exact=True).click()
    expect(page.get_by_role("heading", name="The bag of words gives", exact=False)).to_have_count(1)
    is_whole(page, LAST_WORDS, alerts=None)


def test_words_move_by_keyboard(page: Page, address: str) -> None:
    page.goto(f"{address}/word_order?text={quote(SENTENCE)}")
    reads(page, SENTENCE)
    page.locator(".chip").nth(3).focus()
    page.keyboard.press("ArrowRight")
    moved = "the film was good not it was bad"
    reads(page, moved)
    page.keyboard.press("ArrowLeft")
    reads(page, SENTENCE)
    page.keyboard.press("ArrowRight")  # the same move once more counts again
    reads(page, moved)
    page.keyboard.press("End")
    last = "the film was good it was bad not"
    reads(page, last)
    assert (
        page.evaluate(
            "document.activeElement.shadowRoot?.activeElement?.textContent ?? document.activeElement.textContent"
        )
        == "not"
    )
    page.wait_for_function("location.search.includes('order=1-2-3-5-6-7-8-4')")
    page.reload()
    reads(page, last)


def test_a_word_is_dragged(page: Page, address: str) -> None:
    page.goto(f"{address}/word_order?text={quote('the dog bit the man')}")
    expect(page.get_by_role("heading", name="Mean surprisal", exact=False)).to_be_visible()
    page.get_by_role("button", name="As typed", exact=True).click()
    reads(page, "the dog bit the man")
    chip, goal = (page.locator(".chip").nth(place).bounding_box() for place in (1, 4))
    assert chip
    assert goal
    page.mouse.move(chip["x"] + 10, chip["y"] + 10)
    page.mouse.down()
    page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + 12, steps=6)
    page.mouse.move(goal["x"] + goal["width"] - 3, goal["y"] + 12, steps=4)
    page.mouse.up()
    reads(page, "the bit the man dog")


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)> <b>film</b>", "שלום עולם", "film"])
def test_strange_sentences_are_shown_as_they_are(page: Page, address: str, text: str) -> None:
    page.goto(f"{address}/word_order?text={quote(text)}")
    expect(page.get_by_role("heading", name="Mean surprisal", exact=False)).to_be_visible()
    assert page.locator(".order b, .order img").count() == 0
    is_whole(page, LAST_WORDS, alerts=None)
