"""The page "Lessons" and the bar of a lesson, by AppTest."""

from __future__ import annotations

from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from lstm_core.lesson_plans import Lesson, Question, Stop, read_lesson, shipped_lessons, write_lesson
from tests.pages.test_every_page import framed
from ui.common import hidden, url_state
from ui.lessons import bar, editor, speaker, walk

ROOT = Path(__file__).resolve().parents[2]
LESSON = Lesson(
    "Two views",
    5,
    (
        Stop(
            "One", "word_order?text=the+cat+sat", Question("choice", "Which?", ("a", "b"), "b"), "Wait.", ("path",), 2
        ),
        Stop("Two", "question_tags?model=gone&text=def", None, "", ("tags_closer",), 3),
    ),
)


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, str]]]:
    """Where `st.switch_page` leads, which AppTest doesn't follow."""
    found: list[tuple[str, dict[str, str]]] = []

    def switch_page(page: str, *, query_params: dict[str, str]) -> None:
        found.append((page, query_params))
        st.stop()

    monkeypatch.setattr(st, "switch_page", switch_page)
    return found


def styles(page: AppTest) -> str:
    return "".join(each.proto.body for each in page.get("html"))


def test_a_lesson_begins_at_its_first_view_and_the_keys_lead_on(switched: list[Any]) -> None:
    page = framed("lessons")
    assert len(page.subheader) == len(shipped_lessons())
    page.button(key="lesson_walk_why_gates").click().run()
    first = shipped_lessons()["why_gates"].stops[0]
    place = {"walk": "why_gates", "stop": "1"}
    assert switched == [("gradient_lab.py", {"w": "0.9", "radius": "0.9", **place})]
    page = framed("gradient_lab", **switched[-1][1])
    assert not page.exception
    assert page.button(key="lesson_back").disabled
    assert f".st-key-{first.hide[-1]}" in styles(page)
    page.button(key="lesson_reveal").click().run()
    assert f".st-key-{first.hide[-1]}" not in styles(page)
    assert page.query_params["shown"] in ("1", ["1"])  # a reload keeps it, and a class that follows gets it
    page.button(key="lesson_next").click().run()
    assert switched[-1][1]["stop"] == "2"


def test_the_question_is_asked_in_the_bar_and_answered_after_the_guess() -> None:
    page = framed("word_order", **{**walk.settings(LESSON.stops[0]), "walk": write_lesson(LESSON), "stop": "1"})
    choices = next(each for each in page.pills if "Which?" in each.label)
    assert not any("Correct" in each.value or "Not this time" in each.value for each in page.markdown)
    choices.set_value(1).run()
    assert any("Correct: b" in each.value for each in page.markdown)
    assert not any("Wait." in each.value for each in page.markdown)  # the notes are the speaker's


def test_who_follows_a_lecturer_sees_the_question_and_neither_its_answer_nor_the_way_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(bar, "_follows", lambda: True)
    page = framed("word_order", text="the cat sat", walk=write_lesson(LESSON), stop="1")
    assert any(each.value == "**Which?**" for each in page.markdown)
    assert not any("Which?" in each.label for each in page.pills)
    assert not {"lesson_next", "lesson_reveal"} & {each.key for each in page.button}
    page.query_params.clear()
    page.query_params["text"] = "the cat sat"  # the lecturer has left the lesson
    assert not any(each.value == "**Which?**" for each in page.run().markdown)


def test_a_stop_shows_its_own_view_and_nothing_that_the_visitor_had_set(switched: list[Any]) -> None:
    page = framed("question_tags", text="int x = 1;", signal="f", view="why")
    page.query_params.clear()
    for key, value in {"text": "def", "walk": write_lesson(LESSON), "stop": "2"}.items():
        page.query_params[key] = value
    page.run()
    assert page.text_area(key="tags_text").value == "def"
    assert page.segmented_control(key="tags_signal").value == "c"
    assert page.segmented_control(key="tags_view").value is None
    assert "“gone”" in page.warning[0].value  # the network of the stop was deleted


@pytest.mark.parametrize(
    ("name", "reason"),
    [("no_such", "There is no lesson"), ("title = 3", "Line 1: title is 3"), ("z.x", "has no title")],
)
def test_a_damaged_lesson_in_a_link_is_one_sentence_and_the_page_is_there(name: str, reason: str) -> None:
    page = framed("glossary", walk=name, stop="1")
    assert not page.exception
    assert len(page.error) == 1
    assert reason in page.error[0].value.replace("\\", "")
    assert len(page.title) == 1


def test_a_link_hides_controls_which_keep_its_values_until_another_page() -> None:
    page = framed("gradient_lab", bias="0", hide="lab_bias,lab_flows,}<script>,1")
    assert ".st-key-lab_bias, .st-key-lab_flows { display: none" in styles(page)
    assert "<script" not in styles(page)
    assert page.slider(key="lab_bias").value == 0.0
    assert page.query_params["hide"] == ["lab_bias,lab_flows"] or page.query_params["hide"] == "lab_bias,lab_flows"
    assert {"lab_bias": "Forget-gate bias"}.items() <= page.session_state["_controls"].items()
    page._page_hash = calc_hash("glossary")
    page.query_params.clear()
    page.run()
    assert "st-key-lab_bias" not in styles(page)


def test_what_is_no_name_hides_nothing() -> None:
    assert hidden.parse("a,b,a,A,,x y,1,é," + "z" * 61) == ("a", "b")
    assert len(hidden.parse(",".join(f"a{n}" for n in range(99)))) == hidden.MOST


def test_a_lesson_is_written_from_the_view_one_comes_from(switched: list[Any]) -> None:
    page = framed("word_order", text="the cat sat", hide="order_words")
    page._page_hash = calc_hash("lessons")
    page.query_params.clear()
    page.run()
    page.button(key="draft_from").click().run()
    page.text_input(key="draft_link").set_value("https://lab.example/question_tags?signal=f&hide=path&embed=true").run()
    page.text_input(key="draft_link").set_value("https://elsewhere.example/x").run()
    assert "There is no page" in page.error[0].value
    draft = page.session_state["_lesson_draft"]
    assert [(stop.title, stop.link.split("&")[0]) for stop in draft.stops] == [
        ("Word order", "word_order?text=the+cat+sat"), ("Question tags", "question_tags?signal=f"),
    ]  # fmt: skip
    assert draft.stops[1].hide == ["path"]
    draft.stops[1].title = ""
    page.run()
    assert "Correct stop 2" in page.warning[-1].value
    draft.stops[1].title = "Again"
    page.toggle(key=f"draft_{draft.stops[1].number}_edit").set_value(True).run()
    page.number_input(key=f"draft_{draft.stops[1].number}_minutes").set_value(7).run()
    page.button(key=f"draft_{draft.stops[1].number}_Earlier").click().run()
    page.button(key="draft_walk").click().run()
    name = switched[-1][1]["walk"]
    assert [(stop.title, stop.minutes) for stop in read_lesson(name).stops] == [("Again", 7), ("Word order", 2)]


def test_a_lesson_that_is_too_long_for_an_address_is_kept_in_the_session(
    switched: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(url_state, "LONGEST", 10)
    page = framed("lessons")
    page.session_state["_lesson_draft"] = editor.Draft("Long", "", [editor.DraftStop.of(LESSON.stops[0])])
    page.run()
    page.button(key="draft_walk").click().run()
    assert switched[-1] == ("word_order.py", {"text": "the cat sat"})
    page._page_hash = calc_hash("word_order")
    page.query_params.clear()
    page.query_params["text"] = "the cat sat"
    page.run()
    assert page.button(key="lesson_next").disabled
    assert "walk" not in page.query_params


def test_a_short_link_opens_the_view_of_its_stop(switched: list[Any]) -> None:
    framed("lessons", walk="what_an_lstm_knows", stop="7")
    assert switched[-1][0] == "movie_reviews.py"
    assert switched[-1][1]["text"] == "Good, not bad at all."


def test_the_end_of_a_lesson_leaves_the_page_and_its_address() -> None:
    page = framed("word_order", text="the cat sat", walk=write_lesson(LESSON), stop="1")
    assert page.query_params["walk"]
    page.button(key="lesson_end").click().run()
    assert not page.exception
    assert not [each for each in page.button if each.key == "lesson_next"]
    assert "walk" not in page.query_params
    assert page.text_input(key="order_text").value == "the cat sat"


def test_the_window_of_the_speaker_shows_notes_and_what_comes_next(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speaker, "owner", lambda: "somebody")
    monkeypatch.setattr(speaker, "_places", OrderedDict())
    assert "in another tab" in framed("lessons", speaker="1").info[0].value
    framed("word_order", text="the cat sat", walk=write_lesson(LESSON), stop="1")
    page = framed("lessons", speaker="1")
    assert [each.value for each in page.markdown][-2:] == ["Wait.", "**Next: Two** · 3 min"]
    assert page.metric[2].value == "2 / 5 min"
    assert not page.get("file_uploader")
    speaker.note(LESSON, 1)
    assert page.run().markdown[-1].value == "**This is the last stop.**"
    for number in range(speaker.MOST + 9):
        monkeypatch.setattr(speaker, "owner", lambda number=number: str(number))
        speaker.note(LESSON, 0)
    assert len(speaker._places) == speaker.MOST


def test_a_link_of_a_former_version_still_masks_the_names() -> None:
    page = framed("question_tags", hide="1")
    assert page.toggle(key="tags_hide").value
    assert page.query_params["mask"]
    assert "hide" not in page.query_params


def test_an_opened_file_is_the_draft_and_a_damaged_one_says_its_line() -> None:
    page = framed("lessons")
    page.file_uploader(key="lesson_file").set_value(("bad.toml", b"title = 'x'\nstops = 3", "application/toml")).run()
    assert "Line 2: stops are tables" in page.error[0].value.replace("\\", "")
    good = write_lesson(LESSON).encode()
    page.file_uploader(key="lesson_file").set_value(("good.toml", good, "application/toml")).run()
    assert not page.error
    assert page.session_state["_lesson_draft"].title == "Two views"
    assert "isn't here any more" in page.warning[0].value


def test_every_shipped_lesson_fits_its_minutes_and_is_in_order() -> None:
    assert [lesson.minutes for lesson in shipped_lessons().values()] == [10, 20, 45]
    for lesson in shipped_lessons().values():
        assert sum(stop.minutes for stop in lesson.stops) == lesson.minutes
        assert all(stop.notes and stop.question for stop in lesson.stops)
        assert [walk.missing(stop) for stop in lesson.stops] == [""] * len(lesson.stops)
