"""The path on the home page: stops in order, pictures computed from the networks."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.errors import ModelError
from lstm_core.nn import hand_set
from ui.common import assets, model_cache, theme
from ui.home import path, thumbnails, tour

ROOT = Path(__file__).resolve().parents[2]


def home() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=120).run()


@pytest.fixture
def nothing_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_cache, "_loaded", {})


def test_every_stop_is_a_page_and_is_named_once() -> None:
    files = [stop.file for stop in tour.STOPS] + [page["file"] for page in tour.TOUR["more"]]
    assert len(files) == len(set(files))
    shown = {file.name for file in (ROOT / "pages").glob("*.py")} - {"home.py", "navigation.py", "operators.py"}
    assert set(files) == shown


def test_ten_minutes_are_ten() -> None:
    assert sum(step["minutes"] for step in tour.TOUR["ten_minutes"]) == 10


@pytest.mark.usefixtures("nothing_loaded")
def test_the_pictures_are_there_on_the_first_visit() -> None:
    page = home()
    assert not page.exception
    sentences = [caption.value for caption in page.caption]
    assert any(tour.QUESTION in sentence and "Python" in sentence for sentence in sentences)
    assert {"stackoverflow", "macbeth", "family_lstm", "everyday_words"} <= set(model_cache._loaded)
    assert any("nats per word as typed" in sentence for sentence in sentences)


def test_the_example_of_the_three_cells_shows_the_rule_and_how_often_it_holds() -> None:
    picture = tour.three_cells()
    name = {kind: line[0] for kind, line in theme.CELL_LINES.items()}
    found = re.search(r"at the end: (.*?)\.", picture.sentence)
    assert found
    ends = {each: float(share) / 100 for each, share in re.findall(r"([\w ]+?) (\d+)%", found[1])}
    ends = {each.strip(): share for each, share in ends.items()}
    assert min(ends[name["gru"]], ends[name["lstm"]]) > 0.5 > ends[name["rnn"]]
    assert all(f"{each} {share:.0%}" in picture.sentence for each, share in ends.items())
    measured = json.loads(assets.read("family.json"))["long_questions"]
    accuracy = measured["accuracy"]
    assert min(accuracy["gru"], accuracy["lstm"]) > accuracy["rnn"]
    shares = ", ".join(f"{accuracy[kind]:.0%}" for kind in theme.CELL_LINES)
    share = measured["questions"] / measured["of"]
    assert picture.sentence.endswith(f"Accuracy on long texts ({share:.0%} of the test set): {shares}.")


def test_the_menu_has_the_pages_in_the_order_of_the_path() -> None:
    menu = [f"{name.lower().replace(' ', '_')}.py" for names in path.SECTIONS.values() for name in names]
    assert [file for file in menu if file in path.PATH] == list(path.PATH)
    assert set(path.PATH) - {"home.py", "check_yourself.py"} == set(path._TAKE_HOME)


@pytest.mark.usefixtures("nothing_loaded")
def test_a_damaged_network_is_one_sentence_on_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(name: str) -> Any:
        raise ModelError("The model 'macbeth' can't be opened.")

    monkeypatch.setattr(model_cache, "any_model", refuse)
    page = home()
    assert not page.exception
    assert {error.value for error in page.error} == {"The model 'macbeth' can't be opened."}


def texts(drawing: str) -> list[str]:
    return ["".join(each.itertext()) for each in ElementTree.fromstring(drawing).iter() if each.tag.endswith("text")]


def points(drawing: str) -> list[list[tuple[float, float]]]:
    """The places of each line of a drawing."""
    lines = [each.attrib["points"] for each in ElementTree.fromstring(drawing).iter() if "points" in each.attrib]
    return [[tuple(map(float, point.split(","))) for point in line.split()] for line in lines]


def test_the_strip_shows_the_signals_that_were_computed() -> None:
    signals = hand_set.count_brackets("(a)")
    drawing = thumbnails.strip("(a)", {letter: signals[letter] for letter in ("f", "c")})
    assert [text for text in texts(drawing) if text in "fc"] == ["f", "c"]
    cells = [
        each.attrib["fill"] for each in ElementTree.fromstring(drawing).iter() if each.tag.endswith("rect")
    ]  # three of each row
    assert np.allclose(signals["f"], 1, atol=0.01)
    assert {colour.upper() for colour in cells[:3]} == {theme.colour_scale("f")[-1][1].upper()}
    assert cells[3] == cells[4] != cells[5]  # the bracket is open, open, closed


def test_the_steps_of_one_unit_are_its_cell_state() -> None:
    signals = hand_set.count_brackets("((a)")
    drawing = thumbnails.one_unit("((a)", signals)
    shown = [text for text in texts(drawing) if text.isdigit()]
    assert shown == ["0", "1", "2"]
    path = next(
        each.attrib["d"] for each in ElementTree.fromstring(drawing).iter() if each.attrib.get("fill") == "none"
    )
    heights = [float(each) for each in re.findall(r"V([\d.]+)h", path)]
    levels = np.rint(signals["c"])
    np.testing.assert_allclose(np.diff(heights), -np.diff(levels) * (heights[0] - heights[1]), atol=0.5)


@pytest.mark.parametrize("text", ["(", "()" * 40, "<b>&", "😀[", ")", "\0(\uffff\x1b"])
def test_any_text_is_drawn(text: str) -> None:
    signals = hand_set.count_brackets(text)
    assert set(texts(thumbnails.one_unit(text, signals))) & {*text, "·"}
    assert texts(thumbnails.strip(text, {"c": signals["c"]}))


def test_lines_are_as_high_as_their_values() -> None:
    (falls, rises) = points(thumbnails.two_sums({"as typed": np.array([3.0, 2, 1]), "shuffled": np.array([1.0, 2, 3])}))
    assert [y for _, y in falls] == [y for _, y in rises][::-1]
    assert falls[0][1] < falls[1][1] < falls[2][1]  # upwards on the page is less


def test_a_log_axis_has_powers_of_ten() -> None:
    drawing = thumbnails.gradient_norms({"rnn": np.array([1e-6, 1e-3, 1.0])})
    assert {"1", "10⁻³", "10⁻⁶"} <= set(texts(drawing))
    (line,) = points(drawing)
    assert line[0][1] - line[1][1] == pytest.approx(line[1][1] - line[2][1], abs=0.2)


def test_markup_in_a_text_stays_text() -> None:
    assert texts(thumbnails.surprisals("<b>", np.ones(3))) == ["<", "b", ">"]
    assert "<script>" not in thumbnails.image("", '"><script>')


def test_lines_have_the_colours_of_their_cells() -> None:
    assert theme.CELL_LINES["gru"][1] in thumbnails.gradient_norms({"gru": np.ones(2)})


def test_answers_have_a_name_each() -> None:
    drawing = thumbnails.answers(("python", "java"), np.full((3, 2), 0.5))
    assert {"Python", "Java", "0%", "100%"} == set(texts(drawing))
