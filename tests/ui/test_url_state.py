"""Widgets that begin with the value in the address: every kind, and values that don't fit."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from ui.common import url_state


def page() -> None:
    import streamlit as st

    from ui.common import url_state

    url_state.linked(st.slider, "Temperature", 0.0, 2.0, key="k_temperature", parameter="temperature", default=0.7)
    url_state.linked(st.number_input, "Seed", 0, 99, key="k_seed", parameter="seed", default=1)
    url_state.linked(st.selectbox, "Model", {"a": "First", "b": "Second"}, key="k_model", parameter="model")
    url_state.linked(st.segmented_control, "Layer", [1, 2, 3], key="k_layer", parameter="layer")
    url_state.linked(st.toggle, "Hide", key="k_hide", parameter="hide", default=False)
    url_state.linked(st.text_input, "Text", key="k_text", parameter="text", default="none")


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("temperature", "1.5", 1.5), ("temperature", "5", 2.0), ("temperature", "-1", 0.0), ("temperature", "nan", 0.7),
        ("temperature", "warm", 0.7), ("seed", "42", 42), ("seed", "1000", 99), ("seed", "1.5", 1), ("model", "b", "b"),
        ("model", "../x", "a"), ("layer", "2", 2), ("layer", "9", 3), ("layer", "x", 1), ("hide", "1", True),
        ("hide", "yes", True), ("hide", "maybe", False), ("text", "<b>", "<b>"),
    ],
)  # fmt: skip
def test_a_value_of_the_address_is_used_or_moved_into_range(name: str, given: str, value: Any) -> None:
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params[name] = given
    app.run()
    assert not app.exception
    assert app.session_state[f"k_{name}"] == value


def test_a_widget_keeps_its_own_value_afterwards() -> None:
    app = AppTest.from_function(page, default_timeout=60)
    app.query_params["seed"] = "42"
    app.run()
    app.number_input(key="k_seed").set_value(7).run()
    assert app.session_state["k_seed"] == 7
    assert app.selectbox(key="k_model").options == ["First", "Second"]


def shared() -> None:
    from ui.common import url_state

    url_state.show_link("It opens this text.", text="((")


@pytest.mark.parametrize(
    ("host", "alone"),
    [("http://localhost:8501", True), ("http://127.0.0.1:8501", True), ("http://[::1]:8501", True),
     ("http://192.168.0.7:8501", False), ("https://lab.example.com", False)],
)  # fmt: skip
def test_a_link_that_only_this_computer_can_open_says_so(
    monkeypatch: pytest.MonkeyPatch, host: str, alone: bool
) -> None:
    monkeypatch.setattr(url_state, "link", lambda **values: f"{host}/cell_microscope?text={values['text']}")
    app = AppTest.from_function(shared, default_timeout=60).run()
    assert not app.exception
    assert app.code[0].value == f"{host}/cell_microscope?text=(("
    notes = [each.value for each in app.caption]
    assert notes[0] == "It opens this text."
    assert any("Only this computer" in each and "Network URL" in each for each in notes) == alone
