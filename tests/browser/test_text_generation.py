"""The stories of the generation page in a real browser: it streams, stops, is walked through, and is nobody else's."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, expect

import lstm_core
from lstm_core.inference.char_lm import TextGenerator
from tests.browser.conftest import PATIENCE
from tests.browser.looks import LOOKS, choice

expect.set_options(timeout=PATIENCE)
PANELS = {
    "Side by side": "Two texts from the same prompt",
    "Gate surgery": "compare the two texts",
    "Surprisal of a text": "nats per character",
    "Continuations": "found by beam search",
    "Your own text": "Upload a text of your own",
}


def stop_button(page: Page) -> Locator:
    return page.get_by_role("button", name="Stop", exact=True)


def finished(page: Page) -> None:
    expect(stop_button(page)).to_be_disabled()
    expect(page.locator(".written").first).not_to_have_class("written busy")


def characters(page: Page) -> Locator:
    return page.locator(".written").first.locator(".character")


def written(page: Page) -> str:
    return "".join(characters(page).all_text_contents()).replace("↵", "")


def expected(prompt: str, length: int, temperature: float, seed: int) -> str:
    model = lstm_core.load("macbeth")
    assert isinstance(model, TextGenerator)
    return "".join(each.character for each in model.stream(prompt, length, temperature=temperature, seed=seed))


def test_it_streams_what_the_core_writes(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?prompt=Is%20this&seed=1&temperature=0.7&length=300")
    expect(page).to_have_title("Text generation · LSTM Lab")
    expect(characters(page).first).to_be_visible()
    assert 0 < characters(page).count() < 300  # there is something before there is everything
    finished(page)
    expect(characters(page)).to_have_count(300)
    assert written(page) == expected("Is this", 300, 0.7, 1)


def test_stop_stops_and_what_is_written_stays(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?length=800")
    expect(characters(page).first).to_be_visible()
    stop_button(page).click()
    finished(page)
    text = written(page)
    assert 0 < len(text) < 800
    page.get_by_role("button", name="▶", exact=True).click()
    finished(page)
    assert written(page) == text


def test_temperature_redraws_the_bars_and_leaves_the_text(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?length=40&temperature=0.7")
    finished(page)
    text = written(page)
    bars = page.locator(".js-plotly-plot").first.locator(".bartext")
    before = bars.all_text_contents()
    slider = page.get_by_test_id("stSlider").filter(has_text="Temperature").first.get_by_role("slider")
    slider.focus()
    for _ in range(20):
        slider.press("ArrowRight")
    expect(page.get_by_test_id("stSliderThumbValue").filter(has_text="1.70")).to_be_visible()
    expect(bars).not_to_have_text(before)
    half = len(before) // 2
    assert bars.all_text_contents()[:half] == before[:half]  # the network's own probabilities stand still
    assert written(page) == text


def test_a_character_is_chosen_by_click_and_by_keys(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?length=60")
    finished(page)
    expect(page.get_by_text("Character 60: the most probable characters")).to_be_visible()
    characters(page).nth(9).click()
    expect(page.get_by_text("Character 10: the most probable characters")).to_be_visible()
    text = page.locator(".written").first.locator(".text")
    text.focus()
    text.press("ArrowRight")
    expect(page.get_by_text("Character 11: the most probable characters")).to_be_visible()
    text.press("ArrowRight")
    expect(page.get_by_text("Character 12: the most probable characters")).to_be_visible()
    text.press("Home")
    expect(page.get_by_text("Character 1: the most probable characters")).to_be_visible()
    expect(page.locator(".character.chosen")).to_have_count(1)


def test_writing_goes_on_after_the_beats_have_stayed_away(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?length=120")
    expect(characters(page).nth(3)).to_be_visible()
    page.evaluate("() => { for (let timer = setInterval(() => {}, 1e6); timer; timer -= 1) clearInterval(timer); }")
    finished(page)
    expect(characters(page)).to_have_count(120)


def test_two_people_write_at_the_same_time(page: Page, stranger: Page, address: str) -> None:
    for visitor, seed in ((page, 11), (stranger, 12)):
        visitor.goto(f"{address}/text_generation?prompt=The%20king&seed={seed}&temperature=0.9&length=200")
    for visitor, seed in ((page, 11), (stranger, 12)):
        finished(visitor)
        expect(characters(visitor)).to_have_count(200)
        assert written(visitor) == expected("The king", 200, 0.9, seed)


def test_a_hostile_prompt_is_shown_as_text(page: Page, address: str) -> None:
    hostile = '<script>alert(1)</script><img src=x onerror=alert(2)> 😀 שלום "> to be'
    page.goto(f"{address}/text_generation?length=20&prompt={quote(hostile)}")
    finished(page)
    assert page.locator("img[src=x]").count() == 0
    expect(page.get_by_text("Left out, because not in the alphabet", exact=False)).to_be_visible()
    box = page.get_by_role("textbox", name="Prompt")
    expect(box).to_have_value(hostile)
    box.fill("漢字")
    box.press("Control+Enter")
    expect(page.get_by_text("There is nothing to begin with", exact=False)).to_be_visible()
    assert box.input_value() == "漢字"


@pytest.mark.parametrize("page", LOOKS, indirect=True)
def test_every_panel_opens_and_nothing_sticks_out(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?length=100")
    finished(page)
    for name, sign in PANELS.items():
        choice(page, name).click()
        expect(page.get_by_text(sign, exact=False).first).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth")


def test_a_binary_file_as_a_corpus_is_refused(page: Page, address: str) -> None:
    page.goto(f"{address}/text_generation?length=20")
    finished(page)
    name = "Your own text"
    choice(page, name).click()
    upload = page.locator("input[type=file]")
    upload.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": bytes(range(256)) * 100})
    expect(page.get_by_text("save it as", exact=False)).to_be_visible()
    upload.set_input_files({"name": "b.txt", "mimeType": "text/plain", "buffer": b"The rain in Spain. " * 800})
    expect(page.get_by_text("Alphabet size", exact=True)).to_be_visible()
