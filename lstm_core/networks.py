"""The networks, as stock Keras models: the articles' own, and ours.

Only architecture: no data, no training. Every function returns an unbuilt-free functional model
with softmax or sigmoid outputs, which `forward.py` can follow and any Keras can load.
"""

from __future__ import annotations

import keras
from keras import layers


def tags_article(vocabulary: int, classes: int, length: int = 100) -> keras.Model:
    """The article's Stack Overflow network: Embedding(16), LSTM(32), softmax; pads are read as text.

    Args:
        vocabulary: number of ids, padding and unknown included.
        classes: number of tags.
        length: tokens a text is filled up to.
    """
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, 16, name="embedding")(tokens)  # (batch, T, 16)
    x = layers.LSTM(32, dropout=0.3, recurrent_dropout=0.2, name="lstm")(x)  # (batch, 32)
    return keras.Model(tokens, _answer(classes)(x))


def reviews_article(vocabulary: int, classes: int = 1, length: int = 300) -> keras.Model:
    """The article's network for film reviews: Embedding(10), LSTM(128), one sigmoid unit; pads are read as text.

    Args:
        vocabulary: number of ids, padding and unknown included.
        classes: number of classes; 1 gives a sigmoid unit.
        length: tokens a text is filled up to.
    """
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, 10, name="embedding")(tokens)  # (batch, T, 10)
    x = layers.LSTM(128, name="lstm")(x)  # (batch, 128)
    return keras.Model(tokens, _answer(classes)(x))


def bag_of_words(vocabulary: int, classes: int = 1, width: int = 32) -> keras.Model:
    """No memory at all: the mean of the tokens' embeddings, then one sigmoid unit.

    Args:
        vocabulary: number of ids, padding and unknown included.
        classes: number of classes; 1 gives a sigmoid unit.
        width: of the embedding.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, width, mask_zero=True, name="embedding")(tokens)  # (batch, T, width)
    x = layers.GlobalAveragePooling1D(name="mean")(x)  # (batch, width)
    return keras.Model(tokens, _answer(classes)(x))


def pooled_lstm(
    vocabulary: int,
    classes: int,
    *,
    pairs: int = 0,
    width: int = 64,
    units: int = 128,
    embedding_dropout: float = 0.3,
    output_dropout: float = 0.4,
) -> keras.Model:
    """One LSTM over masked tokens, the largest value of each unit over time, then the answer.

    Texts are padded behind. A masked Keras LSTM repeats its last output there, so the plain
    `GlobalMaxPooling1D` never sees anything but real timesteps. Max-over-time pooling of an LSTM,
    and regions of several tokens as its input: Johnson & Zhang (2016).

    Args:
        vocabulary: number of ids, padding and unknown included.
        classes: number of classes; 1 gives a sigmoid unit.
        pairs: number of pair ids; their embedding is added to the tokens'. 0 for none.
        width: of the embeddings.
        units: of the LSTM.
        embedding_dropout: share of embedding channels dropped for a whole text.
        output_dropout: share of pooled units dropped.
    """
    small = keras.initializers.RandomUniform(-0.05, 0.05)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    inputs = [tokens]
    x = layers.Embedding(vocabulary, width, small, mask_zero=True, name="embedding")(tokens)  # (batch, T, width)
    if pairs:
        neighbours = keras.Input((None,), dtype="int32", name="pairs")
        inputs.append(neighbours)
        small = keras.initializers.RandomUniform(-0.025, 0.025)
        pair = layers.Embedding(pairs, width, small, mask_zero=True, name="pair_embedding")(neighbours)
        x = layers.Add(name="token_and_pair")([x, pair])
    x = layers.SpatialDropout1D(embedding_dropout, name="embedding_dropout")(x)
    x = layers.LSTM(units, return_sequences=True, name="lstm")(x)  # (batch, T, units)
    x = layers.GlobalMaxPooling1D(name="strongest")(x)  # (batch, units)
    x = layers.Dropout(output_dropout, name="output_dropout")(x)
    return keras.Model(inputs if pairs else tokens, _answer(classes)(x))


def _answer(classes: int) -> layers.Layer:
    """A softmax over the classes; for one class, a sigmoid unit."""
    return layers.Dense(classes, activation="softmax" if classes > 1 else "sigmoid", name="answer")
