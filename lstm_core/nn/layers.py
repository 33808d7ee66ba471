"""What each kind of Keras layer does to one sequence, in NumPy, and how a gradient goes back through it.

Values have the time on their first axis, (T, …, width); a batch of sequences of equal length puts
its axis in the middle. Row t of every value is what the layer would have given had the text ended
at t, also after pooling. Gradients are those of a score of the last row. `nn/network.py` strings
operations together; `nn/bptt.py` has the way back through the recurrent ones.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn import activations, bptt
from lstm_core.nn.cells import Activation
from lstm_core.nn.clamps import Clamp
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
        """(gradient by its value, what `forward` took and gave) → gradients by the values it reads from."""
        raise NotImplementedError


@dataclass(frozen=True)
class Embed(Operation):
    """A table of vectors, (vocabulary, width); the beginning of the differentiable part."""

    table: Array

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """(T, …) of ids → (T, …, width)."""
        return self.table[values[0]], None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Ids have no gradient."""
        return []


@dataclass(frozen=True)
class Same(Operation):
    """A layer that does nothing outside training, such as dropout."""

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """The value as it came."""
        return values[0], None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """The gradient as it came."""
        return [gradient]


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
        """Through the activation, then through W."""
        return [self.from_sums(activations.vjp(self.activation, value, gradient))]

    def from_sums(self, gradient: Array) -> Array:
        """The gradient by x, from the gradient by `sums`."""
        return gradient @ self.kernel.T


@dataclass(frozen=True)
class Squash(Operation):
    """An activation alone."""

    activation: Activation

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """The activation of the value."""
        return self.activation(values[0]), None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Through the activation."""
        return [activations.vjp(self.activation, value, gradient)]


@dataclass(frozen=True)
class Strongest(Operation):
    """Max-over-time pooling: row t is the largest value of each unit so far."""

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """The maximum so far."""
        return np.maximum.accumulate(values[0], axis=0), None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """All of it goes to the timestep at which the unit was largest; the first one if there are several."""
        spread = np.zeros_like(gradient)
        where = values[0].argmax(axis=0, keepdims=True)
        np.put_along_axis(spread, where, gradient[-1:], axis=0)
        return [spread]


@dataclass(frozen=True)
class Mean(Operation):
    """Mean-over-time pooling: row t is the mean of each unit so far."""

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """The mean so far."""
        x = values[0]
        counts = np.arange(1, len(x) + 1, dtype=x.dtype).reshape(-1, *[1] * (x.ndim - 1))
        return np.cumsum(x, axis=0) / counts, None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Every timestep gets its share."""
        return [np.broadcast_to(gradient[-1:] / len(gradient), gradient.shape)]


@dataclass(frozen=True)
class Sum(Operation):
    """Adds what it reads, times `scale`: an Add or Average layer."""

    scale: float = 1.0

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """The sum, scaled."""
        total = np.add.reduce(values)
        return (total if self.scale == 1.0 else total * self.scale), None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """The same to each."""
        return [gradient * self.scale] * len(values)


@dataclass(frozen=True)
class Join(Operation):
    """Puts what it reads side by side."""

    def forward(self, values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, None]:
        """(…, sum of the widths)."""
        return np.concatenate(values, axis=-1), None

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Each gets its own columns."""
        ends = np.cumsum([x.shape[-1] for x in values])[:-1]
        return np.split(gradient, ends, axis=-1)


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
        """Back through time."""
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
        if not self.whole_sequence:  # the answer joins what each direction says after its own last step
            merged = merge(self.mode, ahead.outputs, back.outputs)
        assert isinstance(merged, np.ndarray)
        return merged, trace

    def backward(self, gradient: Array, values: list[Array], value: Array, trace: Trace | None) -> list[Array]:
        """Each direction back through its own time."""
        assert isinstance(trace, BidirectionalTrace)
        turn = -1 if self.whole_sequence else 1
        first, second = trace.forward.outputs, trace.backward.outputs[::turn]
        by_first, by_second = _unmerge(self.mode, gradient, first, second)
        by_x = bptt.backpropagate(self.ahead, trace.forward, by_first).x
        by_x_back = bptt.backpropagate(self.back, trace.backward, by_second[::turn]).x
        # `x` is in reading order; a layer that reads backwards took the last token first.
        order = (np.argsort(trace.forward.timesteps), np.argsort(trace.backward.timesteps))
        return [by_x[order[0]] + by_x_back[order[1]]]


def _unmerge(mode: str, gradient: Array, first: Array, second: Array) -> tuple[Array, Array]:
    if mode == "concat":
        halves = np.split(gradient, 2, axis=-1)
        return halves[0], halves[1]
    if mode == "mul":
        return gradient * second, gradient * first
    share = gradient / 2 if mode == "ave" else gradient
    return share, share


# --- From Keras ---------------------------------------------------------------------------------


def of_layer(layer: Any) -> Operation:
    """The operation of a Keras layer.

    Raises:
        ModelError: naming the layer, and the setting, that can't be followed.
    """
    class_name = type(layer).__name__
    if class_name not in _KNOWN:
        raise ModelError(
            f"Layer '{layer.name}' is a {class_name}, which can't be followed token by token; "
            f"known are {', '.join(sorted(_KNOWN))}."
        )
    if getattr(layer, "quantization_mode", None):
        raise ModelError(
            f"Layer '{layer.name}' is quantized, which isn't followed exactly here; load the model before `quantize`."
        )
    return _KNOWN[class_name](layer)


def _recur(layer: Any) -> Operation:
    return Recur(weights_of(layer))


def _recur_both_ways(layer: Any) -> Operation:
    if layer.merge_mode is None:
        raise ModelError(f"Layer '{layer.name}' has merge_mode=None, which can't be followed; use 'concat'.")
    halves = weights_of(layer.forward_layer), weights_of(layer.backward_layer)
    return RecurBothWays(*halves, layer.merge_mode, layer.return_sequences)


def _affine(layer: Any) -> Operation:
    kernel = _numpy(layer.kernel)
    bias = _numpy(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1], kernel.dtype)
    return Affine(kernel, bias, _output_activation(layer))


def _join(layer: Any) -> Operation:
    if layer.axis not in (-1, len(layer.output.shape) - 1):
        raise ModelError(f"Layer '{layer.name}' has axis={layer.axis}, which can't be followed; use -1.")
    return Join()


def _output_activation(layer: Any) -> Activation:
    if getattr(layer.activation, "__name__", "") == "softmax":
        return activations.softmax
    return activations.from_keras(layer.activation, layer.name, "activation")


def _numpy(variable: Any) -> Array:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)


RECURRENT = ("LSTM", "GRU", "SimpleRNN")

_KNOWN: dict[str, Callable[[Any], Operation]] = {
    **dict.fromkeys(RECURRENT, _recur),
    "Bidirectional": _recur_both_ways,
    "Embedding": lambda layer: Embed(_numpy(layer.embeddings)),
    "Dense": _affine,
    "Activation": lambda layer: Squash(_output_activation(layer)),
    "Add": lambda layer: Sum(),
    "Average": lambda layer: Sum(1 / len(layer.input)),
    "Concatenate": _join,
    "GlobalMaxPooling1D": lambda layer: Strongest(),
    "GlobalAveragePooling1D": lambda layer: Mean(),
    "Dropout": lambda layer: Same(),
    "SpatialDropout1D": lambda layer: Same(),
    "GaussianNoise": lambda layer: Same(),
    "GaussianDropout": lambda layer: Same(),
    "AlphaDropout": lambda layer: Same(),
}

KNOWN_LAYERS = tuple(sorted(_KNOWN))
