"""Traces against Keras's own layers, clamps against layers whose weights were altered, refusals.

Keras is the independent witness: random layers, masks and states are drawn by hypothesis, and a
trace must give what the layer gives. Single steps worked out by hand are in test_cells.py.
"""

import copy
import math
import pickle
import warnings
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.errors import ModelError
from lstm_core.nn.cells import sigmoid
from lstm_core.nn.clamps import SIGNALS
from lstm_core.nn.trace import PARTS, Clamp, LayerTrace, trace
from lstm_core.nn.weights import weights_of

LAYERS = {"lstm": keras.layers.LSTM, "gru": keras.layers.GRU, "rnn": keras.layers.SimpleRNN}
KINDS = list(LAYERS)
JAX = keras.backend.backend() == "jax"

# JAX compiles anew for every shape, so it sees fewer of the same examples.
thoroughly = settings(deadline=None, max_examples=6 if JAX else 15, derandomize=True, database=None)


def array(tensor: Any) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


def close(computed: Any, expected: Any, tolerance: float = 1e-5) -> None:
    np.testing.assert_allclose(computed, array(expected), rtol=tolerance, atol=tolerance)


def built(layer: keras.Layer, features: int, seed: int = 0) -> keras.Layer:
    """The layer, built, with random numbers in all its weights, biases included."""
    rng = np.random.default_rng(seed)
    layer.build((1, None, features))
    layer.set_weights([rng.normal(0, 0.6, weight.shape) for weight in layer.get_weights()])
    return layer


def make(kind: str, units: int = 3, features: int = 2, seed: int = 0, **options: Any) -> keras.Layer:
    options = {"return_sequences": True, "return_state": True, "name": "reader"} | options
    return built(LAYERS[kind](units, **options), features, seed)


def sequence(length: int = 7, features: int = 2, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(length, features)).astype(np.float32)


def final_states(found: LayerTrace) -> list[np.ndarray]:
    return [found.h[-1], found.c[-1]] if found.kind == "lstm" else [found.h[-1]]


# --- Against Keras -------------------------------------------------------------------------------


@dataclass
class Case:
    """One random layer's options, and what it reads."""

    units: int
    options: dict[str, Any]
    x: np.ndarray  # (T, features)
    mask: np.ndarray | None  # (T,)
    states: list[np.ndarray] | None  # each (units,)
    seed: int

    def ask(self, layer: keras.Layer) -> Any:
        """What Keras answers; it takes batches, so everything gets a first axis."""
        given_states = None if self.states is None else [state[None] for state in self.states]
        mask = None if self.mask is None else self.mask[None]
        return layer(self.x[None], mask=mask, initial_state=given_states)

    def trace(self, layer: keras.Layer) -> Any:
        return trace(layer, self.x, mask=self.mask, initial_state=self.states)


@st.composite
def cases(draw: st.DrawFn, kind: str, directions: int = 1) -> Case:
    units, features, length = draw(st.integers(1, 6)), draw(st.integers(1, 5)), draw(st.integers(1, 5))
    seed = draw(st.integers(0, 10_000))
    rng = np.random.default_rng(seed)
    options: dict[str, Any] = {
        "use_bias": draw(st.booleans()),
        "activation": draw(st.sampled_from(["tanh", "relu", "softsign", "linear", "gelu"])),
        "unroll": draw(st.booleans()),
    }
    if kind != "rnn":
        options["recurrent_activation"] = draw(st.sampled_from(["sigmoid", "hard_sigmoid"]))
    if kind == "gru":
        options["reset_after"] = draw(st.booleans())
    if kind == "lstm":
        options["unit_forget_bias"] = draw(st.booleans())
    mask = draw(st.none() | st.lists(st.booleans(), min_size=length, max_size=length).map(np.array))
    states = None
    if draw(st.booleans()):
        count = directions * (2 if kind == "lstm" else 1)
        states = [rng.normal(size=units).astype(np.float32) for _ in range(count)]
    if directions == 1:
        options["go_backwards"] = draw(st.booleans())
        if JAX and mask is not None and states is not None:
            # Before the first step taken, Keras's loops output zeros; only its JAX scan gives the initial state.
            options["unroll"] = True
    elif mask is not None:
        # Keras's unrolled loops get zero_output_for_mask wrong: TensorFlow's reads the mask in
        # text order where the layer reads backwards, JAX's forgets the setting.
        options["unroll"] = False
    x = rng.normal(size=(length, features)).astype(np.float32)
    return Case(units, options, x, mask, states, seed)


@pytest.mark.parametrize("kind", KINDS)
@thoroughly
@given(data=st.data())
def test_outputs_and_final_states_equal_keras(kind, data):
    case = data.draw(cases(kind))
    layer = make(kind, case.units, case.x.shape[1], case.seed, **case.options)
    output, *states = case.ask(layer)
    found = case.trace(layer)
    assert (found.kind, found.name, len(found), found.units) == (kind, "reader", len(case.x), case.units)
    assert found.outputs.dtype == np.float32
    close(found.outputs[None], output)
    for computed, expected in zip(final_states(found), states, strict=True):
        close(computed[None], expected)
    if case.mask is None or case.mask.all():
        assert np.array_equal(found.outputs, found.h)


@pytest.mark.parametrize("kind", KINDS)
@thoroughly
@given(data=st.data(), merge_mode=st.sampled_from(["concat", "sum", "ave", "mul", None]))
def test_bidirectional_equals_keras(kind, data, merge_mode):
    case = data.draw(cases(kind, directions=2))
    inner = LAYERS[kind](case.units, return_sequences=True, return_state=True, **case.options)
    layer = built(keras.layers.Bidirectional(inner, merge_mode=merge_mode), case.x.shape[1], case.seed)
    answer = list(case.ask(layer))
    found = case.trace(layer)
    if merge_mode is None:
        ahead, back, *states = answer
        assert isinstance(found.outputs, tuple)
        close(found.outputs[0][None], ahead)
        close(found.outputs[1][None], back)
    else:
        merged, *states = answer
        close(found.outputs[None], merged)
    for computed, expected in zip(final_states(found.forward) + final_states(found.backward), states, strict=True):
        close(computed[None], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_bidirectional_with_unlike_halves(kind):
    halves = LAYERS[kind](2, return_sequences=True), LAYERS["rnn"](3, return_sequences=True, go_backwards=True)
    layer = built(keras.layers.Bidirectional(halves[0], backward_layer=halves[1]), 2)
    found = trace(layer, sequence())
    assert (found.forward.kind, found.backward.kind) == (kind, "rnn")
    close(found.outputs[None], layer(sequence()[None]))


def test_bidirectional_whose_forward_layer_reads_backwards():
    halves = (LAYERS["gru"](2, return_sequences=True, go_backwards=backwards) for backwards in (True, False))
    layer = built(keras.layers.Bidirectional(next(halves), backward_layer=next(halves)), 2)
    close(trace(layer, sequence()).outputs[None], layer(sequence()[None]))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", [None, [1, 1, 0, 1, 1, 0, 0], [0, 0, 1, 1, 1, 1, 1]])
@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"zero_output_for_mask": True}], ids=str)
def test_the_last_output_is_the_layers_without_return_sequences(kind, mask, options):
    layer = make(kind, return_sequences=False, return_state=False, **options)
    expected = layer(sequence()[None], mask=None if mask is None else np.array(mask, bool)[None])
    close(trace(layer, sequence(), mask=mask).outputs[-1][None], expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("mask", [None, [1, 1, 0, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 1]])
def test_bidirectional_without_return_sequences(kind, mask):
    layer = built(keras.layers.Bidirectional(LAYERS[kind](3)), 2)
    expected = layer(sequence()[None], mask=None if mask is None else np.array(mask, bool)[None])
    found = trace(layer, sequence(), mask=mask)
    close(np.concatenate([found.forward.outputs[-1], found.backward.outputs[-1]])[None], expected)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_zero_output_for_mask(kind, go_backwards):
    layer = make(kind, zero_output_for_mask=True, go_backwards=go_backwards)
    mask = np.array([1, 0, 1, 0, 0, 1, 0], bool)
    output, *states = layer(sequence()[None], mask=mask[None])
    found = trace(layer, sequence(), mask=mask)
    close(found.outputs[None], output)
    assert not found.outputs[~found.mask].any()
    for computed, expected in zip(final_states(found), states, strict=True):
        close(computed[None], expected)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_is_off(kind):
    layer = make(kind, dropout=0.5, recurrent_dropout=0.5)
    close(trace(layer, sequence()).outputs[None], layer(sequence()[None])[0])


@pytest.mark.parametrize("kind", KINDS)
def test_all_masked(kind):
    states = [np.full(3, 0.5, np.float32)] * (2 if kind == "lstm" else 1)
    found = trace(make(kind), sequence(), mask=np.zeros(7, bool), initial_state=states)
    assert not found.outputs.any()
    assert all((state == 0.5).all() for state in final_states(found))


@pytest.mark.parametrize("kind", KINDS)
def test_masked_steps_carry_the_states_over(kind):
    mask = np.array([0, 1, 1, 0, 0, 1, 1], bool)
    layer = make(kind)
    found = trace(layer, sequence(), mask=mask)
    shorter = trace(layer, sequence()[mask])
    close(found.h[mask], shorter.h, 1e-6)
    assert np.array_equal(found.h[0], np.zeros(3))
    assert np.array_equal(found.h[3], found.h[2])
    assert np.array_equal(found.h[4], found.h[2])
    assert np.array_equal(found.mask, mask)


PUBLISHED = [  # keras/src/layers/rnn/lstm_test.py, test_correctness: the last h, alike in all units
    ({}, (0.6288687, 0.86899155, 0.9460773)),
    ({"go_backwards": True}, (0.35622165, 0.74789524, 0.8872726)),
    ({"unroll": True}, (0.6288687, 0.86899155, 0.9460773)),
    ({"unit_forget_bias": False}, (0.57019705, 0.8661914, 0.9459622)),
    ({"use_bias": False}, (0.54986924, 0.86226785, 0.9443936)),
]


@pytest.mark.parametrize(("options", "expected"), PUBLISHED, ids=str)
def test_numbers_that_keras_publishes(options, expected):
    constant = keras.initializers.Constant
    layer = keras.layers.LSTM(
        3,
        kernel_initializer=constant(0.01),
        recurrent_initializer=constant(0.02),
        bias_initializer=constant(0.03),
        **options,
    )
    layer.build((3, 6, 4))  # with unit_forget_bias, Keras starts the forget gate's bias at 1
    for x, last in zip(np.arange(72).reshape(3, 6, 4), expected, strict=True):
        close(trace(layer, x).h[-1], np.full(3, last))


# --- Gates, states and sums ----------------------------------------------------------------------

CELLS = {"lstm": keras.layers.LSTMCell, "gru": keras.layers.GRUCell, "rnn": keras.layers.SimpleRNNCell}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("go_backwards", [False, True])
def test_states_equal_a_stepped_keras_cell(kind, go_backwards):
    layer = make(kind, go_backwards=go_backwards)
    cell = CELLS[kind](3)
    cell.build((1, 2))
    cell.set_weights(layer.get_weights())
    found = trace(layer, sequence())
    states = [np.zeros((1, 3), np.float32)] * (2 if kind == "lstm" else 1)
    for row, t in enumerate(found.timesteps):
        _, states = cell(sequence()[None, t], states)
        close(found.h[row][None], states[0])
        if kind == "lstm":
            close(found.c[row][None], states[1])


def before(states: np.ndarray, start: np.ndarray) -> np.ndarray:
    """Row t of the result is the state before step t."""
    return np.concatenate([start[None], states[:-1]])


@pytest.mark.parametrize("options", [{}, {"go_backwards": True}, {"use_bias": False}], ids=str)
def test_lstm_equations_hold_in_every_row(options):
    start = [np.array([0.1, -0.2, 0.3], np.float32), np.array([0.5, -1, 2], np.float32)]
    layer = make("lstm", **options)
    found = trace(layer, sequence(), initial_state=start)
    h_before, c_before = before(found.h, start[0]), before(found.c, start[1])
    kernel, U, *bias = layer.get_weights()
    wx = sequence()[found.timesteps] @ kernel + (bias[0] if bias else 0)
    for n, gate in enumerate("ifgo"):
        columns = slice(3 * n, 3 * n + 3)
        close(found.input_sums[gate], wx[:, columns], 1e-6)
        close(found.recurrent_sums[gate], (h_before @ U)[:, columns], 1e-6)
        squash = np.tanh if gate == "g" else sigmoid
        close(found.signals[gate], squash(found.input_sums[gate] + found.recurrent_sums[gate]), 1e-6)
    close(found.c, found.f * c_before + found.i * found.g, 1e-6)
    close(found.h, found.o * np.tanh(found.c), 1e-6)


@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("use_bias", [True, False])
def test_gru_equations_hold_in_every_row(reset_after, use_bias):
    start = np.array([0.1, -0.2, 0.3], np.float32)
    layer = make("gru", reset_after=reset_after, use_bias=use_bias)
    found = trace(layer, sequence(), initial_state=start)
    h_before = before(found.h, start)
    kernel, U, *bias = layer.get_weights()
    input_bias, recurrent_bias = (bias[0] if reset_after else (bias[0], 0)) if bias else (0, 0)
    wx = sequence() @ kernel + input_bias
    uh = h_before @ U + recurrent_bias
    if not reset_after:
        uh[:, 6:] = (found.r * h_before) @ U[:, 6:]
    for n, gate in enumerate("zrg"):
        close(found.input_sums[gate], wx[:, 3 * n : 3 * n + 3], 1e-6)
        close(found.recurrent_sums[gate], uh[:, 3 * n : 3 * n + 3], 1e-6)
    sums = {gate: (found.input_sums[gate], found.recurrent_sums[gate]) for gate in "zrg"}
    close(found.z, sigmoid(sum(sums["z"])), 1e-6)
    close(found.r, sigmoid(sum(sums["r"])), 1e-6)
    close(found.g, np.tanh(sums["g"][0] + (found.r if reset_after else 1) * sums["g"][1]), 1e-6)
    close(found.h, found.z * h_before + (1 - found.z) * found.g, 1e-6)


def test_rnn_equations_hold_in_every_row():
    layer = make("rnn")
    found = trace(layer, sequence())
    kernel, U, bias = layer.get_weights()
    close(found.input_sums["h"], sequence() @ kernel + bias, 1e-6)
    close(found.recurrent_sums["h"], before(found.h, np.zeros(3)) @ U, 1e-6)
    close(found.h, np.tanh(found.input_sums["h"] + found.recurrent_sums["h"]), 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_trace_has_every_signal_and_both_sums(kind):
    found = trace(make(kind), sequence())
    assert tuple(found.signals) == SIGNALS[kind]
    assert tuple(found.input_sums) == tuple(found.recurrent_sums) == PARTS[kind]
    for values in (found.signals, found.input_sums, found.recurrent_sums):
        assert {(value.shape, value.dtype.name) for value in values.values()} == {((7, 3), "float32")}


@pytest.mark.parametrize("kind", KINDS)
def test_float64_layers_stay_float64(kind):
    layer = make(kind, dtype="float64")
    x = np.random.default_rng(5).normal(size=(7, 2))
    found = trace(layer, x)
    arrays = [*found.signals.values(), *found.input_sums.values(), *found.recurrent_sums.values(), found.outputs]
    assert {value.dtype.name for value in arrays} == {"float64"}
    # JAX computes in float32 whatever the layer says, unless it is started with x64.
    close(found.outputs[None], layer(x[None])[0], 1e-5 if JAX else 1e-12)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("clamps", [(), (Clamp("h", 0.5),)], ids=["free", "clamped"])
def test_no_timesteps(kind, clamps):
    found = trace(make(kind), np.zeros((0, 2)), mask=[], clamps=clamps)
    assert len(found) == 0
    for values in (found.signals, found.input_sums, found.recurrent_sums):
        assert {(value.shape, value.dtype.name) for value in values.values()} == {((0, 3), "float32")}
    assert found.outputs.shape == (0, 3)
    assert found.in_text_order().h.shape == (0, 3)
    both = trace(built(keras.layers.Bidirectional(LAYERS[kind](3)), 2), np.zeros((0, 2)))
    assert both.outputs.shape == (0, 6)


def test_what_a_trace_accepts():
    layer, x = make("gru"), sequence()
    state = np.array([[0.1, 0.2, 0.3]], np.float32)
    expected = trace(layer, x, mask=[1, 1, 1, 1, 0, 1, 1], initial_state=[state[0]]).h
    mask = np.array([[1, 1, 1, 1, 0, 1, 1]])
    for x_given in (x[None], x.tolist(), keras.ops.convert_to_tensor(x)):
        for state_given in (state, state[0], (state,), [keras.ops.convert_to_tensor(state)]):
            assert np.array_equal(trace(layer, x_given, mask=mask, initial_state=state_given).h, expected)


def test_large_sums_overflow_quietly():
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = trace(make("lstm"), 1000 * sequence())
    assert found.f.min() == 0
    assert found.f.max() == 1
    assert all(np.isfinite(value).all() for value in found.signals.values())


def test_weights_are_copied():
    layer = make("gru")
    weights = weights_of(layer)
    kernel = weights.kernel.copy()
    layer.set_weights([np.zeros_like(weight) for weight in layer.get_weights()])
    assert np.array_equal(weights.kernel, kernel)
    assert kernel.any()
    assert weights.units == 3


# --- Clamps --------------------------------------------------------------------------------------

# What a network's sum must be for its gate to come out at 0.3.
SUM_FOR = {gate: math.log(0.3 / 0.7) for gate in "ifozr"} | {"g": math.atanh(0.3)}


def altered(kind: str, gate: str, units: list[int], **options: Any) -> keras.Layer:
    """The layer of `make(kind)` with weights under which these units' gate is 0.3 for any input."""
    layer = make(kind, **options)
    weights = layer.get_weights()
    columns = [3 * PARTS[kind].index(gate) + unit for unit in units]
    for weight in weights:
        weight[..., columns] = 0
    bias = weights[2]
    (bias[0] if bias.ndim == 2 else bias)[columns] = SUM_FOR[gate]
    layer.set_weights(weights)
    return layer


@pytest.mark.parametrize("units", [[0, 1, 2], [1]])
@pytest.mark.parametrize(
    ("kind", "gate", "options"),
    [
        *[("lstm", gate, {}) for gate in "ifgo"],
        *[("gru", gate, {"reset_after": reset_after}) for gate in "zrg" for reset_after in (True, False)],
        ("lstm", "f", {"go_backwards": True}),
    ],
)
def test_a_clamped_gate_equals_a_keras_layer_with_that_gate_forced(kind, gate, options, units):
    start = [np.array([0.5, -1, 2], np.float32)] * (2 if kind == "lstm" else 1)
    found = trace(make(kind, **options), sequence(), initial_state=start, clamps=[Clamp(gate, 0.3, units=units)])
    forced = altered(kind, gate, units, **options)
    output, *states = forced(sequence()[None], initial_state=[state[None] for state in start])
    close(found.outputs[None], output)
    for computed, expected in zip(final_states(found), states, strict=True):
        close(computed[None], expected)
    # The clamp alone must not be what makes it so.
    assert np.abs(found.outputs - trace(make(kind, **options), sequence(), initial_state=start).outputs).max() > 1e-3


def test_f_1_and_i_0_keep_the_cell_state():
    start = [np.zeros(3, np.float32), np.array([0.5, -1, 2], np.float32)]
    found = trace(make("lstm"), sequence(), initial_state=start, clamps=[Clamp("f", 1), Clamp("i", 0)])
    assert np.array_equal(found.c, np.tile(start[1], (7, 1)))
    assert (found.f == 1).all()
    assert (found.i == 0).all()
    assert len(np.unique(found.h[:, 0])) == 7  # o still opens and closes


def test_o_0_makes_h_zero_but_not_c():
    found = trace(make("lstm"), sequence(), clamps=[Clamp("o", 0)])
    assert not found.h.any()
    assert not found.outputs.any()
    assert found.c.all()


@pytest.mark.parametrize("kind", KINDS)
def test_h_clamped_to_0_leaves_nothing_recurrent(kind):
    found = trace(make(kind, use_bias=False), sequence(), clamps=[Clamp("h", 0)])
    assert not any(sums.any() for sums in found.recurrent_sums.values())
    one_by_one = [trace(make(kind, use_bias=False), x[None]) for x in sequence()]
    for gate in PARTS[kind]:
        if gate != "h":
            close(found.signals[gate], np.concatenate([alone.signals[gate] for alone in one_by_one]), 1e-6)


def test_a_clamped_c_affects_h():
    found = trace(make("lstm"), sequence(), clamps=[Clamp("c", 0.8)])
    assert (found.c == np.float32(0.8)).all()
    close(found.h, found.o * math.tanh(0.8), 1e-6)


def test_gru_z_1_keeps_h():
    start = np.array([0.5, -0.25, 2], np.float32)
    found = trace(make("gru"), sequence(), initial_state=start, clamps=[Clamp("z", 1)])
    assert np.array_equal(found.h, np.tile(start, (7, 1)))


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_r_0_removes_the_recurrent_sum_of_the_candidate(reset_after):
    found = trace(make("gru", reset_after=reset_after), sequence(), initial_state=np.ones(3), clamps=[Clamp("r", 0)])
    close(found.g, np.tanh(found.input_sums["g"]), 1e-6)
    assert found.recurrent_sums["z"].any()


def test_rnn_h_clamped():
    layer = make("rnn")
    found = trace(layer, sequence(), clamps=[Clamp("h", 0.5)])
    assert (found.h == 0.5).all()
    close(found.recurrent_sums["h"][1:], np.tile(np.full(3, 0.5) @ layer.get_weights()[1], (6, 1)), 1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_no_clamp_and_a_clamp_on_nothing_change_nothing(kind):
    free = trace(make(kind), sequence())
    for clamps in ([], [Clamp("h", 9, units=[])], [Clamp("h", 9, timesteps=())], iter(())):
        found = trace(make(kind), sequence(), clamps=clamps)
        for name, value in free.signals.items():
            assert np.array_equal(found.signals[name], value)


SITES = [("lstm", gate) for gate in "ifgoch"] + [("gru", gate) for gate in "zrgh"] + [("rnn", "h")]


@pytest.mark.parametrize(("kind", "gate"), SITES)
def test_a_clamp_touches_its_unit_at_its_step_and_what_follows(kind, gate):
    layer, x = make(kind), sequence()
    free, found = trace(layer, x), trace(layer, x, clamps=[Clamp(gate, 0.375, units=[1], timesteps=[3])])
    order = SIGNALS[kind]
    for name in order:
        assert np.array_equal(found.signals[name][:3], free.signals[name][:3])  # earlier steps
        assert np.array_equal(found.signals[name][3, [0, 2]], free.signals[name][3, [0, 2]])  # other units
        if order.index(name) < order.index(gate):
            assert np.array_equal(found.signals[name][3], free.signals[name][3])  # earlier in the equations
    assert found.signals[gate][3, 1] == 0.375
    assert free.signals[gate][3, 1] != 0.375
    for gate_sums in (found.input_sums, found.recurrent_sums):  # the sums say what the network wanted
        free_sums = free.input_sums if gate_sums is found.input_sums else free.recurrent_sums
        assert all(np.array_equal(gate_sums[part][:4], free_sums[part][:4]) for part in PARTS[kind])
    # From there on it is the layer itself, going on from the states it was left in.
    states = [found.h[3], found.c[3]] if kind == "lstm" else [found.h[3]]
    rest = trace(layer, x[4:], initial_state=states)
    for name, value in rest.signals.items():
        close(found.signals[name][4:], value, 1e-6)
    assert (found.h[4:] != free.h[4:]).any()


def test_clamps_on_units_and_timesteps_cross():
    found = trace(make("lstm"), sequence(), clamps=[Clamp("f", 0.375, units=(0, 2), timesteps=range(2, 5))])
    expected = np.zeros((7, 3), bool)
    expected[2:5, [0, 2]] = True
    assert np.array_equal(found.f == 0.375, expected)


def test_scalars_name_one_unit_and_one_timestep():
    found = trace(make("lstm"), sequence(), clamps=[Clamp("f", 0.375, units=2, timesteps=0)])
    assert np.argwhere(found.f == 0.375).tolist() == [[0, 2]]


def test_a_later_clamp_wins_where_both_hold():
    clamps = [Clamp("f", 0.25), Clamp("i", 0.5), Clamp("f", 0.75, units=1), Clamp("f", 0.125, timesteps=6)]
    found = trace(make("lstm"), sequence(), clamps=clamps)
    expected = np.full((7, 3), 0.25)
    expected[:, 1] = 0.75
    expected[6] = 0.125
    assert np.array_equal(found.f, expected)
    assert (found.i == 0.5).all()


def test_clamps_name_timesteps_of_the_input_whichever_way_the_layer_reads():
    found = trace(make("lstm", go_backwards=True), sequence(), clamps=[Clamp("f", 0.375, timesteps=[0, 1])])
    assert np.flatnonzero((found.f == 0.375).all(axis=1)).tolist() == [5, 6]
    assert np.flatnonzero((found.in_text_order().f == 0.375).all(axis=1)).tolist() == [0, 1]


@pytest.mark.parametrize("as_given", [tuple, iter], ids=["tuple", "iterator"])
def test_a_bidirectional_layer_clamps_both_directions(as_given):
    layer = built(keras.layers.Bidirectional(LAYERS["lstm"](3)), 2)
    found = trace(layer, sequence(), clamps=as_given([Clamp("o", 0.375, timesteps=0)]))
    assert (found.forward.o[0] == 0.375).all()
    assert (found.backward.o[6] == 0.375).all()
    assert (found.backward.o[:6] != 0.375).all()


def test_a_clamp_does_not_undo_a_mask():
    mask = np.array([1, 1, 0, 1, 1, 1, 1], bool)
    found = trace(make("lstm"), sequence(), mask=mask, clamps=[Clamp("h", 0.5, timesteps=2)])
    assert np.array_equal(found.h, trace(make("lstm"), sequence(), mask=mask).h)


# --- Refusals ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "clamp", "sentence"),
    [
        ("lstm", Clamp("z"), r"^Layer 'reader' \(lstm\) has no 'z' to clamp; it has i, f, g, o, c, h\.$"),
        ("gru", Clamp("f"), r"^Layer 'reader' \(gru\) has no 'f' to clamp; it has z, r, g, h\.$"),
        ("rnn", Clamp("c"), r"^Layer 'reader' \(rnn\) has no 'c' to clamp; it has h\.$"),
        ("lstm", Clamp("f", units=3), r"^A clamp names unit 3…3; there are 0…2\.$"),
        ("lstm", Clamp("f", units=[0, -1]), r"^A clamp names unit -1…0; there are 0…2\.$"),
        ("lstm", Clamp("f", timesteps=[6, 7]), r"^A clamp names timestep 6…7; there are 0…6\.$"),
        ("lstm", Clamp("f", layer=1), r"^A clamp names layer 1; .*'reader'"),
    ],
)
def test_clamps_that_fit_nothing_are_refused(kind, clamp, sentence):
    with pytest.raises(ValueError, match=sentence):
        trace(make(kind), sequence(), clamps=[clamp])


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_clamp_needs_a_finite_value(value):
    with pytest.raises(ValueError, match=f"^A clamp needs a finite value; received {value}"):
        Clamp("f", value)


class OwnCall(keras.layers.LSTM):
    def call(self, sequences: Any, **options: Any) -> Any:
        return super().call(sequences * 2, **options)


def bidirectional(**options: Any) -> keras.Layer:
    return keras.layers.Bidirectional(LAYERS["lstm"](3, name="reader", **options))


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (lambda: LAYERS["lstm"](3, name="reader"), "Layer 'reader' is not built yet"),
        (bidirectional, "Layer 'forward_reader' is not built yet"),
        (lambda: make("gru", stateful=True), "Layer 'reader' has stateful=True"),
        (lambda: built(bidirectional(stateful=True), 2), "Layer 'forward_reader' has stateful=True"),
        (lambda: make("lstm", activation="softmax"), "Layer 'reader' has activation='softmax'"),
        (lambda: make("gru", recurrent_activation="softmax"), "Layer 'reader' has recurrent_activation='softmax'"),
        (lambda: make("rnn", activation=np.tanh), "Layer 'reader' has activation='tanh'"),
        (lambda: built(keras.layers.Dense(3, name="answer"), 2), "Layer 'answer' is a Dense; only LSTM, GRU"),
        (lambda: keras.layers.RNN(keras.layers.LSTMCell(3), name="reader"), "Layer 'reader' is a RNN"),
        (lambda: keras.layers.ConvLSTM1D(3, 2, name="reader"), "Layer 'reader' is a ConvLSTM1D"),
        (
            lambda: keras.layers.Bidirectional(keras.layers.RNN(keras.layers.LSTMCell(3), name="reader")),
            "Layer 'forward_reader' is a RNN",
        ),
        (lambda: built(OwnCall(3, name="reader"), 2), "Layer 'reader' has its own `call`"),
        (lambda: "lstm", "Layer '\\?' is a str"),
    ],
)
def test_layers_that_cannot_be_traced_are_refused(layer, sentence):
    with pytest.raises(ModelError, match=f"^{sentence}"):
        trace(layer(), sequence())


@pytest.mark.parametrize("shape", [(7,), (7, 3), (2, 7, 2), (1, 7, 3), (0,), ()])
def test_an_input_of_the_wrong_shape_is_refused(shape):
    with pytest.raises(ValueError, match=r"^Layer 'reader' reads one sequence of shape \(T, 2\); received \("):
        trace(make("lstm"), np.zeros(shape))


@pytest.mark.parametrize("length", [0, 6, 8])
def test_a_mask_of_the_wrong_length_is_refused(length):
    with pytest.raises(ValueError, match=rf"one entry a timestep: 7, received {length}\.$"):
        trace(make("lstm"), sequence(), mask=np.ones(length, bool))


@pytest.mark.parametrize(
    ("kind", "states", "sentence"),
    [
        ("lstm", [np.zeros(3)], r"starts from 2 state\(s\) of 3 units; received shapes \[\(3,\)\]"),
        ("lstm", np.zeros(3), r"starts from 2 state\(s\) of 3 units"),
        ("lstm", [np.zeros(3), np.zeros(2)], r"starts from 2 state\(s\) .* \[\(3,\), \(2,\)\]"),
        ("gru", [np.zeros(3), np.zeros(3)], r"starts from 1 state\(s\) of 3 units"),
        ("rnn", np.zeros((2, 3)), r"starts from 1 state\(s\) of 3 units; received shapes \[\(2, 3\)\]"),
    ],
)
def test_initial_states_that_do_not_fit_are_refused(kind, states, sentence):
    with pytest.raises(ValueError, match=f"^Layer 'reader' {sentence}"):
        trace(make(kind), sequence(), initial_state=states)


@pytest.mark.parametrize("count", [1, 3])
def test_a_bidirectional_layer_needs_initial_states_for_both_directions(count):
    layer = built(keras.layers.Bidirectional(LAYERS["gru"](3), name="both"), 2)
    with pytest.raises(ValueError, match=rf"^Layer 'both' .* two directions.* received {count}"):
        trace(layer, sequence(), initial_state=[np.ones(3)] * count)


# --- The trace as an object ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_in_text_order_turns_every_row_around(kind):
    mask = np.array([1, 0, 1, 1, 1, 1, 1], bool)
    found = trace(make(kind, go_backwards=True), sequence(), mask=mask)
    turned = found.in_text_order()
    assert found.timesteps.tolist() == [6, 5, 4, 3, 2, 1, 0]
    assert turned.timesteps.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert np.array_equal(turned.mask, mask)
    for values, rows in zip(
        (turned.signals, turned.input_sums, turned.recurrent_sums),
        (found.signals, found.input_sums, found.recurrent_sums),
        strict=True,
    ):
        assert all(np.array_equal(values[name], rows[name][::-1]) for name in rows)
    assert np.array_equal(turned.outputs, found.outputs[::-1])
    assert np.array_equal(turned.h, found.h[::-1])
    assert (turned.kind, turned.name) == (kind, "reader")
    assert np.array_equal(turned.in_text_order().h, turned.h)


def test_in_text_order_leaves_a_forward_layer_as_it_is():
    found = trace(make("lstm"), sequence())
    assert np.array_equal(found.in_text_order().f, found.f)


@pytest.mark.parametrize(("kind", "missing"), [("lstm", "z"), ("gru", "f"), ("rnn", "c"), ("lstm", "no_such")])
def test_a_signal_that_the_kind_lacks_is_an_attribute_error(kind, missing):
    found = trace(make(kind), sequence())
    assert not hasattr(found, missing)
    with pytest.raises(AttributeError, match=f"a trace of kind '{kind}' has no signal '{missing}'"):
        getattr(found, missing)


@pytest.mark.parametrize(
    "duplicate",
    [copy.copy, copy.deepcopy, lambda found: pickle.loads(pickle.dumps(found))],
    ids=["copy", "deep", "pickle"],
)
def test_a_trace_can_be_copied_and_pickled(duplicate):
    found = trace(make("lstm", go_backwards=True), sequence())
    twin = duplicate(found)
    assert (twin.kind, twin.name, len(twin)) == ("lstm", "reader", 7)
    assert np.array_equal(twin.f, found.f)
    assert np.array_equal(twin.in_text_order().outputs, found.outputs[::-1])
    assert not hasattr(twin, "z")
