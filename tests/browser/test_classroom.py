"""A class in a real browser, on SQLite and on PostgreSQL: one lecturer and three students, from the code to the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page

from tests.browser.conftest import STILL, running_app
from tests.browser.expecting import PATIENCE, expect
from tests.postgresql import server as postgresql

TOKEN = "t => new URLSearchParams(location.search).get('t') === t"
PHONE = {"width": 390, "height": 844}
CHOICES = re.compile("Forgetting|Writing|No gate")  # of the page that the lesson is about


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest, tmp_path: Path, chromium: Browser) -> Iterator[str]:
    """A server of its own, where nobody else is in a class."""
    with ExitStack() as stack:
        database = f"sqlite:///{tmp_path / 'lab.db'}"
        if request.param == "postgresql":
            database = stack.enter_context(postgresql())
        folder = str(tmp_path / "own")
        yield stack.enter_context(running_app(tmp_path / "log.txt", LSTM_LAB_MODELS=folder, LSTM_LAB_DATABASE=database))


@pytest.fixture
def people(chromium: Browser) -> Iterator[list[Page]]:
    """A lecturer, and three students of whom the first has a phone."""
    with ExitStack() as stack:
        pages, errors = [], []
        for place in range(4):
            context = stack.enter_context(chromium.new_context(viewport=PHONE if place == 1 else None))
            context.set_default_timeout(PATIENCE)
            context.add_init_script(STILL)
            page = context.new_page()
            page.on("pageerror", lambda error: errors.append(str(error)))
            pages.append(page)
        yield pages
        assert errors == []


def bar(page: Page) -> Locator:
    return page.get_by_role("region", name="Class", exact=True)


def press(page: Page, name: str) -> None:
    bar(page).get_by_role("button", name=name).click()


def opens(page: Page, name: str) -> None:
    expect(page.get_by_role("heading", level=1, name=name)).to_be_visible()


def answer(page: Page) -> Locator:
    """Where the page itself asks the question, and shows the answer after a guess."""
    return page.get_by_text("Guess first.")


def test_a_lesson_with_three_students(address: str, people: list[Page]) -> None:
    """All of it on one page: each page takes each of the four browsers seconds."""
    lecturer, *students = people
    phone, second, third = students

    # Start and join, by code and by link.
    lecturer.goto(f"{address}/classroom")
    opens(lecturer, "Classroom")  # in its frame, though this is the first page that the server shows
    expect(lecturer).to_have_title("Classroom · LSTM Lab")
    expect(lecturer.get_by_test_id("stSidebarNav").get_by_text("Question tags")).to_be_visible()
    expect(lecturer.get_by_text("navigation", exact=True)).to_have_count(0)
    lecturer.get_by_role("button", name="Start a class").click()
    code = bar(lecturer).get_by_text(re.compile("^Class ")).inner_text().removeprefix("Class ")
    lecturer.get_by_role("button", name="Lecturer's key").click()
    key = lecturer.get_by_test_id("stPopoverBody").locator("code").inner_text()
    lecturer.keyboard.press("Escape")
    phone.goto(f"{address}/classroom")
    phone.get_by_role("textbox", name="Code").fill(code.lower().replace("-", " "))
    phone.get_by_role("button", name="Join", exact=True).click()
    expect(bar(lecturer)).to_contain_text("1 of 1 follow")

    # Follow, leave, follow again.
    lecturer.get_by_test_id("stSidebarNav").get_by_role("link", name="Cell microscope").click()
    for page in (lecturer, phone):
        opens(page, "Cell microscope")
    for student in (second, third):
        student.goto(f"{address}/classroom?class={code}")
        opens(student, "Cell microscope")
    expect(bar(lecturer)).to_contain_text("3 of 3 follow")
    press(third, "Explore alone")
    expect(bar(lecturer)).to_contain_text("2 of 3 follow")
    lecturer.wait_for_function(TOKEN, arg="1")
    for _ in range(3):
        lecturer.keyboard.press("ArrowRight")
    for student in (phone, second):
        student.wait_for_function(TOKEN, arg="4")
    assert not third.evaluate(TOKEN, "4")
    press(third, "Follow again")
    third.wait_for_function(TOKEN, arg="4")

    # Ask what the page asks; vote, and change the vote.
    expect(answer(phone)).to_be_visible()
    lecturer.get_by_role("button", name="Ask the class").click()
    lecturer.get_by_text("This page: ").click()
    lecturer.get_by_role("button", name="Open the vote").click()
    for student, choices in zip(students, ([2, 0], [1], [0]), strict=True):
        for choice in choices:
            chosen = bar(student).get_by_role("button", name=CHOICES).nth(choice)
            chosen.click()
            expect(chosen).to_contain_text("(your answer)")
    expect(bar(lecturer)).to_contain_text("3 answers so far")
    lecturer.keyboard.press("Escape")
    for page in (lecturer, phone):  # nobody sees the answer on the page
        expect(answer(page)).not_to_be_visible()
    expect(bar(phone)).not_to_contain_text("%")

    # A lost network; a second round meanwhile.
    phone.context.set_offline(True)
    phone.evaluate("lstmLabClass.socket.close()")
    expect(bar(phone)).to_contain_text("The connection to the class is lost")
    press(lecturer, "Vote again")
    expect(bar(second)).to_contain_text("Round 2")
    phone.context.set_offline(False)
    for student in students:
        expect(bar(student)).to_contain_text("Round 2")
        bar(student).get_by_role("button", name=CHOICES).nth(0).click()
    expect(bar(lecturer)).to_contain_text("3 answers so far")

    # Reveal: the network's run on the page, and both rounds side by side.
    press(lecturer, "Reveal the answer")
    for page in people:
        expect(bar(page)).to_contain_text(re.compile(r"Correct: \d of 3 in round 1, \d of 3 in round 2"))
        expect(bar(page)).to_contain_text(re.compile("The cell state c of unit .* comes from forgetting"))
        expect(answer(page)).to_be_visible()

    # A reload loses nothing, and the lecturer comes back with the key, in another browser.
    second.reload()
    expect(bar(second)).to_contain_text("(your answer")
    lecturer.context.clear_cookies()
    lecturer.goto(f"{address}/classroom?class={code}")
    opens(lecturer, "Cell microscope")  # without the key it follows, as everybody does
    lecturer.get_by_test_id("stSidebarNav").get_by_role("link", name="Classroom").click()
    lecturer.get_by_text("I lead this class").click()
    lecturer.get_by_label("Lecturer's key", exact=True).fill(key)
    lecturer.get_by_role("button", name="Lead it").click()
    expect(bar(lecturer)).to_contain_text("You lead")

    # The end.
    lecturer.get_by_role("button", name="End the class").click()
    lecturer.get_by_role("button", name="End it now").click()
    for student in students:
        expect(bar(student)).to_contain_text("The class has ended.")
    press(phone, "Leave the class")
    expect(bar(phone)).to_have_count(0)
