"""The page “Your own network”: networks as people write them, of Keras and PyTorch, from their files to every panel."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from lstm_core.errors import ModelError
from lstm_core.tracing import ModelTrace, trace
from tests.tracing import networks
from ui.your_own_network import outputs

ROOT = Path(__file__).resolve().parents[2]
PAGE = str(ROOT / "pages" / "your_own_network.py")
FILES = ROOT / "tests" / "tracing" / "files"
TORCH = ("classifier.pt", "gru.safetensors", "checkpoint.pth")
VIEWS = ("maps", "microscope", "attribution", "checkup")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the eight networks."""
    folder = tmp_path_factory.mktemp("networks")
    for name in networks.NETWORKS:
        networks.save(name, folder)
    return folder


def opened(**parameters: str) -> AppTest:
    page = AppTest.from_file(PAGE, default_timeout=120)
    for key, value in parameters.items():
        page.query_params[key] = value
    return page.run()


def dropped(path: Path) -> AppTest:
    page = opened()
    page.file_uploader(key="own_network_file").upload(path.name, path.read_bytes(), "application/octet-stream").run()
    return page


def sound(page: AppTest) -> None:
    assert not page.exception, page.exception[0].stack_trace
    assert not page.error, page.error[0].value


def bars(page: AppTest) -> list[float]:
    """What the first chart draws: the output."""
    chart = page.get("plotly_chart")[0]
    first = json.loads(chart.proto.spec)["data"][0]
    return [float(text.replace("−", "-")) for text in first["text"]]


def look_at_everything(page: AppTest) -> None:
    for view in VIEWS:
        page.segmented_control(key="own_network_view").set_value(view).run()
        sound(page)


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_networks_as_people_write_them_go_from_file_to_every_panel(name: str, saved: Path) -> None:
    page = dropped(saved / f"{name}.keras")
    for control in page.segmented_control:  # without a vocabulary, ids are chosen at random
        if "Random ids" in control.options:
            control.set_value("Random ids").run()
    sound(page)
    look_at_everything(page)


@pytest.mark.parametrize("name", TORCH)
def test_files_of_pytorch_go_from_file_to_every_panel(name: str) -> None:
    page = dropped(FILES / name)
    for control in page.segmented_control:
        if "Random ids" in control.options:
            control.set_value("Random ids").run()
    sound(page)
    look_at_everything(page)


def test_the_output_on_the_page_is_that_of_the_network(saved: Path) -> None:
    page = dropped(saved / "imdb_bilstm.keras")
    source = next(control for control in page.segmented_control if "Ids" in control.options)
    source.set_value("Ids").run()
    page.text_input(key="own_network_ids50_0_ids").set_value("3, 7-9, 1").run()
    sound(page)
    expected = trace(saved / "imdb_bilstm.keras", np.array([[3, 7, 8, 9, 1]])).output[0]
    assert bars(page) == pytest.approx(expected, rel=1e-3)


def test_surgery_changes_the_output_and_shows_what_it_was(saved: Path) -> None:
    page = dropped(saved / "one_hot_characters.keras")
    before = bars(page)
    page.session_state["own_network_clamps"] = "f=0"
    page.run()
    sound(page)
    figures = json.loads(page.get("plotly_chart")[0].proto.spec)["data"]
    assert [figure["name"] for figure in figures] == ["output", "without clamps"]
    assert bars(page) != before
    assert any("changes most" in text.value for text in page.markdown)


@pytest.mark.parametrize("model", ["imdb_article", "family_gru", "forecast_sunspots"])
def test_ours_can_be_looked_at_and_a_link_brings_the_view_back(model: str) -> None:
    page = opened(model=model, view="attribution")
    sound(page)
    assert page.segmented_control(key="own_network_view").value == "attribution"
    assert page.query_params["model"] == [model] or page.query_params["model"] == model


def test_a_vocabulary_gives_a_text_its_ids(saved: Path) -> None:
    page = dropped(saved / "imdb_bilstm.keras")
    assert "vocabulary" in page.error[0].value
    words = json.dumps(["<pad>", "<unk>", "a", "good", "film"]).encode()
    page.file_uploader(key="own_network_ids50_0_vocabulary").upload("words.json", words, "application/json").run()
    page.text_area(key="own_network_ids50_0_text").set_value("a good strange film").run()
    sound(page)
    expected = trace(saved / "imdb_bilstm.keras", np.array([[2, 3, 1, 4]])).output[0]
    assert bars(page) == pytest.approx(expected, rel=1e-3)


def test_the_output_at_a_timestep_follows_the_order_in_which_the_layer_reads() -> None:
    output = np.array([[[0.1], [0.2], [0.3]]])  # (batch, T, K)
    found = ModelTrace((), {}, {}, output)
    for timesteps in ([0, 1, 2], [2, 1, 0]):
        rows = outputs.in_microscope(found, found, "output", np.array(timesteps))["rows"]
        assert [row[0][1] for row in rows] == pytest.approx([0.1 * (t + 1) for t in timesteps], abs=1e-4)


class TestBadInput:
    def test_a_network_that_can_t_be_followed_is_drawn_and_says_why(self, tmp_path: Path) -> None:
        import keras

        inner = [keras.layers.Input((5, 2)), keras.layers.LSTM(3, return_sequences=True)]
        keras.Sequential([*inner, keras.layers.EinsumDense("btf,fo->bto", (5, 2))]).save(tmp_path / "net.keras")
        page = dropped(tmp_path / "net.keras")
        assert not page.exception
        assert not page.error
        assert "einsum_dense" in page.warning[0].value.replace("\\", "")
        assert page.get("graphviz_chart")

    def test_a_file_is_opened_in_the_limited_process_first(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def refuse(data: bytes, filename: str) -> None:
            raise ModelError("Opening the model takes too long.")

        def never(*arguments: object) -> None:
            raise AssertionError("opened in the app")

        monkeypatch.setattr("ui.your_own_network.opened.check_network_upload", refuse)
        monkeypatch.setattr("ui.your_own_network.opened.inspect_bytes", never)
        monkeypatch.setattr("ui.your_own_network.opened.read_network", never)
        page = dropped(FILES / "gru.safetensors")
        assert not page.exception
        assert page.error[0].value == "Opening the model takes too long."

    @pytest.mark.parametrize(
        ("name", "data", "said"),
        [
            ("notes.keras", b"", "empty"),
            ("notes.keras", b"PK\x03\x04 broken", "damaged"),
            ("old.pt", b"\x80\x02}q\x00.", "pickle"),
            ("graph.pb", b"\x08\x01", "TensorFlow"),
            ("<script>.h5", b"<script>alert(1)</script>", "no network"),
        ],
    )
    def test_a_file_that_is_no_network_is_one_sentence(self, name: str, data: bytes, said: str) -> None:
        page = opened()
        page.file_uploader(key="own_network_file").upload(name, data, "application/octet-stream").run()
        assert not page.exception
        assert len(page.error) == 1
        assert said in page.error[0].value

    def test_a_vocabulary_of_another_network_says_which_token_is_outside(self, saved: Path) -> None:
        page = dropped(saved / "imdb_bilstm.keras")
        words = "\n".join(f"word{number}" for number in range(90)).encode()
        page.file_uploader(key="own_network_ids50_0_vocabulary").upload("words.txt", words, "text/plain").run()
        page.text_area(key="own_network_ids50_0_text").set_value("word3 word77").run()
        assert not page.exception
        assert "word77" in page.error[0].value

    def test_a_table_of_another_width_says_which_was_expected(self, saved: Path) -> None:
        page = dropped(saved / "weather.keras")
        source = next(control for control in page.segmented_control if "A table (CSV)" in control.options)
        source.set_value("A table (CSV)").run()
        page.file_uploader(key="own_network_numbers5_0_table").upload("t.csv", b"a,b\n1,2\n3,4\n", "text/csv").run()
        assert not page.exception
        assert "2 columns of numbers" in page.error[0].value
        assert "reads 5" in page.error[0].value

    @pytest.mark.parametrize("line", ["", "1,,2", "99999", "🚀", "0x10"])
    def test_ids_that_don_t_fit_are_one_sentence(self, line: str, saved: Path) -> None:
        page = dropped(saved / "imdb_bilstm.keras")
        source = next(control for control in page.segmented_control if "Ids" in control.options)
        source.set_value("Ids").run()
        page.text_input(key="own_network_ids50_0_ids").set_value(line).run()
        assert not page.exception
        assert len(page.error) == 1
