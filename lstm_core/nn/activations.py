"""The activations that Keras names, in NumPy.

A recurrent gate takes the element-wise ones alone: an activation that mixes units (softmax) would make "this unit's
gate" meaningless. Those of `ACROSS_UNITS` are for layers without a state.
"""

import math
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.cells import Activation, sigmoid


def _softplus(z: Array) -> Array:
    return np.logaddexp(z, z.dtype.type(0))


_erf = np.vectorize(math.erf, otypes=[np.float64])
_SELU_SCALE, _SELU_ALPHA = 1.0507009873554805, 1.6732632423543772

ELEMENTWISE: dict[str, Activation] = {
    "sigmoid": sigmoid,
    "tanh": np.tanh,
    "linear": lambda z: z,
    "relu": lambda z: np.maximum(z, 0),
    "relu6": lambda z: np.clip(z, 0, 6),
    "leaky_relu": lambda z: np.where(z > 0, z, 0.2 * z),
    "hard_sigmoid": lambda z: np.clip(z / 6 + 0.5, 0, 1),
    "hard_tanh": lambda z: np.clip(z, -1, 1),
    "softsign": lambda z: z / (1 + np.abs(z)),
    "softplus": _softplus,
    "exponential": np.exp,
    "elu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "selu": lambda z: _SELU_SCALE * np.where(z > 0, z, _SELU_ALPHA * np.expm1(np.minimum(z, 0))),
    "silu": lambda z: z * sigmoid(z),
    # Keras's default is the exact form, z·Φ(z), not the tanh approximation.
    "gelu": lambda z: (0.5 * z * (1 + _erf(z / math.sqrt(2)))).astype(z.dtype),
    "mish": lambda z: z * np.tanh(_softplus(z)),
    "celu": lambda z: np.where(z > 0, z, np.expm1(np.minimum(z, 0))),
    "hard_shrink": lambda z: np.where(np.abs(z) > 0.5, z, 0).astype(z.dtype),
    "soft_shrink": lambda z: np.sign(z) * np.maximum(np.abs(z) - 0.5, 0),
    "tanh_shrink": lambda z: z - np.tanh(z),
    "hard_silu": lambda z: z * np.clip(z / 6 + 0.5, 0, 1),
    "log_sigmoid": lambda z: -_softplus(-z),
    "sparse_plus": lambda z: np.where(z < 1, np.maximum(z + 1, 0) ** 2 / 4, z),
    "sparse_sigmoid": lambda z: np.clip((z + 1) / 2, 0, 1),
    "squareplus": lambda z: (z + np.sqrt(z * z + 4)) / 2,
}


def name_of(activation: Activation) -> str:
    """Keras's name of an element-wise activation from here; ValueError if it is another function."""
    for name, known in ELEMENTWISE.items():
        if known is activation:
            return name
    raise ValueError("The activation is none of `ELEMENTWISE`.")


def by_name(name: Any, layer: str, setting: str) -> Activation:
    """The NumPy version of one of Keras's activations.

    Args:
        name: Keras's name of it, as in a layer's config; anything else there is a function of the user's own.
        layer: the layer's name, for the error.
        setting: the setting's name, for the error.

    Raises:
        ModelError: if there is no element-wise version here.
    """
    if not isinstance(name, str) or name not in ELEMENTWISE:
        config = name.get("config") if isinstance(name, dict) else name
        shown = config if isinstance(config, str) else name
        raise ModelError(
            f"Layer '{layer}' has {setting}='{str(shown)[:60]}', which can't be traced; "
            f"use one of Keras's own {', '.join(sorted(ELEMENTWISE))}."
        )
    return ELEMENTWISE[name]


def softmax(z: Array) -> Array:
    """e^z / Σ e^z over the last axis; every row of the result sums to 1."""
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def _log_softmax(z: Array) -> Array:
    shifted = z - z.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def _sparsemax(z: Array) -> Array:
    """The nearest point of the probability simplex (Martins & Astudillo 2016)."""
    falling = -np.sort(-z, axis=-1)
    sums, ranks = np.cumsum(falling, axis=-1), np.arange(1, z.shape[-1] + 1, dtype=z.dtype)
    kept = falling - (sums - 1) / ranks > 0
    count = kept.sum(axis=-1, keepdims=True).astype(z.dtype)
    threshold = (np.where(kept, falling, 0).sum(axis=-1, keepdims=True) - 1) / count
    return np.maximum(z - threshold, 0)


def _glu(z: Array) -> Array:
    linear, gate = np.split(z, 2, axis=-1)
    return linear * sigmoid(gate)


# Each looks at the whole last axis.
ACROSS_UNITS: dict[str, Activation] = {
    "softmax": softmax,
    "log_softmax": _log_softmax,
    "sparsemax": _sparsemax,
    "glu": _glu,
}


# The derivative of an activation as a function of its value y.
_DERIVATIVES: dict[int, Activation] = {
    id(sigmoid): lambda y: y * (1 - y),
    id(np.tanh): lambda y: 1 - y * y,
    id(ELEMENTWISE["linear"]): np.ones_like,
    id(ELEMENTWISE["relu"]): lambda y: (y > 0).astype(y.dtype),
}


def derivative(activation: Activation) -> Activation:
    """The derivative of an activation as a function of the activation's value; raises ModelError if it isn't known."""
    if id(activation) not in _DERIVATIVES:
        raise ModelError("Gradients are only known for sigmoid, tanh, relu and linear activations.")
    return _DERIVATIVES[id(activation)]


def vjp(activation: Activation, value: Array, gradient: Array) -> Array:
    """The vector-Jacobian product: the gradient with respect to an activation's argument.

    Args:
        activation: element-wise, or `softmax`.
        value: (…, width) the activation's value.
        gradient: (…, width) with respect to the value.

    Raises:
        ModelError: if the derivative isn't known.
    """
    if activation is softmax:
        return value * (gradient - (gradient * value).sum(axis=-1, keepdims=True))
    return gradient * derivative(activation)(value)
