"""Runs a whole stock Keras network over one sequence in NumPy and keeps every layer's values.

Every layer's value has one row a timestep, also after pooling: row t is the layer's output for a
text that ends there. So the last layer's rows are the answers after each token, and its last row is
the answer. That holds for networks that read in one direction; with a `Bidirectional` layer,
`causal` is False. The layers are in `nn/layers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.layers import RECURRENT, Operation, Trace, of_layer
from lstm_core.nn.weights import is_a


@dataclass(frozen=True)
class ForwardPass:
    """One forward pass over one sequence: `values[layer name]` is (T, …, width); `traces` in reading order."""

    values: Mapping[str, Array]
    traces: tuple[Trace, ...]
    output: Array


@dataclass(frozen=True)
class Node:
    """A layer's operation, and the names of the layers that it reads from."""

    name: str
    parents: tuple[str, ...]
    operation: Operation | None  # None for an input


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
        self.nodes = tuple(
            Node(layer.name, parents, None if type(layer).__name__ == "InputLayer" else of_layer(layer))
            for layer, parents in ordered
        )
        self.inputs = tuple(tensor._keras_history.operation.name for tensor in model.inputs)
        self.recurrent_names = tuple(node.name for node in self.nodes if node.operation and node.operation.recurrent)
        self.causal = not any(_reads_backwards(layer) for layer, _ in ordered)
        self.ignores_padding = _ignores_padding(ordered)

    def run(
        self, *inputs: Array, clamps: Iterable[Clamp] = (), start: Mapping[str, Array] | None = None
    ) -> ForwardPass:
        """The forward pass over one sequence.

        Args:
            inputs: one array for each model input: (T,) of ids, or (T, features).
            clamps: signals to clamp; `layer` counts recurrent layers from 0.
            start: layer name → a value (T, …, width) that replaces the layer's own.

        Raises:
            ValueError: if a clamp names a recurrent layer that doesn't exist.
        """
        clamps, start = tuple(clamps), start or {}
        for clamp in clamps:
            if not 0 <= clamp.layer < len(self.recurrent_names):
                raise ValueError(f"A clamp names layer {clamp.layer}; there are {len(self.recurrent_names)}, from 0.")
        values: dict[str, Array] = dict(zip(self.inputs, inputs, strict=True))
        traces: list[Trace] = []
        for node in self.nodes:
            if node.operation is None:
                continue
            if node.name in start:
                values[node.name] = start[node.name]
                continue
            own = tuple(clamp for clamp in clamps if node.operation.recurrent and clamp.layer == len(traces))
            values[node.name], trace = node.operation.forward([values[parent] for parent in node.parents], own)
            if trace is not None:
                traces.append(trace)
        return ForwardPass(values, tuple(traces), values[self.nodes[-1].name])


def _in_order(model: Any) -> list[tuple[Any, tuple[str, ...]]]:
    """The model's layers, each after the layers it reads from, with those layers' names."""
    import keras

    if isinstance(model, keras.Sequential):
        model = model._functional
    if not hasattr(model, "_nodes_by_depth"):
        raise ModelError("The network is neither a functional nor a built Sequential model of Keras; build it as one.")
    if len(model.outputs) != 1 or model.outputs[0]._keras_history.tensor_index:
        raise ModelError("The network has more than one output, which can't be followed; use one with a single output.")
    own = {id(node) for nodes in model._nodes_by_depth.values() for node in nodes}
    ordered = []
    for layer in model.layers:
        # `Sequential.add` calls the earlier layers again each time; those calls belong to no model.
        nodes = [node for node in layer._inbound_nodes if id(node) in own]
        if len(nodes) != 1:
            raise ModelError(f"Layer '{layer.name}' is used more than once, which can't be followed.")
        ordered.append((layer, _parents(layer, nodes[0])))
    return ordered


def _parents(layer: Any, node: Any) -> tuple[str, ...]:
    """The names of the layers that a layer reads from. Masks don't count: one text has no pads to mask."""
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
    """Whether pads are masked, and a maximum over time finds only repeated values there.

    A masked recurrent layer repeats its last output at each pad; an embedding doesn't, and a layer
    that reads backwards reads the pads first.
    """
    repeating: set[str] = set()
    for layer, parents in ordered:
        if _reads_backwards(layer) or (is_a(layer, "Embedding") and not layer.mask_zero):
            return False
        if type(layer).__name__ in RECURRENT:
            if not layer.zero_output_for_mask:
                repeating.add(layer.name)
        elif parents and repeating.issuperset(parents):
            repeating.add(layer.name)
        elif is_a(layer, "GlobalMaxPooling1D"):
            return False
    return True
