"""Every activation that can be traced against Keras's own of that name, and what is refused."""

import keras
import numpy as np
import pytest

from lstm_core.errors import ModelError
from lstm_core.nn import activations

VALUES = np.concatenate([np.linspace(-12, 12, 2401), [-90, -50, -30, -1e-4, 1e-4, 30, 50, 88]]).astype(np.float32)


@pytest.mark.parametrize("name", sorted(activations.ELEMENTWISE))
def test_equals_keras(name):
    expected = keras.ops.convert_to_numpy(getattr(keras.activations, name)(VALUES))
    with np.errstate(over="ignore"):  # e^90 is inf, and 1 / (1 + inf) the right answer
        computed = activations.ELEMENTWISE[name](VALUES)
    assert computed.dtype == np.float32
    np.testing.assert_allclose(computed, expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", sorted(activations.ELEMENTWISE))
def test_keeps_float64_and_the_shape(name):
    z = np.linspace(-3, 3, 12).reshape(3, 4)
    computed = activations.ELEMENTWISE[name](z)
    assert (computed.shape, computed.dtype) == ((3, 4), np.float64)
    np.testing.assert_allclose(computed, activations.ELEMENTWISE[name](z.astype(np.float32)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", sorted(activations.ELEMENTWISE))
def test_looked_up_from_a_setting(name):
    found = activations.by_name(name, "reader", "activation")
    assert found is activations.ELEMENTWISE[name]


def test_none_means_linear_and_swish_means_silu_as_in_keras():
    for given, name in ((None, "linear"), ("swish", "silu")):
        setting = keras.layers.Dense(1, activation=given).get_config()["activation"]
        assert activations.by_name(setting, "", "") is activations.ELEMENTWISE[name]


def test_softmax_is_no_gate():
    with pytest.raises(ModelError, match=r"^Layer 'reader' has recurrent_activation='softmax', which can't .*sigmoid"):
        activations.by_name("softmax", "reader", "recurrent_activation")


def test_a_foreign_function_is_refused_even_under_a_known_name():
    def tanh(z):
        return z / 2

    with pytest.raises(ModelError, match=r"^Layer 'reader' has activation='tanh', .* Keras's own "):
        activations.by_name({"class_name": "function", "config": "tanh"}, "reader", "activation")


def test_a_layer_as_activation_is_refused():
    with pytest.raises(ModelError, match=r"^Layer 'reader' has activation=.*LeakyReLU"):
        activations.by_name({"class_name": "LeakyReLU", "config": {}}, "reader", "activation")


def test_softmax():
    logits = np.array([[0, 0, 0, 0], [1, 2, 3, 4], [1e4, -1e4, 0, 9999]], np.float32)
    probabilities = activations.softmax(logits)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, rtol=1e-6)
    np.testing.assert_allclose(probabilities[0], 0.25)
    np.testing.assert_allclose(probabilities[1], np.exp([1, 2, 3, 4]) / np.exp([1, 2, 3, 4]).sum(), rtol=1e-6)
    np.testing.assert_allclose(probabilities[2], [1 / (1 + np.exp(-1)), 0, 0, 1 / (1 + np.exp(1))], rtol=1e-6)
    expected = keras.ops.convert_to_numpy(keras.activations.softmax(logits))
    np.testing.assert_allclose(probabilities, expected, rtol=1e-5, atol=1e-7)
