"""Random damage to good models, and the answers of what is left beside Keras's.

Good classifiers are damaged at random: bytes of the zip file or of the arrays are flipped, cut out or put in, and
one value of `config.json` is replaced, deleted, swapped or repeated. Networks that are let pass are loaded by Keras,
too, and both answers are compared.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.inference import load_bundle, upload_check
from lstm_core.library.bundle import bundle_files, bundle_model
from lstm_core.library.card import ModelCard
from lstm_core.library.store import WEIGHTS
from lstm_core.text.encoder import Encoder, Vocabulary

WORDS = ("how", "do", "i", "sort", "a", "list", "in", "java", "the", "loop", "(", ")", ".")
TEXTS = ("how do i sort a list", "the loop in java", "unknown words ( a . )")
CLOSE = 1e-4
KINDS = ("zip", "config", "arrays")
EQUAL, REFUSED, CRASHED, UNCHANGED, WRONG = "equal to Keras", "refused", "crashed", "unchanged", "wrong"
VALUES = (
    None,
    True,
    False,
    0,
    1,
    -1,
    2,
    3,
    10**9,
    0.5,
    "",
    "relu",
    "linear",
    "softmax",
    "lstm",
    "float16",
    [],
    {},
    [0],
)
Choose = Callable[[int], int]  # n → a number from 0 to n - 1


def bundles() -> list[bytes]:
    """Good classifiers that together have every kind of layer, with weights of some size."""
    from keras import Input, Model, Sequential, layers

    from lstm_core.training.architectures import pooled_lstm

    encoder = Encoder("code", Vocabulary(WORDS), length=12)
    ids = len(encoder.vocabulary)
    tokens = Input((None,), dtype="int32")
    x = layers.Embedding(ids, 4)(tokens)
    ahead = layers.SimpleRNN(4, return_sequences=True, activation="relu")(layers.GaussianNoise(0.5)(x))
    again = layers.GRU(4, return_sequences=True)(layers.LSTM(4, return_sequences=True)(x))
    pooled = [layers.GlobalMaxPooling1D()(ahead), layers.GlobalAveragePooling1D()(layers.Add()([again, ahead]))]
    networks = (
        pooled_lstm(ids, 3, width=4, units=4, mean=True),
        Model(tokens, layers.Dense(3, activation="softmax")(layers.Concatenate(axis=1)(pooled))),
        Sequential(
            [
                Input((None,), dtype="int32"),
                layers.Embedding(ids, 4, mask_zero=True),
                layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
                layers.LSTM(4, return_sequences=True),
                layers.Bidirectional(layers.GRU(4, reset_after=False), merge_mode="sum"),
                layers.Activation("tanh"),
                layers.Dense(3, activation="softmax"),
            ]
        ),
    )
    card = ModelCard("damaged", "Damaged", "classifier", "none", "Random weights.", ("a", "b", "c"))
    random = np.random.default_rng(0)
    for network in networks:
        network.set_weights([random.normal(0, 0.6, each.shape) for each in network.get_weights()])
    return [bundle_model(network, encoder, card) for network in networks]


def damaged(bundle: bytes, kind: str, choose: Choose) -> bytes:
    """A damaged copy of a good bundle.

    Args:
        bundle: the good one.
        kind: one of `KINDS`.
        choose: makes every choice.
    """
    if kind == "zip":
        return _bytes(bundle, choose)
    files = _unzipped(bundle)
    inside = _unzipped(files[WEIGHTS])
    if kind == "arrays":
        inside["model.weights.h5"] = _bytes(inside["model.weights.h5"], choose)
    else:
        config = json.loads(inside["config.json"])
        _value(config, choose)  # one, so that what Keras doesn't load must answer as before
        inside["config.json"] = json.dumps(config).encode()
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, content in inside.items():
            archive.writestr(name, content)
    return bundle_files(files | {WEIGHTS: out.getvalue()})


def _unzipped(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def _bytes(data: bytes, choose: Choose) -> bytes:
    """Bytes with a few flipped, cut out or put in."""
    content = bytearray(data)
    for _ in range(1 + choose(4)):
        at, how = choose(len(content)), choose(4)
        if how < 2:
            content[at] ^= 1 + choose(255)
        elif how == 2:
            del content[at : at + 1 + choose(64)]
        else:
            content[at:at] = bytes(choose(256) for _ in range(1 + choose(16)))
    return bytes(content)


def _value(config: Any, choose: Choose) -> None:
    """One value of a description replaced, deleted, swapped or repeated; in place."""
    places = list(_places(config))
    holder, key = places[choose(len(places))]
    other, its = places[choose(len(places))]
    how = choose(5)
    if how == 0:
        holder[key] = VALUES[choose(len(VALUES))]
    elif how == 1:
        del holder[key]
    elif how == 2:
        holder[key] = json.loads(json.dumps(other[its]))
    elif how == 3 and isinstance(holder, list):
        swap = choose(len(holder))
        holder[key], holder[swap] = holder[swap], holder[key]
    elif isinstance(holder[key], bool | int):
        holder[key] = (not holder[key]) if isinstance(holder[key], bool) else holder[key] + choose(5) - 2


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) in a description."""
    keys = value.keys() if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in list(keys):
        yield value, key
        yield from _places(value[key])


def verdict(bundle: bytes, good: Array, check: Callable[[bytes], object]) -> str:
    """What becomes of a bundle: one of the five outcomes.

    `UNCHANGED` is a file that Keras doesn't load although nothing is damaged that an answer depends on, such as an
    initializer: it answers as before.

    Args:
        bundle: the damaged one.
        good: the answers to `TEXTS` before.
        check: raises ModelError for what can't be used.
    """
    try:
        check(bundle)
    except ModelError as error:
        return CRASHED if str(error) in (upload_check.BROKEN, upload_check.TOO_SLOW) else REFUSED
    model = load_bundle(bundle)
    own = model.predict(TEXTS)
    try:
        expected = keras_answers(_unzipped(bundle)[WEIGHTS], [model.encoder.encode(text).inputs for text in TEXTS])
    except Exception:  # Keras raises many kinds of errors for damaged files
        return UNCHANGED if np.allclose(own, good, atol=CLOSE) else WRONG
    return EQUAL if np.allclose(own, expected, atol=CLOSE) else WRONG


def keras_answers(network: bytes, inputs: list[tuple[Array, ...]]) -> Array:
    """(n, classes) what Keras answers to each text, read from the bytes of a `.keras` file."""
    import keras

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / WEIGHTS
        path.write_bytes(network)
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    batches = ([ids[None] for ids in each] for each in inputs)
    return np.concatenate([np.asarray(model(list(each))) for each in batches])
