"""The stack of LSTM layers: steps and whole sequences agree, hooks and clamps reach their layer, networks are split."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers

from lstm_core.nn.clamps import Clamp, clamp_hooks
from lstm_core.nn.network import Network
from lstm_core.nn.stack import LSTMStack, split_network


def model(*between: keras.layers.Layer) -> keras.Model:
    ids = keras.Input((None,), dtype="int32")
    x = layers.Embedding(7, 3)(ids)
    for layer in between:
        x = layer(x)
    return keras.Model(ids, layers.Dense(5)(x))


@pytest.fixture(scope="module")
def stack() -> LSTMStack:
    parts = split_network(Network(model(layers.LSTM(4, return_sequences=True), layers.LSTM(6, return_sequences=True))))
    assert parts is not None
    return parts[1]


@pytest.mark.parametrize("batch", [(), (2,)])
@pytest.mark.parametrize("clamps", [(), (Clamp("f", 0.0, units=[1], layer=1),)])
def test_steps_equal_the_whole_sequence(stack: LSTMStack, batch: tuple[int, ...], clamps: tuple[Clamp, ...]) -> None:
    x = np.random.default_rng(0).normal(size=(5, *batch, 3)).astype(np.float32)
    state = stack.initial_state(*batch)
    traces = stack.run(x, stack.initial_state(), clamps)
    own = [[clamp for clamp in clamps if clamp.layer == number] for number in range(2)]
    hooks = [clamp_hooks(each, mine, np.arange(1))(0) for each, mine in zip(stack.layers, own, strict=True)]
    for t in range(5):
        steps, state = stack.step(stack.input_sums(x[t]), state, hooks)
        for step, trace in zip(steps, traces, strict=True):
            for signal in "ifgoch":
                np.testing.assert_allclose(getattr(step, signal), trace.signals[signal][t], atol=1e-6)
    np.testing.assert_allclose(state[1][1], traces[1].c[-1], atol=1e-6)


def test_a_network_that_is_no_row_of_lstm_and_dense_layers_is_not_split() -> None:
    for layer in (layers.GRU(4), layers.GlobalMaxPooling1D()):
        assert split_network(Network(model(layer))) is None
    parts = split_network(Network(model(layers.LSTM(4), layers.Dropout(0.5))))
    assert parts is not None
    assert parts[0] is not None
    assert ([each.units for each in parts[1].layers], len(parts[2])) == ([4], 1)
