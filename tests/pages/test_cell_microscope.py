"""The cell microscope: the bytes it sends, the hand-set networks, the measured stories, and its page by AppTest."""

from __future__ import annotations

import json
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
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.hand_set import NETWORKS, WeightError
from lstm_core.nn.trace import LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights
from tests.pages.test_every_page import opened
from ui.cell_microscope import component, gate_examples, payload, stories, traced_text
from ui.cell_microscope import page as microscope_page
from ui.cell_microscope.payload import View, pack
from ui.common import model_cache

PARTS = {"lstm": 4, "gru": 3, "rnn": 1}
KINDS = [("lstm", True), ("gru", True), ("gru", False), ("rnn", True)]


def network(kind: str, units: int, reset_after: bool = True) -> CellWeights:
    random = np.random.default_rng(7)
    width = PARTS[kind] * units
    return CellWeights(
        kind=kind,  # type: ignore[arg-type]
        name=kind,
        kernel=random.normal(0, 0.8, (3, width)).astype(np.float32),
        recurrent=random.normal(0, 0.6 / np.sqrt(units), (units, width)).astype(np.float32),
        bias=random.normal(0, 0.5, width).astype(np.float32),
        recurrent_bias=random.normal(0, 0.5 * reset_after, width).astype(np.float32),
        reset_after=reset_after,
    )


def traced(kind: str, T: int, units: int, reset_after: bool = True, clamps: tuple[Clamp, ...] = ()) -> LayerTrace:
    x = np.random.default_rng(1).normal(0, 1, (T, 3)).astype(np.float32)
    return run_cell(network(kind, units, reset_after), x, clamps=clamps)


def unpacked(data: bytes) -> tuple[dict[str, Any], dict[str, dict[str, np.ndarray]]]:
    """The header, and group → letter → values: the layout read once more, number by number."""
    length = int.from_bytes(data[:4], "little")
    header, body = json.loads(data[4 : 4 + length]), data[4 + length :]
    groups: dict[str, dict[str, np.ndarray]] = {}
    for array in header["arrays"]:
        width, end = array["width"], array["at"] + array["count"] * array["width"]
        numbers = [
            int.from_bytes(body[at : at + width], "little", signed=True) for at in range(array["at"], end, width)
        ]
        groups.setdefault(array["group"], {})[array["letter"]] = np.array(numbers) * array["step"]
    return header, groups


class TestPayload:
    @pytest.mark.parametrize(("kind", "reset_after"), KINDS)
    def test_sums_and_states_arrive_to_five_decimals(self, kind: str, reset_after: bool) -> None:
        trace = traced(kind, 11, 6, reset_after)
        header, groups = unpacked(pack(View(list("abcdefghijk"), trace, reset_after=reset_after)))
        assert header["tokens"] == list("abcdefghijk")
        assert (header["units"], header["kind"]) == (6, kind)
        for group, sums in (("inputSums", trace.input_sums), ("recurrentSums", trace.recurrent_sums)):
            for letter, values in sums.items():
                np.testing.assert_allclose(groups[group][letter], values.ravel(), atol=5e-6)
        sent = groups.get("signals", {})
        assert list(sent) == {"lstm": ["c"], "gru": ["h"], "rnn": []}[kind]
        for letter, values in sent.items():
            np.testing.assert_allclose(values, trace.signals[letter].ravel(), atol=5e-6)

    @pytest.mark.parametrize(("gate", "value"), [("f", 1.0), ("i", 0.0), ("o", 0.3), ("g", -2.0), ("h", 0.0)])
    def test_what_a_clamp_holds_is_sent_as_it_is(self, gate: str, value: float) -> None:
        trace = traced("lstm", 5, 4, clamps=(Clamp(gate, value),))
        _, groups = unpacked(pack(View(list("abcde"), trace)))
        assert set(groups["signals"]) == {"c", gate}
        np.testing.assert_allclose(groups["signals"][gate], value, atol=1e-6)

    def test_400_tokens_of_128_units_are_less_than_2_megabytes_with_another_trace_behind(self) -> None:
        trace = traced("lstm", 400, 128)
        tokens = ["token"] * 400
        assert len(pack(View(tokens, trace))) < 1_500_000
        assert len(pack(View(tokens, trace, before=trace.signals))) < 2_020_000

    def test_a_trace_behind_is_rough_but_right(self) -> None:
        trace, other = traced("lstm", 5, 4), traced("lstm", 5, 4, clamps=(Clamp("f", 0.0),))
        _, groups = unpacked(pack(View(list("abcde"), other, before=trace.signals)))
        for letter in "figoch":
            np.testing.assert_allclose(groups["before"][letter], trace.signals[letter].ravel(), atol=2e-4)

    def test_clamps_are_sent_by_the_rows_of_the_trace(self) -> None:
        backward = replace(traced("lstm", 5, 4), timesteps=np.arange(5)[::-1])
        clamps = (Clamp("f", 0.0), Clamp("o", 1.0, units=[1, 3], timesteps=[0, 1]))
        header, _ = unpacked(pack(View(list("abcde"), backward, clamps=clamps)))
        assert header["clamps"] == [
            {"letter": "f", "value": 0.0, "rows": None, "units": None},
            {"letter": "o", "value": 1.0, "rows": [3, 4], "units": [1, 3]},
        ]

    def test_a_state_that_was_there_before_the_first_token_is_sent(self) -> None:
        start = (np.full(4, 0.5, np.float32), np.full(4, -2.0, np.float32))
        trace = run_cell(network("lstm", 4), np.zeros((2, 3), np.float32), initial_state=start)
        _, groups = unpacked(pack(View(["a", "b"], trace)))
        np.testing.assert_allclose(groups["initial"]["h"], 0.5)
        np.testing.assert_allclose(groups["initial"]["c"], -2.0)

    @pytest.mark.parametrize("values", [[0.0], [1e-9, -1e-9], [300.5, -0.001], [8388.607], [np.nan]])
    def test_any_size_of_number_survives(self, values: list[float]) -> None:
        data, step = payload.fixed_point(np.array(values), 3)
        back = [int.from_bytes(data[n : n + 3], "little", signed=True) * step for n in range(0, len(data), 3)]
        np.testing.assert_allclose(back, np.nan_to_num(values), atol=1e-6 * max(1, np.nanmax(np.abs([0, *values]))))

    def test_hostile_tokens_and_places_out_of_range(self) -> None:
        tokens = ["<script>", "\x00", "\ud800", "كيف", "😀"]
        header, _ = unpacked(pack(View(tokens, traced("rnn", 5, 2), t=99, unit=-3)))
        assert header["tokens"] == ["<script>", "\x00", "?", "كيف", "😀"]
        assert header["start"] == {"t": 4, "unit": 0}

    def test_tokens_that_do_not_fit_are_refused(self) -> None:
        with pytest.raises(ValueError, match="5 steps needs as many tokens; received 1"):
            pack(View(["a"], traced("lstm", 5, 4)))

    def test_other_weights_get_another_id(self) -> None:
        first, _ = unpacked(pack(View(list("ab"), traced("lstm", 2, 4))))
        second, _ = unpacked(pack(View(list("ab"), traced("lstm", 2, 4, clamps=(Clamp("f", 0.0),)))))
        assert first["id"] != second["id"]


class TestAssets:
    def test_every_script_is_joined_and_none_makes_markup_or_asks_a_network(self) -> None:
        folder = Path(__file__).resolve().parents[2] / "assets" / "microscope"
        assert {path.stem for path in folder.glob("*.js")} == set(component.SCRIPTS)
        for path in folder.iterdir():
            text = path.read_text(encoding="utf-8")
            assert text.count("\n") < 400
            for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "http://", "https://"):
                assert word not in text.replace("http://www.w3.org/2000/svg", ""), (path.name, word)


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
        with pytest.raises(WeightError, match=f"bias, i of unit 0 must be a number from -1000 to 1000; .*{received}"):
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
        microscope_page._clamp("f", 1)
        assert st.session_state["microscope_clamps"] == "i=0@2-;f=1"
        microscope_page._clamp("i", None)
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
