"""The stories of the generation page in a real browser: it streams, stops, is walked through, and is nobody else's."""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest
from playwright.sync_api import Locator, Page

import lstm_core
from lstm_core.inference import TextGenerator, sampling_distribution
from lstm_core.nn import softmax
from tests.browser.expecting import expect
from tests.browser.looks import FITS, PHONE, choice
from ui.common import assets
from ui.text_generation.panel import TOP

HOSTILE = '<script>alert(1)</script><img src=x onerror=alert(2)> 😀 שלום "> to be'
# The beats are intervals; what notices that they have stayed away is a timeout, and has to go on.
KEEP_INTERVALS = """
window.intervals = [];
const begin = window.setInterval;
window.setInterval = (...all) => { const one = begin(...all); window.intervals.push(one); return one; };
"""
# A picture may be shown for less time than passes between two checks of the test.
KEEP_PICTURES = """
window.pictured = new Set();
const isPicture = (node) => node.matches?.('.lab-picture[aria-hidden=true]') && node.clientHeight;
const look = ({ target, addedNodes }) =>
  [...addedNodes].some(isPicture) && target.classList.forEach((name) => window.pictured.add(name));
new MutationObserver((changes) => changes.forEach(look)).observe(document, { childList: true, subtree: true });
"""
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


def test_a_chart_has_its_last_picture_until_the_next_one_is_drawn(page: Page, address: str) -> None:
    page.add_init_script(KEEP_PICTURES)
    page.goto(f"{address}/text_generation?length=800")
    for key in ("gen_probabilities", "gen_memory"):
        page.wait_for_function(f"window.pictured.has('st-key-{key}')")
    stop_button(page).click()
    finished(page)
    expect(page.locator(".lab-picture")).to_have_count(0)
    expect(page.locator(".st-key-gen_probabilities .js-plotly-plot")).to_be_visible()


def test_the_picture_of_a_chart_fades_while_the_next_one_is_late_and_then_goes(page: Page, address: str) -> None:
    page.emulate_media(reduced_motion="reduce")  # otherwise `STILL` turns animations off
    page.goto(f"{address}/text_generation?length=20")
    expect(characters(page).nth(19)).to_be_visible()
    finished(page)
    expect(page.locator(".lab-picture")).to_have_count(0)
    page.evaluate(
        "faded = false; addEventListener('animationend', event => event.animationName === 'lab-late' && (faded = true))"
    )
    plot = page.locator(".st-key-gen_probabilities .js-plotly-plot:has(.main-svg)")
    plot.evaluate("plot => plot.closest('[data-stale]').dataset.stale = true")  # while the next drawing is under way
    plot.evaluate("plot => plot.querySelectorAll('.main-svg').forEach(drawing => drawing.remove())")  # not drawn yet
    page.locator(".st-key-gen_probabilities > .lab-picture").wait_for()
    expect(page.locator(".lab-picture")).to_have_count(0)
    assert page.evaluate("faded")


def test_it_streams_what_the_core_writes_to_two_people_is_stopped_and_walked_through(
    page: Page, stranger: Page, address: str
) -> None:
    stranger.goto(f"{address}/text_generation?prompt=The%20king&seed=12&temperature=0.9&length=200")
    page.goto(f"{address}/text_generation?prompt=Is%20this&seed=1&temperature=0.7&length=20")
    expect(page).to_have_title("Text generation · LSTM Lab")
    finished(page)
    # Eight hundred characters at four a second: the text isn't complete when it is stopped, on a slow machine either.
    for name, key, value in (("Characters per second", "Home", "4"), ("Length", "End", "800")):
        slider = page.get_by_test_id("stSlider").filter(has_text=name)
        slider.get_by_role("slider").focus()
        slider.get_by_role("slider").press(key)
        expect(slider.get_by_test_id("stSliderThumbValue")).to_have_text(value)
    page.get_by_role("button", name="Write", exact=True).click()
    expect(characters(page).nth(25)).to_be_visible()
    stop_button(page).click()
    finished(page)
    text, count = written(page), characters(page).count()
    assert 25 < count < 800
    assert text == expected("Is this", count, 0.7, 1)
    finished(stranger)
    expect(characters(stranger)).to_have_count(200)
    assert written(stranger) == expected("The king", 200, 0.9, 12)

    chosen = page.get_by_text(re.compile(r"Character \d+: the most probable characters"))
    expect(chosen).to_contain_text(f"Character {count}:")
    characters(page).nth(9).click()
    expect(chosen).to_contain_text("Character 10:")
    page.get_by_role("button", name="▶", exact=True).click()
    expect(chosen).to_contain_text("Character 11:")
    letters = page.locator(".written").first.locator(".text")
    letters.focus()
    letters.press("ArrowRight")
    expect(chosen).to_contain_text("Character 12:")
    letters.press("Home")
    expect(chosen).to_contain_text("Character 1:")
    expect(page.locator(".character.chosen")).to_have_count(1)

    # Another temperature redraws the bars of the sampling distribution, and those of the network stand still.
    bars = page.locator(".js-plotly-plot").first.locator(".bartext")
    expect(bars).to_have_text(shares("Is this", 0.7))
    slider = page.get_by_test_id("stSlider").filter(has_text="Temperature").first.get_by_role("slider")
    slider.focus()
    slider.press("End")
    expect(page.get_by_test_id("stSliderThumbValue").filter(has_text="2.00")).to_be_visible()
    expect(bars).to_have_text(shares("Is this", 2.0))
    finished(page)
    assert written(page) == text


def shares(prompt: str, temperature: float) -> list[str]:
    """The bars of the first character: the network's probabilities, and those of the sampling distribution."""
    model = lstm_core.load("macbeth")
    assert isinstance(model, TextGenerator)
    logits = next(iter(model.stream(prompt, 1, temperature=0.7, seed=1))).logits
    network, sampling = softmax(logits), sampling_distribution(logits, temperature)
    order = np.argsort(-network, kind="stable")[:TOP]
    return [f"{share:.1%}" for shares in (network, sampling) for share in shares[order]]


DAGGER: dict[str, Any] = {
    "text": "dagger", "prompt": "a ", "name": "surprisal", "values": [1.0] * 6, "limit": 6.0,
    "above": "#D55E00", "below": "#0072B2", "label": "",
}  # fmt: skip
# Chooses a character, and draws the component anew before the choice has been sent; returns what is sent.
CHOSEN_WHILE_DRAWN = """async ([code, data]) => {
    const { default: draw } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    const parentElement = document.getElementById("place");
    return new Promise((resolve) => {
        const component = { data, parentElement, setStateValue: (name, value) => resolve([name, value]) };
        const end = draw(component);
        parentElement.querySelectorAll(".character")[2].click();
        end?.();
        draw(component);
        setTimeout(resolve, 5000, "nothing");
    });
}"""


def test_a_choice_is_sent_although_the_text_is_drawn_meanwhile(page: Page) -> None:
    page.set_content("<div id=place><div class=written><span></span><span></span></div></div>")
    data = DAGGER | {"chosen": 0, "beat": 0}
    assert page.evaluate(CHOSEN_WHILE_DRAWN, [assets.read("written_text.js"), data]) == ["chosen", 2]
    expect(page.locator(".chosen")).to_have_text("g")


# Draws a text while it is written, and ends that drawing without another; returns what is asked for then.
ENDED_WITHOUT_ANOTHER = """async ([code, data]) => {
    const { default: draw } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    return new Promise((resolve) => {
        const parentElement = document.getElementById("place");
        draw({ data, parentElement, setStateValue: (name, value) => resolve([name, value]) })?.();
        setTimeout(resolve, 8000, "nothing");
    });
}"""


def test_the_end_of_a_text_is_asked_for_if_it_was_not_drawn(page: Page) -> None:
    """As when the second drawing arrives while a busy browser still makes the first: Streamlit leaves it out."""
    page.set_content("<div id=place><div class=written><span></span><span></span></div></div>")
    data = DAGGER | {"chosen": None, "beat": 250}
    assert page.evaluate(ENDED_WITHOUT_ANOTHER, [assets.read("written_text.js"), data]) == ["silent", 6]


@pytest.mark.parametrize("page", [PHONE], indirect=True, ids=["phone"])
def test_a_hostile_prompt_is_shown_as_text_and_every_panel_opens(page: Page, address: str) -> None:
    page.add_init_script(KEEP_INTERVALS)
    page.goto(f"{address}/text_generation?length=120&prompt={quote(HOSTILE)}")
    expect(characters(page).nth(3)).to_be_visible()
    # Writing goes on after the beats have stayed away.
    assert page.evaluate("intervals.length")
    page.evaluate("intervals.forEach(clearInterval)")
    finished(page)
    expect(characters(page)).to_have_count(120)
    assert page.locator("img[src=x]").count() == 0
    expect(page.get_by_text("Left out, because not in the alphabet", exact=False)).to_be_visible()
    expect(page.get_by_role("textbox", name="Prompt")).to_have_value(HOSTILE)

    for name, sign in PANELS.items():
        choice(page, name).click()
        expect(page.get_by_text(sign, exact=False).first).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        page.wait_for_function(FITS, polling=100)
    upload = page.locator("input[type=file]")
    upload.set_input_files({"name": "a.txt", "mimeType": "text/plain", "buffer": bytes(range(256)) * 100})
    expect(page.get_by_text("save it as", exact=False)).to_be_visible()
    upload.set_input_files({"name": "b.txt", "mimeType": "text/plain", "buffer": b"The rain in Spain. " * 800})
    expect(page.get_by_text("Alphabet size", exact=True)).to_be_visible()

    box = page.get_by_role("textbox", name="Prompt")
    box.fill("漢字")
    box.press("Control+Enter")
    expect(page.get_by_text("There is nothing to begin with", exact=False)).to_be_visible()
    expect(box).to_have_value("漢字")


# Draws a text while it is written, and when its last lines have come; returns how far it can still be scrolled.
BELOW_THE_EDGE = """async ([code, data, more]) => {
    const { default: draw } = await import(URL.createObjectURL(new Blob([code], { type: "text/javascript" })));
    const parentElement = document.getElementById("place"), root = parentElement.firstElementChild;
    for (const change of [{ beat: 400 }, { text: data.text + more, chosen: data.text.length, beat: 0 }]) {
        draw({ data: { ...data, ...change }, parentElement, setStateValue: () => {} });
    }
    return root.scrollHeight - root.clientHeight - root.scrollTop;
}"""


def test_the_last_line_of_a_text_is_in_sight_when_it_is_written(page: Page) -> None:
    box = "height:60px;overflow-y:auto;white-space:pre-wrap"
    page.set_content(f"<div id=place><div class=written style='{box}'><span></span><span></span></div></div>")
    data = {"text": "a line\n" * 9, "prompt": "", "name": "surprisal", "values": [], "limit": 6.0}
    data |= {"above": "#D55E00", "below": "#0072B2", "chosen": None, "label": ""}
    assert page.evaluate(BELOW_THE_EDGE, [assets.read("written_text.js"), data, "another line\n" * 9]) < 2
