"""Lessons as files: what is written is read again, and what is wrong is said with its line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.lesson_plans import (
    KINDS,
    MAX_BYTES,
    Lesson,
    LessonError,
    Question,
    Stop,
    read_lesson,
    relative_link,
    write_lesson,
)

FILE = '''# A lesson
title = "Gates"
minutes = 10

[[stops]]
title = "One cell"
link = "cell_microscope?t=3"
notes = """
Wait.
title = "not a key"
[[stops]]
"""

[[stops]]
title = "A question"
link = "question_tags?signal=f"
hide = [
  "tags_signal", # the choice
  "tags_surgery",
]

[stops.question]
kind = "choice"
prompt = "Which?"
choices = ["f", "i"]
answer = "i"
'''


def test_a_file_is_read() -> None:
    lesson = read_lesson(FILE)
    assert (lesson.title, lesson.minutes, len(lesson.stops)) == ("Gates", 10, 2)
    assert lesson.stops[0].notes == 'Wait.\ntitle = "not a key"\n[[stops]]\n'
    assert lesson.stops[1].question == Question("choice", "Which?", ("f", "i"), "i")
    assert lesson.stops[1].hide == ("tags_signal", "tags_surgery")
    assert read_lesson(FILE.replace("\n", "\r\n").encode("utf-8-sig")) == lesson


@pytest.mark.parametrize(
    ("wrong", "right", "line", "reason"),
    [
        ('title = "Gates', 'title = "Gates"', 2, "Illegal character"),
        ('titel = "Gates"', 'title = "Gates"', 2, "no 'titel'"),
        ('minutes = "ten"', "minutes = 10", 3, "minutes is 'ten'"),
        ("minutes = true", "minutes = 10", 3, "minutes is True"),
        ('link = "https://lab.example/x"', 'link = "cell_microscope?t=3"', 7, "link is 'https"),
        ('title = ""', 'title = "A question"', 15, "title is empty"),
        ('heading = "A question"', 'title = "A question"', 15, "no 'heading'"),
        ('  "tags signal",', '  "tags_signal", # the choice', 17, "no name of a control"),
        ('kind = "quiz"', 'kind = "choice"', 23, "kind is 'quiz'"),
        ("prompt = 3", 'prompt = "Which?"', 24, "prompt is 3"),
        ('choices = ["f"]', 'choices = ["f", "i"]', 25, "at least 2"),
        ('answer = "o"', 'answer = "i"', 26, "not among the choices"),
        ("[[stops.question]]", "[stops.question]", 22, "A question is a table"),
        ('answer = """i', 'answer = "i"', 26, "at the end of the file"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(wrong: str, right: str, line: int, reason: str) -> None:
    assert right in FILE
    with pytest.raises(LessonError, match=reason) as error:
        read_lesson(FILE.replace(right, wrong, 1))
    assert str(error.value).startswith(f"Line {line}: ")


def test_a_stop_without_a_link_is_said_where_it_begins() -> None:
    with pytest.raises(LessonError, match="Line 14: This stop has no link"):
        read_lesson(FILE.replace('link = "question_tags?signal=f"\n', ""))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"title = 'a'\nx = '\xff'", "Line 2: the file isn't text"),
        (b"#" * (MAX_BYTES + 1), "bytes"),
        (b"", "Line 1: This lesson has no title"),
        (b"title = 'a'\nstops = 3", "Line 2: stops are tables"),
        (b"title = 'a'\nstops = [3]", "Line 2: A stop is a table"),
        (b"title = 'a'", "The lesson has 0 stops"),
        (b"x = " + b"[" * 100_000, "too many|Line 1"),
        (b"title = 'a'\n" + b"[[stops]]\ntitle='a'\nlink=''\n" * 61, "has 61 stops"),
    ],
)
def test_what_is_no_lesson_is_one_sentence(content: bytes, reason: str) -> None:
    with pytest.raises(LessonError, match=reason):
        read_lesson(content)


words = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20)
notes = st.text(st.characters(exclude_categories=("Cs", "Cc"), include_characters="\n\t"), max_size=40)
questions = st.builds(
    Question, st.sampled_from([kind for kind in KINDS if kind != "text"]), words,
    st.lists(words, min_size=2, max_size=8, unique=True).map(tuple),
)  # fmt: skip
stops = st.builds(
    Stop, words, st.sampled_from(["", "home", "word_order?text=a+%22b%22"]), st.none() | questions, notes,
    st.lists(st.sampled_from(["tags_view", "a"]), max_size=3).map(tuple), st.integers(0, 600),
)  # fmt: skip


@settings(max_examples=40, deadline=None)
@given(st.builds(Lesson, words, st.integers(1, 600), st.lists(stops, min_size=1, max_size=4).map(tuple), notes))
def test_what_is_written_is_read_again(lesson: Lesson) -> None:
    assert read_lesson(write_lesson(lesson)) == lesson


def test_a_pasted_address_becomes_a_link_of_any_server() -> None:
    assert relative_link(" https://lab.example:8501/base/word_order?text=a%20b#x ") == "word_order?text=a%20b"
    assert relative_link("http://localhost:8501") == ""
    assert relative_link("question_tags?signal=f") == "question_tags?signal=f"
    for wrong in ("javascript:alert(1)", "http://[", "https://lab.example/Word order", "a b"):
        with pytest.raises(LessonError, match="link"):
            relative_link(wrong)
