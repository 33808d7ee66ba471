"""Gradients against finite differences of Keras's own layers, and attributions that add up."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import lstm_core
import lstm_core.nn.integrated_gradients as adaptive
from lstm_core.nn import bptt
from lstm_core.nn.integrated_gradients import Attribution, integrated_gradients, log_odds, score_gradients
from lstm_core.nn.network import Network
from lstm_core.nn.trace import trace
from lstm_core.nn.weights import weights_of
from ui.common.examples import Texts

QUESTIONS = Texts.load("questions.json").examples
REVIEWS = Texts.load("reviews.json").examples
EXAMPLES = [("stackoverflow", text) for text in QUESTIONS.values()] + [("imdb", text) for text in REVIEWS.values()]

CELLS = {
    "lstm": layers.LSTM,
    "gru": layers.GRU,
    "gru_before": lambda units, **options: layers.GRU(units, reset_after=False, **options),
    "rnn": layers.SimpleRNN,
    "relu": lambda units, **options: layers.SimpleRNN(units, activation="relu", **options),
    "backwards": lambda units, **options: layers.LSTM(units, go_backwards=True, **options),
}


def random_weights(model: Any, seed: int = 0) -> Any:
    rng = np.random.default_rng(seed)
    model.set_weights([rng.normal(0, 0.5, weight.shape) for weight in model.get_weights()])
    return model


@pytest.mark.parametrize("kind", CELLS)
def test_the_gradient_by_every_input_agrees_with_finite_differences(kind: str) -> None:
    rng = np.random.default_rng(5)
    layer = CELLS[kind](3, return_sequences=True, dtype="float64")
    layer.build((1, None, 2))
    random_weights(layer)
    weights, x = weights_of(layer), rng.normal(size=(6, 2))
    pull = rng.normal(size=(6, 3))  # the score is the sum of pull ⊙ outputs

    def score(value: np.ndarray) -> float:
        return float((pull * trace(layer, value).outputs).sum())

    found = bptt.backpropagate(weights, trace(layer, x), pull).x
    order = trace(layer, x).timesteps
    for step, t in enumerate(order):
        for feature in range(2):
            nudge = np.zeros_like(x)
            nudge[t, feature] = 1e-6
            expected = (score(x + nudge) - score(x - nudge)) / 2e-6
            assert found[step, feature] == pytest.approx(expected, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("kind", ["lstm", "gru", "gru_before", "rnn"])
def test_the_gradient_by_a_state_is_that_by_the_state_a_later_run_starts_from(kind: str) -> None:
    rng = np.random.default_rng(6)
    layer = CELLS[kind](3, return_sequences=True, dtype="float64")
    layer.build((1, None, 2))
    random_weights(layer)
    x, t = rng.normal(size=(7, 2)), 3
    whole = trace(layer, x)
    pull = np.zeros((7, 3))
    pull[-1] = rng.normal(size=3)
    found = bptt.backpropagate(weights_of(layer), whole, pull)
    states = [whole.h[t]] + ([whole.c[t]] if kind == "lstm" else [])

    def score(moved: list[np.ndarray]) -> float:
        return float((pull[-1] * trace(layer, x[t + 1 :], initial_state=moved).outputs[-1]).sum())

    for unit in range(3):
        nudged = [[state.copy() for state in states] for _ in range(2)]
        nudged[0][0][unit] += 1e-6
        nudged[1][0][unit] -= 1e-6
        assert found.h[t, unit] == pytest.approx((score(nudged[0]) - score(nudged[1])) / 2e-6, rel=1e-5, abs=1e-8)
        if kind == "lstm":
            # by_c also counts what c_t does through h_t: move both together
            up, down = ([whole.h[t].copy(), whole.c[t].copy()] for _ in range(2))
            for states_moved, step in ((up, 1e-6), (down, -1e-6)):
                states_moved[1][unit] += step
                states_moved[0] = whole.o[t] * np.tanh(states_moved[1])
            expected = (score(up) - score(down)) / 2e-6
            assert found.c is not None
            assert found.c[t, unit] == pytest.approx(expected, rel=1e-5, abs=1e-8)


def network(pooling: str, outputs: int) -> tuple[Any, Network]:
    tokens = keras.Input((None,), dtype="int32")
    x = layers.Embedding(12, 4)(tokens)
    x = layers.GRU(5, return_sequences=True)(x)
    x = layers.Bidirectional(layers.LSTM(3, return_sequences=True))(x) if pooling == "both ways" else x
    x = layers.LSTM(4, return_sequences=pooling != "last")(x)
    if pooling in ("max", "both ways"):
        x = layers.GlobalMaxPooling1D()(x)
    elif pooling == "mean":
        x = layers.GlobalAveragePooling1D()(x)
    elif pooling == "both":
        x = layers.Concatenate()([layers.GlobalMaxPooling1D()(x), layers.GlobalAveragePooling1D()(x)])
    x = layers.Dense(4, activation="tanh")(x)
    model = keras.Model(tokens, layers.Dense(outputs, activation="softmax" if outputs > 1 else "sigmoid")(x))
    random_weights(model, 2)
    return model, Network(model)


@pytest.mark.parametrize("outputs", [1, 3])
@pytest.mark.parametrize("pooling", ["last", "max", "mean", "both", "both ways"])
def test_slopes_of_a_whole_network_agree_with_finite_differences(pooling: str, outputs: int) -> None:
    _, net = network(pooling, outputs)
    ids = np.array([3, 7, 7, 1, 11])
    name = next(node.name for node in net.nodes if "embedding" in node.name)
    x = net.run(ids).values[name].astype(np.float64)
    label = outputs - 1 or 1

    def score(value: np.ndarray) -> float:
        return float(score_gradients(net, net.run(ids, start={name: value[:, None]}), label).scores[0])

    found = score_gradients(net, net.run(ids, start={name: x[:, None]}), label).gradients[name][:, 0]
    for t in range(len(ids)):
        for width in range(4):
            nudge = np.zeros_like(x)
            nudge[t, width] = 1e-2
            expected = (score(x + nudge) - score(x - nudge)) / 2e-2  # float32 inside: a wide step
            assert found[t, width] == pytest.approx(expected, rel=0.05, abs=5e-3)


@pytest.mark.parametrize("label", [0, 1, 2])
def test_log_odds_are_those_of_the_probabilities(label: int) -> None:
    logits = np.array([[0.3, -1.2, 2.0]])
    p = np.exp(logits[0]) / np.exp(logits[0]).sum()
    score, gradient = log_odds(logits, label)
    assert score[0] == pytest.approx(np.log(p[label] / (1 - p[label])))
    for column in range(3):
        nudge = np.eye(3)[column] * 1e-6
        expected = (log_odds(logits + nudge, label)[0][0] - log_odds(logits - nudge, label)[0][0]) / 2e-6
        assert gradient[0, column] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("pooling", ["last", "max", "both", "both ways"])
def test_attributions_add_up_to_the_change_of_the_score(pooling: str) -> None:
    model, net = network(pooling, 3)
    ids = np.array([3, 7, 2, 9, 11, 4])
    found = integrated_gradients(net, (ids,), (np.ones_like(ids),), 2, "third")
    p = np.asarray(model(ids[None]))[0]
    assert found.score == pytest.approx(np.log(p[2] / (1 - p[2])), abs=1e-4)
    assert found.label == "third"
    assert abs(found.residual) <= 0.02 * abs(found.score - found.baseline) + 1e-3  # float32
    assert found.residual == pytest.approx(found.score - found.baseline - found.sum(), abs=1e-6)


def test_a_slice_of_an_attribution_keeps_what_it_explains() -> None:
    part = Attribution(np.arange(4.0), "python", 8.0, 1.0)[1:3]
    assert (part.label, part.score, part.residual) == ("python", 8.0, 1.0)


@pytest.mark.parametrize(("name", "text"), EXAMPLES)
def test_the_shipped_models_explain_the_examples(name: str, text: str) -> None:
    model = lstm_core.load(name)
    found = model.attribute(text)
    reading = model.read(text)
    assert found.shape == (len(reading.tokens),)
    assert found.label == reading.answer
    assert found.score == pytest.approx(np.log(reading.confidence / (1 - reading.confidence)), rel=1e-2, abs=1e-2)
    assert abs(found.residual) < 0.02 * abs(found.score - found.baseline)


@pytest.mark.parametrize(("name", "text"), [each for each in EXAMPLES if len(each[1]) < 120])
def test_a_fine_integral_gives_the_same_values_to_one_percent(
    name: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = lstm_core.load(name)
    found = model.attribute(text)
    monkeypatch.setattr(adaptive, "PANELS", 64)
    monkeypatch.setattr(adaptive, "TOLERANCE", 0.0)
    fine = model.attribute(text)
    assert abs(found.residual) <= 0.01 * abs(found.score - found.baseline)
    np.testing.assert_allclose(found, fine, atol=0.01 * abs(found.score - found.baseline))


def test_leaving_a_token_out_is_reading_the_text_with_that_token_unknown() -> None:
    model = lstm_core.load("stackoverflow_article")
    text = "why does my function return none when i print the list"
    lost = model.leave_one_out(text, "python")
    encoded = model.encoder.encode(text)
    t = len(encoded.ids) - 1
    changed = encoded.ids.copy()
    changed[t] = 1
    p = [model.keras().predict_on_batch(ids[None])[0][3] for ids in (encoded.ids, changed)]
    odds = [np.log(value / (1 - value)) for value in p]
    assert lost.shape == (len(encoded.ids),)
    assert lost[t] == pytest.approx(odds[0] - odds[1], abs=1e-3)


def test_an_unknown_class_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no class 'cobol'; there are csharp"):
        lstm_core.load("stackoverflow").attribute("print", "cobol")
