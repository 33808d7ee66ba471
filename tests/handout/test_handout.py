"""The handout: a PDF whose pictures are what the networks compute."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.handout import document, handout, picture, svg
from lstm_core.inference.classifier import TextClassifier
from lstm_core.lesson_plans import Lesson, Question, Stop, shipped_lessons

TEXT = "How do I sort a list?"
TAGS = Stop("Tags", f"question_tags?text={TEXT.replace(' ', '+')}", hide=("tags_inside",))
NO_MODELS = [Stop("Microscope", "cell_microscope?model=brackets&text=((a&unit=0"), Stop("Lab", "gradient_lab?w=0.9")]


@pytest.fixture
def load(tiny: TextClassifier) -> Any:
    return lambda name: tiny


def test_what_is_hidden_before_the_guess_is_in_the_answers_alone(load: Any) -> None:
    before, after = picture(TAGS, load=load), picture(TAGS, solved=True, load=load)
    assert before is not None
    assert after is not None
    assert before.text == after.text == TEXT
    assert not before.drawings
    assert [alt.split(":")[0] for _, alt in after.drawings] == ["Heat map", "Lines"]
    reading = load("stackoverflow").read(TEXT)
    assert f"Python {reading.probabilities[-1][reading.labels.index('python')]:.0%}" in after.drawings[1][1]


def test_a_heat_map_has_the_colours_of_the_values() -> None:
    values = np.array([[0.0, 1.0], [0.0, 0.0], [1.0, 0.0]])
    drawing = svg.heat_map(["a", "<b>", "c"], "f", values)
    cells = re.findall(r'<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="4.00" fill="(#\w+)"', drawing)
    wide = (svg.WIDTH - svg.LEFT - svg.RIGHT) / 3
    found = {
        (row, round((float(x) - svg.LEFT) / wide), round(float(width) / wide)): fill for x, row, width, fill in cells
    }
    rows = sorted({row for row, _, _ in found}, key=float)
    first, second = ((0, 1), (1, 0)) if found.get((rows[0], 0, 2)) else ((1, 0), (0, 1))
    assert found[rows[first[0]], 0, 2] == found[rows[second[0]], 1, 2] == "#f7f7f5"  # two of value 0 are one rectangle
    assert found[rows[first[0]], 2, 1] == found[rows[second[0]], 0, 1] == "#d55e00"
    assert "&lt;b&gt;" in drawing


def test_lines_go_through_the_values_and_clip_what_is_outside() -> None:
    drawing = svg.lines("ab", {"c": (np.array([0.0, 9.0]), "#000000")}, lowest=0, highest=1, name=str, height=108)
    (points,) = re.findall(r'points="([^"]+)"', drawing)
    assert [point.split(",")[1] for point in points.split()] == ["104.0", "4.0"]
    assert re.findall(r">(-?\d+)</text>", svg.lines((), {}, lowest=-7, highest=8, name="{:.0f}".format)) == [
        "8",
        "4",
        "0",
        "-4",
    ]
    assert "Sketch your guess" in svg.lines((), {}, lowest=0, highest=1, name=str)


def test_the_names_of_many_lines_that_end_together_stand_apart() -> None:
    shown = {name: (np.array([0.5, 0.5]), "#000000") for name in "abcdef"}
    drawing = svg.lines((), shown, lowest=0, highest=1, name=str)
    heights = sorted(float(y) for y in re.findall(r'y="([\d.-]+)" font-size="7.5"', drawing))
    assert len(heights) == 6
    assert min(np.diff(heights)) >= 8


def test_a_line_has_no_point_where_there_is_no_value() -> None:
    drawing = svg.lines((), {"a": (np.array([np.nan, 1.0, np.nan]), "#000000")}, lowest=0, highest=1, name=str)
    (points,) = re.findall(r'points="([^"]+)"', drawing)
    assert len(points.split()) == 1


@pytest.mark.parametrize("answers", [False, True])
def test_a_lesson_becomes_a_pdf_with_a_code_for_each_stop(answers: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []
    asked = Question("choice", '#read("/etc/passwd") *Which*?', ("a_b", "$c"), "$c")
    stops = (*NO_MODELS, Stop("#x", "check_yourself", asked, "Say −, σ, ⊙."))
    codes: list[str] = []
    monkeypatch.setattr(document, "_code", lambda address: codes.append(address) or "")
    made = handout(
        Lesson("Two #stops", 5, stops), answers=answers, link=lambda at: f"http://lab.example/{at}", report=told.append
    )
    assert made.startswith(b"%PDF-")
    assert codes == [f"http://lab.example/{at}" for at in range(3)]
    assert told == sorted(told)
    assert told[-1] == 1.0


def test_a_code_holds_its_address_and_a_long_address_has_none() -> None:
    assert document._code("http://192.168.0.7:8501/lessons?walk=why_gates&stop=1").startswith("<svg")
    assert document._code("http://lab.example/?" + "a" * document.LONGEST_CODE) == ""
    assert document._code("") == ""


def test_a_network_that_is_gone_is_said_on_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> Any:
        raise ModelError(f"There is no model '{name}'.")

    assert document._stop(TAGS, False, "", gone)["lack"] == "There is no model 'stackoverflow'."
    assert handout(Lesson("One", 1, (TAGS,)), load=gone).startswith(b"%PDF-")


def test_long_texts_end_with_dots() -> None:
    assert document._beginning("a\n" * 30).endswith("a …")
    assert len(document._beginning("x" * 5000)) == document.MOST_TEXT + 2
    assert document._beginning("short") == "short"


def test_every_view_of_the_shipped_lessons_has_a_picture_or_none_on_purpose() -> None:
    loaded: dict[str, Any] = {}

    def load(name: str) -> Any:
        return loaded.setdefault(name, lstm_core.load(name)) if name not in loaded else loaded[name]

    for lesson in shipped_lessons().values():
        for stop in lesson.stops:
            found = picture(stop, solved=True, load=load)
            page = stop.link.partition("?")[0]
            assert (found is None) == (page == "check_yourself"), stop.title
            if found is not None:
                assert found.drawings, stop.title


def test_the_template_is_in_the_assets() -> None:
    assert (Path(document.ASSETS) / "handout.typ").is_file()
