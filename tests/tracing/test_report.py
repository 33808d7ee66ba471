"""`inspect`: what the report of each format says, and how it is shown."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import safetensors.numpy

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.library.bundle import bundle_folder
from lstm_core.library.store import SHIPPED
from lstm_core.tracing import ModelReport, inspect_bytes
from lstm_core.tracing.model_report import LayerReport, shown_shape
from tests.hostile.torch_corpus import attacks

FILES = Path(__file__).parent / "files"


def of(report: ModelReport, name: str) -> LayerReport:
    (layer,) = (layer for layer in report.layers if layer.name == name)
    return layer


def test_a_checkpoint_of_pytorch() -> None:
    report = lstm_core.inspect(FILES / "classifier.pt")
    lstm = of(report, "lstm")
    assert (lstm.kind, lstm.shape, lstm.parameters, lstm.traced) == (
        "LSTM, 2 layers, bidirectional", (None, None, 8), 736, True
    )  # fmt: skip
    assert [of(report, name).kind for name in ("embedding", "fc")] == ["Embedding", "Linear"]
    assert report.parameters == 27 + 736 + 18
    assert (report.framework, report.dtypes, report.traceable) == ("PyTorch", ("float32",), True)
    assert report.inputs[0].feed.startswith("ids 0…8 of shape (batch, T), by way of 'embedding'")


def test_what_pytorch_has_and_cannot_be_traced_is_listed_too() -> None:
    arrays: dict[str, Any] = {f"{name}.{part}": np.ones(4) for name in ("norm", "batch") for part in ("weight", "bias")}
    arrays |= {"batch.running_mean": np.ones(4), "conv.weight": np.ones((2, 3, 5)), "steps": np.array(3)}
    arrays |= {
        "lstm.weight_ih_l0": np.ones((8, 2)),
        "lstm.weight_hh_l0": np.ones((8, 1)),
        "lstm.weight_hr_l0": np.ones((1, 2)),
    }
    report = inspect_bytes(safetensors.numpy.save(arrays), "net.safetensors")
    kinds = {layer.name: layer.kind for layer in report.layers}
    assert kinds == {
        "norm": "LayerNorm", "batch": "BatchNorm", "conv": "Conv1d", "(no name)": "tensors", "lstm": "LSTM, GRU or RNN"
    }  # fmt: skip
    assert "proj_size" in report.problem
    assert not report.traceable
    assert report.problem in str(report)


@pytest.mark.parametrize("name", ["number_words", "negation_tree", "family_gru", "forecast_stocks"])
def test_shipped_models_have_as_many_weights_as_are_stored(name: str) -> None:
    folder = SHIPPED / name
    report = lstm_core.inspect(folder)
    assert report.traceable
    model = lstm_core.load(folder)
    assert report.parameters == sum(array.size for array in model.saved.weights)
    own = {layer.name for layer in model.saved.layers}
    assert own <= {layer.name for layer in report.layers}
    assert [each.name for each in report.inputs] == list(model.saved.inputs)
    assert inspect_bytes(bundle_folder(folder), "a.zip").layers == report.layers


def test_a_file_of_keras_2() -> None:
    report = inspect_bytes(gzip.decompress((FILES / "keras2_fun.h5.gz").read_bytes()), "old.h5")
    shapes = {layer.name: layer.shape for layer in report.layers}
    assert shapes == {
        "ids": (None, None), "embedding": (None, None, 3), "both": (None, None, 4), "gru": (None, 3), "rnn": (None, 3),
        "joined": (None, 6), "answer": (None, 2),
    }  # fmt: skip
    assert of(report, "joined").reads == ("gru", "rnn")
    assert of(report, "both").kind == "Bidirectional(LSTM)"
    assert report.inputs[0].feed == "ids 0…8 of shape (batch, T)"


def test_layers_of_keras_have_its_shapes_and_weights(tmp_path: Path) -> None:
    from keras import Input, Model, Sequential, layers

    words = Input((None,), dtype="int32", name="words")
    x = layers.Embedding(9, 4)(words)
    x = layers.LSTM(3, return_sequences=True)(layers.BatchNormalization()(x))
    x = layers.Bidirectional(layers.GRU(3), merge_mode="sum")(x)
    model = Model(words, layers.Dense(2)(layers.Dropout(0.1)(x)))
    stack = Sequential([Input((None, 2)), layers.SimpleRNN(3, return_sequences=True), layers.GRU(2), layers.Dense(1)])
    for each in (model, stack):
        each.save(tmp_path / "net.keras")
        report = lstm_core.inspect(tmp_path / "net.keras")
        assert report.parameters == each.count_params()
        for layer in each.layers:
            own = of(report, layer.name)
            assert (own.parameters, own.shape) == (layer.count_params(), tuple(layer.output.shape))


def test_the_report_is_a_table_in_text_html_and_json() -> None:
    report = lstm_core.inspect(FILES / "classifier.pt")
    lines = str(report).splitlines()
    assert lines[0] == "classifier.pt: file of torch.save, PyTorch, 781 parameters (float32)"
    assert lines[2].split() == ["layer", "kind", "output", "parameters", "reads", "from", "trace"]
    assert "gates" in next(line for line in lines if line.startswith("lstm"))
    assert json.loads(json.dumps(report.to_json()))["layers"][1]["parameters"] == 736
    evil = ModelReport("<script>", "x", "Keras", (LayerReport("<b>", "<i>", None, 1),), (), 1, (), "<u>")
    assert "<script>" not in evil._repr_html_()
    assert "&lt;b&gt;" in evil._repr_html_()
    assert [shown_shape(shape) for shape in (None, (None, None, 4), (None, 3, None), (2,))] == [
        "?", "(batch, T, 4)", "(batch, 3, any)", "(2)"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda folder: folder / "nothing.pt", "can't be read: No such file"),
        (lambda folder: folder, "holds no model.keras"),
        (lambda folder: "a\0b", "isn't the name of a file"),
        (lambda folder: saved_model(folder), "SavedModel of TensorFlow"),
        (lambda folder: empty_h5(folder), "no network of Keras"),
    ],
)
def test_what_cannot_be_inspected_is_one_sentence(make: Callable[[Path], Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        lstm_core.inspect(make(tmp_path))


def saved_model(folder: Path) -> Path:
    (folder / "saved_model.pb").write_bytes(b"")
    return folder


def empty_h5(folder: Path) -> Path:
    with h5py.File(folder / "net.h5", "w"):
        pass
    return folder / "net.h5"


def test_hostile_files_have_a_sentence() -> None:
    for name, filename, data, _ in attacks((FILES / "classifier.pt").read_bytes()):
        if "million" in name or "tensors" in name:
            continue  # test_torch_corpus.py reads them
        try:
            problem = inspect_bytes(data, filename).problem
        except ModelError as error:
            problem = str(error)
        assert problem.isprintable(), name
        assert problem.endswith("."), name
