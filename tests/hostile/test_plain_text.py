"""What a card says of a user's model is shown as plain text on every page that lists such models."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.interpret import readable_units_from_card
from lstm_core.library.card import CARD
from lstm_core.library.store import FILES, SHIPPED
from ui.common import charts, theme

PAGES = Path(__file__).parents[2] / "pages"
TITLE = "![x](https://example.com/a.png) **b** <script> :red[c] $x$ `d`"
MARKUP = re.compile(r"(?<!\\)(!\[x|\]\(https|\*\*b|<script|:red|\$x|`d)")  # not escaped
# Elements whose texts Streamlit shows as they are; the parts of components are checked in the browser.
LITERAL = {"Selectbox", "MultiSelect", "TextArea", "TextInput", "Code", "Text", "Arrow", "BidiComponent"}


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "own"))
    for shipped, name in (
        ("macbeth", "hostile_writer"),
        ("imdb_article", "hostile_reviews"),
        ("family_lstm", "hostile_tags"),
    ):
        files = {part: (SHIPPED / shipped / part).read_bytes() for part in FILES}
        card = json.loads(files[CARD])
        card |= {"title": TITLE, "summary": TITLE, "notes": [TITLE], "dataset": TITLE}
        card["measured"] = {"nats_per_character": TITLE, "readable": [{"feature": TITLE}], "accuracy": TITLE}
        (tmp_path / "own" / name).mkdir(parents=True)
        for part, content in (files | {CARD: json.dumps(card).encode()}).items():
            (tmp_path / "own" / name / part).write_bytes(content)
    return tmp_path / "own"


def elements(block: Any) -> Iterator[Any]:
    for child in block.children.values():
        yield child
        if hasattr(child, "children"):
            yield from elements(child)


def assert_plain(page: AppTest) -> None:
    assert not page.exception
    seen = 0
    for element in elements(page._tree):
        proto = getattr(element, "proto", None)
        text = str(proto).encode().decode("unicode_escape") if proto is not None else ""
        if "example" in text and type(proto).__name__ not in LITERAL:
            assert not MARKUP.search(text.replace("\\\\", "\\")), text
        seen += "example" in text
    assert seen


@pytest.mark.parametrize(
    ("name", "model", "view", "peers"),
    [
        ("text_generation", "hostile_writer", "beside", ""),
        ("text_generation", "hostile_writer", "surprise", ""),
        ("cell_microscope", "hostile_writer", "", ""),
        ("movie_reviews", "", "", "reviews"),
        ("question_tags", "", "", "tags"),
    ],
)
def test_no_text_of_a_card_is_markup(name: str, model: str, view: str, peers: str, own: Path) -> None:
    page = AppTest.from_file(str(PAGES / f"{name}.py"), default_timeout=120)
    if model:
        page.query_params["model"] = model
    if view:
        page.session_state["gen_view"] = view
        page.session_state["surprise_models"] = ["hostile_writer"]
    if peers:
        page.session_state[f"{peers}_peers"] = [f"hostile_{peers}"]
    assert_plain(page.run())


def test_an_error_quotes_an_upload_as_plain_text() -> None:
    def script() -> None:
        from lstm_core.errors import ModelError
        from tests.hostile.test_plain_text import TITLE
        from ui.common.errors import show_error

        show_error(ModelError(f"The network has a layer '{TITLE}'."))

    assert_plain(AppTest.from_function(script, default_timeout=60).run())


def test_a_label_is_no_markup_in_a_figure() -> None:
    label = '<a href="https://example.com">click</a>'
    figure = charts.answer_bars([label], np.ones(1), theme.class_colours([label]))
    assert list(figure.data[0]["y"]) == [escape(label, quote=False)]


@pytest.mark.parametrize(
    "wrong", [{"layer": "0"}, {"unit": None}, {"signal": "x"}, {"correlation": "high"}, {"more": 1}]
)
def test_units_of_a_card_that_are_none_are_left_out(wrong: dict[str, Any]) -> None:
    unit = {"feature": "line length", "layer": 0, "signal": "c", "unit": 1, "correlation": 0.5}
    assert len(readable_units_from_card({"readable": [unit]})) == 1
    assert readable_units_from_card({"readable": [unit | wrong]}) == []
