"""A classifier's two ways to its answer, Keras and NumPy, and the networks that NumPy can follow.

Keras called directly is the witness, on small networks with random weights. Steps of single layers
are tested in test_trace.py.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

from lstm_core.errors import ModelError, TextError
from lstm_core.inference.classifier import TextClassifier
from lstm_core.library.store import ModelCard
from lstm_core.nn.network import Network
from lstm_core.nn.trace import BidirectionalTrace, Clamp
from lstm_core.text.encoder import Bigrams, Encoder
from lstm_core.training import architectures
from tests.witness import with_keras

IDS = 17  # of the fixtures' vocabulary
TEXTS = (
    "sort a list",
    "loop",
    "How do I sort the list in blank ( java ) . how do i loop . the list of a list",
    "words unknown here",
    "sort the list\nin java",
)


def answer(width: int = 3, activation: str = "softmax") -> layers.Layer:
    return layers.Dense(width, activation=activation, name="answer")


def over(*stack: Any, mask: bool = True) -> keras.Model:
    """A network of an embedding of width 4, what is given, and an answer."""
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    x = layers.Embedding(IDS, 4, mask_zero=mask, name="embedding")(tokens)
    for layer in stack:
        x = layer(x)
    return keras.Model(tokens, answer()(x))


def residual(pooling: layers.Layer) -> keras.Model:
    return over(lambda x: pooling(layers.Add()([x, layers.GRU(4, return_sequences=True)(x)])))


def branches() -> keras.Model:
    def fork(x: Any) -> Any:
        read = layers.LSTM(3, return_sequences=True)(x)
        strongest = layers.GlobalMaxPooling1D()(read)
        return layers.Concatenate()([strongest, layers.GlobalAveragePooling1D()(layers.Activation("tanh")(read))])

    return over(fork)


def sequential() -> keras.Model:
    model = keras.Sequential([keras.Input((None,), dtype="int32")])
    for layer in (layers.Embedding(IDS, 4, mask_zero=True), layers.LSTM(3), answer()):
        model.add(layer)
    return model


def sequences(kind: type[layers.Layer], **options: Any) -> layers.Layer:
    return kind(3, return_sequences=True, **options)


CAUSAL: dict[str, Callable[[], keras.Model]] = {
    "one LSTM": lambda: over(layers.LSTM(3)),
    "one plain RNN": lambda: over(layers.SimpleRNN(3)),
    "two LSTMs": lambda: over(
        layers.SpatialDropout1D(0.5), sequences(layers.LSTM), layers.Dropout(0.5), layers.LSTM(2)
    ),
    "two GRUs": lambda: over(sequences(layers.GRU), layers.GRU(2, reset_after=False)),
    "mean": lambda: over(sequences(layers.LSTM), layers.GlobalAveragePooling1D()),
    "mean of embeddings": lambda: over(layers.GlobalAveragePooling1D()),
    "maximum": lambda: architectures.pooled_lstm(IDS, 3, width=4, units=5),
    "maximum of a dense layer": lambda: over(
        sequences(layers.LSTM), layers.Dense(3, activation="gelu"), layers.GlobalMaxPooling1D()
    ),
    "maximum with zeros at pads": lambda: over(
        sequences(layers.LSTM, zero_output_for_mask=True), layers.GlobalMaxPooling1D()
    ),
    "maximum of embeddings": lambda: over(layers.GlobalMaxPooling1D()),
    "residual": lambda: residual(layers.GlobalMaxPooling1D()),
    "branches": branches,
    "no mask": lambda: over(layers.LSTM(3), mask=False),
    "sequential": sequential,
}
BACKWARDS: dict[str, Callable[[], keras.Model]] = {
    "both ways": lambda: over(layers.Bidirectional(layers.LSTM(3))),
    "both ways, maximum": lambda: over(layers.Bidirectional(sequences(layers.LSTM)), layers.GlobalMaxPooling1D()),
    "both ways, then one": lambda: over(layers.Bidirectional(sequences(layers.GRU), merge_mode="sum"), layers.LSTM(2)),
    "the other way": lambda: over(layers.LSTM(3, go_backwards=True)),
}
NETWORKS = CAUSAL | BACKWARDS


@pytest.fixture
def classifier(card: ModelCard, encoder: Encoder, randomised: Callable[..., Any]) -> Callable[..., TextClassifier]:
    """Makes a classifier of any network."""

    def make(model: keras.Model, encoder: Encoder = encoder, labels: tuple[str, ...] = card.labels) -> TextClassifier:
        randomised(model)
        return with_keras(TextClassifier(replace(card, labels=labels), encoder, Network(model)), model)

    return make


def asked_directly(model: TextClassifier, text: str) -> np.ndarray:
    """Keras's answer to one text without any padding, (classes,)."""
    inputs = [ids[None] for ids in model.encoder.encode(text).inputs]
    return np.asarray(model.keras()(inputs if len(inputs) > 1 else inputs[0]))[0]


# --- predict and read agree with Keras ------------------------------------------------------


@pytest.mark.parametrize("name", NETWORKS)
def test_predicting_and_reading_give_what_keras_gives(name: str, classifier: Callable[..., TextClassifier]) -> None:
    model = classifier(NETWORKS[name]())
    texts = TEXTS[:3]
    predicted = model.predict(texts)
    assert predicted.shape == (len(texts), 3)
    assert predicted.dtype == np.float32
    np.testing.assert_allclose(predicted.sum(axis=1), 1, atol=1e-5)
    for text, row in zip(texts, predicted, strict=True):
        np.testing.assert_allclose(row, asked_directly(model, text), atol=1e-5)
        np.testing.assert_allclose(model.read(text).probabilities[-1], row, atol=1e-4)


@pytest.mark.parametrize("name", CAUSAL)
def test_each_row_is_the_answer_had_the_text_ended_there(name: str, randomised: Callable[..., Any]) -> None:
    model = randomised(CAUSAL[name]())
    ids = np.array([3, 1, 16, 7], np.int32)
    network = Network(model)
    rows = network.run(ids).output
    assert network.causal
    for t in range(len(ids)):
        np.testing.assert_allclose(rows[t], np.asarray(model(ids[None, : t + 1]))[0], atol=1e-5)


@pytest.mark.parametrize("name", BACKWARDS)
def test_a_network_that_reads_backwards_says_so(name: str, classifier: Callable[..., TextClassifier]) -> None:
    reading = classifier(BACKWARDS[name]()).read(TEXTS[0])
    assert not reading.causal
    assert isinstance(reading.layers[0], BidirectionalTrace) == ("both" in name)


def test_rows_are_the_answers_to_the_text_cut_after_each_token(tiny: TextClassifier) -> None:
    reading = tiny.read(TEXTS[2])
    ends = [end for _, end in reading.encoded.spans]
    assert reading.encoded.cut > 0
    assert len(ends) == len(reading.tokens) == tiny.encoder.length
    np.testing.assert_allclose(reading.probabilities, tiny.predict([TEXTS[2][:end] for end in ends]), atol=1e-4)


def test_one_sigmoid_unit_is_the_second_of_two_classes(classifier: Callable[..., TextClassifier]) -> None:
    model = classifier(architectures.pooled_lstm(IDS, 1, width=4, units=5), labels=("negative", "positive"))
    predicted = model.predict(TEXTS)
    for text, row in zip(TEXTS, predicted, strict=True):
        chance = asked_directly(model, text)[0]
        reading = model.read(text)
        np.testing.assert_allclose(row, [1 - chance, chance], atol=1e-5)
        np.testing.assert_allclose(reading.probabilities[-1], row, atol=1e-4)
        assert reading.answer == ("positive" if chance > 0.5 else "negative")
        assert reading.confidence == pytest.approx(max(chance, 1 - chance), abs=1e-5)


def test_a_network_may_read_pairs_beside_tokens(encoder: Encoder, classifier: Callable[..., TextClassifier]) -> None:
    pairs = Bigrams(((5, 6), (6, 7), (3, 4)))
    model = classifier(
        architectures.pooled_lstm(IDS, 3, pairs=len(pairs), width=4, units=5), replace(encoder, pairs=pairs)
    )
    for text, row in zip(TEXTS, model.predict(TEXTS), strict=True):
        np.testing.assert_allclose(row, asked_directly(model, text), atol=1e-5)
        np.testing.assert_allclose(model.read(text).probabilities[-1], row, atol=1e-4)


@pytest.mark.parametrize("padding", ["front", "back"])
def test_pads_that_are_read_as_text(padding: str, encoder: Encoder, classifier: Callable[..., TextClassifier]) -> None:
    model = classifier(
        architectures.article_network(IDS, 3, length=12, width=16, units=32), replace(encoder, padding=padding)
    )
    for text, row in zip(TEXTS, model.predict(TEXTS), strict=True):
        reading = model.read(text)
        assert len(reading.tokens) == len(reading.probabilities) == 12
        np.testing.assert_allclose(row, asked_directly(model, text), atol=1e-5)
        np.testing.assert_allclose(reading.probabilities[-1], row, atol=1e-4)


# --- predict --------------------------------------------------------------------------------


def test_many_texts_are_answered_in_their_order(tiny: TextClassifier) -> None:
    texts = [" ".join(["list", "sort", "loop"][: 1 + number % 3] * (1 + number % 7)) for number in range(150)]
    one_by_one = np.stack([tiny.read(text).probabilities[-1] for text in texts])
    np.testing.assert_allclose(tiny.predict(texts), one_by_one, atol=1e-4)


def test_no_texts_get_no_answers(tiny: TextClassifier) -> None:
    assert tiny.predict([]).shape == (0, 3)


def test_one_string_is_not_a_list_of_texts(tiny: TextClassifier) -> None:
    with pytest.raises(TypeError, match=r"predict\(\[text\]\)"):
        tiny.predict("sort a list")


def test_an_empty_text_is_named_by_its_number(tiny: TextClassifier) -> None:
    with pytest.raises(TextError, match="Text 2 of 3 is empty"):
        tiny.predict(["sort", " \n", "loop"])
    with pytest.raises(TextError, match="no text to read"):
        tiny.read("\n\n")


def test_names_are_hidden_on_demand(tiny: TextClassifier) -> None:
    named, hidden = "sort a list in java", "sort a list in blank"
    np.testing.assert_allclose(tiny.predict([named], mask_names=True), tiny.predict([hidden]), atol=1e-6)
    assert tiny.read(named, mask_names=True).encoded.masked == ("java",)
    assert np.abs(tiny.predict([named]) - tiny.predict([hidden])).max() > 1e-3


def test_threads_do_not_disturb_each_other(tiny: TextClassifier) -> None:
    predicted, read = tiny.predict(TEXTS), [tiny.read(text).probabilities for text in TEXTS]

    def work(number: int) -> None:
        if number % 2:
            np.testing.assert_array_equal(tiny.predict(TEXTS), predicted)
        else:
            np.testing.assert_array_equal(tiny.read(TEXTS[number % 5]).probabilities, read[number % 5])

    with ThreadPoolExecutor(4) as pool:
        for done in [pool.submit(work, number) for number in range(24)]:
            done.result()


# --- a reading ------------------------------------------------------------------------------


def test_a_reading_keeps_everything(tiny: TextClassifier) -> None:
    reading = tiny.read("Sort a list, please")
    assert reading.text == "Sort a list, please"
    assert reading.tokens == ("sort", "a", "list", ",", "please")
    assert reading.encoded.unknown == 2
    assert reading.labels == tiny.labels
    assert reading.probabilities.shape == (5, 3)
    assert reading.probabilities.dtype == np.float32
    assert reading.answer == tiny.labels[int(reading.probabilities[-1].argmax())]
    (trace,) = reading.layers
    for signal in "ifgoch":
        assert getattr(trace, signal).shape == (5, 5)
    assert reading.causal
    assert reading.clamps == ()


def test_values_of_every_layer_are_kept(tiny: TextClassifier) -> None:
    run = tiny.network.run(np.array([3, 4, 5]))
    assert set(run.values) == {layer.name for layer in tiny.keras().layers}
    np.testing.assert_array_equal(run.values["strongest"], np.maximum.accumulate(run.traces[0].h, axis=0))
    # What stands in for a layer's value is taken as it is.
    again = tiny.network.run(np.array([9]), start={"embedding": run.values["embedding"]})
    np.testing.assert_array_equal(again.output, run.output)


# --- clamps ---------------------------------------------------------------------------------


@pytest.fixture
def stacked(classifier: Callable[..., TextClassifier]) -> TextClassifier:
    return classifier(over(sequences(layers.LSTM), layers.LSTM(2)))


def test_a_clamp_reaches_its_layer_and_what_comes_after(stacked: TextClassifier) -> None:
    free = stacked.read(TEXTS[0])
    upper = stacked.read(TEXTS[0], [Clamp("o", 0.0, layer=1)])
    assert upper.clamps == (Clamp("o", 0.0, layer=1),)
    np.testing.assert_array_equal(upper.layers[0].h, free.layers[0].h)
    np.testing.assert_array_equal(upper.layers[1].h, 0)
    assert np.abs(upper.probabilities - free.probabilities).max() > 1e-3

    lower = stacked.read(TEXTS[0], (clamp for clamp in [Clamp("f", 1.0, units=2, timesteps=1, layer=0)]))
    assert lower.layers[0].f[1, 2] == 1
    np.testing.assert_array_equal(lower.layers[0].h[0], free.layers[0].h[0])
    assert np.abs(lower.layers[1].h[1:] - free.layers[1].h[1:]).max() > 1e-6
    np.testing.assert_array_equal(stacked.read(TEXTS[0]).probabilities, free.probabilities)  # nothing stays


@pytest.mark.parametrize("layer", [-1, 2])
def test_a_clamp_on_a_layer_that_is_not_there(stacked: TextClassifier, layer: int) -> None:
    with pytest.raises(ValueError, match=f"names layer {layer}; there are 2"):
        stacked.read(TEXTS[0], [Clamp(layer=layer)])


@pytest.mark.parametrize("clamp", [Clamp("z"), Clamp(units=9), Clamp(timesteps=3, layer=1)], ids=repr)
def test_a_clamp_on_what_a_layer_does_not_have(stacked: TextClassifier, clamp: Clamp) -> None:
    with pytest.raises(ValueError, match=r"A clamp names|to clamp"):
        stacked.read(TEXTS[0], [clamp])


# --- networks that can't be followed --------------------------------------------------------


class Subclassed(keras.Model):
    def call(self, x: Any) -> Any:
        return x


def with_states(use: Callable[..., Any]) -> keras.Model:
    return over(lambda x: use(x, *layers.LSTM(3, return_state=True, return_sequences=True)(x)))


def shared(x: Any) -> Any:
    dense = layers.Dense(4, name="shared")
    return layers.LSTM(3)(dense(dense(x)))


def two_answers() -> keras.Model:
    model = over(layers.LSTM(3))
    return keras.Model(model.inputs, [model.outputs[0], model.layers[-2].output])


class LSTM(layers.LSTM):
    """A layer of Keras's name with its own answer."""

    def call(self, sequences: Any, initial_state: Any = None, **options: Any) -> Any:
        return super().call(sequences, initial_state, **options) * 2


def image() -> keras.Model:
    picture = keras.Input((4, 4, 1))
    return keras.Model(picture, layers.Conv2D(2, 2, name="eye")(picture))


@pytest.mark.parametrize(
    ("build", "said"),
    [
        (image, "'eye' is a Conv2D"),
        (lambda: over(layers.Conv1D(3, 2, name="conv"), layers.LSTM(3), mask=False), "'conv' is a Conv1D"),
        (lambda: over(layers.LSTM(3), layers.BatchNormalization(name="norm")), "'norm' is a BatchNormalization"),
        (lambda: over(layers.Lambda(lambda x: x, name="own"), layers.LSTM(3), mask=False), "'own' is a Lambda"),
        (lambda: over(keras.Sequential([keras.Input((None, 4)), layers.LSTM(3)], name="inner")), "'inner' is a Seq"),
        (lambda: over(shared), "'shared' is used more than once"),
        (lambda: over(LSTM(3, name="mine")), "'mine' is a LSTM of its own"),
        (lambda: over(layers.LSTM(3), lambda x: x * 2), "reads from the operation 'multiply'"),
        (lambda: over(layers.LSTM(3), layers.Dense(3, activation=lambda z: z, name="odd")), "'odd' has activation"),
        (lambda: over(lambda x: layers.Concatenate(axis=1, name="long")([x, x]), layers.LSTM(3)), "'long' has axis=1"),
        (lambda: over(lambda x: layers.Bidirectional(layers.LSTM(3), merge_mode=None)(x)[0]), "merge_mode=None"),
        (lambda: with_states(lambda x, y, h, c: c), "another layer's states"),
        (lambda: with_states(lambda x, y, h, c: layers.LSTM(3)(x, initial_state=[h, c])), "another layer's states"),
        (two_answers, "single output"),
        (lambda: keras.Sequential([layers.LSTM(3)]), "neither a functional nor a built Sequential"),
        (Subclassed, "neither a functional nor a built Sequential"),
        (lambda: layers.Dense(3), "neither a functional nor a built Sequential"),
    ],
)
def test_a_network_that_cannot_be_followed_is_refused_by_name(build: Callable[[], Any], said: str) -> None:
    with pytest.raises(ModelError, match=r"followed|traced|neither") as caught:
        Network(build())
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_layers_that_are_also_used_elsewhere_can_be_followed(randomised: Callable[..., Any]) -> None:
    model = randomised(over(layers.LSTM(3)))
    model.get_layer("embedding")(keras.Input((5,), dtype="int32"))
    ids = np.array([3, 5, 2])
    np.testing.assert_allclose(Network(model).run(ids).output[-1], np.asarray(model(ids[None]))[0], atol=1e-5)
