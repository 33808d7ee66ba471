"""The builders and what is lent to them: shapes, sigmoid or softmax, and the faster loop against Keras's own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from lstm_core.inference.classifier import TextClassifier
from lstm_core.library.store import ModelCard
from lstm_core.nn.jax_lstm import faster
from lstm_core.nn.network import Network
from lstm_core.text.encoder import Bigrams, Encoder, Vocabulary
from lstm_core.training import architectures

BUILDERS: dict[str, Callable[[int], keras.Model]] = {
    "article_network with dropout": lambda classes: architectures.article_network(
        20, classes, length=7, width=16, units=32, dropout=0.3, recurrent_dropout=0.2
    ),
    "article_network": lambda classes: architectures.article_network(20, classes, length=7, width=10, units=128),
    "bag_of_words": lambda classes: architectures.bag_of_words(20, classes),
    "pooled_lstm": lambda classes: architectures.pooled_lstm(20, classes, pairs=9, width=4, units=5),
    "pooled_lstm beside": lambda classes: architectures.pooled_lstm(
        20, classes, pairs=9, width=4, pair_width=3, units=5, mean=True, channel_dropout=0.0, value_dropout=0.2
    ),
}


def some_ids(model: keras.Model, random: np.random.Generator, rows: int = 3) -> list[np.ndarray]:
    """(rows, 7) a model input, with pads behind the second row."""
    batch = [random.integers(2, 9, (rows, 7)).astype(np.int32) for _ in model.inputs]
    for ids in batch:
        ids[1, 4:] = 0
    return batch


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("name", BUILDERS)
def test_answers_are_probabilities_and_can_be_followed(name: str, classes: int, randomised: Callable[..., Any]) -> None:
    model = randomised(BUILDERS[name](classes))
    ids = some_ids(model, np.random.default_rng(1))
    answers = np.asarray(model(ids if len(ids) > 1 else ids[0]))
    assert answers.shape == (3, classes)
    assert ((answers > 0) & (answers < 1)).all()
    if classes > 1:
        np.testing.assert_allclose(answers.sum(axis=1), 1, atol=1e-6)
    for row in (0, 2):
        followed = Network(model).run(*(part[row] for part in ids)).output[-1]
        np.testing.assert_allclose(followed, answers[row], atol=1e-5)


@pytest.mark.parametrize("name", ["bag_of_words", "pooled_lstm", "pooled_lstm beside"])
def test_pads_behind_a_text_change_nothing(name: str, randomised: Callable[..., Any]) -> None:
    model = randomised(BUILDERS[name](2))
    ids = some_ids(model, np.random.default_rng(2))
    short = [part[1:2, :4] for part in ids]
    padded, plain = (np.asarray(model(part if len(part) > 1 else part[0])) for part in ([p[1:2] for p in ids], short))
    np.testing.assert_allclose(padded, plain, atol=1e-6)


def test_a_network_without_memory_is_read_token_by_token(randomised: Callable[..., Any]) -> None:
    words = ("good", "bad", "film")
    model = randomised(architectures.bag_of_words(5))
    card = ModelCard("bag", "Bag", "classifier", "imdb", "Random.", labels=("negative", "positive"))
    reader = TextClassifier(card, Encoder("keras", Vocabulary(words), 10), Network(model))
    reading = reader.read("Good film, bad unheard-of film!")
    assert reading.layers == ()
    assert reading.probabilities.shape == (6, 2)
    for number in range(1, 7):
        text = " ".join(reading.tokens[:number])
        np.testing.assert_allclose(reading.probabilities[number - 1], reader.predict([text])[0], atol=1e-6)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="the two tests below run in this process")
def test_what_needs_jax_in_a_process_of_its_own() -> None:
    options = ["-p", "no:xdist", "-p", "no:cacheprovider", "-k", "faster_loop"]
    command = [sys.executable, "-m", "pytest", *options, __file__]
    environment = os.environ | {"KERAS_BACKEND": "jax"}
    answer = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert answer.returncode == 0, answer.stdout


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX is lent another loop")
def test_the_faster_loop_computes_what_keras_computes(randomised: Callable[..., Any]) -> None:
    import jax

    model = randomised(BUILDERS["pooled_lstm beside"](3))
    ids = some_ids(model, np.random.default_rng(3))
    trainable, fixed = ([v.value for v in part] for part in (model.trainable_variables, model.non_trainable_variables))

    def score(weights: Any) -> Any:
        return model.stateless_call(weights, fixed, ids)[0][:, 0].sum()

    slow, by_slow = jax.value_and_grad(score)(trainable)
    with faster(model):
        assert "inner_loop" in vars(model.get_layer("lstm"))
        fast, by_fast = jax.value_and_grad(score)(trainable)
    assert "inner_loop" not in vars(model.get_layer("lstm"))
    np.testing.assert_allclose(fast, slow, rtol=1e-5)
    for one, other in zip(by_fast, by_slow, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="only JAX is lent another loop")
def test_the_faster_loop_begins_with_a_state_and_hands_one_over() -> None:
    import jax
    import jax.numpy as jnp

    states = [keras.Input((4,)), keras.Input((4,))]
    text = keras.Input((7, 5))
    outputs = keras.layers.LSTM(4, return_sequences=True, return_state=True)(text, initial_state=states)
    model = keras.Model([text, *states], outputs)
    random = np.random.default_rng(0)
    inputs = [random.normal(size=size).astype(np.float32) for size in ((3, 7, 5), (3, 4), (3, 4))]
    trainable, fixed = ([v.value for v in part] for part in (model.trainable_variables, model.non_trainable_variables))

    def score(weights: Any, given: Any) -> Any:
        answers, _ = model.stateless_call(weights, fixed, given)
        return sum(jnp.sin(number * part).sum() for number, part in enumerate(answers, 1))

    slow = jax.grad(score, (0, 1))(trainable, inputs)
    with faster(model):
        fast = jax.grad(score, (0, 1))(trainable, inputs)
    for one, other in zip(jax.tree.leaves(fast), jax.tree.leaves(slow), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)


def test_pairs_and_tokens_are_two_inputs() -> None:
    model = BUILDERS["pooled_lstm"](3)
    encoder = Encoder("code", Vocabulary(("a", "b")), 5, pairs=Bigrams(((2, 3),)))
    assert len(model.inputs) == len(encoder.encode("a b").inputs) == 2
    assert model.get_layer("token_and_pair").output.shape[-1] == 4
    assert BUILDERS["pooled_lstm beside"](3).get_layer("token_and_pair").output.shape[-1] == 7
