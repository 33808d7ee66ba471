"""A page as axe-core sees it, its figures as a screen reader hears them, and what sticks out of its window."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

from tests.browser.looks import is_settled, left

# Until a colour has become another one, it is neither of them. While the page runs again, Streamlit lets what is still
# that of the last run fade to a third of its opacity: such a fade must not be brought to its end.
AT_REST = """() => {
    if (document.querySelector("[data-stale=true]")) return false;
    document.getAnimations().filter((one) => one instanceof CSSTransition).forEach((one) => one.finish());
    return true;
}"""
# Streamlit puts a <div> for each section between the menu's list and its entries.
OF_STREAMLIT = [["[data-testid=stSidebarNavItems]"]]


def violations(page: Page, *rules: str) -> list[str]:
    """What axe finds that is serious or critical, by all rules or these: rule, element and message."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    page.wait_for_function(AT_REST, polling=100)
    options = {"resultTypes": ["violations"], "preload": False, **({"runOnly": list(rules)} if rules else {})}
    found: dict[str, Any] = page.evaluate("args => axe.run(...args)", [{"exclude": OF_STREAMLIT}, options])
    return [
        f"{each['id']}: {node['target']} {node['html'][:120]} {node['failureSummary']}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


# Figures without a description, and their texts of less than 14 pixels.
FALLS_SHORT = """() => [
    ...[...document.querySelectorAll("[data-testid=stPlotlyChart]:not([aria-label])")].map((one) => one.outerHTML),
    ...[...document.querySelectorAll(".main-svg text")]
      .filter((one) => one.textContent.trim() && parseFloat(getComputedStyle(one).fontSize) < 14)
      .map((one) => one.textContent)]"""
# What sticks out of the window on either side.
OUT_OF_REACH = """() => [
    ...[document.documentElement, document.querySelector("[data-testid=stMain]")]
      .filter((one) => one.scrollWidth > innerWidth).map((one) => one.tagName),
    ...[...document.querySelectorAll(
        "[data-testid=stMain] :is(button, input:not([type=range]), textarea, .katex-html, p)")].filter((one) => {
          const { left, right, width } = one.getBoundingClientRect();
          return width > 1 && (right > innerWidth + 1 || left < -1);
        }).map((one) => one.textContent || one.ariaLabel)]"""


def figures_fall_short(page: Page) -> list[str]:
    """What a screen reader or the last row misses in the figures."""
    return left(page, FALLS_SHORT)


def out_of_reach(page: Page) -> list[str]:
    """What sticks out of the window."""
    return left(page, OUT_OF_REACH)


def is_readable(page: Page) -> None:
    """A part of a page that only a choice shows can be read in the look that the page has."""
    is_settled(page)
    found = violations(page) + figures_fall_short(page) + out_of_reach(page)
    assert not found, found
