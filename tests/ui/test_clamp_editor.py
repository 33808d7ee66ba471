"""Holding signals: the notation, what a held gate must do in every kind of cell, and the ablation maps."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import layers

from lstm_core.inference.classifier import TextClassifier
from lstm_core.interpret import ablation
from lstm_core.nn import clamp_syntax
from lstm_core.nn.clamp_syntax import ClampError
from lstm_core.nn.clamps import SIGNALS, Clamp
from lstm_core.nn.trace import trace

TEXT = "how do i sort a list in java ?"


class TestNotation:
    @pytest.mark.parametrize(
        ("line", "clamps"),
        [
            ("", ()),
            ("f=0", (Clamp("f", 0.0),)),
            ("f=1;i=0", (Clamp("f", 1.0), Clamp("i", 0.0))),
            ("h=-0.5:3,7-9@2", (Clamp("h", -0.5, [3, 7, 8, 9], [2]),)),
            ("i=0@3-", (Clamp("i", 0.0, None, [3, 4, 5]),)),
        ],
    )
    def test_a_line_becomes_clamps(self, line: str, clamps: tuple[Clamp, ...]) -> None:
        assert clamp_syntax.parse_clamps(line, SIGNALS["lstm"], 10, 6) == clamps

    @pytest.mark.parametrize(
        "line",
        [
            "z=1",
            "f",
            "f=",
            "f=nan",
            "f=1e9",
            "f=0:10",
            "f=0@6",
            "f=0:5-3",
            "f=0:-",
            "f=0:a",
            "<script>",
            ";".join(["f=0"] * 21),
        ],
    )
    def test_anything_else_is_refused_in_one_sentence(self, line: str) -> None:
        with pytest.raises(ClampError) as caught:
            clamp_syntax.parse_clamps(line, SIGNALS["lstm"], 10, 6)
        assert "\n" not in str(caught.value)

    @given(
        st.lists(
            st.builds(
                Clamp,
                gate=st.sampled_from(SIGNALS["lstm"]),
                value=st.integers(-20, 20).map(lambda n: n / 4),
                units=st.none() | st.lists(st.integers(0, 9), min_size=1, unique=True).map(sorted),
                timesteps=st.none() | st.lists(st.integers(0, 5), min_size=1, unique=True).map(sorted),
            ),
            max_size=5,
        )
    )
    def test_a_line_brings_its_clamps_back(self, clamps: list[Clamp]) -> None:
        assert clamp_syntax.parse_clamps(clamp_syntax.format_clamps(clamps), SIGNALS["lstm"], 10, 6) == tuple(clamps)

    def test_people_count_tokens_from_one(self) -> None:
        assert clamp_syntax.parse_indices("1, 3-4, 9-", 10, "token", first=1) == [0, 2, 3, 8, 9]
        assert clamp_syntax.format_ranges([0, 2, 3], first=1) == "1,3-4"
        with pytest.raises(ClampError, match="from 1 to 10"):
            clamp_syntax.parse_indices("0", 10, "token", first=1)


CELLS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}


@pytest.mark.parametrize("kind", CELLS)
class TestEveryCell:
    def built(self, kind: str) -> tuple[keras.layers.Layer, np.ndarray]:
        random = np.random.default_rng(5)
        layer = CELLS[kind](4, return_sequences=True)
        layer.build((None, None, 3))
        layer.set_weights([random.normal(0, 0.8, weight.shape) for weight in layer.get_weights()])
        return layer, random.normal(size=(9, 3)).astype(np.float32)

    def test_no_clamp_changes_nothing(self, kind: str) -> None:
        layer, x = self.built(kind)
        plain, held = trace(layer, x), trace(layer, x, clamps=[])
        for letter in SIGNALS[kind]:
            np.testing.assert_array_equal(plain.signals[letter], held.signals[letter])

    def test_what_is_kept_for_good_never_changes(self, kind: str) -> None:
        layer, x = self.built(kind)
        start = 2
        if kind == "lstm":
            later = list(range(start, 9))
            held = trace(layer, x, clamps=[Clamp("f", 1.0, timesteps=later), Clamp("i", 0.0, timesteps=later)])
            kept = held.signals["c"]
        elif kind == "gru":
            held = trace(layer, x, clamps=[Clamp("z", 1.0, timesteps=list(range(start, 9)))])
            kept = held.signals["h"]
        else:
            held = trace(layer, x, clamps=[Clamp("h", 0.25, timesteps=list(range(start - 1, 9)))])
            kept = held.signals["h"]
        np.testing.assert_array_equal(kept[start:], np.broadcast_to(kept[start - 1], kept[start:].shape))
        assert kept[start - 1].any()

    def test_a_silenced_cell_says_nothing(self, kind: str) -> None:
        layer, x = self.built(kind)
        gate = {"lstm": "o", "gru": "h", "rnn": "h"}[kind]
        assert not trace(layer, x, clamps=[Clamp(gate, 0.0)]).signals["h"].any()

    def test_only_the_chosen_units_are_held(self, kind: str) -> None:
        layer, x = self.built(kind)
        h = trace(layer, x, clamps=[Clamp("h", 0.5, units=[1])]).signals["h"]
        assert (h[:, 1] == 0.5).all()
        assert not (h[:, [0, 2, 3]] == 0.5).any()


class TestAblation:
    def test_a_unit_is_held_at_every_token(self, tiny: TextClassifier) -> None:
        found = ablation.ablate(tiny, TEXT, "units", "h", 0.0)
        np.testing.assert_allclose(found.before, tiny.read(TEXT).probabilities[-1], atol=1e-6)
        assert found.after.shape == (5, 3)
        for unit in range(5):
            expected = tiny.read(TEXT, clamps=[Clamp("h", 0.0, units=[unit])]).probabilities[-1]
            np.testing.assert_allclose(found.after[unit], expected, atol=1e-5)

    @pytest.mark.parametrize("signal", ["i", "f", "c"])
    def test_all_units_are_held_at_a_token(self, tiny: TextClassifier, signal: str) -> None:
        shares: list[float] = []
        long = " ".join([TEXT] * 2)
        found = ablation.ablate(tiny, long, "tokens", signal, 0.5, report=shares.append)
        reading = tiny.read(long)
        assert len(found.after) == len(reading.tokens)
        assert shares[-1] == 1.0
        for t in range(len(reading.tokens)):
            expected = tiny.read(long, clamps=[Clamp(signal, 0.5, timesteps=[t])]).probabilities[-1]
            np.testing.assert_allclose(found.after[t], expected, atol=1e-5)
            np.testing.assert_allclose(found.change(1)[t], expected[1] - found.before[1], atol=1e-5)

    def test_what_is_not_there_is_refused(self, tiny: TextClassifier) -> None:
        with pytest.raises(ValueError, match="no layer 1"):
            ablation.ablate(tiny, TEXT, "units", layer=1)
        with pytest.raises(ValueError, match="no 'z'"):
            ablation.ablate(tiny, TEXT, "units", "z")
