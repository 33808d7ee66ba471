"""The gradient lab by AppTest: its story in computed sentences, its presets, and nonsense in its link."""

from __future__ import annotations

import math

import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.interpret import gradient_flow, toy_rnn
from tests.pages.test_every_page import opened
from ui.gradient_lab.panels import PRESETS, in_words, result


def said(page: AppTest, words: str) -> bool:
    return any(words in text.value for text in page.markdown)


def test_the_default_view_says_what_is_measured() -> None:
    page = opened("gradient_lab")
    assert not page.exception
    found = gradient_flow.initial_flows(100, 32, 1, scale=1.0, activation="tanh", keep_bias=3.0)
    assert said(page, result(found))
    assert found[0].shrank > 1e4 > 10 > found[2].shrank


def test_the_sentence_follows_the_controls() -> None:
    page = opened("gradient_lab", length="60", bias="0", seed="4")
    found = gradient_flow.initial_flows(60, 32, 4, scale=1.0, activation="tanh", keep_bias=0.0)
    assert said(page, result(found))
    page.slider(key="lab_length").set_value(30).run()
    assert said(page, "Over 30 steps")
    assert page.query_params["length"] in ("30", ["30"])


@pytest.mark.parametrize("preset", list(PRESETS))
def test_every_preset_puts_all_controls(preset: str) -> None:
    page = opened("gradient_lab", length="7", units="9", activation="relu")
    page.pills(key="lab_preset").set_value(preset).run()
    assert not page.exception
    assert page.pills(key="lab_preset").value == preset
    assert said(page, PRESETS[preset][1])
    if preset == "After training":
        assert page.slider(key="lab_units").disabled
        assert said(page, "Accuracy at this length")


@pytest.mark.parametrize("view", ["exploding", "carousel", "saturation"])
@pytest.mark.parametrize("bad", ["", "nan", "-1e999", "99999999999999999999", "<b>", "\x00"])
def test_nonsense_in_the_link_gives_a_view_all_the_same(view: str, bad: str) -> None:
    names = ("w", "radius", "state", "length", "units", "scale", "bias", "activation", "seed")
    names += ("growth", "rate", "norm", "value", "flow_model", "example", "which", "unit", "gates_model", "layer")
    page = opened("gradient_lab", view=view, **dict.fromkeys(names, bad))
    assert not page.exception
    assert not page.error
    assert said(page, " steps the gradient")


def test_an_unknown_view_is_the_first() -> None:
    assert said(opened("gradient_lab", view="nothing"), "diverges at step")


def test_clipping_saves_the_run() -> None:
    page = opened("gradient_lab", view="exploding")
    assert said(page, "**Without clipping** the run diverges at step")
    assert said(page, "**By norm** the loss goes from")
    assert said(page, "**By value** the loss goes from")


@pytest.mark.parametrize("model", ["imdb", "stackoverflow"])
def test_forget_gates_are_laid_beside_what_is_measured(model: str) -> None:
    page = opened("gradient_lab", view="carousel", flow_model=model)
    assert said(page, "the product of the forget gates is")
    page.segmented_control(key="lab_which").set_value("mean of all units").run()
    assert not page.exception
    assert page.number_input(key=f"lab_unit_{model}").disabled


@pytest.mark.parametrize("model", ["imdb", "stackoverflow", "shakespeare"])
def test_saturation_of_every_model(model: str) -> None:
    page = opened("gradient_lab", view="saturation", gates_model=model)
    assert not page.exception
    assert said(page, "On average over the units")


def test_a_missing_network_is_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(toy_rnn, "TRAINED", tmp_path)
    page = opened("gradient_lab", state="trained", seed="77")
    assert not page.exception
    assert len(page.error) == 1
    assert r"rnn\.npz is missing or damaged" in page.error[0].value


@pytest.mark.parametrize(
    ("value", "words"),
    [(27.04, "27"), (0.4321, "0.43"), (3.04e9, "3.0 × 10⁹"), (2e-5, "2.0 × 10⁻⁵"), (0.0, "0"), (1234.0, "1,234")],
)
def test_numbers_in_words(value: float, words: str) -> None:
    assert in_words(value) == words
    assert in_words(math.inf) == "more than a float can hold"
