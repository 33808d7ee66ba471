"""Eight Keras networks as people write them, small and with random weights: what tests of traces and of pages read.

`build(name)` gives the live model and something to feed it; `save(name, folder)` writes its `.keras` file.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

TEXTS = [["a good film, truly!"], ["what a bad BAD plot"], ["good"]]


def imdb_bilstm() -> tuple[Any, Any]:
    """Keras's own example "Bidirectional LSTM on IMDB", with the padding masked."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input((None,), dtype="int32"),
            layers.Embedding(50, 8, mask_zero=True),
            layers.Bidirectional(layers.LSTM(6, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(6, dropout=0.2)),
            layers.Dropout(0.5),
            layers.Dense(1, activation="sigmoid"),
        ],
        name="imdb_bilstm",
    )
    ids = np.random.default_rng(0).integers(1, 50, (3, 9))
    ids[0, 5:], ids[1, :4] = 0, 0  # padded after, and before
    return model, ids


def seq2seq() -> tuple[Any, Any]:
    """Keras's "character-level sequence-to-sequence": the decoder starts from the encoder's states."""
    from keras import Model, layers

    encoder_inputs = layers.Input((None, 5), name="question")
    _, h, c = layers.LSTM(7, return_state=True, name="encoder")(encoder_inputs)
    decoder_inputs = layers.Input((None, 4), name="answer")
    decoded, _, _ = layers.LSTM(7, return_sequences=True, return_state=True, name="decoder")(
        decoder_inputs, initial_state=[h, c]
    )
    outputs = layers.Dense(4, activation="softmax")(decoded)
    random = np.random.default_rng(1)
    feed = [_one_hot(random.integers(0, 5, (2, 6)), 5), _one_hot(random.integers(0, 4, (2, 8)), 4)]
    return Model([encoder_inputs, decoder_inputs], outputs, name="seq2seq"), feed


def one_hot_characters() -> tuple[Any, Any]:
    """Keras's "character-level text generation": the next of 12 characters from the last 20."""
    from keras import Sequential, layers

    model = Sequential(
        [layers.Input((20, 12)), layers.LSTM(16), layers.Dense(12, activation="softmax")], name="one_hot_characters"
    )
    return model, _one_hot(np.random.default_rng(2).integers(0, 12, (2, 20)), 12)


def weather() -> tuple[Any, Any]:
    """TensorFlow's "time series forecasting": convolutions, a GRU, the next three hours of two figures."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input((24, 5)),
            layers.Conv1D(8, 3, padding="causal", activation="relu"),
            layers.MaxPooling1D(2),
            layers.GRU(6, return_sequences=True, recurrent_dropout=0.1),
            layers.GRU(6, reset_after=False),
            layers.Dense(3 * 2),
            layers.Reshape((3, 2)),
        ],
        name="weather",
    )
    return model, np.random.default_rng(3).normal(size=(2, 24, 5)).astype(np.float32)


def stacked_batch_normalization() -> tuple[Any, Any]:
    """Three LSTMs with BatchNormalization and dropout between them, as in many notebooks on share prices."""
    from keras import Sequential, layers

    model = Sequential(name="stacked_batch_normalization")
    model.add(layers.Input((15, 2)))
    for last in (False, False, True):
        model.add(layers.LSTM(5, return_sequences=not last))
        model.add(layers.BatchNormalization())
        model.add(layers.Dropout(0.2))
    model.add(layers.Dense(4, activation="relu"))
    model.add(layers.Dense(1))
    return model, np.random.default_rng(4).normal(size=(3, 15, 2)).astype(np.float32)


def text_vectorization() -> tuple[Any, Any]:
    """TensorFlow's "text classification with an RNN": texts in, its vocabulary in the file."""
    from keras import Sequential, layers

    encoder = layers.TextVectorization(max_tokens=20, output_sequence_length=7)
    encoder.set_vocabulary(["a", "good", "bad", "film", "plot", "what", "truly"])
    model = Sequential(
        [
            layers.Input((1,), dtype="string"),
            encoder,
            layers.Embedding(20, 6, mask_zero=True),
            layers.Bidirectional(layers.LSTM(5)),
            layers.Dense(6, activation="relu"),
            layers.Dense(1),
        ],
        name="text_vectorization",
    )
    return model, np.array(TEXTS)


def stateful() -> tuple[Any, Any]:
    """A stateful LSTM over a series, whose state goes on from batch to batch."""
    from keras import Sequential, layers

    model = Sequential(
        [
            layers.Input(batch_shape=(2, 6, 1)),
            layers.LSTM(5, stateful=True, return_sequences=True),
            layers.LSTM(5, stateful=True),
            layers.Dense(1),
        ],
        name="stateful",
    )
    return model, np.random.default_rng(5).normal(size=(2, 6, 1)).astype(np.float32)


def two_inputs() -> tuple[Any, Any]:
    """A title and a table of figures, read by two recurrent layers, and two answers."""
    from keras import Model, layers

    title = layers.Input((None,), dtype="int32", name="title")
    figures = layers.Input((10, 3), name="figures")
    words = layers.GRU(4)(layers.Embedding(30, 6, mask_zero=True)(title))
    series = layers.SimpleRNN(5)(layers.LayerNormalization()(figures))
    both = layers.Concatenate()([words, series])
    outputs = [
        layers.Dense(1, activation="sigmoid", name="urgent")(both),
        layers.Dense(3, activation="softmax", name="topic")(both),
    ]
    random = np.random.default_rng(6)
    ids = random.integers(1, 30, (2, 7))
    ids[0, 3:] = 0
    feed = {"title": ids, "figures": random.normal(size=(2, 10, 3)).astype(np.float32)}
    return Model([title, figures], outputs, name="two_inputs"), feed


NETWORKS: dict[str, Callable[[], tuple[Any, Any]]] = {
    builder.__name__: builder
    for builder in (
        imdb_bilstm,
        seq2seq,
        one_hot_characters,
        weather,
        stacked_batch_normalization,
        text_vectorization,
        stateful,
        two_inputs,
    )
}


def build(name: str) -> tuple[Any, Any]:
    """A network of `NETWORKS` with random numbers in all its weights, and what it can be fed."""
    model, x = NETWORKS[name]()
    return randomised(model), x


def save(name: str, folder: Path) -> Path:
    """The `.keras` file of a network of `NETWORKS`, written into a folder."""
    path = folder / f"{name}.keras"
    build(name)[0].save(path)
    return path


def randomised(model: Any, seed: int = 0) -> Any:
    """Fill the weights with numbers of some size; variances stay positive."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        values = random.normal(0, 0.5, tuple(weight.shape))
        weight.assign(np.abs(values) + 0.1 if weight.name == "moving_variance" else values)
    return model


def _one_hot(ids: np.ndarray, size: int) -> np.ndarray:
    return np.eye(size, dtype=np.float32)[ids]
