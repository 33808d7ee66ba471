"""Every page as axe-core sees it, in light, dark and forced colours; its figures as a screen reader hears them.

Nothing sticks out of a projector's window, of a dark phone's, or of one at twice the size; and in the presenter view it
fills the wall.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.axe import figures_fall_short, is_readable, out_of_reach, violations
from tests.browser.conftest import look, scaled
from tests.browser.expecting import expect
from tests.browser.looks import PHONE, WALL, is_settled, left, rerun
from ui.home import path

PAGES = ["", *(name.lower().replace(" ", "_") for names in path.SECTIONS.values() for name in names if name != "Home")]
# What only a choice shows, in one of the two looks; the stories of the pages ask the same of the views that they open.
VIEWS = {
    **{"question_tags?view=pairs": WALL, "question_tags?view=why": PHONE},
    **{"recurrent_family?view=blanks": PHONE, "recurrent_family?view=rewriting": WALL},
}
# Its sixteen figures take a minute to follow the presenter view in place: there its link opens the view.
BY_LINK = "recurrent_family"
OF_COLOURS = ("color-contrast", "link-in-text-block")
# What has been drawn smaller than 14 pixels on the screen, in figures and around them, also inside components and as an
# index; the indices of formulas alone are smaller.
SMALL = """() => {
    const all = (root) => [...root.querySelectorAll("*")].flatMap(
        (one) => [one, ...(one.shadowRoot ? all(one.shadowRoot) : [])]);
    const has_text = (one) => [...one.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
    const seen = (one) => { const { width, height } = one.getBoundingClientRect(); return width > 1 && height > 1; };
    const size = (one) => {
        const matrix = one.getCTM?.() ?? { a: 1, b: 0 };
        return parseFloat(getComputedStyle(one).fontSize) * Math.hypot(matrix.a, matrix.b);
    };
    return all(document.body)
        .filter((one) => !one.closest("style, script, .katex") && has_text(one) && seen(one) && size(one) < 13.99)
        .map((one) => `${one.textContent.trim()}: ${size(one)}`);
}"""

FILLS = "document.querySelector('[data-testid=stMainBlockContainer]').getBoundingClientRect().width === innerWidth"
DARK = "getComputedStyle(document.querySelector('[data-testid=stApp]')).colorScheme === 'dark'"


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_the_page(page: Page, address: str, name: str) -> None:
    """Opened once and turned into every look; rules that don't speak of colours have one answer in all of them."""
    page.goto(f"{address}/{name}")
    is_settled(page)
    found = {"light": violations(page) + figures_fall_short(page) + out_of_reach(page)}
    look(page, **WALL, forced_colors="active")
    found["forced colours"] = violations(page, *OF_COLOURS)
    look(page, **WALL)
    if name != BY_LINK:
        page.get_by_role("button", name="Presenter view").click()
        found["presenter view"] = falls_short_of_the_wall(page)
    look(page, **PHONE)
    page.wait_for_function(DARK, polling=100)
    if name == BY_LINK:
        rerun(page, lambda: page.keyboard.press("r"))  # the app hears of the theme with this run
    else:
        is_settled(page)
        page.keyboard.press("Escape")  # with this one; it may be over before a busy browser draws that it has begun
        expect(page.get_by_role("button", name="Leave the presenter view")).to_have_count(0)
        is_settled(page)
    found["dark phone"] = violations(page, *OF_COLOURS) + figures_fall_short(page) + out_of_reach(page)
    look(page, 640, 450, color_scheme="dark")
    with scaled(page, 2):
        found["twice the size"] = out_of_reach(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert {seen: each for seen, each in found.items() if each} == {}


def falls_short_of_the_wall(page: Page) -> list[str]:
    """What is too small to be read from the last row; without the menu the page is as wide as the window."""
    expect(page.get_by_role("button", name="Leave the presenter view")).to_be_visible()
    is_settled(page)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    expect(page.get_by_test_id("stSidebar")).not_to_be_visible()
    page.wait_for_function(FILLS, polling=100)
    assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 18
    return left(page, SMALL) + out_of_reach(page)


def test_a_link_opens_the_presenter_view(page: Page, address: str) -> None:
    page.goto(f"{address}/{BY_LINK}?present=1")
    assert falls_short_of_the_wall(page) == []


@pytest.mark.parametrize(("page", "name"), [(seen, name) for name, seen in VIEWS.items()], indirect=["page"], ids=VIEWS)
def test_everybody_can_read_the_view(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    is_readable(page)
