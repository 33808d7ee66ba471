"""The small networks of the recurrent family, as stock Keras models: one cell each, and one or two directions.

Only architecture: no data, no training. How they are trained is in `training/recipes/family.py`.
"""

from __future__ import annotations

import keras
from keras import layers

CELLS = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}


def last_state(
    vocabulary: int, classes: int, *, cell: str, width: int = 16, units: int = 32, dropout: float = 0.3
) -> keras.Model:
    """Many to one with nothing to help the memory: embedding, one recurrent layer, softmax on its last state.

    Texts are padded behind and the pads are masked, so the last state is the one after the last token.

    Args:
        vocabulary: number of ids, padding and unknown included.
        classes: number of classes; 1 gives a sigmoid unit.
        cell: "rnn", "gru" or "lstm".
        width: of the embedding.
        units: of the recurrent layer.
        dropout: share of embedding channels dropped for a whole text.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, width, mask_zero=True, name="embedding")(tokens)  # (batch, T, width)
    x = layers.SpatialDropout1D(dropout, name="embedding_dropout")(x)
    x = CELLS[cell](units, name=cell)(x)  # (batch, units): the last state alone
    answer = layers.Dense(classes, activation="softmax" if classes > 1 else "sigmoid", name="answer")
    return keras.Model(tokens, answer(x))


def blank_filler(
    vocabulary: int, answers: int, *, both: bool, width: int = 16, units: int = 32, dropout: float = 0.1
) -> keras.Model:
    """A guess at every word of a sentence, from one direction or from two; only the one at the blank is asked for.

    Both directions share the units between them, so that the second network isn't the larger one
    (Schuster & Paliwal 1997). (batch, T) of ids → (batch, T, answers).

    Args:
        vocabulary: number of ids, padding and unknown included.
        answers: number of words that may fill the blank.
        both: read in both directions, or forward only.
        width: of the embedding.
        units: of the recurrent layer, both directions together; an even number.
        dropout: share of the layer's outputs dropped.
    """
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, width, mask_zero=True, name="embedding")(tokens)  # (batch, T, width)
    if both:
        one_way = layers.LSTM(units // 2, return_sequences=True, name="lstm")
        x = layers.Bidirectional(one_way, name="both_ways")(x)  # (batch, T, units)
    else:
        x = layers.LSTM(units, return_sequences=True, name="lstm")(x)  # (batch, T, units)
    x = layers.Dropout(dropout, name="output_dropout")(x)
    return keras.Model(tokens, layers.Dense(answers, activation="softmax", name="answer")(x))


def at_the_place(model: keras.Model) -> keras.Model:
    """The same network at one place alone: (batch, T) of ids and (batch, T) with a 1 there → (batch, answers)."""
    place = keras.Input((None,), name="place")
    return keras.Model([model.inputs[0], place], layers.Dot(axes=1, name="at_the_place")([place, model.outputs[0]]))
