"""The stories of the microscope in a real browser: its numbers, playing, keys, dragging, links, light and dark."""

from __future__ import annotations

import math
import random
import re
from base64 import b64encode
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import quote

import pytest
from playwright.sync_api import Locator, Page, TimeoutError

import lstm_core
from lstm_core.exhibit import View, pack
from lstm_core.nn import hand_set
from lstm_core.nn.clamps import Clamp
from tests.browser.conftest import ROOT, look
from tests.browser.expecting import expect
from tests.browser.looks import is_settled, left, rerun
from ui.common.examples import Texts

QUESTION = Texts.load("questions.json").examples["Long"]
SHORT = "((a)"
HALF = 0.0005 + 1e-5  # half of the last decimal, and what fixed point may lose


def settled(page: Page) -> Locator:
    """The microscope, once it is there and no run is under way."""
    root = page.get_by_label("Cell microscope", exact=True)
    root.locator(".card").first.wait_for()
    page.get_by_role("button", name="Open in the microscope").last.wait_for()
    is_settled(page)
    return root


def slider(root: Locator) -> Locator:
    return root.get_by_role("slider", name="Token")


def token(root: Locator) -> int:
    return int(slider(root).get_attribute("aria-valuenow") or 0) - 1


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def cards(root: Locator) -> dict[str, dict[str, float]]:
    """Step → name of a value → the number that is shown."""
    read = """cards => Object.fromEntries(cards.map(card => [card.dataset.step, Object.fromEntries(
        [...card.querySelectorAll('[data-value]')].map(one => [one.dataset.value, one.textContent]))]))"""
    shown = root.locator(".card").evaluate_all(read)
    return {step: {name: number(text) for name, text in values.items()} for step, values in shown.items()}


def drawn(root: Locator) -> dict[str, float]:
    """Name of a value → the number in the diagram."""
    read = "all => Object.fromEntries(all.map(one => [one.dataset.value, one.textContent]))"
    return {name: number(text) for name, text in root.locator("svg [data-value]").evaluate_all(read).items()}


def put(root: Locator, t: int, unit: int) -> None:
    """Go to a token and a unit, as a person does: the number of the unit, and a click on the token."""
    box = root.get_by_role("spinbutton", name="Unit")
    box.fill(str(unit))
    box.press("Enter")
    root.locator(".chip").nth(t).click()
    assert token(root) == t


def sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def test_the_numbers_equal_the_trace_and_the_address_brings_the_view_back(
    page: Page, stranger: Page, address: str
) -> None:
    page.goto(f"{address}/cell_microscope?model=stackoverflow&text={quote(QUESTION)}")
    root = settled(page)
    trace = (
        lstm_core.load("stackoverflow").read(page.get_by_role("textbox", name="Text to read").input_value()).layers[0]
    )
    chance = random.Random(5)
    for _ in range(3):
        t, unit = chance.randrange(min(len(trace), 30)), chance.randrange(trace.units)
        put(root, t, unit)
        shown, picture = cards(root), drawn(root)
        for letter in "figo":
            own = shown[letter]
            assert own[f"wx_{letter}"] == pytest.approx(trace.input_sums[letter][t, unit], abs=HALF)
            assert own[f"uh_{letter}"] == pytest.approx(trace.recurrent_sums[letter][t, unit], abs=HALF)
            for value in (own[letter], picture[letter]):
                assert value == pytest.approx(trace.signals[letter][t, unit], abs=HALF)
            assert own[f"sum_{letter}"] == pytest.approx(own[f"wx_{letter}"] + own[f"uh_{letter}"], abs=3 * HALF)
            squash = math.tanh if letter == "g" else sigmoid
            assert own[letter] == pytest.approx(squash(own[f"sum_{letter}"]), abs=2 * HALF)
        c0 = trace.c[t - 1, unit] if t else 0.0
        h0 = trace.h[t - 1, unit] if t else 0.0
        assert picture["c0"] == shown["c"]["c0"] == pytest.approx(c0, abs=HALF)
        assert picture["h0"] == pytest.approx(h0, abs=HALF)
        c = shown["c"]
        slack = HALF * (2 + abs(c["f"]) + abs(c["c0"]))
        assert c["kept"] == pytest.approx(c["f"] * c["c0"], abs=slack)
        assert c["written"] == pytest.approx(c["i"] * c["g"], abs=3 * HALF)
        assert c["c"] == pytest.approx(c["kept"] + c["written"], abs=3 * HALF)
        assert c["c"] == picture["c"] == pytest.approx(trace.c[t, unit], abs=HALF)
        h = shown["h"]
        assert h["tanh_c"] == pytest.approx(math.tanh(h["c"]), abs=2 * HALF)
        assert h["h"] == pytest.approx(h["o"] * h["tanh_c"], abs=3 * HALF)
        assert h["h"] == picture["h"] == pytest.approx(trace.h[t, unit], abs=HALF)
        life = root.locator("[data-life=c]").inner_text()
        assert number(life) == c["c"]

    put(root, 11, 0)
    root.locator(".choice").get_by_role("button", name="Hidden state").click()
    root.locator(".bars canvas").click(position={"x": 2, "y": 60})  # the first bar is the largest
    best = int(trace.h[11].argmax())
    expect(root.get_by_role("spinbutton")).to_have_value(str(best))
    expect(root.get_by_text(f"Unit {best} over the text")).to_be_visible()
    page.wait_for_url(re.compile(f"unit={best}"))
    slider(root).press("ArrowRight")
    page.wait_for_url(re.compile("t=13"))
    values = drawn(root)
    stranger.goto(page.url)
    there = settled(stranger)
    assert token(there) == 12
    assert drawn(there) == values
    nothing_sticks_out_or_is_tiny(stranger, there)


def test_the_other_cells_show_their_own_numbers(page: Page, address: str) -> None:
    page.goto(f"{address}/cell_microscope?model=quotes")
    root = settled(page)
    the_numbers_are_those_of(root, "quotes")
    nothing_sticks_out_or_is_tiny(page, root)
    look(page)
    page.get_by_role("combobox", name="Network").click()
    page.get_by_role("option", name=hand_set.NETWORKS["echo"].title).click()
    expect(root.get_by_role("img", name=re.compile("RNN cell"))).to_be_visible()
    settled(page)
    the_numbers_are_those_of(root, "echo")
    nothing_sticks_out_or_is_tiny(page, root)


def the_numbers_are_those_of(root: Locator, name: str) -> None:
    trace = hand_set.NETWORKS[name].read(hand_set.NETWORKS[name].sample)
    for t, unit in ((0, 0), (5, 1), (len(trace) - 1, 1)):
        put(root, t, unit)
        picture = drawn(root)
        for letter, values in trace.signals.items():
            assert picture[letter] == pytest.approx(values[t, unit], abs=HALF)


def test_playing_walks_through_steps_and_tokens_without_a_word_to_the_server(page: Page, address: str) -> None:
    frames: list[object] = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: frames.append(data)))
    page.goto(f"{address}/cell_microscope?model=stackoverflow&text={quote(QUESTION)}&t=1")
    root = settled(page)
    assert frames  # the socket is being counted
    page.wait_for_url(re.compile("signal=c"))  # the microscope writes it, when the view has been the same for a while
    before = len(frames)
    root.get_by_role("button", name="4×").click()
    root.get_by_role("button", name=re.compile("^Play")).click()
    expect(root.locator(".card.on")).to_have_count(1)
    expect(root.locator("svg .gate.on, svg .value.on, svg .sign.on").first).to_be_visible()
    expect(slider(root)).to_have_attribute("aria-valuenow", re.compile(r"[4-9]|\d\d"))
    slider(root).focus()
    page.keyboard.press("Space")
    expect(root.get_by_role("button", name=re.compile("^Play"))).to_be_visible()
    where = token(root)
    page.wait_for_url(re.compile(f"[?&]t={where + 1}&"))  # nor does it write before it has stopped
    assert token(root) == where
    root.locator(".choice").get_by_role("button", name="Output gate").click()
    root.locator(".bars canvas").click(position={"x": 5, "y": 60})
    page.keyboard.press("ArrowDown")
    unit = root.get_by_role("spinbutton", name="Unit").input_value()
    page.wait_for_url(re.compile(f"unit={unit}&signal=o"))
    assert len(frames) == before
    with_reduced_motion_playing_goes_token_by_token(page, root)


def with_reduced_motion_playing_goes_token_by_token(page: Page, root: Locator) -> None:
    look(page, reduced_motion="reduce")
    where = token(root)
    root.get_by_role("button", name=re.compile("^Play")).click()
    page.wait_for_function("([one, t]) => one.ariaValueNow > t + 2", arg=[slider(root).element_handle(), where])
    assert root.locator(".card.on, .later").count() == 0
    running = "svg => svg.getAnimations({ subtree: true }).length"
    assert root.locator(".diagram").evaluate(running) == 0


HEAR = """() => {
    window.heard = [];
    const { start } = AudioScheduledSourceNode.prototype;
    AudioScheduledSourceNode.prototype.start = function () { heard.push(this.frequency.value); start.call(this); };
}"""


def test_one_network_by_keys_and_mouse_clamped_changed_given_another_text_and_left(page: Page, address: str) -> None:
    page.goto(address)
    page.evaluate(HEAR)
    page.get_by_role("link", name="Cell microscope", exact=True).first.click()
    root = settled(page)
    is_on_one_screen(page, root)
    keys_work_wherever_the_last_click_was(page, root)
    keys_walk_jump_and_set_the_speed(page, root)
    clicks_and_drags_choose_a_token(page, root)
    another_run_changes_nothing(page, root)
    a_changed_weight_changes_the_numbers_and_the_place_stays(page, root)
    another_text_begins_anew(page, root)
    a_gate_is_heard_while_one_steps(page, root)
    a_gate_is_clamped_beside_the_cell_and_the_answer_says_so(page, root)
    a_story_lies_under_the_microscope_at_its_moment(page, root)


def keys_work_wherever_the_last_click_was(page: Page, root: Locator) -> None:
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert token(root) == 2
    page.keyboard.press("Space")
    expect(root.get_by_role("button", name=re.compile("^Pause"))).to_be_visible()
    root.get_by_role("button", name="4×").click()
    page.keyboard.press("Space")  # the button doesn't take it
    expect(root.get_by_role("button", name=re.compile("^Play"))).to_be_visible()
    rerun(page, page.get_by_role("button", name="Read", exact=True).click)  # its end pauses what plays
    page.keyboard.press("Space")
    expect(root.get_by_role("button", name=re.compile("^Pause"))).to_be_visible()
    page.keyboard.press("Space")
    where = token(root)
    box = page.get_by_role("textbox", name="Characters to read")
    box.click()
    page.keyboard.press("ArrowLeft")  # moves the caret
    assert token(root) == where
    root.get_by_role("button", name="1×").click()


def keys_walk_jump_and_set_the_speed(page: Page, root: Locator) -> None:
    put(root, 0, 0)
    last = len(hand_set.NETWORKS["brackets"].sample) - 1
    strip = slider(root)
    strip.focus()
    steps: list[tuple[str, Callable[[], int], int]] = [
        ("End", lambda: token(root), last),
        ("ArrowRight", lambda: token(root), last),
        ("ArrowLeft", lambda: token(root), last - 1),
        ("Home", lambda: token(root), 0),
        ("ArrowDown", lambda: int(root.get_by_role("spinbutton").input_value()), 1),
        ("ArrowUp", lambda: int(root.get_by_role("spinbutton").input_value()), 0),
    ]
    for key, see, expected in steps:
        page.keyboard.press(key)
        assert see() == expected, key
    page.keyboard.press("+")
    expect(root.get_by_role("button", name="2×")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("-")
    page.keyboard.press("-")
    expect(root.get_by_role("button", name="0.5×")).to_have_attribute("aria-pressed", "true")
    assert strip.evaluate("one => getComputedStyle(one).outlineStyle") == "solid"
    expect(root.get_by_role("img", name=re.compile("LSTM cell. Token 1 of"))).to_be_visible()
    expect(root.get_by_role("status")).to_contain_text("Token 1 of")


def clicks_and_drags_choose_a_token(page: Page, root: Locator) -> None:
    chips = root.locator(".chip")
    chips.nth(5).click()
    assert token(root) == 5
    start, end = chips.nth(5).bounding_box(), chips.nth(9).bounding_box()
    assert start is not None
    assert end is not None
    page.mouse.move(start["x"] + 3, start["y"] + 3)
    page.mouse.down()
    page.mouse.move(end["x"] + 5, end["y"] + 30, steps=6)
    page.mouse.up()
    assert token(root) == 9
    life = root.locator(".surface")
    life.scroll_into_view_if_needed()
    box = life.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 2, box["y"] + 20)
    page.mouse.down()
    assert token(root) == 0
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + 20, steps=4)
    page.mouse.up()
    assert token(root) == len(hand_set.NETWORKS["brackets"].sample) - 1
    expect(root.locator(".tip")).to_contain_text("}")


def another_run_changes_nothing(page: Page, root: Locator) -> None:
    put(root, 4, 1)
    rerun(page, page.get_by_role("button", name="Read", exact=True).click)
    assert token(root) == 4
    assert root.get_by_role("spinbutton").input_value() == "1"


def another_text_begins_anew(page: Page, root: Locator) -> None:
    box = page.get_by_role("textbox", name="Characters to read")
    box.fill(SHORT)
    box.press("Control+Enter")
    expect(root.locator(".chip")).to_have_count(len(SHORT))
    assert token(root) == 0


def a_story_lies_under_the_microscope_at_its_moment(page: Page, root: Locator) -> None:
    page.get_by_role("button", name="Open in the microscope").last.click()
    expect(page.get_by_role("textbox", name="Text to read")).to_be_visible()
    expect(root.get_by_text("All 256 units, sorted")).to_be_visible()
    assert token(root) >= 0


def cell_opened(page: Page) -> Locator:
    """The field over the bias of the forget gate of unit 0; a table that is still moving loses the click."""
    table = page.get_by_test_id("stDataFrame").locator("canvas").first
    field = page.locator("#portal input, .gdg-input").first
    for attempt in range(10):
        table.scroll_into_view_if_needed()
        box = table.bounding_box()
        assert box is not None
        page.keyboard.press("Escape")
        page.mouse.click(box["x"] + box["width"] - 60, box["y"] + 54)
        page.keyboard.press("Enter")
        with suppress(TimeoutError):
            field.wait_for(timeout=2000 * (attempt + 1))
            break
    expect(field).to_be_visible()
    return field


def a_changed_weight_changes_the_numbers_and_the_place_stays(page: Page, root: Locator) -> None:
    put(root, 8, 0)
    assert drawn(root)["f"] == 1
    field = cell_opened(page)
    field.fill("−16")
    field.press("Enter")
    expect(root.locator(".card [data-value=f]").first).to_have_text("0.000")
    assert token(root) == 8
    page.get_by_role("button", name="Reset the weights").click()
    expect(root.locator(".card [data-value=f]").first).to_have_text("1.000")


def a_gate_is_heard_while_one_steps(page: Page, root: Locator) -> None:
    root.get_by_role("spinbutton", name="Unit").fill("1")
    root.get_by_role("spinbutton", name="Unit").press("Enter")
    root.locator(".choice button", has_text="Forget gate").click()
    slider(root).press("Home")
    assert page.evaluate("heard") == []
    root.get_by_role("button", name="Sound").click()
    for _ in range(3):
        slider(root).press("ArrowRight")
    gate = hand_set.NETWORKS["brackets"].read(SHORT).f[:, 1]  # closed at every bracket
    assert page.evaluate("heard") == pytest.approx([220 * 4**value for value in gate], rel=0.01)
    root.get_by_role("button", name="Sound").click()
    slider(root).press("Home")
    assert len(page.evaluate("heard")) == len(gate)


def a_gate_is_clamped_beside_the_cell_and_the_answer_says_so(page: Page, root: Locator) -> None:
    slider(root).press("End")
    answer = root.get_by_role("group", name="Answer")
    expect(answer).to_contain_text("1.000")
    root.get_by_role("button", name="Clamp Forget gate f to 0").click()
    expect(answer).to_contain_text("was 1.000")
    expect(root.locator(".card[data-step=f] .clamp")).to_have_text("clamped to 0.000")
    assert token(root) == len(SHORT) - 1
    page.wait_for_url(re.compile("clamps=f%3D0"))
    root.get_by_role("button", name="Clamp Forget gate f to 0").click()
    expect(answer).not_to_contain_text("was")


# What is wider than the window or the diagram, and the size in pixels of the diagram's numbers if it is small.
STICKS_OUT = """root => {
    const diagram = root.querySelector(".diagram"), box = diagram.getBoundingClientRect();
    const size = box.width / diagram.viewBox.baseVal.width * 20;
    const outside = (one, { left, right }) => {
        const own = one.getBoundingClientRect();
        return own.left < left || own.right > right;
    };
    return [
        ...[document.documentElement].filter((one) => one.scrollWidth > innerWidth).map((one) => one.tagName),
        ...[".diagram", ".equations", ".bars canvas", ".life"]
            .filter((part) => outside(root.querySelector(part), { left: 0, right: innerWidth })),
        ...[...diagram.querySelectorAll("text")]
            .filter((one) => outside(one, { left: box.left - 1, right: box.right + 1 })).map((one) => one.textContent),
        ...(size > 12 ? [] : [size]),
    ];
}"""


def nothing_sticks_out_or_is_tiny(page: Page, root: Locator) -> None:
    look(page, 390, 844)
    assert left(page, STICKS_OUT, root.element_handle()) == []


def test_hostile_text_is_shown_and_a_clamped_gate_says_what_it_would_have_been(page: Page, address: str) -> None:
    text = '<script>alert(1)</script> "><img src=x onerror=alert(2)> كيف 😀'
    page.goto(f"{address}/cell_microscope?model=stackoverflow&text={quote(text)}&clamps={quote('f=0;o=0')}&t=4&unit=0")
    root = settled(page)
    assert (token(root), root.get_by_role("spinbutton").input_value()) == (3, "0")
    expect(root.locator(".chip").first).to_have_text(re.compile("^<"))
    assert page.locator("img[src='x']").count() == 0
    is_on_one_screen(page, root)
    shown, picture = cards(root), drawn(root)
    for gate in "fo":
        expect(root.locator(f".card[data-step={gate}] .clamp")).to_have_text("clamped to 0.000")
        assert shown[gate][gate] == pytest.approx(sigmoid(shown[gate][f"sum_{gate}"]), abs=2 * HALF)
        assert picture[gate] == 0.0
    expect(root.locator(".card[data-step=i] .clamp")).to_have_text("")


def test_the_browser_reads_the_line_that_stands_behind(page: Page) -> None:
    """The numbers of the trace without clamps arrive in the browser, in two bytes each."""
    network = hand_set.NETWORKS["brackets"]
    plain, after = network.read("a(b(c)d)e"), network.read("a(b(c)d)e", [Clamp("f", 0.0)])
    data = pack(View(list("a(b(c)d)e"), after, before=plain.signals, clamps=[Clamp("f", 0.0)]))
    source = (ROOT / "assets" / "microscope" / "data.js").read_text("utf-8")
    read = f"""data => {{
        {source}
        const trace = unpack(Uint8Array.from(atob(data), character => character.charCodeAt(0)));
        return Object.fromEntries(Object.entries(trace.before).map(([letter, values]) => [letter, [...values]]));
    }}"""
    before = page.evaluate(read, b64encode(data).decode())
    for letter, values in plain.signals.items():
        assert before[letter] == pytest.approx(values.ravel().tolist(), abs=2e-4), letter
    assert max(before["f"]) > 0.9


def test_a_second_layer_is_on_one_screen_too(page: Page, address: str) -> None:
    page.goto(f"{address}/cell_microscope?model=macbeth&layer=2")
    is_on_one_screen(page, settled(page))


ELSEWHERE = """([root, surgery]) => {
    const seen = [...root.querySelectorAll(".strip, .answer, .diagram, .equations, .holds")];
    return [
        ...(seen.length >= 10 ? [] : [seen.length]),
        ...seen.filter((one) => {
            const { top, bottom } = one.getBoundingClientRect();
            return top <= 0 || bottom > innerHeight;
        }).map((one) => one.getAttribute("class")),
        ...[surgery.getBoundingClientRect().top].filter((top) => top <= 0 || top >= innerHeight),
    ];
}"""


def is_on_one_screen(page: Page, root: Locator) -> None:
    """Cell, equations, clamps and answer, without scrolling."""
    surgery = page.get_by_role("button", name="Gate surgery")
    assert left(page, ELSEWHERE, [root.element_handle(), surgery.element_handle()]) == []
