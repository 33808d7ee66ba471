"""Networks as people write them, of Keras and of PyTorch: dropped as a file, and every number of a cell compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page

from lstm_core.exhibit import most_varying_unit
from lstm_core.tracing import ModelTrace, feeds, read_network, trace_file
from tests.browser.expecting import expect
from tests.browser.looks import left
from tests.browser.test_cell_microscope import HALF
from tests.tracing import networks
from ui.your_own_network.feed import EXAMPLE_STEPS, SAMPLE_TEXT, WAVES

FILES = Path(__file__).parents[1] / "tracing" / "files"
TORCH = "classifier.pt"
# One for each way of feeding: ids, two inputs, texts; every network by every panel is in tests/pages.
NAMES = ("imdb_bilstm", "two_inputs", "text_vectorization", TORCH)
# The values of the cards that aren't the true ones.
OTHERS = """([root, values, most]) => Object.entries(values).map(([letter, value]) => [letter, value,
        root.querySelector(`.card[data-step=${letter}] [data-value=${letter}]`).textContent])
    .filter(([, value, text]) => Math.abs(value - Number(text.replace("−", "-"))) > most)"""


def expected(path: Path) -> ModelTrace:
    """The trace of what the page feeds a network with at first, and with "Random ids"."""
    network, x = read_network(path.read_bytes(), path.name), {}
    for spec in feeds(network):
        steps: Any = spec.steps or EXAMPLE_STEPS
        if spec.kind == "ids":
            x[spec.name] = np.random.default_rng(1).integers(1, spec.size, (1, steps), np.int32)
        else:
            wave = WAVES["Sine waves"](np.arange(steps), spec.size)[None].astype(np.float32)
            x[spec.name] = [SAMPLE_TEXT] if spec.kind == "texts" else wave
    return trace_file(network, x if len(x) > 1 else next(iter(x.values())))


def test_from_the_file_to_every_number_of_a_cell(page: Page, address: str, tmp_path: Path) -> None:
    page.goto(f"{address}/your_own_network?view=microscope")
    for name in NAMES:
        expect(page.get_by_text("The file is opened here")).to_be_visible()
        path = FILES / name if name == TORCH else networks.save(name, tmp_path)
        page.locator("input[type=file]").set_input_files(str(path))
        expect(page.get_by_test_id("stGraphVizChart").locator("svg")).to_be_visible()
        every_number_of_a_cell_is_right(page, path)
        page.get_by_role("button", name=f"Remove {path.name}").click()


def every_number_of_a_cell_is_right(page: Page, path: Path) -> None:
    if any(spec.kind == "ids" for spec in feeds(read_network(path.read_bytes(), path.name))):
        page.get_by_text("Random ids", exact=True).click()
    root = page.get_by_label("Cell microscope", exact=True)
    expect(root.locator(".card").first).to_be_visible()
    layer = expected(path).layers[0].as_read()
    unit = most_varying_unit(layer)
    expect(root.get_by_role("spinbutton", name=re.compile("Unit"))).to_have_value(str(unit))
    true = {letter: float(values[0, unit]) for letter, values in layer.signals.items()}
    assert left(page, OTHERS, [root.element_handle(), true, HALF]) == []
    expect(page.get_by_test_id("stAlert")).to_have_count(0)
