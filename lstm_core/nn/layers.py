"""The forward and backward pass of each kind of Keras layer over one sequence, in NumPy.

Values have time on their first axis, (T, …, width); a batch of sequences of equal length is the
middle axis. Row t of every value is the layer's output for a text that ends at t, also after
pooling. Gradients are those of a score of the last row. `nn/network.py` connects the operations;
`nn/bptt.py` has the backward pass of the recurrent ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn import activations, bptt
from lstm_core.nn.cells import Activation
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.saved import SavedLayer
from lstm_core.nn.trace import BidirectionalTrace, LayerTrace, merge, run_cell
from lstm_core.nn.weights import CellWeights, weights_of

Trace = LayerTrace | BidirectionalTrace


class Operation:
    """One layer. `recurrent` ones leave a trace and can be clamped."""

    recurrent = False

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, Trace | None]:
        """(values of the layers it reads from, its clamps) → (its value, its trace)."""
        raise NotImplementedError

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """(gradient of its value, what `forward` took and returned) → gradients of the values it reads from."""
        raise NotImplementedError


@dataclass(frozen=True)
class Embed(Operation):
    """An embedding table, (vocabulary, width); gradients end here."""

    table: Array
    skips_zero: bool = False  # Keras masks the timesteps of id 0; nothing here does, so such ids are refused

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """(T, …) of ids → (T, …, width); ModelError for an id that Keras skips."""
        if self.skips_zero and not np.asarray(values[0]).all():
            raise ModelError("The network's embedding skips the id 0 (mask_zero=True), which can't be followed here.")
        return self.table[values[0]], None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Ids have no gradient."""
        return []


@dataclass(frozen=True)
class Affine(Operation):
    """x·W + b and an activation, (…, width in) → (…, width out): a Dense layer."""

    kernel: Array
    bias: Array
    activation: Activation

    def sums(self, values: list[Array]) -> Array:
        """x·W + b, before the activation: the logits of an output layer."""
        return values[0] @ self.kernel + self.bias

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """The activation of `sums`."""
        return self.activation(self.sums(values)), None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Through the activation and W."""
        return [self.from_sums(activations.vjp(self.activation, value, gradient))]

    def from_sums(self, gradient: Array) -> Array:
        """The gradient of x, from the gradient of `sums`."""
        return gradient @ self.kernel.T


@dataclass(frozen=True)
class Plain(Operation):
    """A layer without weights, given by its function and the gradient of that.

    Attributes:
        function: values of the layers that it reads from → its value.
        gradient: (gradient of its value, values, value) → the gradients of values.
    """

    function: Callable[[list[Array]], Array]
    gradient: Callable[[Array, list[Array], Array], list[Array]]

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """The function's value."""
        return self.function(values), None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """The function's gradient."""
        return self.gradient(gradient, values, value)


def _activation(activation: Activation) -> Plain:
    return Plain(
        lambda values: activation(values[0]),
        lambda gradient, values, value: [activations.vjp(activation, value, gradient)],
    )


def _sum(scale: float = 1.0) -> Plain:
    def total(values: list[Array]) -> Array:
        found = np.add.reduce(values)
        return found if scale == 1.0 else found * scale

    return Plain(total, lambda gradient, values, value: [gradient * scale] * len(values))


def _running_mean(values: list[Array]) -> Array:
    x = values[0]
    counts = np.arange(1, len(x) + 1, dtype=x.dtype).reshape(-1, *[1] * (x.ndim - 1))
    return _running(np.cumsum, x) / counts


def _running(accumulate: Callable[..., Array], x: Array) -> Array:
    """`accumulate` along time, on a transposed copy: there NumPy is twice as fast."""
    return np.moveaxis(accumulate(np.ascontiguousarray(np.moveaxis(x, 0, -1)), axis=-1), -1, 0)


def _gradient_of_max(gradient: Array, values: list[Array], value: Array) -> list[Array]:
    """All of it goes to the timestep with the maximum; to the first one of several."""
    spread = np.zeros_like(gradient)
    np.put_along_axis(spread, values[0].argmax(axis=0, keepdims=True), gradient[-1:], axis=0)
    return [spread]


IDENTITY = Plain(lambda values: values[0], lambda gradient, values, value: [gradient])  # such as dropout
# Pooling over time: row t is the maximum, or the mean, of rows 0…t.
_MAXIMUM = Plain(lambda values: _running(np.maximum.accumulate, values[0]), _gradient_of_max)
_MEAN = Plain(
    _running_mean,
    lambda gradient, values, value: [np.broadcast_to(gradient[-1:] / len(gradient), gradient.shape)],
)
_CONCATENATE = Plain(
    lambda values: np.concatenate(values, axis=-1),
    lambda gradient, values, value: np.split(gradient, np.cumsum([x.shape[-1] for x in values])[:-1], axis=-1),
)


@dataclass(frozen=True)
class Recur(Operation):
    """An LSTM, GRU or plain RNN; its value is its output after each step."""

    weights: CellWeights
    recurrent = True

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, LayerTrace]:
        """(T, …, features) → (T, …, units) and the trace."""
        trace = run_cell(self.weights, values[0], clamps=clamps)
        return trace.outputs, trace

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Back-propagation through time."""
        assert isinstance(trace, LayerTrace)
        return [bptt.backpropagate(self.weights, trace, gradient).x]


@dataclass(frozen=True)
class RecurBothWays(Operation):
    """A Bidirectional layer."""

    ahead: CellWeights
    back: CellWeights
    mode: str
    whole_sequence: bool
    recurrent = True

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, BidirectionalTrace]:
        """(T, …, features) → (T, …, merged width) and both traces."""
        ahead, back = (run_cell(weights, values[0], clamps=clamps) for weights in (self.ahead, self.back))
        merged = merge(self.mode, ahead.outputs, back.outputs[::-1])
        trace = BidirectionalTrace(ahead, back, merged)
        if not self.whole_sequence:  # only the last output of each direction is used
            merged = merge(self.mode, ahead.outputs, back.outputs)
        assert isinstance(merged, np.ndarray)
        return merged, trace

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Back-propagation through time in each direction."""
        assert isinstance(trace, BidirectionalTrace)
        step = -1 if self.whole_sequence else 1
        first, second = trace.forward.outputs, trace.backward.outputs[::step]
        d_first, d_second = _unmerge(self.mode, gradient, first, second)
        dx = bptt.backpropagate(self.ahead, trace.forward, d_first).x
        dx_back = bptt.backpropagate(self.back, trace.backward, d_second[::step]).x
        # Inputs are in text order; a layer with go_backwards takes the last token first.
        order = (np.argsort(trace.forward.timesteps), np.argsort(trace.backward.timesteps))
        return [dx[order[0]] + dx_back[order[1]]]


def _unmerge(mode: str, gradient: Array, first: Array, second: Array) -> tuple[Array, Array]:
    if mode == "concat":
        halves = np.split(gradient, 2, axis=-1)
        return halves[0], halves[1]
    if mode == "mul":
        return gradient * second, gradient * first
    share = gradient / 2 if mode == "ave" else gradient
    return share, share


# --- From a saved layer ---------------------------------------------------------------------------


def operation_of(layer: SavedLayer) -> Operation:
    """The operation of a layer.

    Raises:
        ModelError: naming the layer, and the setting, that can't be followed.
    """
    if layer.kind not in _KNOWN:
        raise ModelError(
            f"Layer '{layer.name}' is a {layer.kind}, which can't be followed token by token; "
            f"known are {', '.join(sorted(_KNOWN))}."
        )
    return _KNOWN[layer.kind](layer)


def _recur_both_ways(layer: SavedLayer) -> Operation:
    ahead, back = layer.halves
    if layer.settings["merge_mode"] is None:
        raise ModelError(f"Layer '{layer.name}' has merge_mode=None, which can't be followed; use 'concat'.")
    whole = ahead.settings["return_sequences"]
    return RecurBothWays(weights_of(ahead), weights_of(back), layer.settings["merge_mode"], whole)


def _affine(layer: SavedLayer) -> Operation:
    kernel, *bias = layer.weights
    return Affine(kernel, bias[0] if bias else np.zeros(kernel.shape[1], kernel.dtype), _output_activation(layer))


def _concatenate(layer: SavedLayer) -> Operation:
    if layer.settings["axis"] != -1:
        raise ModelError(f"Layer '{layer.name}' has axis={layer.settings['axis']}, which can't be followed; use -1.")
    return _CONCATENATE


def _output_activation(layer: SavedLayer) -> Activation:
    if layer.settings["activation"] == "softmax":
        return activations.softmax
    return activations.by_name(layer.settings["activation"], layer.name, "activation")


RECURRENT = ("LSTM", "GRU", "SimpleRNN")

_KNOWN: dict[str, Callable[[SavedLayer], Operation]] = {
    **dict.fromkeys(RECURRENT, lambda layer: Recur(weights_of(layer))),
    "Bidirectional": _recur_both_ways,
    "Embedding": lambda layer: Embed(layer.weights[0], layer.settings["mask_zero"]),
    "Dense": _affine,
    "Activation": lambda layer: _activation(_output_activation(layer)),
    "Add": lambda layer: _sum(),
    "Average": lambda layer: _sum(1 / len(layer.parents)),
    "Concatenate": _concatenate,
    "GlobalMaxPooling1D": lambda layer: _MAXIMUM,
    "GlobalAveragePooling1D": lambda layer: _MEAN,
    **dict.fromkeys(
        ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout"), lambda layer: IDENTITY
    ),
}

KNOWN_LAYERS = tuple(sorted(_KNOWN))
