"""The page “Classroom” and the bar above each page, by AppTest: starting, joining, following, asking, leaving."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from lstm_core import classroom, database
from lstm_core.lesson_plans import Lesson, Question, Stop, write_lesson
from tests import sqlite
from tests.pages.test_every_page import framed
from ui import replay
from ui.classroom import bar, membership
from ui.common import url_state
from ui.common.server import hashed
from ui.guide import guess

ROOT = Path(__file__).resolve().parents[2]

QUESTION = Question("choice", "Does order matter?", ("Yes", "No"))


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(database, "_refused", 0.0)
    monkeypatch.setattr(membership, "address", lambda: "1.2.3.4")
    for limit in ("STARTS", "WRONG_CODES"):
        monkeypatch.setattr(membership, limit, classroom.Attempts(3, 60.0))
    with sqlite.temporary_database(tmp_path, monkeypatch):
        yield


@pytest.fixture
def lecturer() -> AppTest:
    page = framed("classroom")
    page.button(key="class_start").click().run()
    assert not page.exception
    return page


def code_of(page: AppTest) -> str:
    return str(page.session_state["class"])


def follow(page: AppTest, step: int, view: str) -> AppTest:
    """What the bar asks for when the lecturer shows a view."""
    page.session_state[bar._WANTED] = step, view
    return page.run()


def test_a_class_is_started_with_a_code_a_link_and_a_key(lecturer: AppTest) -> None:
    code = code_of(lecturer)
    assert lecturer.header[0].value == classroom.shown_code(code)
    link, key = (each.value for each in lecturer.code)
    assert link.endswith(f"/classroom?class={code}")
    assert classroom.plain_code(key) not in link
    assert lecturer.query_params["class"] == code
    assert any(each.label == "Results" for each in lecturer.get("download_button"))
    lecturer.button(key="class_end").click().run()
    assert classroom.find(code) is None
    assert not lecturer.exception
    assert "class" not in lecturer.query_params
    assert lecturer.button(key="class_start")


def test_students_join_by_code_or_link_and_lead_nothing(lecturer: AppTest) -> None:
    code = code_of(lecturer)
    student = framed("classroom")
    student.text_input(key="class_typed").set_value(classroom.shown_code(code).lower())
    student.button[0].click().run()
    assert any(classroom.shown_code(code) in each.value for each in student.markdown)
    guest = framed("word_order", **{"class": code.lower()})
    assert guest.session_state["class"] == code
    assert guest.query_params["class"] == code  # a reload comes back
    assert guest.query_params["text"]
    assert not guest.session_state["_class_leads"]
    assert not [each for each in guest.button if each.key == "class_open"]


def test_wrong_codes_are_one_sentence_and_limited_by_address(lecturer: AppTest) -> None:
    guest = framed("word_order", **{"class": "NOSUCH"})
    assert "no class with this code" in guest.warning[0].value
    assert "class" not in guest.query_params
    guest = framed("classroom")
    for _ in range(2):
        guest.text_input(key="class_typed").set_value("<b>x</b>")
        guest.button[0].click().run()
        assert "no class with this code" in guest.error[0].value
    guest.text_input(key="class_typed").set_value(code_of(lecturer))
    guest.button[0].click().run()
    assert "Too many wrong codes" in guest.error[0].value
    assert "class" not in guest.session_state


def test_the_key_lets_somebody_lead_and_a_wrong_one_does_not(lecturer: AppTest) -> None:
    key = lecturer.code[1].value
    other = framed("classroom", **{"class": code_of(lecturer)})
    for typed, leads in (("wrong", False), (key, True)):
        other.text_input(key="class_typed_key").set_value(typed)
        next(each for each in other.button if each.label == "Lead it").click().run()
        assert membership_leads(other) is leads
        assert bool(other.error) is not leads


def membership_leads(page: AppTest) -> bool:
    return bool(page.session_state["_class_leads"])


def test_following_shows_exactly_what_the_lecturers_link_says(lecturer: AppTest) -> None:
    student = framed("question_tags", **{"class": code_of(lecturer)})
    student.text_area(key="tags_text").set_value("something of the student's own").run()
    follow(student, 1, "question_tags?text=def+f%28x%29&signal=f&t=2&view=surgery&clamps=f%3D0&class=NOSUCH")
    assert not student.exception
    assert student.text_area(key="tags_text").value == "def f(x)"
    assert student.slider(key="tags_t").value == 2
    assert student.session_state["tags_signal"] == "f"
    assert student.session_state["tags_clamps"] == "f=0"
    assert student.query_params["class"] == code_of(lecturer)
    follow(student, 2, "question_tags?text=def+f%28x%29")  # what it doesn't say has its default
    assert student.session_state["tags_clamps"] == ""
    assert student.segmented_control(key="tags_view").value is None
    student.text_area(key="tags_text").set_value("x").run()
    assert student.text_area(key="tags_text").value == "x"  # and the student may change it
    assert student.session_state["_class_opened"] == 2


def test_following_opens_other_pages_and_nothing_else(lecturer: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(st, "switch_page", lambda page, query_params: opened.append((page.url_path, query_params)))
    student = framed("word_order", **{"class": code_of(lecturer)})
    follow(student, 1, "gradient_lab?bias=2.5")
    assert opened == [("gradient_lab", {"bias": "2.5", "class": code_of(lecturer)})]
    for step, view in enumerate(("classroom", "nowhere?x=1", "navigation"), start=2):
        follow(student, step, view)
        assert not student.exception
    assert len(opened) == 1


def test_a_lecturer_asks_what_the_page_asks_and_reveals_what_the_network_did(lecturer: AppTest) -> None:
    code = code_of(lecturer)
    page = framed("question_tags", **{"class": code})
    page.session_state["_owner"] = lecturer.session_state["_owner"]
    page.session_state["class"] = ""
    page.run()
    assert membership_leads(page)
    page.radio(key="class_kind").set_value("guess_question_tags").run()
    page.button(key="class_open").click().run()
    state = classroom.find(code)
    assert state is not None
    assert state.asked is not None
    assert state.asked.spot == "guess_question_tags guess_question_tags_box tags_covered"
    offer = page.session_state["_guesses_offered"]["guess_question_tags"]
    assert isinstance(offer, guess.Offer)
    classroom.vote(code, "a student", 1, 1, offer.result()[0] or 0)
    page.radio(key="class_kind").set_value("choice").run()
    page.text_input(key="class_prompt").set_value("Which?")
    page.text_area(key="class_choices").set_value("only one")
    page.button(key="class_open").click().run()
    assert "at least 2" in page.error[0].value
    page.text_area(key="class_choices").set_value("one\n\n two \n")
    page.text_input(key="class_answer").set_value("two")
    page.button(key="class_open").click().run()
    state = classroom.find(code)
    assert state is not None
    assert state.asked is not None
    assert (state.asked.choices, state.asked.answer) == (("one", "two"), 1)


def test_a_database_that_is_down_is_one_sentence_and_reading_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LSTM_LAB_DATABASE", f"sqlite:///{tmp_path / 'file' / 'lab.db'}")
    monkeypatch.setattr(database, "REFUSED", 0.0)  # anything may have asked it just before
    monkeypatch.setattr(database, "_refused", 0.0)
    page = framed("question_tags", **{"class": "ACDEFG"})
    assert "can't be used" in page.warning[0].value
    assert page.subheader[0].value.startswith("Python ·")
    page = framed("classroom")
    page.button(key="class_start").click().run()
    assert "can't be used" in page.error[0].value


def test_the_speakers_window_of_a_class_shows_the_stop_that_the_class_sees(lecturer: AppTest) -> None:
    stops = Stop("First", "", notes="Say **this**.", minutes=2), Stop("Last", "word_order", QUESTION, minutes=3)
    link = urlencode({"walk": url_state.packed(write_lesson(Lesson("A lesson", 5, stops))), "stop": "1"})
    code, whose = code_of(lecturer), lecturer_name(lecturer)
    window = framed("lessons", speaker="1", **{"class": code})
    window.session_state["_owner"] = lecturer.session_state["_owner"]
    window.session_state[membership.LEADS] = True
    assert "appear here" in window.run().info[0].value
    classroom.write_view(code, whose, f"home?{link}")
    assert not window.run().exception
    assert [each.value for each in window.markdown][-2:] == ["Say **this**.", "**Next: Last** · 3 min"]
    assert window.metric[2].value == "2 / 5 min"
    assert any(QUESTION.prompt in each.value for each in window.caption)
    classroom.write_view(code, whose, f"word_order?{link.replace('stop=1', 'stop=2')}")
    assert window.run().markdown[-1].value == "**This is the last stop.**"
    classroom.write_view(code, whose, "word_order?walk=nowhere&stop=1")
    assert "no lesson" in window.run().error[0].value
    window.session_state[membership.LEADS] = False  # a student has the notes of no lecturer
    classroom.write_view(code, whose, f"home?{link}")
    assert "Say" not in "".join(each.value for each in window.run().markdown)


def lecturer_name(page: AppTest) -> str:
    return hashed(page.session_state["_owner"])


def test_the_address_for_students(monkeypatch: pytest.MonkeyPatch, lecturer: AppTest) -> None:
    monkeypatch.setenv("LSTM_LAB_PUBLIC_URL", "https://lab.example/lstm/")
    lecturer.run()
    link = lecturer.code[0].value
    assert link.startswith("https://lab.example/lstm/classroom?class=")
    assert not lecturer.warning
    assert membership.only_here("http://localhost:8501/classroom")
    assert not membership.only_here(link)
    assert urlsplit(link).query == f"class={code_of(lecturer)}"


def test_a_class_that_has_ended_lets_everybody_go(lecturer: AppTest, monkeypatch: pytest.MonkeyPatch) -> None:
    code = code_of(lecturer)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 25 * 3600)
    late = framed("word_order", **{"class": code})
    assert "no class with this code" in late.warning[0].value


def test_the_next_follower_may_open_the_view_when_this_page_shows_it(
    lecturer: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[str, str]] = []
    monkeypatch.setattr(bar.HUB, "opened", lambda code, visitor: opened.append((code, visitor)))
    student = framed("question_tags", **{"class": code_of(lecturer)})
    assert opened == []
    follow(student, 1, "question_tags?text=x")
    assert opened == [(code_of(lecturer), hashed(student.session_state["_owner"]))]
    student.run()
    assert len(opened) == 1


VIEWS_SHOWN = [
    "question_tags?text=def+f%28x%29&signal=f&t=2",
    "movie_reviews?text=a+fine+film",
    "gradient_lab?bias=2.5",
]


def shown(page: AppTest) -> list[tuple[str, bytes]]:
    """All that is on a page, in its order; but for the class's bar, which counts what it has opened."""

    def parts(block: Any) -> Iterator[Any]:
        if block.proto is not None:
            yield type(block.proto).__name__, block.proto.SerializeToString(deterministic=True)
        for child in getattr(block, "children", {}).values():
            yield from parts(child)

    return [part for part in parts(page.main) if b"lstm_lab_class" not in part[1]]


def remembered(page: AppTest) -> dict[str, Any]:
    """What a session holds of the view; what it offers to ask holds functions, which are never equal."""
    return {key: value for key, value in page.session_state.items() if key not in ("_owner", "_guesses_offered")}


@pytest.mark.parametrize("view", VIEWS_SHOWN, ids=lambda view: view.partition("?")[0])
def test_a_follower_gets_what_anothers_run_has_drawn(
    lecturer: AppTest, view: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repeated page equals a run in elements, address and session, and then works on its own."""
    repeated: list[replay.Recording] = []
    repeat = replay.Recording.repeat
    monkeypatch.setattr(replay.Recording, "repeat", lambda one: repeated.append(one) or repeat(one))
    replay.VIEWS.forget()
    students = [framed(view.partition("?")[0], **{"class": code_of(lecturer)}) for _ in range(3)]
    follow(students[0], 1, view)
    assert not repeated
    follow(students[1], 1, view)
    assert len(repeated) == 1
    replay.VIEWS.forget()
    follow(students[2], 1, view)  # a run of its own
    assert len(repeated) == 1
    pages, sessions = [shown(each) for each in students], [remembered(each) for each in students]
    assert pages[1] == pages[0] == pages[2]
    assert sessions[1] == sessions[0] == sessions[2]
    assert students[1].query_params == students[0].query_params == students[2].query_params
    again = [shown(each.run()) for each in students]
    assert again[1] == again[0] == again[2]
    assert not students[1].exception


def test_what_is_shown_of_own_runs_is_shown_to_nobody_else(lecturer: AppTest) -> None:
    """The memory gym looks for the visitor's own networks, whose owner is another one in each of these sessions."""
    replay.VIEWS.forget()
    for _ in range(2):
        follow(framed("memory_gym", **{"class": code_of(lecturer)}), 1, "memory_gym")
    (view,) = replay.VIEWS._views.values()
    assert len(view.recordings) == 2  # neither fits the other visitor
