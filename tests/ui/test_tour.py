"""The path on the home page: stops in order, pictures computed from the networks."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.errors import ModelError
from lstm_core.nn import hand_set
from ui.common import assets, model_cache, plotting, theme
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
    shown = {file.name for file in (ROOT / "pages").glob("*.py")} - {"home.py", "navigation.py"}
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
    ends = {trace.name: float(trace.y[-1]) for trace in picture.figure.data}
    name = {kind: line[0] for kind, line in theme.CELL_LINES.items()}
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


def test_the_strip_shows_the_signals_that_were_computed() -> None:
    signals = hand_set.count_brackets("(a)")
    figure = thumbnails.strip("(a)", {letter: signals[letter] for letter in ("f", "c")})
    assert [trace.y[0] for trace in figure.data] == ["f", "c"]
    np.testing.assert_array_equal(figure.data[1].z[0], signals["c"])


@pytest.mark.parametrize(
    "draw",
    [
        lambda: thumbnails.gradient_norms({"rnn": np.ones(3), "lstm": np.ones(3)}),
        lambda: thumbnails.answers(("python", "java"), np.full((3, 2), 0.5)),
        lambda: thumbnails.two_sums({"as typed": np.ones(3), "shuffled": np.ones(3)}),
        lambda: thumbnails.surprisals("<b>", np.ones(3)),
    ],
)
def test_thumbnails_have_one_height_and_hold_still(draw: Callable[[], Any]) -> None:
    assert draw().layout.height == thumbnails.HEIGHT
    assert plotting.STATIC["staticPlot"]


def test_markup_in_a_text_stays_text() -> None:
    assert thumbnails.surprisals("<b>", np.ones(3)).layout.xaxis.ticktext == ("&lt;", "b", "&gt;")


def test_lines_have_the_colours_of_their_cells() -> None:
    figure = thumbnails.gradient_norms({"gru": np.ones(2)})
    assert figure.data[0].line.color == theme.CELL_LINES["gru"][1]
