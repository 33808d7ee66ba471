"""Networks that Keras computes in a way that the lab doesn't: refused with the reason, never answered otherwise."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from lstm_core.errors import ModelError
from lstm_core.inference import load
from lstm_core.inference.char_lm import TextGenerator
from lstm_core.library.store import SHIPPED, WEIGHTS
from lstm_core.nn.keras_file import read_network
from lstm_core.nn.network import Network
from lstm_core.text.alphabet import Alphabet
from tests.hostile.corpus import found, unzipped, zipped

IDS = 9


def through_a_file(model: Any, folder: Path) -> Network:
    model.save(folder / WEIGHTS)
    return Network(read_network((folder / WEIGHTS).read_bytes()))


def reader(**options: Any) -> Any:
    """Ids → an embedding, a layer of LSTM cells and an answer."""
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(IDS, 4, mask_zero=options.pop("mask_zero", False))(tokens)
    x = layers.LSTM(3, return_sequences=True, **options)(x)
    return keras.Model(tokens, layers.Dense(IDS, activation="softmax")(x))


def own_mask() -> Any:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.LSTM(3)(layers.Embedding(IDS, 4)(tokens), mask=keras.ops.not_equal(tokens, 5))
    return keras.Model(tokens, layers.Dense(2)(x))


def dropout_that_goes_on() -> Any:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Dropout(0.5)(layers.Embedding(IDS, 4)(tokens), training=True)
    return keras.Model(tokens, layers.Dense(2)(layers.LSTM(3)(x)))


def half_precision() -> Any:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.LSTM(3, dtype="mixed_float16")(layers.Embedding(IDS, 4)(tokens))
    return keras.Model(tokens, layers.Dense(2)(x))


def other_axis() -> Any:
    tokens = keras.Input((6,), dtype="int32")
    x = layers.GlobalMaxPooling1D(data_format="channels_first")(layers.Embedding(IDS, 4)(tokens))
    return keras.Model(tokens, layers.Dense(2)(x))


def lora() -> Any:
    tokens = keras.Input((None,), dtype="int32")
    model = keras.Model(tokens, layers.Dense(2, name="answer")(layers.LSTM(3)(layers.Embedding(IDS, 4)(tokens))))
    model.get_layer("answer").enable_lora(2)
    return model


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (own_mask, "called with mask"),
        (dropout_that_goes_on, "called with training"),
        (half_precision, "float16"),
        (other_axis, "another axis"),
        (lora, "LoRA"),
    ],
)
def test_what_keras_computes_otherwise_is_refused(build: Callable[[], Any], words: str, tmp_path: Path) -> None:
    model = build()
    for read in (Network, lambda model: through_a_file(model, tmp_path)):
        with pytest.raises(ModelError, match=words):
            read(model)


def test_an_id_that_keras_skips_is_not_read(randomised: Callable[..., Any], tmp_path: Path) -> None:
    model = randomised(reader(mask_zero=True))
    network = through_a_file(model, tmp_path)
    ids = np.array([3, 1, 8])
    np.testing.assert_allclose(network.run(ids).output, np.asarray(model(ids[None]))[0], atol=1e-5)
    np.testing.assert_allclose(network.answers([ids, ids[:1]])[1], np.asarray(model(ids[None, :1]))[0, -1], atol=1e-5)
    with pytest.raises(ModelError, match="skips the id 0"):
        network.run(np.array([3, 0, 8]))


@pytest.mark.parametrize("options", [{"mask_zero": True}, {"go_backwards": True}], ids=str)
def test_a_generator_reads_every_character_and_forwards(options: dict[str, Any], card: Any) -> None:
    alphabet = Alphabet.of("abcdefghi")
    TextGenerator(card, alphabet, Network(reader()))
    with pytest.raises(ModelError, match="can't generate text"):
        TextGenerator(card, alphabet, Network(reader(**options)))


def test_layers_in_another_order_are_refused(tmp_path: Path) -> None:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(IDS, 4)(tokens)
    both = layers.Concatenate()([layers.LSTM(3, name="first")(x), layers.LSTM(3, name="second")(x)])
    keras.Model(tokens, layers.Dense(2)(both)).save(tmp_path / WEIGHTS)
    inside = unzipped((tmp_path / WEIGHTS).read_bytes())
    config = json.loads(inside["config.json"])
    names = [each["name"] for each in config["config"]["layers"]]
    one, other = names.index("first"), names.index("second")
    order = config["config"]["layers"]
    order[one], order[other] = order[other], order[one]
    with pytest.raises(ModelError, match="Keras's order"):
        read_network(zipped(inside | {"config.json": json.dumps(config).encode()}))


def swap_states(config: dict[str, Any]) -> None:
    decoder = next(each for each in config["config"]["layers"] if each["name"] == "decoder")
    decoder["inbound_nodes"][0]["kwargs"]["initial_state"].reverse()


def named(config: dict[str, Any], name: str) -> dict[str, Any]:
    return next(each["config"] for each in config["config"]["layers"] if each["name"] == name)


@pytest.mark.parametrize(
    ("name", "edit"),
    [
        ("number_words", swap_states),
        ("number_words", lambda config: named(config, "answer").update(activation="sigmoid")),
        ("number_words", lambda config: named(config, "decoder").update(go_backwards=True)),
        ("number_words", lambda config: named(config, "decoder").update(return_sequences=False)),
        ("number_words", lambda config: named(config, "written").update(mask_zero=True)),
        ("negation_tree", lambda config: named(config, "compose").update(activation="relu")),
        ("negation_tree", lambda config: named(config, "answer").update(activation="linear")),
        ("macbeth", lambda config: found(config, "LSTM")["config"].update(go_backwards=True)),
        ("macbeth", lambda config: found(config, "Dense")["config"].update(activation="sigmoid")),
        ("everyday_words", lambda config: found(config, "LSTM")["config"].update(go_backwards=True)),
    ],
)
def test_a_network_that_its_task_would_read_otherwise_is_refused(
    name: str, edit: Callable[[dict[str, Any]], object], tmp_path: Path
) -> None:
    folder = shutil.copytree(SHIPPED / name, tmp_path / name)
    inside = unzipped((folder / WEIGHTS).read_bytes())
    config = json.loads(inside["config.json"])
    edit(config)
    (folder / WEIGHTS).write_bytes(zipped(inside | {"config.json": json.dumps(config).encode()}))
    with pytest.raises(ModelError):
        load(folder)
