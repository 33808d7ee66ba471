"""The generation page and the runs behind it: what it shows, what it keeps, and how it takes bad input."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.inference.char_lm import TextGenerator
from lstm_core.nn.activations import softmax
from lstm_core.nn.clamps import Clamp
from tests.inference.test_char_lm import generator as make_generator
from tests.pages.test_every_page import opened
from ui.text_generation import views
from ui.text_generation.run import MAX_PROMPT, Settings, Writing


@pytest.fixture(scope="module")
def tiny() -> TextGenerator:
    return make_generator()


class TestARun:
    def test_it_writes_what_the_stream_writes_and_keeps_everything(self, tiny: TextGenerator) -> None:
        run = Writing(tiny, "bad", Settings(temperature=0.9, seed=3, length=30))
        run.advance(12)
        assert (len(run), run.stopped) == (12, False)
        run.advance(500)
        expected = list(tiny.stream("bad", 30, temperature=0.9, seed=3))
        assert run.stopped
        assert run.text == "".join(each.character for each in expected)
        for position in (0, 17, 29):
            each = expected[position]
            np.testing.assert_array_equal(run.logits(position), each.logits)
            share = softmax(each.logits)[tiny.alphabet.ids[each.character]]
            assert run.surprisal[position] == pytest.approx(-np.log(share), rel=1e-4)
            np.testing.assert_allclose(run.signal(1, "c")[position], each.layers[1].c, rtol=2e-3, atol=1e-3)
        assert run.signal(0, "f").shape == (30, 7)

    def test_stop_is_the_end(self, tiny: TextGenerator) -> None:
        run = Writing(tiny, "bad", Settings(length=30))
        run.advance(5)
        run.stop()
        run.advance(5)
        assert len(run) == 5

    def test_two_runs_of_one_model_do_not_meet(self, tiny: TextGenerator) -> None:
        one, other = (Writing(tiny, "bad", Settings(seed=seed, length=40)) for seed in (1, 2))
        for _ in range(20):
            one.advance(2)
            other.advance(2)
        alone = Writing(tiny, "bad", Settings(seed=1, length=40))
        alone.advance(40)
        assert one.text == alone.text != other.text

    def test_the_end_of_a_long_prompt_is_read(self, tiny: TextGenerator) -> None:
        run = Writing(tiny, "a" * 1_000_000 + "bad", Settings(length=20))
        assert run.prompt.endswith("bad")
        assert len(run.prompt) == MAX_PROMPT

    def test_signals_can_be_clamped_while_it_writes(self, tiny: TextGenerator) -> None:
        run = Writing(tiny, "bad", Settings(length=20), clamps=[Clamp("o", 0.0)])
        run.advance(20)
        assert not run.signal(0, "h").any()


def written(page: AppTest) -> str:
    return page.session_state["gen_writing"].text


def captions(page: AppTest) -> str:
    return " ".join(each.value for each in page.caption)


FAST = {"length": "20"}


class TestThePage:
    def test_it_writes_at_once_and_the_same_link_writes_the_same(self) -> None:
        first, second = (opened("text_generation", prompt="Is this", seed="4", **FAST) for _ in range(2))
        for page in (first, second):
            page.session_state["gen_writing"].advance(100)
        assert written(first) == written(second)
        assert len(written(first)) == 20

    def test_sliders_do_not_run_the_model_again(self) -> None:
        page = opened("text_generation", **FAST)
        run = page.session_state["gen_writing"]
        run.advance(100)
        page.slider(key="gen_temperature").set_value(1.6).run()
        assert not page.exception
        assert page.session_state["gen_writing"] is run
        page.button(key="gen_write").click().run()
        assert page.session_state["gen_writing"] is not run

    def test_stop_stops(self) -> None:
        page = opened("text_generation", length="800")
        page.button(key="gen_stop").click().run()
        run = page.session_state["gen_writing"]
        assert run.stopped
        assert 0 < len(run) < 800
        assert page.button(key="gen_stop").disabled

    @pytest.mark.parametrize("view", ["beside", "surgery", "surprise", "next", "corpus"])
    def test_every_panel_opens(self, view: str) -> None:
        page = opened("text_generation", **FAST)
        page.session_state["gen_view"] = view
        page.run()
        assert not page.exception
        assert not page.error

    def test_two_texts_are_written_side_by_side(self) -> None:
        page = opened("text_generation", **FAST)
        page.button(key="beside_go").click().run()
        assert not page.exception
        left, right = (page.session_state[f"{side}_writing"] for side in ("left", "right"))
        assert left.model.card.name != right.model.card.name
        assert left.settings.seed == right.settings.seed

    def test_gates_are_clamped_while_it_writes(self) -> None:
        page = opened("text_generation", clamps="o=0", **FAST)
        page.session_state["gen_view"] = "surgery"
        page.run()
        page.button(key="operate_go").click().run()
        assert not page.exception
        free, clamped = (page.session_state[f"{side}_writing"] for side in ("free", "clamped"))
        assert {clamp.layer for clamp in clamped.clamps} == {0, 1}
        assert not clamped.signal(1, "h").any()
        assert free.signal(1, "h").any()

    def test_a_pasted_corpus_is_kept_for_training(self) -> None:
        page = opened("text_generation", **FAST)
        page.session_state["gen_view"] = "corpus"
        page.run()
        page.text_area(key="corpus_text").set_value("The rain in Spain. " * 800).run()
        assert not page.error
        assert page.session_state["corpus"].text.startswith("The rain")
        page.text_area(key="corpus_text").set_value("too short").run()
        assert "learns nothing" in page.error[0].value

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("temperature", "nan"), ("temperature", "-5"), ("temperature", "1e300"), ("temperature", "warm"),
            ("length", "0"), ("length", "1000000"), ("length", "many"), ("top_k", "-1"), ("top_p", "inf"),
            ("seed", "-3"), ("seed", "99999999999999999999"), ("model", "../../etc/passwd"),
        ],
    )  # fmt: skip
    def test_nonsense_in_the_link_becomes_something_sensible(self, name: str, value: str) -> None:
        page = opened("text_generation", **{"length": "20", name: value})
        assert not page.exception
        assert not page.error
        run = page.session_state["gen_writing"]
        assert len(run) > 0
        assert 0 <= run.settings.temperature <= 2
        assert 20 <= run.settings.length <= 800

    @pytest.mark.parametrize("prompt", ["", "   ", "\0\1", "漢字仮名"])
    def test_a_prompt_with_nothing_to_read_is_one_sentence_and_stays(self, prompt: str) -> None:
        page = opened("text_generation", **FAST)
        page.text_area(key="gen_prompt").set_value(prompt).run()
        assert not page.exception
        if prompt != "   ":  # spaces are signs that the network knows
            assert "nothing to begin with" in page.error[0].value
        assert page.text_area(key="gen_prompt").value == prompt

    def test_a_hostile_prompt_is_text(self) -> None:
        page = opened("text_generation", **FAST)
        page.text_area(key="gen_prompt").set_value("<script>alert(1)</script> 😀 שלום").run()
        assert not page.exception
        assert not page.error
        assert "not in the alphabet" in captions(page)
        assert not any("<script" in each.value for each in page.markdown)

    def test_a_megabyte_of_prompt_is_cut_and_said_so(self) -> None:
        page = opened("text_generation", **FAST)
        page.text_area(key="gen_prompt").set_value("to be or not " * 80_000).run()
        assert not page.error
        assert "read the last 2,000" in captions(page)


NATS = "nats_per_character"
GRAM = {"name": "Kneser–Ney 7-gram", NATS: 1.5164}


@pytest.mark.parametrize(
    ("measured", "training", "expected"),
    [
        ({}, {"baseline": GRAM}, ""),
        ({NATS: 1.25}, {}, "Measured on the test set, the last 10% of its text: **1.250 nats per character**."),
        ({NATS: 1.25}, {"baseline": GRAM}, r"character**; a Kneser–Ney 7\-gram has 1.516."),
        ({NATS: 2.5}, {"baseline": GRAM}, r"character**; a Kneser–Ney 7\-gram has 1.516, which is less."),
        ({NATS: 1.25}, {"dynamic": {NATS: 1.1}}, "has 1.100; the network on this page doesn't change."),
        ({NATS: 1.25}, {"baseline": "<b>", "dynamic": 7}, "**1.250 nats per character**."),
        ({NATS: 1.25}, {"baseline": {NATS: "low"}}, ""),
        ({NATS: 1.25}, {"dynamic": {"nothing": 1.1}}, ""),
        (
            {NATS: 1.25},
            {"seeds": {"runs": [{}, {}, {}], "mean": 1.45, "deviation": 0.001}},
            "with 3 seeds have 1.450 on the validation set on average, with a standard deviation of 0.001.",
        ),
        (
            {NATS: 1.25},
            {"seeds": {"runs": [{}, {}], "mean": 1.45, "deviation": 0.01}, "calibration": {"scale": 0.9}},
            "with 2 seeds, before their logits are scaled, have 1.450 on the validation set on average, with a "
            "standard deviation of 0.010.",
        ),
        ({NATS: 1.25}, {"seeds": {"runs": 3, "mean": 1.45, "deviation": 0.001}}, ""),
        ({NATS: 1.25}, {"seeds": {"runs": [], "mean": 1.45}}, ""),
    ],
)
def test_what_was_measured_is_that_of_the_card(
    tiny: TextGenerator, measured: dict[str, Any], training: dict[str, Any], expected: str
) -> None:
    said = views.measured_in_words(replace(tiny.card, measured=measured, training=training))
    assert said.endswith(expected)
    assert bool(said) == bool(expected)
