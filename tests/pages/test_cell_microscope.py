"""The cell microscope: the bytes it sends, the hand-set networks, the measured stories, and its page by AppTest."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import lstm_core
from lstm_core import TextError
from lstm_core.inference import TextClassifier
from lstm_core.interpret import gate_contrast
from lstm_core.library import store
from lstm_core.nn import hand_set as handmade
from lstm_core.nn.hand_set import NETWORKS, WeightError
from tests.exhibit.traces import traced, unpacked
from tests.pages.test_every_page import opened
from ui.cell_microscope import editor, gate_examples, stories, traced_text
from ui.cell_microscope import page as microscope_page
from ui.common import clamp_editor, model_cache


class TestEditor:
    def test_a_weight_has_a_minus_sign_and_is_read_with_either(self) -> None:
        assert [editor.shown(value) for value in (-32.0, 0.0, 0.8)] == ["−32", "0", "0.8"]
        rows = [[editor.typed(editor.shown(value)) for value in row] for row in NETWORKS["echo"].table]
        np.testing.assert_array_equal(NETWORKS["echo"].with_table(rows).table, NETWORKS["echo"].table)
        assert [editor.typed(cell) for cell in ("-16", "−16", " ", None)] == ["-16", "−16", None, None]
        with pytest.raises(WeightError, match="received “1e”"):
            NETWORKS["echo"].with_table([["1e", *rows[0][1:]], rows[1]])


class TestHandSet:
    def test_unit_0_counts_and_ignores_what_was_never_opened(self) -> None:
        trace = NETWORKS["brackets"].read("))((a)[")
        np.testing.assert_allclose(trace.c[:, 0], [0, 0, 1, 2, 2, 1, 2], atol=1e-3)

    def test_unit_1_lets_go_at_every_bracket(self) -> None:
        trace = NETWORKS["brackets"].read("(a)b")
        np.testing.assert_allclose(trace.c[:, 1], [1, 1, -1, -1], atol=1e-3)
        np.testing.assert_allclose(trace.f[:, 1], [0, 1, 0, 1], atol=1e-3)

    def test_the_gru_is_inside_between_quotation_marks(self) -> None:
        trace = NETWORKS["quotes"].read('a"b(c)"d"')
        np.testing.assert_allclose(trace.h[:, 1], [0, 1, 1, 1, 1, 1, -1, -1, 1], atol=1e-3)
        np.testing.assert_allclose(trace.h[:, 0], [0, 0, 0, 1, 1, -1, -1, -1, -1], atol=1e-3)

    def test_the_echo_fades_and_the_switch_stays(self) -> None:
        h = NETWORKS["echo"].read("(" + "a" * 30).h
        assert np.all(np.diff(h[:, 0]) < 0)
        assert h[-1, 0] < 0.05
        assert h[-1, 1] > 0.95

    @pytest.mark.parametrize("name", NETWORKS)
    def test_the_table_gives_back_the_same_network(self, name: str) -> None:
        hand_set = NETWORKS[name]
        assert len(hand_set.row_names) == len(hand_set.table)
        assert len(hand_set.column_names) == hand_set.table.shape[1]
        again = hand_set.with_table(hand_set.table.tolist())
        np.testing.assert_array_equal(again.read("(a)").h, hand_set.read("(a)").h)

    def test_a_changed_weight_changes_what_it_does(self) -> None:
        rows = NETWORKS["brackets"].table.tolist()
        rows[0][-1] = -16.0  # the forget gate of unit 0 stays closed
        np.testing.assert_allclose(NETWORKS["brackets"].with_table(rows).read("((a").c[:, 0], [1, 1, 0], atol=1e-3)

    @pytest.mark.parametrize(
        ("weight", "received"), [(None, "nothing"), (float("nan"), "nan"), (1e9, "1000000000"), ("x", "“x”")]
    )
    def test_a_bad_weight_is_named_in_one_sentence(self, weight: Any, received: str) -> None:
        rows = NETWORKS["brackets"].table.tolist()
        rows[2][4] = weight
        with pytest.raises(WeightError, match=f"bias, i of unit 0 must be a number from −1000 to 1000; .*{received}"):
            NETWORKS["brackets"].with_table(rows)

    def test_a_table_of_another_shape_is_refused(self) -> None:
        with pytest.raises(WeightError, match="8 rows of 5 weights"):
            NETWORKS["brackets"].with_table([[1.0]])

    def test_no_text_is_one_sentence(self) -> None:
        with pytest.raises(TextError, match="no text to read"):
            NETWORKS["echo"].read("")


class TestTelling:
    def test_it_finds_the_unit_and_tells_of_the_other_texts(self) -> None:
        traces, ends = [], []
        for seed in range(6):
            trace = traced("lstm", 10, 5)
            f, c = np.full((10, 5), 0.8), np.ones((10, 5))
            end = np.arange(10) == 3 + seed % 4
            f[end, 2] = 0.1 if seed % 2 == 0 else 0.2  # picked on 0.1, told from 0.2
            f[end, 4], c[:, 4] = 0.0, 0.0  # forgets more, but has nothing to forget
            traces.append(replace(trace, signals={**trace.signals, "f": f, "c": c}))
            ends.append(end)
        found = gate_contrast.forgetting_contrast(traces, ends)
        assert (found.unit, found.texts, found.agreeing) == (2, 3, 3)
        assert found.here == pytest.approx(0.2)
        assert found.elsewhere == pytest.approx(0.8)
        assert found.clear

    def test_one_text_is_too_few(self) -> None:
        with pytest.raises(ValueError, match="give two or more, not 1"):
            gate_contrast.input_contrast([traced("lstm", 4, 2)], [np.arange(4) < 2], [np.arange(4) > 1])

    def test_the_stories_of_the_shipped_networks_are_measured_and_hold_their_example(self) -> None:
        story = stories.fact_and_remark("imdb")
        assert story.gate is not None
        assert story.contrast.here > story.contrast.elsewhere
        assert 0 <= story.t < len(story.tokens)
        reading = lstm_core.load(story.network).read(story.text)
        np.testing.assert_allclose(reading.layers[0].i[:, story.contrast.unit], story.signals["i"], atol=1e-6)


def sent(page: AppTest) -> dict[str, Any]:
    """The header of what the page sent to the browser."""
    return unpacked(page.get("bidi_component")[0].proto.bytes)[0]


NOTHING = {
    "brackets": "There is no text to read: type some characters first.",
    "stackoverflow": "There is no text to read: type or paste some words first.",
    "imdb": "There is no text to read: type or paste some words first.",
}


def test_the_benchmark_takes_its_options() -> None:
    pytest.importorskip("playwright")
    from benchmarks import microscope

    assert microscope.parser().parse_args(["--repeats", "3"]).repeats == 3
    assert 1_000_000 < microscope.payload_bytes() < 2_000_000


class TestPage:
    @pytest.mark.parametrize("name", sorted(traced_text.networks()))
    def test_every_network_with_a_cell_opens(self, name: str) -> None:
        page = opened("cell_microscope", model=name)
        assert not page.exception
        assert not page.error
        header = sent(page)
        assert header["units"] >= 2
        assert len(header["tokens"]) > 5

    def test_the_bag_of_words_is_not_offered(self) -> None:
        page = opened("cell_microscope", model="imdb_bag")
        assert page.selectbox(key="microscope_network").value == "brackets"
        assert "bag of words" in page.selectbox(key="microscope_network").help

    def test_the_link_brings_back_text_token_and_unit(self) -> None:
        page = opened("cell_microscope", model="stackoverflow", text="def f(x): return x", t="3", unit="77")
        assert page.text_area(key="microscope_text").value == "def f(x): return x"
        assert sent(page)["start"] == {"t": 2, "unit": 77}
        assert sent(page)["tokens"][:3] == ["def", "f", "("]

    @pytest.mark.parametrize("name", ["stackoverflow", "imdb", "macbeth"])
    def test_the_answer_at_each_token_is_that_of_the_text_that_ends_there(self, name: str) -> None:
        text = "how do i sort a list" if name == "stackoverflow" else "so foul and fair a day"
        answers = sent(opened("cell_microscope", model=name, text=text))["answers"]
        model = model_cache.any_model(name)
        for t in (2, 4):
            row = {answers["labels"][index]: value for index, value in answers["rows"][t]}
            if isinstance(model, TextClassifier):
                start = " ".join(text.split()[: t + 1])
                wanted = dict(zip(answers["labels"], model.read(start).probabilities[-1], strict=True))
            else:
                logits = model.read(text[: t + 1]).logits.astype(float)
                shares = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
                wanted = dict(zip(model.alphabet.characters, shares, strict=True))
            assert row == pytest.approx({label: wanted[label] for label in row}, abs=2e-4)
            assert max(row.values()) == pytest.approx(max(wanted.values()), abs=2e-4)

    def test_a_hand_set_network_tells_by_its_state(self) -> None:
        answers = sent(opened("cell_microscope", model="brackets", text="((a)"))["answers"]
        assert [value for ((_, value),) in answers["rows"]] == pytest.approx([1, 2, 2, 1], abs=1e-3)

    def test_under_a_clamp_the_answers_without_it_stand_beside(self) -> None:
        plain = sent(opened("cell_microscope", model="imdb", text="not bad at all"))["answers"]["rows"]
        page = opened("cell_microscope", model="imdb", text="not bad at all", clamps="o=0")
        after = sent(page)["answers"]
        assert [[(index, before) for index, _, before in row] for row in after["rows"]] == [
            [tuple(one) for one in row] for row in plain
        ]
        assert after["rows"][0] != after["rows"][-1] or after["rows"][0][0][1] != plain[0][0][1]
        assert "with these clamps" in after["note"]

    def test_a_button_of_a_card_clamps_in_place_of_the_signals_other_clamps(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(st, "session_state", {"microscope_clamps": "f=0.5:1;i=0@2-"})
        clamp_editor.put_all("microscope", "f", 1)
        assert st.session_state["microscope_clamps"] == "i=0@2-;f=1"
        clamp_editor.put_all("microscope", "i", None)
        assert st.session_state["microscope_clamps"] == "f=1"

    @pytest.mark.parametrize("bad", ["0", "-5", "9" * 30, "nan", "", "\x00"])
    def test_damaged_numbers_are_moved_into_range(self, bad: str) -> None:
        page = opened("cell_microscope", model="brackets", text="(a)", t=bad, unit=bad, layer=bad)
        assert not page.exception
        assert 0 <= sent(page)["start"]["t"] <= 2
        assert 0 <= sent(page)["start"]["unit"] <= 1

    @pytest.mark.parametrize("name", ["brackets", "stackoverflow", "imdb"])
    @pytest.mark.parametrize("text", ["", "\x00", "<script>alert(1)</script>", "😀👩‍👩‍👧", "كيف أطبع", "жщъ ыэю"])
    def test_odd_texts_are_shown_or_refused_in_one_sentence(self, name: str, text: str) -> None:
        page = opened("cell_microscope", model=name)
        page.text_area(key="microscope_text").set_value(text).run()
        assert not page.exception
        assert page.text_area(key="microscope_text").value == text
        if page.get("bidi_component"):
            assert not page.error
            assert sent(page)["tokens"]
        else:  # prose has no emoji and no NUL for a token
            assert [error.value for error in page.error] == [NOTHING[name]]

    def test_a_megabyte_is_cut_and_said_to_be(self) -> None:
        page = opened("cell_microscope", model="brackets")
        page.text_area(key="microscope_text").set_value("(a) " * 260_000).run()
        assert not page.exception
        assert len(sent(page)["tokens"]) == traced_text.MAX_CHARACTERS
        assert any("1,040,000 characters; the first 2,000 were read" in caption.value for caption in page.caption)

    def test_another_network_brings_its_own_text_but_keeps_one_that_was_typed(self) -> None:
        page = opened("cell_microscope")
        assert page.text_area(key="microscope_text").value == handmade.NETWORKS["brackets"].sample
        page.selectbox(key="microscope_network").set_value("quotes").run()
        assert page.text_area(key="microscope_text").value == handmade.NETWORKS["quotes"].sample
        page.text_area(key="microscope_text").set_value("(mine)").run()
        page.selectbox(key="microscope_network").set_value("echo").run()
        assert page.text_area(key="microscope_text").value == "(mine)"

    def test_a_story_opens_in_the_microscope(self) -> None:
        page = opened("cell_microscope")
        story = stories.fact_and_remark("imdb")
        page.button(key="microscope_put_fact").click().run()
        assert not page.exception
        assert page.text_area(key="microscope_text").value == story.text
        assert sent(page)["start"] == {"t": story.t, "unit": story.contrast.unit}

    def test_the_same_view_is_sent_as_the_same_bytes(self) -> None:
        page = opened("cell_microscope", model="imdb")
        first = sent(page)["id"]
        assert sent(page.run())["id"] == first

    def test_a_broken_model_is_one_sentence_and_the_text_stays(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = shutil.copytree(store.SHIPPED / "stackoverflow", tmp_path / "stackoverflow")
        weights = (folder / store.WEIGHTS).read_bytes()
        (folder / store.WEIGHTS).write_bytes(weights[: len(weights) // 2])
        monkeypatch.setattr(store, "SHIPPED", tmp_path)
        monkeypatch.setattr(model_cache, "_loaded", {})
        page = opened("cell_microscope", model="stackoverflow", text="my text")
        assert not page.exception
        assert len(page.error) == 1
        assert "stackoverflow" in page.error[0].value
        assert "\n" not in page.error[0].value
        assert page.text_area(key="microscope_text").value == "my text"

    def test_without_the_networks_of_the_stories_the_page_says_so(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(store, "SHIPPED", tmp_path)
        page = opened("cell_microscope")
        assert not page.exception
        assert [info.value for info in page.info] == ["The network of this example is not among the models here."] * 2


def test_each_gate_has_an_example_that_opens_in_the_microscope() -> None:
    expected = {"f": [1, 0, 1], "i": [1, 1, 1], "g": [1, 1, 1.5], "o": [1, 1, 1]}
    assert {each.letter: gate_examples.counts(each)[1] for each in gate_examples.EXAMPLES} == expected
    assert all(free != clamped for free, clamped in map(gate_examples.counts, gate_examples.EXAMPLES))
    page = opened("cell_microscope", model="echo", text="((")
    page.button(key="microscope_example_o").click().run()
    assert not page.exception
    assert page.selectbox(key="microscope_network").value == "brackets"
    assert page.text_area(key="microscope_text").value == "(x)"
    assert page.session_state["microscope_clamps"] == "o=0:0@1"
    starts = page.session_state[microscope_page._STARTS]
    assert [t for t, _, visit in starts.values() if visit] == [1]  # where the gate is clamped: c stays and h is 0
