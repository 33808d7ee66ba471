"""The bytes that the microscope is sent, and the scripts that it is made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_core import exhibit
from lstm_core.exhibit import View, pack
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import run_cell
from tests.exhibit.traces import KINDS, network, traced, unpacked


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

    def test_other_activations_are_named_and_computed_here(self) -> None:
        weights = replace(network("lstm", 4), sigma=ELEMENTWISE["hard_sigmoid"], tanh=ELEMENTWISE["relu"])
        trace = run_cell(weights, np.random.default_rng(1).normal(size=(5, 3)), clamps=(Clamp("o", 0.5),))
        header, groups = unpacked(pack(View(list("abcde"), trace)))
        assert header["functions"] == ["hard σ", "relu"]
        assert set(groups["signals"]) == set("figoch")
        assert set(groups["computed"]) == {"o", "tanh_c"}
        o = np.clip((trace.input_sums["o"] + trace.recurrent_sums["o"]) / 6 + 0.5, 0, 1)
        np.testing.assert_allclose(groups["computed"]["o"], o.ravel(), atol=5e-6)
        np.testing.assert_allclose(groups["computed"]["tanh_c"], np.maximum(trace.c, 0).ravel(), atol=5e-6)
        gates = {signal["letter"]: signal["gate"] for signal in header["palette"]}
        assert gates == {letter: letter in "fio" for letter in "figoch"}

    @pytest.mark.parametrize(("kind", "reset_after"), KINDS)
    @pytest.mark.parametrize("name", ["relu", "softsign", "linear"])
    def test_a_gate_beyond_0_and_1_is_drawn_around_zero(self, kind: str, reset_after: bool, name: str) -> None:
        weights = replace(network(kind, 4, reset_after), sigma=ELEMENTWISE[name], tanh=ELEMENTWISE[name])
        trace = run_cell(weights, np.random.default_rng(1).normal(size=(5, 3)))
        assert trace.activations == (name, name)
        assert exhibit.resets_after(trace) == (reset_after or kind != "gru")
        header, groups = unpacked(pack(View(list("abcde"), trace, reset_after=reset_after)))
        assert not set(groups.get("computed", ())) - {"tanh_c"}  # nothing is clamped
        for signal in header["palette"]:
            values = trace.signals[signal["letter"]]
            assert signal["gate"] == (signal["letter"] in "fiozr" and values.min() >= 0 and values.max() <= 1)
            figure = trace.plot(signal["letter"]).data[0]
            assert figure.zmax >= values.max() or figure.zmax >= exhibit.colour_limit(values)

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
        data, step = exhibit.fixed_point(np.array(values), 3)
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
        assert {path.stem for path in folder.glob("*.js")} == {
            *exhibit.SHARED,
            *(name for scripts, _ in exhibit.HOSTS.values() for name in scripts),
        }
        for path in folder.iterdir():
            text = path.read_text(encoding="utf-8")
            assert text.count("\n") < 400
            for word in ("innerHTML", "insertAdjacentHTML", "document.write", "eval(", "fetch(", "http://", "https://"):
                assert word not in text.replace("http://www.w3.org/2000/svg", ""), (path.name, word)
