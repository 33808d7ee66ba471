"""The HTML file of a view, opened from the disk without a network, and the lines of Python beside it."""

from __future__ import annotations

import re
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
from playwright.sync_api import Page

import lstm_core
from lstm_core import Clamp, LayerTrace
from lstm_core.nn import NETWORKS
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.nn.trace import run_cell
from lstm_core.nn.weights import CellWeights
from tests.browser.conftest import downloaded
from tests.browser.expecting import PATIENCE, expect
from tests.browser.test_cell_microscope import HALF, cards, put, slider, token

TEXT = "Why is <b>this</b> list in python None & empty? def f(x): return x.sort()"


def test_a_view_is_taken_away_and_works_from_the_disk(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/cell_microscope?model=stackoverflow&text={quote(TEXT)}&clamps=o%3D1%3A0-9")
    page.get_by_role("button", name="Take it away").click()
    body = page.get_by_test_id("stPopoverBody")
    code = body.get_by_test_id("stCode").locator("code").inner_text()
    file = tmp_path / "view.html"
    file.write_bytes(downloaded(page, body.get_by_role("button", name="HTML file")))

    names: dict[str, Any] = {}
    exec(code, names)
    expected = lstm_core.load("stackoverflow").read(TEXT, [Clamp("o", 1.0, units=range(10))])
    trace = expected.layers[0]
    assert isinstance(trace, LayerTrace)
    assert (names["trace"].c == trace.c).all()

    offline = page.context.browser.new_context(offline=True, viewport={"width": 1280, "height": 720})
    offline.set_default_timeout(PATIENCE)
    alone, said = offline.new_page(), []
    alone.on("console", lambda message: said.append(message.text))
    alone.on("pageerror", lambda error: said.append(str(error)))
    alone.on("request", lambda request: said.append(request.url) if request.url != file.as_uri() else None)
    alone.goto(file.as_uri())
    root = alone.get_by_label("Cell microscope", exact=True)
    expect(root.locator(".card").first).to_be_visible()
    alone.keyboard.press("ArrowRight")
    alone.keyboard.press("ArrowRight")
    assert token(root) == 2
    put(root, 2, 5)  # a unit whose output gate is clamped
    for letter in "figch":
        assert abs(cards(root)[letter][letter] - trace.signals[letter][2, 5]) <= HALF
    expect(root.get_by_text("clamped to 1.000")).to_have_count(1)
    alone.keyboard.press(" ")  # plays, with the steps of each token
    expect(slider(root)).to_have_attribute("aria-valuenow", re.compile(r"[4-9]|\d\d"))
    alone.keyboard.press(" ")
    expect(root.get_by_role("button", name="Play (space)")).to_be_visible()

    expect(alone.get_by_role("img", name="Heat map:")).to_have_count(6)
    expect(alone.get_by_role("heading", name="The text", exact=True)).to_be_visible()
    expect(alone.get_by_text(TEXT, exact=True)).to_be_visible()
    expect(alone.get_by_text("Clamped: o=1:0-9")).to_be_visible()
    link = str(alone.get_by_role("link", name="Open this view in LSTM Lab").get_attribute("href"))
    assert said == []
    offline.close()
    query = parse_qs(urlsplit(link).query)
    assert link.startswith(f"{address}/cell_microscope?")
    assert (query["model"], query["text"], query["clamps"]) == (["stackoverflow"], [TEXT], ["o=1:0-9"])


# Renders the widget's module as a notebook does, with the payload as its model.
RENDER = """async ([code, payload]) => {
    const module = await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
    const bytes = Uint8Array.from(atob(payload), one => one.charCodeAt(0));
    const model = {get: () => new DataView(bytes.buffer), on() {}, off() {}};
    module.default.render({model, el: document.getElementById("place")});
}"""


def test_the_cards_name_the_activations_that_the_layer_has(page: Page, tmp_path: Path) -> None:
    """The equations on screen are what was computed, also with relu and a hard sigmoid, and under a clamp."""
    random = np.random.default_rng(0)
    kernel, recurrent = random.normal(size=(3, 16)), random.normal(0, 0.5, (4, 16))
    functions = {"sigma": ELEMENTWISE["hard_sigmoid"], "tanh": ELEMENTWISE["relu"]}
    weights = CellWeights("lstm", "lstm", kernel, recurrent, np.zeros(16), np.zeros(16), **functions)
    trace = run_cell(weights, random.normal(size=(6, 3)), clamps=[Clamp("i", 0.25, timesteps=[3])])
    page.goto(trace.save_html(tmp_path / "relu.html").as_uri())
    root = page.get_by_label("Cell microscope", exact=True)
    formulas = root.locator(".card .formula")
    expect(formulas).to_have_text(
        [
            "f = hard σ(W·x + b + U·h)",
            "i = hard σ(W·x + b + U·h)",
            "g = relu(W·x + b + U·h)",
            "ct = f ⊙ ct−1 + i ⊙ g",
            "o = hard σ(W·x + b + U·h)",
            "ht = o ⊙ relu ct",
        ]
    )
    put(root, 3, 2)
    shown = cards(root)
    for letter in "fgoch":
        assert abs(shown[letter][letter] - trace.signals[letter][3, 2]) <= HALF
    assert abs(shown["f"]["f"] - min(max(shown["f"]["sum_f"] / 6 + 0.5, 0), 1)) <= 2 * HALF
    assert abs(shown["i"]["i"] - min(max(shown["i"]["sum_i"] / 6 + 0.5, 0), 1)) <= 2 * HALF  # computed, and replaced
    assert abs(shown["h"]["tanh_c"] - max(shown["h"]["c"], 0)) <= 2 * HALF
    expect(root.get_by_text("clamped to 0.250")).to_have_count(1)
    expect(root.locator(".diagram .function")).to_have_text(["hard σ", "hard σ", "relu", "hard σ", "relu"])


def test_the_widget_of_a_notebook_leaves_the_keys_around_it_alone(page: Page) -> None:
    trace = NETWORKS["brackets"].read("(a(b)")
    widget = trace.microscope(timestep=1, unit=0)
    page.set_content("<button>Outside</button><div id=place></div>")
    look = page.get_by_role("button", name="Outside").evaluate("one => getComputedStyle(one).cursor")
    page.evaluate(RENDER, [widget._esm, b64encode(widget.payload).decode()])
    root = page.get_by_label("Cell microscope", exact=True)
    expect(root.locator(".card")).to_have_count(6)
    page.keyboard.press("ArrowRight")
    assert token(root) == 1
    slider(root).press("ArrowRight")
    assert token(root) == 2
    assert abs(cards(root)["c"]["c"] - trace.c[2, 0]) <= HALF
    expect(root.get_by_role("button", name="Copy link")).to_have_count(0)
    expect(root.get_by_role("button", name="Clamp")).to_have_count(0)
    assert page.get_by_role("button", name="Outside").evaluate("one => getComputedStyle(one).cursor") == look
