"""Reading `.keras` files without Keras: every value as Keras computes it, and files that lie about their arrays."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras import layers

from lstm_core.errors import ModelError
from lstm_core.library.store import SHIPPED
from lstm_core.nn.keras_file import read_network
from lstm_core.nn.network import Network

IDS = 9


def sequential() -> keras.Model:
    return keras.Sequential(
        [
            keras.Input((None,), dtype="int32"),
            layers.Embedding(IDS, 4, mask_zero=True),
            layers.Bidirectional(layers.LSTM(3, return_sequences=True, dropout=0.2, recurrent_dropout=0.2)),
            layers.Bidirectional(layers.GRU(2, reset_after=False), merge_mode="sum"),
            layers.Dense(3, activation="softmax", use_bias=False),
        ]
    )


def branches() -> keras.Model:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(IDS, 4)(tokens)
    read = layers.SimpleRNN(3, return_sequences=True, activation="relu")(layers.Dropout(0.5)(x))
    again = layers.GRU(3, return_sequences=True)(layers.LSTM(2, return_sequences=True)(x))
    pooled = [layers.GlobalMaxPooling1D()(read), layers.GlobalAveragePooling1D()(layers.Add()([read, again]))]
    return keras.Model(tokens, layers.Dense(2, activation="sigmoid")(layers.Concatenate(axis=1)(pooled)))


def built_by_a_call() -> keras.Model:
    model = keras.Sequential([layers.LSTM(3), layers.Dense(2)])
    model(np.zeros((1, 5, 4), np.float32))
    return model


def saved(model: keras.Model, folder: Path) -> bytes:
    model.save(folder / "model.keras")
    return (folder / "model.keras").read_bytes()


@pytest.mark.parametrize("build", [sequential, branches, built_by_a_call])
def test_a_file_gives_what_keras_gives(
    build: Callable[[], keras.Model], randomised: Callable[..., Any], tmp_path: Path
) -> None:
    model = randomised(build())
    x = np.array([3, 1, 8, 7]) if model.inputs[0].dtype == "int32" else np.random.default_rng(0).normal(size=(4, 4))
    expected = np.asarray(model(x[None]))[0]
    for network in (Network(read_network(saved(model, tmp_path))), Network(model)):
        np.testing.assert_allclose(network.run(x).output[-1], expected, atol=1e-5)
        assert network.width == model.output_shape[-1]
        assert network.returns_sequences == (len(model.output_shape) == 3)


@pytest.mark.parametrize("path", sorted(SHIPPED.glob("*/model.keras")), ids=lambda path: path.parent.name)
def test_the_arrays_of_every_shipped_network_are_those_that_keras_loads(path: Path) -> None:
    model = keras.saving.load_model(path, compile=False)
    for own, expected in zip(read_network(path.read_bytes()).weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(own, expected)


def test_neither_keras_nor_a_backend_is_imported() -> None:
    code = (
        "import sys, lstm_core; model = lstm_core.load('family_lstm'); model.predict(['sort a list']);"
        "print({'keras', 'tensorflow', 'jax'} & set(sys.modules) or 'none')"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "none"


# --- Files that lie -------------------------------------------------------------------------------


def changed(
    data: bytes,
    settings: Callable[[dict[str, Any]], None] = lambda layer: None,
    arrays: Callable[[h5py.File], None] = lambda file: None,
) -> bytes:
    """A `.keras` file with the settings of its LSTM layer and its arrays changed."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        config = json.loads(archive.read("config.json"))
        weights = io.BytesIO(archive.read("model.weights.h5"))
    settings(next(layer for layer in config["config"]["layers"] if layer["class_name"] == "LSTM"))
    with h5py.File(weights, "r+") as file:
        arrays(file)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", weights.getvalue())
    return out.getvalue()


def delete(name: str) -> Callable[[h5py.File], None]:
    return lambda file: file.__delitem__(name)


def put(value: float) -> Callable[[h5py.File], None]:
    return lambda file: file["layers/lstm/cell/vars/1"].__setitem__((0, 0), value)


def as_text(file: h5py.File) -> None:
    del file["layers/lstm/cell/vars/0"]
    file["layers/lstm/cell/vars/0"] = np.array([b"x"] * 4)


@pytest.mark.parametrize(
    ("settings", "arrays", "sentence"),
    [
        (lambda layer: layer["config"].update(units=10**9), None, "has weights of shape"),
        (lambda layer: layer["config"].update(units=-3), None, "must be a positive number"),
        (lambda layer: layer["config"].update(units="three"), None, "must be a positive number"),
        (lambda layer: layer["config"].update(activation="glu"), None, "has activation='glu'"),
        (lambda layer: layer["config"].pop("use_bias"), None, "description of the network is damaged"),
        (lambda layer: layer.update(inbound_nodes=7), None, "description of the network is damaged"),
        (None, delete("layers/lstm/cell/vars/1"), "more or fewer arrays"),
        (None, delete("layers/lstm"), "has no weights"),
        (None, as_text, "has no weights"),
        (None, put(float("nan")), "weights that are no numbers"),
        (None, put(float("inf")), "weights that are no numbers"),
        (None, put(-1e38), "weights that are no numbers, or above"),
        (None, lambda file: file["layers/dense/vars"].attrs.clear(), ""),
    ],
)
def test_settings_and_arrays_that_do_not_agree_are_one_sentence(
    settings: Any, arrays: Any, sentence: str, randomised: Callable[..., Any], tmp_path: Path
) -> None:
    tokens = keras.Input((None,), dtype="int32")
    model = randomised(keras.Model(tokens, layers.Dense(2)(layers.LSTM(3)(layers.Embedding(IDS, 4)(tokens)))))
    data = changed(saved(model, tmp_path), settings or (lambda layer: None), arrays or (lambda file: None))
    if not sentence:
        Network(read_network(data))
        return
    with pytest.raises(ModelError, match=sentence) as caught:
        Network(read_network(data))
    assert "\n" not in str(caught.value)


def test_layers_that_do_not_fit_each_other_are_refused(randomised: Callable[..., Any], tmp_path: Path) -> None:
    def narrower(file: h5py.File) -> None:
        del file["layers/lstm/cell/vars/0"]
        file["layers/lstm/cell/vars/0"] = np.zeros((3, 12), np.float32)

    tokens = keras.Input((None,), dtype="int32")
    model = randomised(keras.Model(tokens, layers.Dense(2)(layers.LSTM(3)(layers.Embedding(IDS, 4)(tokens)))))
    with pytest.raises(ModelError, match="don't fit each other"):
        Network(read_network(changed(saved(model, tmp_path), arrays=narrower)))
