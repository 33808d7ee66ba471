"""Every page as axe-core sees it, in light, dark and forced colours; its figures as a screen reader hears them.

Nothing sticks out of a projector's window, of a dark phone's, or of one at twice the size.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, TimeoutError, expect

from tests.browser.conftest import PATIENCE, look, scaled
from tests.browser.looks import is_settled
from ui.home import path

expect.set_options(timeout=PATIENCE)
PAGES = ["", *(name.lower().replace(" ", "_") for names in path.SECTIONS.values() for name in names if name != "Home")]
# What only a choice shows.
VIEWS = [
    *("question_tags?view=surgery", "question_tags?view=pairs", "question_tags?view=why"),
    *("recurrent_family?view=blanks", "recurrent_family?view=rewriting", "recurrent_family?view=tree"),
    *("forecasting?view=leakage", "gradient_lab?view=saturation"),
]
OF_COLOURS = ("color-contrast", "link-in-text-block")
# Streamlit puts a <div> for each section between the menu's list and its entries.
OF_STREAMLIT = [["[data-testid=stSidebarNavItems]"]]


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds that is serious or critical, by all rules or these: rule, element and message."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found: dict[str, Any] = page.evaluate("args => axe.run(...args)", [{"exclude": OF_STREAMLIT}, options])
    return [
        f"{each['id']}: {node['target']} {node['html'][:120]} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


def figures_fall_short(page: Page) -> list[str]:
    """Figures without a description, and their texts of less than 14 pixels."""
    found: list[str] = page.evaluate("""() => [
        ...[...document.querySelectorAll("[data-testid=stPlotlyChart]:not([aria-label])")].map((one) => one.outerHTML),
        ...[...document.querySelectorAll(".main-svg text")]
          .filter((one) => one.textContent.trim() && parseFloat(getComputedStyle(one).fontSize) < 14)
          .map((one) => one.textContent)]""")
    return found


# What sticks out of the window on either side.
OUT_OF_REACH = """() => [
    ...[document.documentElement, document.querySelector("[data-testid=stMain]")]
      .filter((one) => one.scrollWidth > innerWidth).map((one) => one.tagName),
    ...[...document.querySelectorAll(
        "[data-testid=stMain] :is(button, input:not([type=range]), textarea, .katex-html, p)")].filter((one) => {
          const { left, right, width } = one.getBoundingClientRect();
          return width > 1 && (right > innerWidth + 1 || left < -1);
        }).map((one) => one.textContent || one.ariaLabel)]"""


def darken(page: Page, **seen: Any) -> None:
    """Turn the page into a dark look, and draw it to the end; the app hears of the theme with the next run."""
    look(page, color_scheme="dark", **seen)
    page.keyboard.press("r")
    is_settled(page)


def out_of_reach(page: Page) -> list[str]:
    """What sticks out of the window, once the figures have followed it."""
    with suppress(TimeoutError):
        page.wait_for_function(f"!({OUT_OF_REACH})().length", timeout=10_000)
    found: list[str] = page.evaluate(OUT_OF_REACH)
    return found


@pytest.mark.parametrize("name", PAGES + VIEWS)
def test_everybody_can_read_the_page(page: Page, address: str, name: str) -> None:
    """Opened once and turned into every look; rules that don't speak of colours have one answer in all of them.

    A view has the frame of its page, and is looked at in two looks that differ in everything.
    """
    page.goto(f"{address}/{name}")
    is_settled(page)
    page.evaluate(AXE_SCRIPT)
    found = {"light": violations(page) + figures_fall_short(page) + out_of_reach(page)}
    if name in PAGES:
        look(page, forced_colors="active")
        found["forced colours"] = violations(page, *OF_COLOURS)
    darken(page, width=390, height=844)
    found["dark phone"] = violations(page, *OF_COLOURS) + figures_fall_short(page) + out_of_reach(page)
    if name in PAGES:
        look(page, 640, 450, color_scheme="dark")
        with scaled(page, 2):
            found["twice the size"] = out_of_reach(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert {seen: each for seen, each in found.items() if each} == {}
