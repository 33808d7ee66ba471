"""The path through the lab without a mouse: Tab, Enter, Space and arrows, with the focus in sight at every stop."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from playwright.sync_api import Page

from tests.browser.expecting import expect
from tests.browser.looks import is_settled
from ui.home import path

MOST_STOPS = 200  # of the keyboard on one page
# The focused element, also inside a component: its role, its name, and whether it or what holds it has a frame.
FOCUSED = """() => {
  let one = document.activeElement;
  while (one?.shadowRoot?.activeElement) one = one.shadowRoot.activeElement;
  if (one === document.body) return null;
  const framed = (node, depth) => {
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(node);
    const here = (outlineStyle !== "none" && parseFloat(outlineWidth) > 0) || boxShadow !== "none";
    return here || (depth > 0 && node.parentElement && framed(node.parentElement, depth - 1));
  };
  const role = one.getAttribute("role") ?? (one.type === "range" ? "slider" : one.tagName.toLowerCase());
  return [role, one.getAttribute("aria-label") || one.textContent, Boolean(framed(one, 2))];
}"""


@dataclass(frozen=True)
class Focus:
    """What the keyboard is on."""

    role: str
    name: str
    framed: bool  # whether it can be seen


def tab_to(page: Page, role: str, name: str) -> None:
    """Press Tab until an element of that role whose name has these words is focused."""
    seen: list[Focus] = []
    for _ in range(MOST_STOPS):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUSED)
        if found is None:
            continue
        focus = Focus(*found)
        assert focus.framed or focus.role == "gridcell", focus  # a table draws the frame of its cell on a canvas
        if focus.role == role and name in focus.name:
            return
        seen.append(focus)
    raise AssertionError(f"no {role} “{name}” after {[each.name[:30] for each in seen]}")


def step_timesteps(page: Page) -> None:
    tab_to(page, "slider", "Timestep")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text("Timestep 11", exact=True)).to_be_visible()


def play_the_cell(page: Page) -> None:
    tab_to(page, "slider", "Token")
    token = page.get_by_role("slider", name="Token")
    page.keyboard.press("ArrowRight")
    expect(token).to_have_attribute("aria-valuenow", "2")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Pause (space)")).to_be_visible()
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Play (space)")).to_be_visible()


def multiply(page: Page) -> None:
    tab_to(page, "slider", "The number w")
    page.keyboard.press("End")
    expect(page.get_by_text("1, multiplied by 1.5 a hundred times", exact=False)).to_be_visible()


WORK = {"question_tags.py": step_timesteps, "cell_microscope.py": play_the_cell, "gradient_lab.py": multiply}


def test_the_path_can_be_walked_by_keyboard_alone(page: Page, address: str) -> None:
    """As far as the last page where there is something to do: from there on it is links, as on the pages before."""
    page.goto(address)
    far = 1 + max(map(list(path.PATH).index, WORK))
    for file, following in pairwise(list(path.PATH)[: far + 1]):
        is_settled(page)
        page.keyboard.press("Control+Home")
        if file in WORK:
            WORK[file](page)
        tab_to(page, "a", "Next:")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{following.removesuffix('.py')}*")
