"""Word order in a real browser: a word is dragged, or moved by keyboard; orders are ranked; two readers answer."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Page

import lstm_core
from lstm_core.inference.word_lm import WordModel
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, choice, is_settled, is_whole
from ui.common import assets
from ui.word_order.panels import result

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


# Moves the first word, and draws the component anew before the move has been sent; returns what is sent.
MOVED_WHILE_DRAWN = """async ([code, data]) => {
    const { default: draw } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    const parentElement = document.getElementById("place");
    return new Promise((resolve) => {
        const component = { data, parentElement, setTriggerValue: (name, value) => resolve(value) };
        const end = draw(component);
        const key = new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true });
        parentElement.querySelector(".chip").dispatchEvent(key);
        end?.();
        draw(component);
        setTimeout(resolve, 5000, "nothing");
    });
}"""


def test_a_move_is_sent_although_the_words_are_drawn_meanwhile(page: Page) -> None:
    page.set_content("<div id=place><div class=order><div></div><div></div></div></div>")
    data = {"words": ["not", "so", "good"], "known": [True] * 3, "moves": 0, "order": [0, 1, 2]}
    data |= {"surprisal": [1.0] * 3, "colour": "#D55E00", "limit": 10.0, "label": ""}
    sent = page.evaluate(MOVED_WHILE_DRAWN, [assets.read("word_chips.js"), data])
    assert sent == {"order": [1, 0, 2], "moves": 1}
    expect(page.locator(".chip")).to_have_text(["so", "not", "good"])


def test_words_move_by_keyboard_and_mouse_and_strange_ones_are_shown_as_they_are(page: Page, address: str) -> None:
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
    reads(page, "the film was good it was bad not")
    focused = "document.activeElement.shadowRoot?.activeElement?.textContent ?? document.activeElement.textContent"
    page.wait_for_function(f"({focused}) === 'not'")
    page.wait_for_function("location.search.includes('order=1-2-3-5-6-7-8-4')")

    page.get_by_role("button", name="As typed", exact=True).click()
    reads(page, SENTENCE)
    is_settled(page)
    chip, goal = (page.locator(".chip").nth(place).bounding_box() for place in (1, 4))
    assert chip
    assert goal
    page.mouse.move(chip["x"] + 10, chip["y"] + 10)
    page.mouse.down()
    page.mouse.move(goal["x"] + goal["width"] / 2, goal["y"] + 12, steps=6)
    page.mouse.move(goal["x"] + goal["width"] - 3, goal["y"] + 12, steps=4)
    page.mouse.up()
    reads(page, "the was not good film it was bad")

    box = page.get_by_label("A sentence", exact=True)
    box.fill("<img src=x onerror=alert(1)> <b>film</b> שלום")
    box.press("Enter")
    expect(page.locator(".chip").last).to_have_text("שלום")
    assert page.locator(".order b, .order img").count() == 0
    is_whole(page, LAST_WORDS, alerts=None)
