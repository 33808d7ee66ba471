"""What is taken away: arrays, the HTML file, and the lines of Python, which are executed and compared."""

from __future__ import annotations

import base64
import hashlib
import re
from html import unescape
from pathlib import Path

import numpy as np
import pytest

import lstm_core
from lstm_core import Clamp, exhibit
from lstm_core.exhibit import Handout, View, html_file, python_code
from lstm_core.inference import TextClassifier
from lstm_core.library import SHIPPED
from tests.exhibit.test_exhibit import HOSTILE, of_model
from tests.exhibit.traces import traced, unpacked


def payload_of(page: str) -> bytes:
    (found,) = re.findall(r'<script type="application/octet-stream" id="payload">(.*?)</script>', page)
    return base64.b64decode(found)


class TestNpz:
    def test_every_array_of_a_reading_comes_back(self, tiny: TextClassifier, tmp_path: Path) -> None:
        reading = tiny.read(HOSTILE, [Clamp("f", 0.5, units=[1, 2])])
        with np.load(reading.save_npz(tmp_path / "trace.npz"), allow_pickle=False) as loaded:
            assert str(loaded["text"]) == HOSTILE
            assert loaded["tokens"].tolist() == list(reading.tokens)
            assert loaded["clamps"].tolist() == ["0:f=0.5:1-2"]
            np.testing.assert_array_equal(loaded["layers/0/f"], reading.layers[0].f)
            np.testing.assert_array_equal(loaded["layers/0/recurrent_sums/o"], reading.layers[0].recurrent_sums["o"])
            np.testing.assert_array_equal(loaded["probabilities"], reading.probabilities)
            assert set(loaded) == set(reading.arrays())

    def test_a_network_has_layers_inputs_values_and_outputs(self, tmp_path: Path) -> None:
        trace = of_model()
        with np.load(trace.save_npz(tmp_path / "trace.npz"), allow_pickle=False) as loaded:
            np.testing.assert_array_equal(loaded["layers/one/c"], trace["one"].c)
            np.testing.assert_array_equal(loaded["layers/one/final_state/c"], trace["one"].final_state[1])
            assert loaded["values/split/1"].shape == (3, 4)
            assert {"inputs/words", "output", "layers/two & <b>/z"} <= set(loaded)

    def test_objects_are_refused(self) -> None:
        with pytest.raises(TypeError, match="model is neither"):
            exhibit.npz({"model": object()})


class TestHtml:
    def test_400_timesteps_of_128_units_are_below_3_megabytes(self) -> None:
        trace = traced("lstm", 400, 128)
        assert 1_500_000 < len(html_file(View(["token"] * 400, trace), Handout("A view"))) < 3_000_000

    def test_it_holds_the_numbers_the_words_and_the_link(self, tiny: TextClassifier, tmp_path: Path) -> None:
        reading = tiny.read("how do i sort")
        link = "https://example.org/question_tags?text=how+do&t=2"
        page = reading.save_html(tmp_path / "view.html", title="A & B", link=link).read_text("utf-8")
        header, groups = unpacked(payload_of(page))
        assert header["tokens"] == ["how", "do", "i", "sort"]
        np.testing.assert_allclose(groups["signals"]["c"], reading.layers[0].c.ravel(), atol=1e-5)
        assert "<h1>A &amp; B</h1>" in page
        assert "how do i sort" in page
        assert [unescape(each) for each in re.findall(r'href="([^"]*)"', page)] == [link]

    def test_nothing_in_it_can_become_code_and_it_asks_for_nothing(self) -> None:
        words = "</script><script>alert(1)</script><img src=x onerror=alert(1)>\ud800\x00"
        handout = Handout(words, [words], words, words, f'javascript:alert("{words}")')
        page = html_file(View([words], traced("lstm", 1, 2)), handout).decode("utf-8")
        assert page.count("<script") == page.count("</script>") == 2
        assert "<img" not in page
        assert "javascript:" not in page
        (code,) = re.findall(r'<script type="module">(.*?)</script>', page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        assert f"default-src 'none'; script-src 'sha256-{digest}'" in page
        assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page)


class TestPython:
    @pytest.mark.parametrize(
        "clamps",
        [(), (Clamp("f", 0.0), Clamp("i", 1.0, units=[3]), Clamp("c", -0.5, range(10, 40), timesteps=[1, 2], layer=0))],
    )
    def test_the_lines_of_a_reading_compute_it_again(self, clamps: tuple[Clamp, ...]) -> None:
        text = "How do I \"sort\"\n\ta list in 'Python'? \\n {x} \ud800 " + "and then " * 20
        expected = lstm_core.load("stackoverflow").read(text, clamps, mask_names=True)
        names: dict = {}
        exec(exhibit.reading_code("stackoverflow", text, clamps, mask_names="True"), names)
        np.testing.assert_array_equal(names["reading"].probabilities, expected.probabilities)
        np.testing.assert_array_equal(names["trace"].c, expected.layers[0].c)
        assert names["reading"].clamps == expected.clamps or [
            (clamp.gate, clamp.value, list(np.atleast_1d(clamp.units or [])), clamp.layer)
            for clamp in names["reading"].clamps
        ] == [(c.gate, c.value, list(np.atleast_1d(c.units or [])), c.layer) for c in expected.clamps]

    def test_the_lines_of_a_text_write_it_again(self) -> None:
        settings = {"length": 12, "temperature": 0.7, "top_k": None, "top_p": 0.9, "seed": 3}
        names: dict = {}
        exec(exhibit.stream_code("macbeth", "Is this", settings), names)
        model = lstm_core.load("macbeth")
        assert names["text"] == "".join(each.character for each in model.stream("Is this", **settings))

    @pytest.mark.parametrize("clamps", [(), (Clamp("f", 0.0, timesteps=[1, 2], layer="lstm"),)])
    def test_the_lines_of_a_network_in_a_file_trace_it_again(
        self, clamps: tuple[Clamp, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path, ids = str(SHIPPED / "imdb_article" / "model.keras"), np.arange(300)[None]
        expected = lstm_core.trace(path, ids, clamps=clamps)
        assert isinstance(expected, lstm_core.ModelTrace)
        expected.save_npz(tmp_path / "lstm-lab-trace.npz")
        monkeypatch.chdir(tmp_path)
        names: dict = {}
        exec(exhibit.network_code(path, list(expected.inputs), clamps), names)
        np.testing.assert_array_equal(names["trace"].output, expected.output)
        np.testing.assert_array_equal(names["trace"]["lstm"].c, expected["lstm"].c)

    def test_a_model_of_ones_own_is_loaded_from_its_file(self) -> None:
        assert 'lstm_core.load("model.zip")' in python_code.loading("c0ffee", own=True)

    def test_a_long_call_has_a_line_for_each_argument(self) -> None:
        assert python_code.call("f", "x" * 99, a="1", b="") == "f(\n    '" + "x" * 99 + "',\n    a=1,\n)"
