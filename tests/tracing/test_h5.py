"""Networks in `.h5` files: of Keras 2, with the numbers that it computed beside, and of Keras 3; hostile ones."""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lstm_core.errors import ModelError
from lstm_core.tracing.files.keras_h5 import as_keras_file, normalized
from lstm_core.tracing.open_file import read_network, trace_file
from tests.hostile.corpus import unzipped

FILES = Path(__file__).parent / "files"
# Written by Keras 2.21: `functional` reads ids (1, T), `sequential` x (1, T, 3).
NUMBERS: dict[str, np.ndarray] = dict(np.load(FILES / "keras2.npz"))
Edit = Callable[[Any], Any]


def keras2(name: str) -> bytes:
    return gzip.decompress((FILES / f"keras2_{name}.h5.gz").read_bytes())


def answer_of(data: bytes, x: np.ndarray) -> np.ndarray:
    """The last timestep of what a file's network answers, or all if it answers once."""
    output = trace_file(read_network(data, "net.h5"), x).output
    return output[:, -1] if output.ndim == 3 else output


@pytest.mark.parametrize(("name", "x", "answer"), [("fun", "ids", "functional"), ("seq", "x", "sequential")])
def test_a_file_of_keras_2_computes_what_keras_2_did(name: str, x: str, answer: str) -> None:
    np.testing.assert_allclose(answer_of(keras2(name), NUMBERS[x])[0], NUMBERS[answer][0], atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")
@pytest.mark.parametrize("functional", [False, True])
def test_a_file_of_keras_3_computes_what_keras_does(
    functional: bool, randomised: Callable[..., Any], tmp_path: Path
) -> None:
    from keras import Input, Model, Sequential, layers

    first = [Input((None,), dtype="int32"), layers.Embedding(9, 4), layers.Bidirectional(layers.GRU(3))]
    if functional:
        read = first[2](first[1](first[0]))
        model = Model(first[0], layers.Dense(2)(layers.Concatenate()([read, layers.Dense(2)(read)])))
    else:
        model = Sequential([*first, layers.Dense(2, activation="softmax")])
    randomised(model).save(tmp_path / "net.h5")
    ids = np.array([[3, 1, 8, 0, 5]])
    answer = answer_of((tmp_path / "net.h5").read_bytes(), ids)
    np.testing.assert_allclose(answer, np.asarray(model(ids)), atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")
def test_stacked_cells_of_several_kinds(randomised: Callable[..., Any], tmp_path: Path) -> None:
    from keras import Input, Sequential, layers

    cells = [layers.LSTMCell(3), layers.GRUCell(2, use_bias=False), layers.LSTMCell(4), layers.SimpleRNNCell(2)]
    both = layers.Bidirectional(layers.RNN([layers.GRUCell(2), layers.LSTMCell(3)], return_sequences=True))
    model = randomised(Sequential([Input((None, 3)), both, layers.RNN(cells), layers.Dense(2)]))
    model.save(tmp_path / "net.h5")
    x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(answer_of((tmp_path / "net.h5").read_bytes(), x), np.asarray(model(x)), atol=1e-5)


def test_cells_of_keras_2_are_read_by_the_rules_of_their_layers() -> None:
    cells = [{"class_name": "GRUCell", "config": {"units": 2, "name": "low"}}]
    stack: dict[str, Any] = {"class_name": "StackedRNNCells", "config": {"name": "stack", "cells": cells}}
    layer = {"class_name": "RNN", "config": {"name": "tower", "cell": stack}}
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": [layer]}}
    (found,) = normalized(config)["config"]["layers"]
    assert found["config"]["cell"]["config"]["cells"][0]["config"]["reset_after"] is False
    cells[0]["config"]["recurrent_activation"] = "hard_sigmoid"  # type: ignore[index]
    with pytest.raises(ModelError, match="Layer 'low' has recurrent_activation='hard_sigmoid'"):
        normalized(config)
    del cells[0]["config"]["recurrent_activation"]  # type: ignore[attr-defined]
    stack["config"]["reverse_state_order"] = True
    with pytest.raises(ModelError, match="reverse_state_order"):
        normalized(config)


@pytest.mark.filterwarnings("ignore:.*HDF5 file:UserWarning")
def test_arrays_lie_where_a_keras_file_has_them(tmp_path: Path) -> None:
    from keras import Input, Model, Sequential, layers

    inner = Sequential(
        [Input((None, 3)), layers.BatchNormalization(), layers.GRU(2, return_sequences=True)], name="inner"
    )
    x = Input((None, 3))
    read = layers.Bidirectional(layers.LSTM(2, return_sequences=True))(inner(x))
    cells = layers.RNN(layers.LSTMCell(2), return_sequences=True)(layers.TimeDistributed(layers.Dense(3))(read))
    model = Model(x, layers.LSTM(2)(layers.LSTM(2, return_sequences=True)(layers.LayerNormalization()(cells))))
    found = []
    for name in ("net.keras", "net.h5"):
        model.save(tmp_path / name)
        data = (tmp_path / name).read_bytes()
        found.append(arrays_in(as_keras_file(data, name) if name == "net.h5" else data))
    stored, made = found
    assert len(stored) == len(model.weights)
    assert set(made) == set(stored)
    for place, array in stored.items():
        np.testing.assert_array_equal(made[place], array)


def arrays_in(data: bytes) -> dict[str, np.ndarray]:
    """The weights in a `.keras` file by their places."""
    found: dict[str, np.ndarray] = {}

    def keep(place: str, item: Any) -> None:
        if isinstance(item, h5py.Dataset) and item.dtype.kind == "f":
            found[place] = item[()]

    with h5py.File(io.BytesIO(unzipped(data)["model.weights.h5"])) as file:
        file.visititems(keep)
    return found


def test_states_of_keras_2_are_arguments_of_keras_3() -> None:
    lstm = {"class_name": "LSTM", "config": {"name": "decoder", "units": 2}, "name": "decoder"}
    entry = {"class_name": "InputLayer", "config": {"name": "x", "batch_input_shape": [None, None, 2]}, "name": "x"}
    forms = (
        [[["x", 0, 0, {}], ["encoder", 0, 1, {}], ["encoder", 0, 2, {}]]],
        [[["x", 0, 0, {"initial_state": [["encoder", 0, 1], ["encoder", 0, 2]]}]]],
        [["x", 0, 0, {"initial_state": [["encoder", 0, 1], ["encoder", 0, 2]]}]],
    )
    for nodes in forms:
        layers = [{**entry, "inbound_nodes": []}, {**lstm, "inbound_nodes": nodes}]
        made = normalized({"class_name": "Model", "config": {"layers": layers}})
        (call,) = made["config"]["layers"][1]["inbound_nodes"]
        assert [call["args"][0]["config"]["keras_history"]] == [["x", 0, 0]]
        states = [each["config"]["keras_history"] for each in call["kwargs"]["initial_state"]]
        assert states == [["encoder", 0, 1], ["encoder", 0, 2]]
        assert made["class_name"] == "Functional"
        assert made["config"]["layers"][0]["config"]["batch_shape"] == [None, None, 2]


# --- What is refused ------------------------------------------------------------------------------


def file_with(edit: Edit, name: str = "seq") -> bytes:
    """A file of Keras 2 that was changed."""
    data = io.BytesIO(keras2(name))
    with h5py.File(data, "r+") as file:
        edit(file)
    return data.getvalue()


def described(edit: Edit) -> bytes:
    """A file of Keras 2 with another description."""

    def change(file: Any) -> None:
        config = json.loads(file.attrs["model_config"])
        edit(config)
        file.attrs["model_config"] = json.dumps(config)

    return file_with(change)


def setting(number: int = 1, **new: Any) -> bytes:
    return described(lambda config: config["config"]["layers"][number]["config"].update(new))


def layer(**new: Any) -> bytes:
    return described(lambda config: config["config"]["layers"][1].update(new))


def deep(config: dict[str, Any]) -> None:
    nested: Any = {}
    for _ in range(200):
        nested = {"config": nested}
    config["config"]["layers"][1]["config"]["extra"] = nested


def put(file: Any, array: Any, **options: Any) -> None:
    place = f"model_weights/lower/{file['model_weights/lower'].attrs['weight_names'][0]}"
    place = place.replace("b'", "").replace("'", "")
    del file[place]
    file.create_dataset(place, data=array, **options)


def emptied(file: Any) -> None:
    for name in list(file.attrs):
        del file.attrs[name]
    for name in list(file):
        del file[name]


def weights_alone(file: Any) -> None:
    emptied(file)
    file.attrs["layer_names"] = ["lower"]


def bomb(file: Any) -> None:
    file.create_dataset("x", (9000, 9000), "f4", compression="gzip")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (lambda: keras2("seq")[:3000], "damaged"),
        (lambda: b"\x89HDF\r\n\x1a\n" + bytes(100), "damaged"),
        (lambda: file_with(emptied), "no network of Keras"),
        (lambda: file_with(weights_alone), "weights alone"),
        (lambda: file_with(lambda file: (emptied(file), file.create_group("layers"))), "weights alone"),
        (lambda: file_with(lambda file: file.attrs.__setitem__("model_config", "{")), "can't be read"),
        (lambda: file_with(lambda file: file.attrs.__setitem__("model_config", 7)), "can't be read"),
        (lambda: described(lambda config: config.clear()), "can't be read"),
        (lambda: described(lambda config: config["config"].update(layers=7)), "can't be read"),
        (lambda: described(lambda config: config.update(class_name="Evil")), "neither a functional"),
        (lambda: described(deep), "nested too deeply"),
        (lambda: layer(class_name="Lambda"), "a Lambda, which can't be followed"),
        (lambda: layer(class_name="MyLSTM", registered_name="mine>MyLSTM"), "isn't Keras's own"),
        (lambda: layer(module="os", class_name="system"), "isn't Keras's own"),
        (lambda: setting(time_major=True), "time_major"),
        (lambda: setting(recurrent_activation="hard_sigmoid"), "Keras 2 computes as 0.2·x"),
        (lambda: setting(units=10**9), "weights of shape"),
        (lambda: setting(units=-1), "positive number"),
        (lambda: setting(use_bias=False), "more or fewer arrays"),
        (lambda: setting(name="another"), "has no weights"),
        (lambda: setting(0, batch_shape=[None, 10**9, 3]), "timesteps"),
        (lambda: file_with(lambda file: put(file, np.full((3, 16), np.nan, "f4"))), "no numbers"),
        (lambda: file_with(lambda file: put(file, np.zeros((3, 15), "f4"))), "weights of shape"),
        (lambda: file_with(lambda file: put(file, np.zeros((3, 16), "i4"))), "has no weights"),
        (lambda: file_with(bomb), "MiB is the most"),
        (lambda: file_with(lambda file: file.__setitem__("x", h5py.ExternalLink("/etc/passwd", "/x"))), "link to"),
        (lambda: file_with(lambda file: file.__setitem__("x", file["model_weights"])), "twice"),
        (lambda: file_with(lambda file: file["model_weights/lower"].attrs.__setitem__("weight_names", ["/", "/", "/"])),
         "has no weights"),
    ],
)  # fmt: skip
def test_hostile_files_are_one_sentence(data: Callable[[], bytes], words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        read_network(data(), "net.h5")
    assert str(caught.value).isprintable()
