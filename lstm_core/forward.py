"""Runs a whole stock Keras network over one sequence in NumPy and keeps every layer's values.

Every layer's value has one row a timestep, also after pooling: row t is what the layer would have
given had the text ended there. So the last layer's rows are the answer after each token, and the
last row is the answer. That is exact for networks that read in one direction; a network with a
`Bidirectional` layer says so by `causal = False`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core import activations
from lstm_core.cells import Array
from lstm_core.errors import ModelError
from lstm_core.trace import BidirectionalTrace, Clamp, LayerTrace, merge, run_cell
from lstm_core.weights import is_a, weights_of

# What one layer does: (values of the layers before it, clamps for it) → (T, width).
Step = Callable[[list[Array], tuple[Clamp, ...]], "Array | tuple[Array, LayerTrace | BidirectionalTrace]"]

_RECURRENT = ("LSTM", "GRU", "SimpleRNN")
_NOTHING_AT_INFERENCE = ("Dropout", "SpatialDropout1D", "GaussianNoise", "GaussianDropout", "AlphaDropout")


@dataclass(frozen=True)
class Pass:
    """One run over one sequence: `values[layer name]` is (T, width); `traces` in reading order."""

    values: Mapping[str, Array]
    traces: tuple[LayerTrace | BidirectionalTrace, ...]
    output: Array


@dataclass(frozen=True)
class _Layer:
    name: str
    parents: tuple[str, ...]
    step: Step | None  # None for an input
    recurrent: bool = False


class Network:
    """A stock Keras model compiled to NumPy steps; holds copies of the weights, so it is safe to share.

    Attributes:
        causal: whether row t depends on tokens 0…t alone.
        ignores_padding: whether Keras gives the same answer when pads stand behind the text.
        recurrent_names: the names of the recurrent layers, in reading order.
    """

    def __init__(self, model: Any) -> None:
        """Raises ModelError, naming layer and setting, for a layer that can't be followed."""
        ordered = _in_order(model)
        self._layers = [_compile(layer, parents) for layer, parents in ordered]
        self.inputs = tuple(tensor._keras_history.operation.name for tensor in model.inputs)
        self.recurrent_names = tuple(layer.name for layer in self._layers if layer.recurrent)
        self.causal = not any(_reads_backwards(layer) for layer, _ in ordered)
        self.ignores_padding = _ignores_padding(ordered)

    def run(self, *inputs: Array, clamps: Iterable[Clamp] = (), start: tuple[str, Array] | None = None) -> Pass:
        """Read one sequence.

        Args:
            inputs: one array a model input: (T,) of ids, or (T, features).
            clamps: signals to hold; `layer` counts recurrent layers from 0.
            start: a layer's name and the value (T, width) that stands in for what it computes.

        Raises:
            ValueError: if a clamp names a recurrent layer that isn't there.
        """
        clamps = tuple(clamps)
        for clamp in clamps:
            if not 0 <= clamp.layer < len(self.recurrent_names):
                raise ValueError(f"A clamp names layer {clamp.layer}; there are {len(self.recurrent_names)}, from 0.")
        values: dict[str, Array] = dict(zip(self.inputs, inputs, strict=True))
        traces: list[LayerTrace | BidirectionalTrace] = []
        for layer in self._layers:
            if layer.step is None:
                continue
            if start is not None and layer.name == start[0]:
                values[layer.name] = start[1]
                continue
            own = tuple(clamp for clamp in clamps if layer.recurrent and clamp.layer == len(traces))
            result = layer.step([values[parent] for parent in layer.parents], own)
            if isinstance(result, tuple):
                result, trace = result
                traces.append(trace)
            values[layer.name] = result
        return Pass(values, tuple(traces), values[self._layers[-1].name])


def _in_order(model: Any) -> list[tuple[Any, tuple[str, ...]]]:
    """The model's layers, each after the layers it reads from, with those layers' names."""
    if is_a_sequential(model):
        model = model._functional
    if not hasattr(model, "_nodes_by_depth"):
        raise ModelError("The network is neither a functional nor a built Sequential model of Keras; build it as one.")
    if len(model.outputs) != 1 or model.outputs[0]._keras_history.tensor_index:
        raise ModelError("The network gives more than an answer, which can't be followed; it needs a single output.")
    own = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    ordered = []
    for layer in model.layers:
        # `Sequential.add` calls the layers before anew each time; those calls belong to no model.
        nodes = [node for node in layer._inbound_nodes if id(node) in own]
        if len(nodes) != 1:
            raise ModelError(f"Layer '{layer.name}' is used more than once, which can't be followed.")
        ordered.append((layer, _parents(layer, nodes[0])))
    return ordered


def _parents(layer: Any, node: Any) -> tuple[str, ...]:
    """The names of the layers that a layer reads from. Masks are no parents: one text has no pads to mask."""
    import keras

    named = {key: value for key, value in node.arguments.kwargs.items() if key != "mask"}
    others = keras.tree.flatten((node.arguments.args[1:], named))
    tensors = keras.tree.flatten(node.arguments.args[:1])
    if any(map(keras.utils.is_keras_tensor, others)) or any(tensor._keras_history.tensor_index for tensor in tensors):
        raise ModelError(f"Layer '{layer.name}' is given another layer's states, which can't be followed.")
    parents = tuple(tensor._keras_history.operation for tensor in tensors)
    for parent in parents:
        if not isinstance(parent, keras.layers.Layer):
            raise ModelError(f"Layer '{layer.name}' reads from the operation '{parent.name}', which can't be followed.")
    return tuple(parent.name for parent in parents)


def _reads_backwards(layer: Any) -> bool:
    return is_a(layer, "Bidirectional") or getattr(layer, "go_backwards", False)


def _ignores_padding(ordered: list[tuple[Any, tuple[str, ...]]]) -> bool:
    """Whether pads are masked, and a maximum over time meets nothing but repetitions there.

    A masked recurrent layer repeats its last output at each pad; an embedding doesn't, and a layer
    that reads backwards meets the pads first.
    """
    repeating: set[str] = set()
    for layer, parents in ordered:
        if _reads_backwards(layer) or (is_a(layer, "Embedding") and not layer.mask_zero):
            return False
        if type(layer).__name__ in _RECURRENT:
            if not layer.zero_output_for_mask:
                repeating.add(layer.name)
        elif parents and repeating.issuperset(parents):
            repeating.add(layer.name)
        elif is_a(layer, "GlobalMaxPooling1D"):
            return False
    return True


def is_a_sequential(model: Any) -> bool:
    """Whether a Keras model is a `Sequential` one."""
    import keras

    return isinstance(model, keras.Sequential)


def _compile(layer: Any, parents: tuple[str, ...]) -> _Layer:
    class_name = type(layer).__name__
    if class_name == "InputLayer":
        return _Layer(layer.name, parents, None)
    if class_name in _RECURRENT:
        return _Layer(layer.name, parents, _recurrent(layer), recurrent=True)
    if class_name == "Bidirectional":
        return _Layer(layer.name, parents, _bidirectional(layer), recurrent=True)
    if class_name in _NOTHING_AT_INFERENCE:
        return _Layer(layer.name, parents, lambda values, clamps: values[0])
    if class_name in _COMPILERS:
        return _Layer(layer.name, parents, _COMPILERS[class_name](layer))
    raise ModelError(
        f"Layer '{layer.name}' is a {class_name}, which can't be followed token by token; known are "
        f"{', '.join(sorted([*_COMPILERS, *_NOTHING_AT_INFERENCE, *_RECURRENT, 'Bidirectional']))}."
    )


def _recurrent(layer: Any) -> Step:
    weights = weights_of(layer)

    def step(values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, LayerTrace]:
        trace = run_cell(weights, values[0], clamps=clamps)
        return trace.outputs, trace

    return step


def _bidirectional(layer: Any) -> Step:
    forward, backward = weights_of(layer.forward_layer), weights_of(layer.backward_layer)
    mode = layer.merge_mode
    if mode is None:
        raise ModelError(f"Layer '{layer.name}' has merge_mode=None, which can't be followed; use 'concat'.")

    def step(values: list[Array], clamps: tuple[Clamp, ...]) -> tuple[Array, BidirectionalTrace]:
        ahead, back = (run_cell(weights, values[0], clamps=clamps) for weights in (forward, backward))
        merged = merge(mode, ahead.outputs, back.outputs[::-1])
        trace = BidirectionalTrace(ahead, back, merged)
        if not layer.return_sequences:  # the answer joins what each direction says after its own last step
            merged = merge(mode, ahead.outputs, back.outputs)
        assert isinstance(merged, np.ndarray)
        return merged, trace

    return step


def _embedding(layer: Any) -> Step:
    table = _numpy(layer.embeddings)  # (vocabulary, width)
    return lambda values, clamps: table[values[0]]


def _dense(layer: Any) -> Step:
    kernel = _numpy(layer.kernel)
    bias = _numpy(layer.bias) if layer.use_bias else np.zeros(kernel.shape[1], kernel.dtype)
    activate = _output_activation(layer)
    return lambda values, clamps: activate(values[0] @ kernel + bias)


def _activation(layer: Any) -> Step:
    activate = _output_activation(layer)
    return lambda values, clamps: activate(values[0])


def _output_activation(layer: Any) -> Callable[[Array], Array]:
    if getattr(layer.activation, "__name__", "") == "softmax":
        return activations.softmax
    return activations.from_keras(layer.activation, layer.name, "activation")


def _concatenate(layer: Any) -> Step:
    if layer.axis not in (-1, len(layer.output.shape) - 1):
        raise ModelError(f"Layer '{layer.name}' has axis={layer.axis}, which can't be followed; use -1.")
    return lambda values, clamps: np.concatenate(values, axis=-1)


def _mean_so_far(values: list[Array], clamps: tuple[Clamp, ...]) -> Array:
    counts = np.arange(1, len(values[0]) + 1, dtype=values[0].dtype)
    return np.cumsum(values[0], axis=0) / counts[:, None]


def _numpy(variable: Any) -> Array:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(variable), np.float32)


_COMPILERS: dict[str, Callable[[Any], Step]] = {
    "Embedding": _embedding,
    "Dense": _dense,
    "Activation": _activation,
    "Add": lambda layer: lambda values, clamps: np.add.reduce(values),
    "Average": lambda layer: lambda values, clamps: np.add.reduce(values) / len(values),
    "Concatenate": _concatenate,
    "GlobalMaxPooling1D": lambda layer: lambda values, clamps: np.maximum.accumulate(values[0], axis=0),
    "GlobalAveragePooling1D": lambda layer: _mean_so_far,
}
