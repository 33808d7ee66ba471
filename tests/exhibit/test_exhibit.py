"""Traces in a notebook: what is drawn, the data frames, the figures and the widget, against the trace's own numbers."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

from lstm_core import BidirectionalTrace, Clamp, LayerTrace
from lstm_core.errors import MissingLibraryError
from lstm_core.exhibit import Exhibit, markup, resets_after, script
from lstm_core.inference import Reading, TextClassifier
from lstm_core.nn.trace import run_cell
from lstm_core.optional import library
from lstm_core.tracing import ModelTrace, RecurrentTrace
from tests.exhibit.traces import KINDS, network, traced, unpacked

HOSTILE = "how </div><script>alert('x')</script> do \x00 & i"


def in_batch(name: str, kind: str = "lstm", backwards: bool = False) -> RecurrentTrace:
    """Three sequences of five timesteps of four units."""
    weights = replace(network(kind, 4), go_backwards=backwards, name=name)
    x = np.random.default_rng(3).normal(0, 1, (3, 5, 3)).astype(np.float32)
    rows = [run_cell(weights, each).in_text_order() for each in x]

    def stacked(group: str) -> dict[str, Any]:
        return {letter: np.stack([getattr(row, group)[letter] for row in rows]) for letter in getattr(rows[0], group)}

    outputs = np.stack([row.outputs for row in rows])
    states = tuple(np.zeros((3, 4), np.float32) for _ in rows[0].initial_state)
    sums = stacked("input_sums"), stacked("recurrent_sums")
    mask = np.ones((3, 5), bool)
    return RecurrentTrace(name, rows[0].kind, x, stacked("signals"), *sums, outputs, mask, states, states, weights)


def of_model() -> ModelTrace:
    layers = in_batch("one"), in_batch("two & <b>", "gru", backwards=True)
    values = {"dense": np.zeros((3, 2)), "split": (np.zeros((3, 1)), np.ones((3, 4)))}
    return ModelTrace(layers, values, {"words": np.zeros((3, 5))}, np.zeros((3, 2)), ("Traced in <float32>.",))


class Checked(HTMLParser):
    """Which tags a piece of HTML has, in which order they are closed, and its text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


class TestMarkup:
    @pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
    def test_a_layer_is_one_heat_map_for_each_signal(self, kind: str) -> None:
        found = Checked(traced(kind, 7, 5)._repr_html_())
        assert found.tags.count("svg") == {"lstm": 6, "gru": 4, "rnn": 1}[kind]
        assert "7 timesteps × 5 units" in found.text
        assert "script" not in found.tags

    def test_its_cells_are_the_values(self) -> None:
        values = np.array([[0.0, 1.0], [0.5, 0.04], [1.0, 0.5]])  # (T, units)
        drawn = markup._heat_map("f", values, np.array([1, 0]), np.arange(3))
        assert '<path stroke="#D55E00" stroke-opacity="1" d="M0 0.5h1M2 1.5h1"/>' in drawn
        assert '<path stroke="#D55E00" stroke-opacity="0.5" d="M2 0.5h1M1 1.5h1"/>' in drawn
        assert drawn.count("<path") == 2  # 0.04 and 0 are the ground

    def test_a_long_one_stays_small_and_says_what_is_left_out(self) -> None:
        html = traced("lstm", 400, 128)._repr_html_()
        assert len(html) < 150_000
        assert "drawn: 22 units, drawn: 58 timesteps" in html

    def test_a_reading_shows_its_answer_and_every_text_escaped(self, tiny: TextClassifier) -> None:
        reading = tiny.read(HOSTILE, [Clamp("f", 0.0)])
        found = Checked(reading._repr_html_())
        assert f"{reading.confidence:.1%}" in found.text
        assert "Clamped: f=0" in found.text
        assert "script" not in found.tags
        assert all(token in found.text for token in reading.tokens if "\x00" not in token)

    def test_a_network_shows_shapes_notes_and_layers_with_escaped_names(self) -> None:
        found = Checked(of_model()._repr_html_())
        for words in ("Traced in <float32>.", "two & <b>", "(3, 1), (3, 4)", "Sequence 0 of a batch of 3"):
            assert words in found.text
        assert found.tags.count("svg") == 6 + 4

    def test_a_network_without_a_recurrent_layer_says_so(self) -> None:
        empty = ModelTrace((), {}, {}, np.zeros((1, 2)))
        assert "no recurrent layer" in empty._repr_html_()
        with pytest.raises(ValueError, match="no recurrent layer"):
            empty.plot()


class TestDataFrame:
    def test_a_column_is_a_unit_of_a_signal(self) -> None:
        trace = traced("gru", 6, 3)
        frame = trace.to_dataframe()
        assert frame.columns.names == ["signal", "unit"]
        assert frame.index.name == "timestep"
        np.testing.assert_array_equal(frame["z"], trace.z)
        np.testing.assert_array_equal(frame["h"][2], trace.h[:, 2])
        assert len(frame.stack(["signal", "unit"], future_stack=True)) == 6 * 4 * 3

    def test_rows_are_in_the_order_of_the_text(self) -> None:
        backward = in_batch("back", backwards=True).as_read(0)
        assert backward.timesteps[0] == 4
        np.testing.assert_array_equal(backward.to_dataframe()["c"], backward.in_text_order().c)

    def test_directions_layers_and_sequences_are_levels(self) -> None:
        both = BidirectionalTrace(traced("lstm", 4, 2), traced("lstm", 4, 2), np.zeros((4, 4)))
        assert both.to_dataframe()["backward"]["f"].shape == (4, 2)
        trace = of_model()
        frame = trace.to_dataframe()
        assert frame.index.names == ["sequence", "timestep"]
        np.testing.assert_array_equal(frame["two & <b>"]["z"].loc[2], trace.layers[1].z[2])
        np.testing.assert_array_equal(trace["one"].to_dataframe()["f"].loc[1], trace["one"].f[1])

    def test_a_reading_has_the_answers_in_front_and_its_tokens_as_rows(self, tiny: TextClassifier) -> None:
        reading = tiny.read("how do i sort a list")
        frame = reading.to_dataframe()
        assert list(frame.index.get_level_values("token")) == list(reading.tokens)
        np.testing.assert_array_equal(frame["answer"]["p"], reading.probabilities)
        layer = reading.layers[0]
        assert isinstance(layer, LayerTrace)
        np.testing.assert_array_equal(frame[layer.name]["c"], layer.c)


class TestPlot:
    def test_all_signals_one_signal_and_some_units(self) -> None:
        trace = traced("lstm", 6, 4)
        every = trace.plot()
        assert [one.name for one in every.data] == list("figoch")
        (heat,) = trace.plot("c").data
        units = np.asarray(heat.customdata)[:, 0]
        np.testing.assert_array_equal(np.asarray(heat.z), trace.c.T[units])
        lines = trace.plot("f", units=[3, 1]).data
        assert [line.name for line in lines] == ["f[3]", "f[1]"]
        np.testing.assert_array_equal(lines[0].y, trace.f[:, 3])

    def test_tokens_are_the_labels_and_no_markup(self, tiny: TextClassifier) -> None:
        figure = tiny.read("how < do").plot("c")
        assert dict(figure.layout.xaxis.labelalias) == {"0": "how", "1": "&lt;", "2": "do"}

    @pytest.mark.parametrize(
        ("wrong", "message"),
        [
            ({"signal": "q"}, "no signal 'q'; it has f, i"),
            ({"units": [9]}, "from 0 to 3; received \\[9\\]"),
            ({"layer": "x"}, "no layer 'x'; there are one, two"),
            ({"layer": 2}, "no layer 2"),
        ],
    )
    def test_what_there_is_not_is_refused(self, wrong: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            of_model().plot(**wrong)


class TestMicroscope:
    @pytest.mark.parametrize(("kind", "reset_after"), KINDS)
    def test_the_widget_is_sent_the_trace(self, kind: str, reset_after: bool) -> None:
        trace = traced(kind, 6, 4, reset_after)
        widget = trace.microscope(timestep=2, unit=3)
        header, groups = unpacked(widget.payload)
        assert header["start"] == {"t": 2, "unit": 3}
        assert header["resetAfter"] is resets_after(trace) is reset_after
        first = next(iter(trace.input_sums))
        np.testing.assert_allclose(groups["inputSums"][first], trace.input_sums[first].ravel(), atol=1e-5)
        assert set(groups.get("signals", ())) == {"lstm": {"c"}, "gru": {"h"}, "rnn": set()}[kind]
        assert widget._esm == script("notebook")

    def test_a_reading_brings_tokens_answers_and_clamps(self, tiny: TextClassifier) -> None:
        reading = tiny.read("how zzz do", [Clamp("o", 1.0, units=[2])])
        header, _ = unpacked(reading.microscope().payload)
        assert header["tokens"] == list(reading.tokens)
        assert header["unknown"] == [1]
        assert header["clamps"] == [{"letter": "o", "value": 1.0, "rows": None, "units": [2]}]
        np.testing.assert_allclose(
            [value for _, value in header["answers"]["rows"][2]], reading.probabilities[2], atol=1e-4
        )

    def test_a_backward_layer_is_shown_in_the_order_in_which_it_reads(self) -> None:
        layer = in_batch("back", backwards=True)
        header, groups = unpacked(layer.microscope(sequence=1).payload)
        assert header["tokens"] == ["4", "3", "2", "1", "0"]
        np.testing.assert_allclose(groups["signals"]["c"], layer.c[1, ::-1].ravel(), atol=1e-5)


def test_the_mixin_alone_offers_nothing() -> None:
    with pytest.raises(NotImplementedError):
        Exhibit().exhibits()


def test_a_missing_library_is_one_sentence_with_its_extra() -> None:
    with pytest.raises(MissingLibraryError, match=r"needs nowhere, which isn't installed: pip install 'lstm-lab\[x\]'"):
        library("nowhere.at.all", "x")
    hidden = "import sys; sys.modules['plotly'] = sys.modules['pandas'] = sys.modules['anywidget'] = None"
    code = f"""{hidden}
from lstm_core import LabError
from tests.exhibit.traces import traced
trace = traced("lstm", 3, 2)
for each in (trace.plot, trace.to_dataframe, trace.microscope):
    try:
        each()
    except LabError as error:
        print(error)
"""
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert [line.split()[2].rstrip(",") for line in run.stdout.splitlines()] == ["plotly", "pandas", "anywidget"]
    assert run.stdout.count("lstm-lab[notebook]") == 3


def test_reading_is_an_exhibit_and_shares_nothing(tiny: TextClassifier) -> None:
    reading = tiny.read("how do")
    assert isinstance(reading, Reading)
    frame = reading.to_dataframe()
    frame.iloc[:, :] = 0.0
    assert reading.probabilities.any()
