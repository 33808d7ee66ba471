"""Pages that are recorded in one session and shown in others, by AppTest; the pages here are small scripts."""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.runtime.fragment import MemoryFragmentStorage
from streamlit.runtime.scriptrunner import RerunData
from streamlit.testing.v1 import AppTest

from ui.common import visitor
from ui.replay import VIEWS, observed, session, views
from ui.replay.views import VARIANTS

RUNS: list[str] = []  # whose page was run
PAGES: dict[str, Callable[[], object]] = {}
SCRIPT = """
import streamlit as st
from tests.ui.replay import test_views
from ui import replay

st.title("The frame")
replay.run("page", test_views.PAGES["page"])
st.caption("The foot")
"""


@pytest.fixture(autouse=True)
def nothing_recorded() -> Iterator[None]:
    RUNS.clear()
    VIEWS.forget()
    yield
    VIEWS.forget()
    PAGES.clear()


def opened(who: str = "", **state: Any) -> AppTest:
    """The page of another session."""
    page = AppTest.from_string(SCRIPT, default_timeout=60)
    for key, value in state.items():
        page.session_state[key] = copy.deepcopy(value)
    page.session_state["who"] = who
    return page.run()


def noted(draw: Callable[[], object]) -> None:
    """The page of the test; each real run is noted."""

    def page() -> None:
        RUNS.append("run")
        draw()

    PAGES["page"] = page


def shown(page: AppTest) -> list[Any]:
    """All that is on a page, in its order."""

    def parts(block: Any) -> Iterator[Any]:
        yield block.proto
        for child in getattr(block, "children", {}).values():
            yield from parts(child)

    return list(parts(page.main))


@st.fragment
def counter(label: str) -> None:
    number = st.slider(label, 0, 10, key="number")
    st.markdown(f"{number} of ten")


def controls() -> None:
    st.session_state.setdefault("marks", {})["seen"] = st.session_state.get("seen", 0)
    text = st.text_area("Text", "a text", key="text")
    st.markdown(f"**{text}**")
    with st.container(border=True):
        st.button("Again", key="again", on_click=st.session_state.__setitem__, args=("pressed", True))
        counter("Number")
    st.query_params["text"] = text


def test_the_second_session_gets_the_page_without_a_run_and_all_works_in_it() -> None:
    noted(controls)
    first, second = opened(), opened()
    assert RUNS == ["run"]
    assert shown(second) == shown(first)
    assert [each.value for each in second.caption] == ["The foot"]
    assert second.query_params == first.query_params == {"text": "a text"}
    assert second.session_state["marks"] == {"seen": 0}
    assert second.session_state["marks"] is not first.session_state["marks"]
    second.slider(key="number").set_value(7).run()
    assert "7 of ten" in [each.value for each in second.markdown]
    second.text_area(key="text").set_value("mine").run()
    assert "**mine**" in [each.value for each in second.markdown]
    assert second.query_params == {"text": "mine"}
    second.button(key="again").click().run()
    assert second.session_state["pressed"]
    assert "pressed" not in first.session_state
    assert first.text_area(key="text").value == "a text"
    assert "0 of ten" in [each.value for each in first.markdown]
    assert not second.exception


def test_a_fragment_of_a_repeated_page_reruns_on_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    noted(controls)
    opened()
    repeated = []
    repeat = session.Recording.repeat
    monkeypatch.setattr(session.Recording, "repeat", lambda one: repeated.append(one) or repeat(one))
    storage = MemoryFragmentStorage()  # AppTest has another one for each run
    monkeypatch.setattr("streamlit.testing.v1.local_script_runner.MemoryFragmentStorage", lambda: storage)
    page = opened()
    RUNS.clear()
    ((fragment, _, _),) = repeated[0].fragments
    assert repeated[0].names["new_fragment_ids"] == {fragment}
    data = functools.partial(RerunData, fragment_id=fragment, fragment_id_queue=[fragment])
    monkeypatch.setattr("streamlit.testing.v1.local_script_runner.RerunData", data)
    page.slider(key="number").set_value(7).run()
    assert [each.value for each in page.markdown] == ["7 of ten"]  # the fragment and nothing else
    assert page.session_state["number"] == 7
    assert not RUNS


@pytest.mark.parametrize("state", [{"seen": 3}, {"number": 4}, {"text": "other"}, {"marks": {"other": 1}}])
def test_who_would_see_something_else_has_an_own_run(state: dict[str, Any]) -> None:
    noted(controls)
    first = opened()
    other = opened(**state)
    assert RUNS == ["run", "run"]
    assert other.session_state["marks"]["seen"] == state.get("seen", 0)
    assert (shown(other) == shown(first)) is ("marks" in state or "seen" in state)
    opened(**state)
    assert RUNS == ["run", "run"]  # by now there are two recordings
    opened()
    assert len(RUNS) == 2


def test_a_widget_that_was_touched_before_counts() -> None:
    noted(controls)
    page = opened()
    page.slider(key="number").set_value(7).run()
    RUNS.clear()
    page.run()  # the recordings of the others have 0
    assert page.slider(key="number").value == 7
    assert "7 of ten" in [each.value for each in page.markdown]


def test_what_the_visitor_is_counts() -> None:
    PAGES["owner"] = observed(lambda: st.session_state["who"])
    noted(lambda: st.markdown(f"models of {PAGES['owner']()}"))
    pages = [opened("Ada"), opened("Ben"), opened("Ada")]
    assert [page.markdown[0].value for page in pages] == [f"models of {who}" for who in ("Ada", "Ben", "Ada")]
    assert len(RUNS) == 2


def test_cookies_and_addresses_are_asked_for_by_observed_functions_alone() -> None:
    """Whoever reads `st.context` of a visitor elsewhere must make it part of what is compared."""
    root = Path(__file__).resolve().parents[3]
    found = {
        (path.relative_to(root).as_posix(), name)
        for folder in ("ui", "pages")
        for path in (root / folder).rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        for name in ("cookies", "headers", "ip_address", "theme", "url", "is_embedded", "locale", "timezone")
        if f"st.context.{name}" in line
    }
    assert found == {
        ("ui/common/visitor.py", "cookies"), ("ui/common/visitor.py", "ip_address"),  # observed
        ("ui/common/gate.py", "cookies"),  # whose turn it is; nothing of it is shown
        ("ui/common/theme.py", "theme"), ("ui/common/theme.py", "is_embedded"),  # part of a view's key
        ("ui/common/url_state.py", "url"), ("ui/classroom/membership.py", "url"),  # the same
    }  # fmt: skip
    for function in (visitor.owner, visitor.address, visitor.own_cards):
        assert hasattr(function, "__wrapped__")


def test_another_theme_is_another_view(monkeypatch: pytest.MonkeyPatch) -> None:
    noted(lambda: st.markdown(st.context.theme.type or "light"))
    opened()
    info = {"color_scheme": "dark"}
    monkeypatch.setattr("streamlit.runtime.context._context_info_field", info.get)
    page = opened()
    assert page.markdown[0].value == "dark"
    assert len(RUNS) == 2


def holder() -> None:
    visits = st.session_state.setdefault("visits", [])
    st.button("Visit", key="visit", on_click=lambda: visits.append(1))


def holding_fragment() -> None:
    visits = st.session_state.setdefault("visits", [])
    st.fragment(lambda: st.markdown(str(visits)))()


@pytest.mark.parametrize(
    ("draw", "why"),
    [
        (lambda: st.download_button("Mine", b"secret", key="mine"), "download_button"),
        (lambda: st.file_uploader("Mine", key="mine"), "file_uploader"),
        (lambda: st.session_state.update(thing=object()), "a value of object"),
        (lambda: st.markdown(str(dict(st.session_state))), "the whole session"),
        (lambda: st.fragment(lambda: None, run_every=5.0)(), "auto_rerun"),
        (holder, "holds an object"),
        (holding_fragment, "holds an object"),
    ],
    ids=["file", "upload", "object", "session", "clock", "callback", "fragment"],
)
def test_what_belongs_to_a_session_is_not_shared(
    draw: Callable[[], object], why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted(draw)
    found = []
    record = session.record
    monkeypatch.setattr(session, "record", lambda each: found.append(record(each)) or found[-1])
    for _ in range(3):
        assert not opened().exception
    assert len(RUNS) == 3
    assert len(found) == 2  # then nobody tries any more
    assert all(isinstance(each, str) and why in each for each in found)


def test_a_page_that_fails_or_ends_early_is_not_shared() -> None:
    noted(lambda: 1 / 0)
    for _ in range(2):
        assert opened().exception
    assert len(RUNS) == 2
    noted(st.stop)
    for _ in range(2):
        assert not opened().exception
    assert len(RUNS) == 4


def test_a_page_that_fails_is_recorded_twice_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    noted(lambda: 1 / 0)
    tried = []
    record = session.record
    monkeypatch.setattr(session, "record", lambda draw: tried.append(draw) or record(draw))
    for _ in range(4):
        assert opened().exception
    assert len(RUNS) == 4
    assert len(tried) == 2


def test_what_is_too_old_is_dropped_with_the_next_view(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = VIEWS.view("one")
    assert VIEWS.view("one") is kept
    monkeypatch.setattr(views, "OLDEST", -1.0)
    VIEWS.view("other")
    assert list(VIEWS._views) == ["other"]


def test_a_visitor_is_asked_once_however_often_the_page_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    who = observed(lambda: asked.append("") or st.session_state["who"])
    noted(lambda: [st.markdown(who()) for _ in range(5)])
    opened("Ada")
    asked.clear()
    assert [each.value for each in opened("Ada").markdown] == ["Ada"] * 5
    assert len(asked) == 1
    assert RUNS == ["run"]


def test_only_some_variants_are_kept() -> None:
    noted(lambda: st.markdown(str(st.session_state["who"])))
    for number in range(VARIANTS + 2):
        opened(str(number))
    assert opened(str(VARIANTS - 1)).markdown[0].value == str(VARIANTS - 1)
    assert len(RUNS) == VARIANTS + 2
    assert opened(str(VARIANTS + 1)).markdown[0].value == str(VARIANTS + 1)
    assert len(RUNS) == VARIANTS + 3


def test_a_streamlit_that_has_changed_costs_time_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    noted(controls)
    monkeypatch.setattr(session, "_places", lambda ctx: ctx.no_such_part)
    page = opened()
    assert not page.exception
    assert page.text_area(key="text").value == "a text"
    monkeypatch.undo()
    VIEWS.forget()
    opened()
    monkeypatch.setattr(session.Recording, "repeat", lambda recording: recording.no_such_part)
    page = opened()
    assert not page.exception
    assert page.text_area(key="text").value == "a text"
    assert "it is run instead" in caplog.text
