"""Every page as axe-core sees it, in light, dark and forced colours; its figures as a screen reader hears them."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from ui.home import path

expect.set_options(timeout=PATIENCE)
PAGES = ["", *(name.lower().replace(" ", "_") for names in path.SECTIONS.values() for name in names if name != "Home")]
# What only a choice shows, each in one of the looks.
VIEWS = {
    "light": ["question_tags?view=surgery", "recurrent_family?view=blanks", "forecasting?view=leakage"],
    "dark": ["question_tags?view=pairs", "gradient_lab?view=saturation", "recurrent_family?view=rewriting"],
    "forced": ["question_tags?view=why", "recurrent_family?view=tree"],
}
LOOKS = [
    pytest.param("light", {"color_scheme": "light"}, id="light"),
    pytest.param("dark", {"color_scheme": "dark"}, id="dark"),
    pytest.param("forced", {"forced_colors": "active"}, id="forced"),
]
# Streamlit puts a <div> for each section between the menu's list and its entries.
OF_STREAMLIT = [["[data-testid=stSidebarNavItems]"]]


def is_settled(page: Page) -> None:
    """Drawn to the end: no run is under way, and nothing stands for what is still to come."""
    expect(page.get_by_test_id("stMainBlockContainer").get_by_role("heading").first).to_be_visible()
    expect(page.locator("[data-test-script-state=running], [data-testid=stSkeleton]")).to_have_count(0)
    expect(page.locator("[data-testid=stPlotlyChart]:not(:has(.main-svg))")).to_have_count(0)


def violations(page: Page) -> list[str]:
    """What axe finds that is serious or critical: rule, element and message."""
    page.evaluate(AXE_SCRIPT)
    options = {"resultTypes": ["violations"]}
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


@pytest.mark.parametrize(("look", "page"), LOOKS, indirect=["page"])
def test_axe_finds_nothing_serious_and_figures_can_be_read(page: Page, address: str, look: str) -> None:
    found = {}
    for name in PAGES + VIEWS[look]:
        page.goto(f"{address}/{name}")
        is_settled(page)
        expect(page.get_by_test_id("stException")).to_have_count(0)
        found[name] = violations(page) + figures_fall_short(page)
    assert {name: each for name, each in found.items() if each} == {}


@pytest.mark.parametrize("page", [{"viewport": {"width": 640, "height": 450}, "device_scale_factor": 2}], indirect=True)
def test_at_twice_the_size_nothing_is_out_of_reach(page: Page, address: str) -> None:
    for name in [*PAGES, *VIEWS["dark"]]:
        page.goto(f"{address}/{name}")
        is_settled(page)
        wide = "document.querySelector('[data-testid=stMain]').scrollWidth > innerWidth"
        assert not page.evaluate(wide), name
        cut = """() => [...document.querySelectorAll(
            "[data-testid=stMain] :is(button, input:not([type=range]), textarea, .katex-html, p)")].filter((one) => {
              const { left, right, width } = one.getBoundingClientRect();
              return width > 1 && (right > innerWidth + 1 || left < -1);
            }).map((one) => one.textContent || one.ariaLabel)"""
        assert page.evaluate(cut) == [], name
