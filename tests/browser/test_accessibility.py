"""Every page as axe-core sees it, in light, dark and forced colours; its figures as a screen reader hears them.

Nothing sticks out of a projector's window, of a dark phone's, or of one at twice the size.
"""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.axe import figures_fall_short, is_readable, out_of_reach, violations
from tests.browser.conftest import PATIENCE, look, scaled
from tests.browser.looks import PHONE, WALL, is_settled
from ui.home import path

expect.set_options(timeout=PATIENCE)
PAGES = ["", *(name.lower().replace(" ", "_") for names in path.SECTIONS.values() for name in names if name != "Home")]
# What only a choice shows, in one of the two looks; the stories of the pages ask the same of the views that they open.
VIEWS = {
    **{"question_tags?view=pairs": WALL, "question_tags?view=why": PHONE},
    **{"recurrent_family?view=blanks": PHONE, "recurrent_family?view=rewriting": WALL},
}
OF_COLOURS = ("color-contrast", "link-in-text-block")


def darken(page: Page, **seen: Any) -> None:
    """Turn the page into a dark look, and draw it to the end; the app hears of the theme with the next run."""
    look(page, color_scheme="dark", **seen)
    page.keyboard.press("r")
    is_settled(page)


@pytest.mark.parametrize("name", PAGES)
def test_everybody_can_read_the_page(page: Page, address: str, name: str) -> None:
    """Opened once and turned into every look; rules that don't speak of colours have one answer in all of them."""
    page.goto(f"{address}/{name}")
    is_settled(page)
    found = {"light": violations(page) + figures_fall_short(page) + out_of_reach(page)}
    look(page, forced_colors="active")
    found["forced colours"] = violations(page, *OF_COLOURS)
    darken(page, width=390, height=844)
    found["dark phone"] = violations(page, *OF_COLOURS) + figures_fall_short(page) + out_of_reach(page)
    look(page, 640, 450, color_scheme="dark")
    with scaled(page, 2):
        found["twice the size"] = out_of_reach(page)
    expect(page.get_by_test_id("stException")).to_have_count(0)
    assert {seen: each for seen, each in found.items() if each} == {}


@pytest.mark.parametrize(("page", "name"), [(seen, name) for name, seen in VIEWS.items()], indirect=["page"], ids=VIEWS)
def test_everybody_can_read_the_view(page: Page, address: str, name: str) -> None:
    page.goto(f"{address}/{name}")
    is_readable(page)
