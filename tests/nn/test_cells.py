"""One step of each cell against numbers worked out by hand with `math`, and the hook.

Whole sequences, and the comparison with Keras, are in test_trace.py.
"""

import math

import numpy as np
import pytest

from lstm_core.nn.cells import gru_step, identity_hook, lstm_sequence, lstm_step, rnn_step, sigmoid


def squash(z: float) -> float:
    return 1 / (1 + math.exp(-z))


def close(*values):
    return pytest.approx(values, abs=1e-12)


class Replacing:
    """A hook that replaces signals by the values it was made with, and records the order of its calls."""

    def __init__(self, **values: float):
        self.values = values
        self.calls: list[str] = []

    def __call__(self, signal, value):
        self.calls.append(signal)
        return np.full_like(value, self.values[signal]) if signal in self.values else value


def test_sigmoid():
    values = sigmoid(np.array([-2.0, 0.0, 0.7]))
    assert values == close(squash(-2), 0.5, squash(0.7))
    with np.errstate(over="ignore"):
        assert sigmoid(np.array([-1000, 1000], np.float32)).tolist() == [0, 1]


def test_the_identity_hook_changes_nothing():
    value = np.array([0.25])
    assert identity_hook("f", value) is value


# --- Plain RNN -----------------------------------------------------------------------------------


def test_rnn_step_by_hand():
    step = rnn_step(np.array([0.3]), np.array([0.5]), np.array([[-0.4]]))
    assert step.uh == close(-0.2)
    assert step.h == close(math.tanh(0.3 - 0.2))


def test_rnn_step_multiplies_the_state_from_the_left():
    U = np.array([[0.0, 1.0], [0.0, 0.0]])  # unit 1 listens to unit 0, and not the other way round
    step = rnn_step(np.zeros(2), np.array([0.5, 0.25]), U)
    assert step.uh == close(0, 0.5)
    assert step.h == close(0, math.tanh(0.5))


def test_rnn_step_with_another_activation():
    step = rnn_step(np.array([0.3]), np.array([0.5]), np.array([[-1.0]]), lambda z: np.maximum(z, 0))
    assert step.h == close(0)


def test_rnn_hook():
    hook = Replacing(h=0.9)
    step = rnn_step(np.array([0.3]), np.array([0.5]), np.array([[-0.4]]), hook=hook)
    assert hook.calls == ["h"]
    assert step.h == close(0.9)
    assert step.uh == close(-0.2)


# --- GRU -----------------------------------------------------------------------------------------

GRU_WX = np.array([0.1, -0.2, 0.3])  # z, r, g
GRU_U = np.array([[0.5, -0.6, 0.7]])
GRU_H = np.array([0.4])


def test_gru_step_reset_after_by_hand():
    step = gru_step(GRU_WX, GRU_H, GRU_U, np.array([0.01, 0.02, 0.03]))
    z = squash(0.1 + 0.4 * 0.5 + 0.01)
    r = squash(-0.2 + 0.4 * -0.6 + 0.02)
    g = math.tanh(0.3 + r * (0.4 * 0.7 + 0.03))  # r multiplies the recurrent bias too
    assert step.uh == close(0.21, -0.22, 0.31)
    assert (step.z[0], step.r[0], step.g[0]) == close(z, r, g)
    assert step.h == close(z * 0.4 + (1 - z) * g)


def test_gru_step_reset_before_by_hand():
    step = gru_step(GRU_WX, GRU_H, GRU_U, reset_after=False)
    z = squash(0.1 + 0.4 * 0.5)
    r = squash(-0.2 + 0.4 * -0.6)
    g = math.tanh(0.3 + (r * 0.4) * 0.7)
    assert step.uh == close(0.2, -0.24, r * 0.4 * 0.7)
    assert (step.z[0], step.r[0], step.g[0]) == close(z, r, g)
    assert step.h == close(z * 0.4 + (1 - z) * g)


def test_gru_reset_before_and_after_differ_with_two_units():
    # With one unit and no bias both forms are the same; across units r is taken from elsewhere.
    U = np.array([[0, 0, 0, 0, 0, 1], [0, 0, 0, 0, 0, 0]], float)  # g of unit 1 listens to unit 0
    wx = np.array([0, 0, 2, -2, 0, 0], float)
    h = np.array([0.5, 0.0])
    after, before = (gru_step(wx, h, U, reset_after=reset_after) for reset_after in (True, False))
    assert after.g == close(0, math.tanh(squash(-2) * 0.5))  # the listener's own reset gate
    assert before.g == close(0, math.tanh(squash(2) * 0.5))  # the gate of the unit listened to


@pytest.mark.parametrize("reset_after", [True, False])
def test_gru_hook(reset_after):
    hook = Replacing(z=0.25, r=0.0)
    step = gru_step(GRU_WX, GRU_H, GRU_U, reset_after=reset_after, hook=hook)
    assert hook.calls == ["z", "r", "g", "h"]
    assert step.g == close(math.tanh(0.3))  # a closed reset gate leaves the input alone
    assert step.h == close(0.25 * 0.4 + 0.75 * math.tanh(0.3))

    held = gru_step(GRU_WX, GRU_H, GRU_U, reset_after=reset_after, hook=Replacing(g=0.5, h=0.125))
    assert (held.g[0], held.h[0]) == (0.5, 0.125)


# --- LSTM ----------------------------------------------------------------------------------------

LSTM_WX = np.array([0.1, 0.2, -0.3, 0.4])  # i, f, g, o
LSTM_U = np.array([[0.5, -0.6, 0.7, -0.8]])
LSTM_H, LSTM_C = np.array([0.4]), np.array([-0.9])


def test_lstm_step_by_hand():
    step = lstm_step(LSTM_WX, LSTM_H, LSTM_C, LSTM_U)
    i = squash(0.1 + 0.4 * 0.5)
    f = squash(0.2 + 0.4 * -0.6)
    g = math.tanh(-0.3 + 0.4 * 0.7)
    o = squash(0.4 + 0.4 * -0.8)
    c = f * -0.9 + i * g
    assert step.uh == close(0.2, -0.24, 0.28, -0.32)
    assert (step.i[0], step.f[0], step.g[0], step.o[0]) == close(i, f, g, o)
    assert step.c == close(c)
    assert step.h == close(o * math.tanh(c))


def test_lstm_step_reads_its_weights_in_the_order_i_f_g_o():
    wx = np.array([1, 2, 3, 4, 0.5, 0.6, -1, -2], float)  # two units
    step = lstm_step(wx, np.zeros(2), np.zeros(2), np.zeros((2, 8)))
    assert step.i == close(squash(1), squash(2))
    assert step.f == close(squash(3), squash(4))
    assert step.g == close(math.tanh(0.5), math.tanh(0.6))
    assert step.o == close(squash(-1), squash(-2))


def test_lstm_step_with_other_activations():
    step = lstm_step(LSTM_WX, LSTM_H, LSTM_C, LSTM_U, sigma=lambda z: np.clip(z / 6 + 0.5, 0, 1), tanh=lambda z: 2 * z)
    i, f, g, o = 0.3 / 6 + 0.5, -0.04 / 6 + 0.5, 2 * -0.02, 0.08 / 6 + 0.5
    assert (step.i[0], step.f[0], step.g[0], step.o[0]) == close(i, f, g, o)
    assert step.h == close(o * 2 * (f * -0.9 + i * g))


def test_an_lstm_hook_affects_later_signals():
    hook = Replacing(f=1.0, i=0.0, o=0.5)
    step = lstm_step(LSTM_WX, LSTM_H, LSTM_C, LSTM_U, hook=hook)
    assert hook.calls == ["i", "f", "g", "o", "c", "h"]
    assert step.c == close(-0.9)  # kept
    assert step.h == close(0.5 * math.tanh(-0.9))
    assert step.g == close(math.tanh(-0.02))  # untouched
    assert step.uh == close(0.2, -0.24, 0.28, -0.32)  # what the network wanted stays visible

    held = lstm_step(LSTM_WX, LSTM_H, LSTM_C, LSTM_U, hook=Replacing(c=0.75))
    assert held.c == close(0.75)
    assert held.h == close(squash(0.08) * math.tanh(0.75))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_steps_keep_the_precision_they_are_given(dtype):
    vector = lambda *values: np.array(values, dtype)  # noqa: E731
    steps = (
        rnn_step(vector(0.3), vector(0.5), vector(0.1)[None]),
        gru_step(vector(*GRU_WX), vector(0.4), GRU_U.astype(dtype)),
        gru_step(vector(*GRU_WX), vector(0.4), GRU_U.astype(dtype), reset_after=False),
        lstm_step(vector(*LSTM_WX), vector(0.4), vector(-0.9), LSTM_U.astype(dtype)),
    )
    for step in steps:
        assert {value.dtype for value in step} == {np.dtype(dtype)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("length", [0, 1, 9])
def test_a_sequence_equals_its_steps_to_the_last_bit(dtype: type, length: int) -> None:
    rng = np.random.default_rng(3)
    wx, U = rng.normal(0, 3, (length, 20)).astype(dtype), rng.normal(size=(5, 20)).astype(dtype)
    h, c = rng.normal(size=(2, 5)).astype(dtype)
    found = lstm_sequence(wx, h, c, U)
    assert all(values.dtype == dtype for values in found.values())
    for t in range(length):
        step = lstm_step(wx[t], h, c, U)
        for name, value in step._asdict().items():
            np.testing.assert_array_equal(found[name][t], value)
        h, c = step.h, step.c
