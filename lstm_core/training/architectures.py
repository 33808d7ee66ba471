"""The networks of classifiers and of the recurrent family, as stock Keras models: the articles' own, and ours."""

import keras
from keras import layers

CELLS = {"rnn": layers.SimpleRNN, "gru": layers.GRU, "lstm": layers.LSTM}


def article_network(
    vocabulary: int,
    classes: int,
    *,
    length: int,
    width: int,
    units: int,
    dropout: float = 0.0,
    recurrent_dropout: float = 0.0,
) -> keras.Model:
    """The networks of the articles: embedding, one LSTM, and the answer; pads are read as text.

    Args:
        vocabulary: number of ids, padding and unknown included.
        classes: number of classes; 1 gives a sigmoid unit.
        length: tokens a text is filled up to.
        width: of the embedding.
        units: of the LSTM.
        dropout, recurrent_dropout: of the LSTM's inputs, and of its state.
    """
    tokens = keras.Input((length,), dtype="int32", name="tokens")
    x = layers.Embedding(vocabulary, width, name="embedding")(tokens)  # (batch, T, width)
    x = layers.LSTM(units, dropout=dropout, recurrent_dropout=recurrent_dropout, name="lstm")(x)  # (batch, units)
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
    pair_width: int = 0,
    units: int = 128,
    mean: bool = False,
    channel_dropout: float = 0.3,
    value_dropout: float = 0.0,
    output_dropout: float = 0.4,
) -> keras.Model:
    """One LSTM over masked tokens, the largest value of each unit over time, then the answer (Johnson & Zhang 2016).

    Texts are padded behind. A masked Keras LSTM repeats its last output there, so the plain
    `GlobalMaxPooling1D` never sees anything but real timesteps.

    Args:
        vocabulary: number of ids, padding and unknown included.
        classes: number of classes; 1 gives a sigmoid unit.
        pairs: number of pair ids; 0 for none.
        width: of the embeddings.
        pair_width: of the pairs' embedding if it stands beside the tokens'; 0 adds both up.
        units: of the LSTM.
        mean: also give the answer the mean of each unit over time.
        channel_dropout: share of embedding channels dropped for a whole text.
        value_dropout: share of the embeddings' values dropped one by one.
        output_dropout: share of pooled units dropped.
    """
    small = keras.initializers.RandomUniform(-0.05, 0.05)
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    inputs = [tokens]
    x = layers.Embedding(vocabulary, width, small, mask_zero=True, name="embedding")(tokens)  # (batch, T, width)
    if pairs:
        neighbours = keras.Input((None,), dtype="int32", name="pairs")
        inputs.append(neighbours)
        smaller = keras.initializers.RandomUniform(-0.025, 0.025)
        embed = layers.Embedding(pairs, pair_width or width, smaller, mask_zero=True, name="pair_embedding")
        together = layers.Concatenate if pair_width else layers.Add
        x = together(name="token_and_pair")([x, embed(neighbours)])
    if channel_dropout:
        x = layers.SpatialDropout1D(channel_dropout, name="embedding_dropout")(x)
    if value_dropout:
        x = layers.Dropout(value_dropout, name="value_dropout")(x)
    x = layers.LSTM(units, return_sequences=True, name="lstm")(x)  # (batch, T, units)
    pooled = layers.GlobalMaxPooling1D(name="strongest")(x)  # (batch, units)
    if mean:
        average = layers.GlobalAveragePooling1D(name="mean")(x)
        pooled = layers.Concatenate(name="pooled")([pooled, average])  # (batch, 2 * units)
    pooled = layers.Dropout(output_dropout, name="output_dropout")(pooled)
    return keras.Model(inputs if pairs else tokens, _answer(classes)(pooled))


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
    return keras.Model(tokens, _answer(classes)(x))


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


def _answer(classes: int) -> layers.Layer:
    """A softmax over the classes; for one class, a sigmoid unit."""
    return layers.Dense(classes, activation="softmax" if classes > 1 else "sigmoid", name="answer")
