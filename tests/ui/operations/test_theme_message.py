"""The theme that is made once, compared with what Streamlit makes for each run."""

from __future__ import annotations

import inspect
from typing import Any

import pytest
from streamlit import config
from streamlit.proto.NewSession_pb2 import NewSession
from streamlit.runtime import app_session

from ui.operations import theme_message

SECTIONS = ("theme", "theme.light", "theme.dark", "theme.sidebar", "theme.light.sidebar", "theme.dark.sidebar")
MAKE = inspect.unwrap(app_session._populate_theme_msg)  # another test may have started the app


def made(populate: Any) -> NewSession:
    message = NewSession()
    for section in SECTIONS:
        place = message.custom_theme
        for name in section.split(".")[1:]:
            place = getattr(place, name)
        populate(place, section)
    return message


@pytest.fixture
def themed() -> Any:
    before = {name: config.get_option(name) for name in ("theme.primaryColor", "theme.dark.textColor")}
    config.set_option("theme.primaryColor", "#0072B2")
    config.set_option("theme.dark.textColor", "#E8ECF2")
    yield
    for name, value in before.items():
        config.set_option(name, value)


@pytest.mark.usefixtures("themed")
def test_the_message_is_the_one_that_streamlit_makes() -> None:
    kept = theme_message.kept(MAKE)
    for _ in range(2):
        assert made(kept) == made(MAKE)
    theme = made(kept).custom_theme
    assert theme.primary_color == "#0072B2"
    assert theme.dark.text_color == "#E8ECF2"
    assert not theme.HasField("sidebar")


def test_a_streamlit_without_these_functions_is_noticed() -> None:
    assert list(inspect.signature(MAKE).parameters) == ["msg", "section"]
    source = inspect.getsource(app_session.AppSession._create_new_session_message)
    assert source.count("_populate_theme_msg(") == len(SECTIONS)


@pytest.mark.usefixtures("themed")
def test_settings_that_are_read_again_count() -> None:
    kept = theme_message.kept(MAKE)
    made(kept)
    config.set_option("theme.primaryColor", "#D55E00")
    assert made(kept).custom_theme.primary_color == "#0072B2"
    config._on_config_parsed.send()
    assert made(kept).custom_theme.primary_color == "#D55E00"


@pytest.mark.usefixtures("themed")
def test_the_settings_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    read, real = [], config.get_options_for_section
    monkeypatch.setattr(config, "get_options_for_section", lambda section: read.append(section) or real(section))
    kept = theme_message.kept(MAKE)
    made(MAKE)
    each = len(read)
    assert each >= len(SECTIONS)
    for _ in range(3):
        made(kept)
    assert len(read) == 2 * each
