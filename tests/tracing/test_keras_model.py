"""Whole live Keras models, traced and compared with what Keras computes; what can't be followed is refused by name."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import lstm_core
from lstm_core import Clamp, ModelError, ModelTrace
from tests.tracing import networks

ROOT = Path(__file__).resolve().parents[2]
X = np.random.default_rng(0).normal(size=(2, 6, 3)).astype(np.float32)


def array(tensor: Any) -> np.ndarray:
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def close(found: Any, expected: Any) -> None:
    np.testing.assert_allclose(found, array(expected), rtol=1e-5, atol=1e-5)


def sequential(*parts: Any, shape: tuple[int | None, ...] = (None, 3), **options: Any) -> Any:
    return networks.randomised(keras.Sequential([layers.Input(shape, **options), *parts]))


def names(trace: ModelTrace) -> list[str]:
    return [layer.name for layer in trace.layers]


EXPECTED = {
    "imdb_bilstm": ["lstm"] * 4,
    "seq2seq": ["lstm"] * 2,
    "one_hot_characters": ["lstm"],
    "weather": ["gru"] * 2,
    "stacked_batch_normalization": ["lstm"] * 3,
    "text_vectorization": ["lstm"] * 2,
    "stateful": ["lstm"] * 2,
    "two_inputs": ["gru", "rnn"],
}


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_networks_as_people_write_them(name: str) -> None:
    model, x = networks.build(name)
    trace = lstm_core.trace(model, x)
    assert sorted(layer.kind for layer in trace.layers) == EXPECTED[name]
    feed = keras.ops.convert_to_tensor(x) if isinstance(x, np.ndarray) and x.dtype.kind == "U" else x
    for found, expected in zip(keras.tree.flatten(trace.output), keras.tree.flatten(model(feed)), strict=True):
        close(found, expected)
    for layer in trace.layers:
        assert {values.shape for values in layer.signals.values()} == {layer.outputs.shape}
        assert layer.outputs.shape[:2] == layer.inputs.shape[:2] == layer.mask.shape
    others = {layer.name for layer in model.layers if not isinstance(layer, layers.RNN | layers.InputLayer)}
    assert others == {each for each in trace.values if "/" not in each}


def test_every_gate_is_that_of_keras_cell_by_cell() -> None:
    """Gates of the middle of a network, against the equations on Keras's own numbers."""
    model = sequential(layers.Dense(4), layers.LSTM(5, return_sequences=True, name="first"), layers.LSTM(3))
    trace = lstm_core.trace(model, X)
    first = trace["first"]
    close(first.inputs, model.layers[0](X))
    close(first.outputs, model.layers[1](model.layers[0](X)))
    kernel, recurrent, bias = model.layers[1].get_weights()
    before = np.concatenate([np.zeros((2, 1, 5)), first.h[:, :-1]], axis=1)
    sums = np.split(first.inputs @ kernel + before @ recurrent + bias, 4, axis=-1)
    for gate, each in zip("ifo", (sums[0], sums[1], sums[3]), strict=True):
        close(first.signals[gate], 1 / (1 + np.exp(-each)))
    close(trace.output, model(X))


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul", None])
def test_bidirectional_rows_are_in_the_order_of_the_input(merge_mode: str | None) -> None:
    inputs = layers.Input((None, 3))
    outputs = layers.Bidirectional(layers.GRU(4, return_sequences=True), merge_mode=merge_mode, name="both")(inputs)
    model = networks.randomised(keras.Model(inputs, outputs))
    trace = lstm_core.trace(model, X)
    assert names(trace) == ["both/forward", "both/backward"]
    both = model.get_layer("both")
    close(trace["both/forward"].outputs, both.forward_layer(X))
    close(trace["both/backward"].outputs[:, ::-1], both.backward_layer(X))
    assert trace["both/backward"].weights.go_backwards


def test_masks_states_and_sequences_of_different_lengths() -> None:
    x = X.copy()
    x[0, 4:], x[1, :2] = 0, 0
    model = sequential(layers.Masking(), layers.LSTM(4, return_sequences=True), layers.LSTM(3, go_backwards=True))
    trace = lstm_core.trace(model, x)
    np.testing.assert_array_equal(trace.layers[0].mask, [[1, 1, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1]])
    close(trace.output, model(x))
    close(trace.layers[1].final_state[0], model(x))
    assert trace.layers[0].sequence(1).mask.sum() == 4


def test_nested_shared_and_time_distributed_layers() -> None:
    inner = keras.Sequential([layers.Input((6, 3)), layers.LSTM(4, name="words"), layers.Dense(2)], name="sentence")
    inputs = layers.Input((5, 6, 3))
    outputs = layers.LSTM(3, name="sentences")(layers.TimeDistributed(inner, name="each")(inputs))
    model = networks.randomised(keras.Model(inputs, outputs))
    x = np.random.default_rng(1).normal(size=(2, 5, 6, 3)).astype(np.float32)
    trace = lstm_core.trace(model, x)
    assert names(trace) == ["each/sentence/words", "sentences"]
    words = trace["each/sentence/words"]
    assert words.h.shape == (10, 6, 4)
    close(words.h[7, -1], inner.get_layer("words")(x[1, 2][None])[0])  # sequence b·S + s
    close(trace.values[f"each/sentence/{inner.layers[-1].name}"], trace.values["each"])

    first, second = layers.Input((6, 3)), layers.Input((6, 3))
    shared = layers.GRU(4, name="shared")
    twins = networks.randomised(keras.Model([first, second], layers.Subtract()([shared(first), shared(second)])))
    trace = lstm_core.trace(twins, [X, X[::-1].copy()])
    assert names(trace) == ["shared", "shared#2"]
    close(trace["shared"].h[0], trace["shared#2"].h[1])


def test_cells_stacked_and_alone() -> None:
    cells = [layers.LSTMCell(4, name="low"), layers.GRUCell(5, name="middle"), layers.SimpleRNNCell(3, name="high")]
    model = sequential(
        layers.RNN(cells, return_sequences=True, name="tower"), layers.RNN(layers.GRUCell(2), name="top")
    )
    trace = lstm_core.trace(model, X)
    assert names(trace) == ["tower/low", "tower/middle", "tower/high", "top"]
    close(trace.values["tower"], trace["tower/high"].outputs)
    close(trace.output, model(X))


class Decoder(keras.Model):
    """Calls its cell in a loop of its own, as decoders with attention do."""

    def __init__(self) -> None:
        super().__init__()
        self.cell, self.out = layers.LSTMCell(4, name="cell"), layers.Dense(2, name="out")

    def call(self, x: Any) -> Any:
        state, answers = self.cell.get_initial_state(x.shape[0]), []
        for t in range(x.shape[1]):
            h, state = self.cell(x[:, t], state)
            answers.append(self.out(h))
        return keras.ops.stack(answers, axis=1)


def test_a_cell_in_a_loop_of_a_subclassed_model_is_one_sequence() -> None:
    model = Decoder()
    with pytest.raises(ModelError, match="not built yet"):
        lstm_core.trace(model, X)
    model(X)
    trace = lstm_core.trace(model, X)
    cell = trace["cell"]
    assert cell.h.shape == (2, 6, 4)
    layer = layers.LSTM(4, return_sequences=True)
    layer.build(X.shape)
    layer.set_weights(model.cell.get_weights())
    close(cell.h, layer(X))
    clamped = lstm_core.trace(model, X, clamps=[Clamp("f", 0.0, timesteps=3, layer="cell")])
    assert not clamped["cell"].f[:, 3].any()
    assert clamped["cell"].f[:, 2].all()


def test_a_stateful_network_is_traced_from_its_present_state_and_keeps_it() -> None:
    model, x = networks.build("stateful")
    model(x)
    before = [array(state) for layer in model.layers[:2] for state in layer.states]
    trace = lstm_core.trace(model, x)
    close(trace.layers[0].initial_state[0], before[0])
    for state, old in zip([state for layer in model.layers[:2] for state in layer.states], before, strict=True):
        np.testing.assert_array_equal(array(state), old)
    close(trace.output, model(x))


def test_the_model_is_left_as_it_was() -> None:
    model, x = networks.build("imdb_bilstm")
    lstm_core.trace(model, x)
    with pytest.raises(ModelError):
        lstm_core.trace(model, np.zeros((2, 3, 4, 5)))
    replaced = {"call", "quantized_call", "_can_attempt_fused_lstm", "_can_attempt_fused_gru"}
    assert not any(replaced & set(vars(layer)) for layer in model._flatten_layers())


def test_long_sequences_are_compared_with_the_compiled_network(monkeypatch: pytest.MonkeyPatch) -> None:
    model = sequential(layers.LSTM(4), layers.Dense(1))
    x = np.random.default_rng(2).normal(size=(2, 150, 3)).astype(np.float32)
    trace = lstm_core.trace(model, x)
    assert trace.layers[0].h.shape == (2, 150, 4)
    monkeypatch.setattr(model, "predict_on_batch", lambda feed: trace.output + 1e-3)
    with pytest.raises(ModelError, match=r"differs from Keras's by up to 0\.001"):
        lstm_core.trace(model, x)


def test_clamps_change_all_that_follows() -> None:
    model = sequential(
        layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both"),
        layers.GRU(3, name="top"),
        layers.Dense(2),
    )
    plain = lstm_core.trace(model, X)
    clamped = lstm_core.trace(model, X, clamps=[Clamp("o", 0.0, layer=0)])  # both directions
    assert not clamped["both/forward"].h.any()
    assert not clamped["both/backward"].h.any()
    zeros = np.zeros((2, 6, 8), np.float32)
    close(clamped["top"].h[:, -1], model.get_layer("top")(zeros))
    assert not np.allclose(clamped.output, plain.output)
    backward = lstm_core.trace(model, X, clamps=[Clamp("o", 0.0, layer="both/backward")])
    np.testing.assert_array_equal(backward["both/forward"].h, plain["both/forward"].h)
    for clamp, sentence in (
        (Clamp("f", layer=2), "names layer 2; there are 2, from 0: both, top"),
        (Clamp("f", layer="bottom"), "names layer 'bottom'"),
        (Clamp("f", layer="top"), "has no 'f' to clamp"),
        (Clamp("o", timesteps=6), "names timestep 6…6; there are 0…5"),
    ):
        with pytest.raises(ValueError, match=sentence):
            lstm_core.trace(model, X, clamps=[clamp])


def test_half_precision_is_traced_in_float32_and_said_so() -> None:
    model = sequential(layers.Bidirectional(layers.LSTM(4, dtype="mixed_float16"), dtype="mixed_float16", name="both"))
    trace = lstm_core.trace(model, X)
    assert trace["both/forward"].h.dtype == np.float32
    assert trace.notes[0] == "Layer 'both/forward' computes in float16; its trace was computed in float32."


class OwnCall(layers.LSTM):
    """Computes something else than an LSTM."""

    def call(self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False) -> Any:
        return super().call(sequences * 2)


class OwnCell(layers.LSTMCell):
    """A cell that computes something else."""

    def call(self, inputs: Any, states: Any, training: bool = False) -> Any:
        return super().call(inputs + 1, states)


class Foreign(layers.Layer):
    """A cell of another kind."""

    state_size = 3

    def call(self, inputs: Any, states: Any) -> Any:
        return inputs + states[0], [inputs + states[0]]


@pytest.mark.parametrize(
    ("parts", "sentence"),
    [
        (lambda: [OwnCall(3, name="own")], "Layer 'own' is a OwnCall with its own `call`"),
        (lambda: [layers.RNN(OwnCell(3), name="own")], "Layer 'own' has a cell with its own `call`"),
        (lambda: [layers.LSTM(3, name="own", activation=lambda z: z)], "Layer 'own' has activation='<lambda>'"),
        (lambda: [layers.LSTM(3, recurrent_activation="softmax")], "recurrent_activation='softmax', which can't be"),
        (lambda: [layers.RNN(Foreign(), name="own")], "Layer 'own' computes with Foreign, whose gates can't be traced"),
        (lambda: [layers.Dense(3)], "has no recurrent layer to trace"),
    ],
)
def test_what_cannot_be_followed_is_named(parts: Any, sentence: str) -> None:
    model = sequential(*parts())
    with pytest.raises(ModelError, match=sentence.replace("(", r"\(")):
        lstm_core.trace(model, X)


def test_a_foreign_cell_beside_an_lstm_is_named_in_a_note() -> None:
    model = sequential(layers.RNN(Foreign(), return_sequences=True, name="own"), layers.LSTM(2))
    trace = lstm_core.trace(model, X)
    assert len(trace.layers) == 1
    assert "'own' computes with Foreign" in trace.notes[0]
    close(trace.output, model(X))


def test_a_cell_that_was_changed_is_found_by_its_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing in its class or settings says that it differs."""
    model = sequential(layers.GRU(3, name="gru"))
    cell = model.layers[0].cell
    own = cell.call
    monkeypatch.setattr(cell, "call", lambda inputs, states, training=False: own(inputs * 1.01, states))
    with pytest.raises(ModelError, match="Layer 'gru' computes another h than the equations of its kind"):
        lstm_core.trace(model, X)


@pytest.mark.parametrize(
    ("x", "sentence"),
    [
        (np.zeros((2, 6, 4)), r"Input '.*' has the shape \(batch, any, 3\); received \(2, 6, 4\)"),
        (np.zeros((2, 0, 3)), "is empty"),
        (np.zeros((1, 1_000_001, 3), np.int8), "has 1,000,001 timesteps; 1,000,000 is the most"),
        ([[[1.0] * 3], [[1.0] * 3] * 2], "sequences of several lengths"),
        (["a text"], "reads numbers; received"),
        ({"other": X}, "The network's inputs are"),
    ],
)
def test_inputs_that_do_not_fit_are_one_sentence(x: Any, sentence: str) -> None:
    with pytest.raises(ModelError, match=sentence):
        lstm_core.trace(sequential(layers.LSTM(3)), x)


def test_one_sequence_without_a_batch_axis_is_a_batch_of_one() -> None:
    model = sequential(layers.LSTM(3))
    one = lstm_core.trace(model, X[0])
    np.testing.assert_array_equal(one.layers[0].h, lstm_core.trace(model, X[:1]).layers[0].h)
    assert one.output.shape == (1, 3)
    ids, x = networks.build("imdb_bilstm")
    assert lstm_core.trace(ids, list(x[0])).output.shape == (1, 1)


OTHER_BACKEND = """
import json, keras
from tests.tracing import networks
import lstm_core
done = []
for name in ("stateful", "two_inputs"):  # states, masks; the trace compares itself with Keras
    done.append(len(lstm_core.trace(*networks.build(name)).layers))
print(json.dumps([keras.backend.backend(), done]))
"""


def test_the_other_backend() -> None:
    other = "tensorflow" if keras.backend.backend() == "jax" else "jax"
    environment = {**os.environ, "KERAS_BACKEND": other, "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(
        [sys.executable, "-c", OTHER_BACKEND], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=280
    )
    assert run.returncode == 0, run.stderr[-2000:]
    backend, done = json.loads(run.stdout.splitlines()[-1])
    assert backend == other
    assert done == [2, 2]
