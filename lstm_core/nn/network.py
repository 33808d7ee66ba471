"""Runs a whole stock Keras network over one sequence in NumPy and keeps every layer's values.

Every layer's value has one row a timestep, also after pooling: row t is the layer's output for a
text that ends there. So the last layer's rows are the answers after each token, and its last row is
the answer. That holds for networks that read in one direction; with a `Bidirectional` layer,
`causal` is False. The layers are in `nn/layers.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.keras_config import ranks, saved_network
from lstm_core.nn.layers import Embed, Operation, Trace, operation_of
from lstm_core.nn.saved import SavedNetwork

BATCH = 64  # texts that are answered at once
TOKENS = 2**13  # tokens that are answered at once, which bounds the memory of a batch
MOST_FEATURES = 100_000


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
        saved: its layers as they were saved.
        causal: whether row t depends on tokens 0…t alone.
        recurrent_names: the names of the recurrent layers, in reading order.
        returns_sequences: whether Keras's answer has a time axis, or is the last row alone.
        width: the number of values in a row of the answer.
    """

    def __init__(self, model: Any) -> None:
        """Compile a `SavedNetwork`, or a live model of Keras.

        Raises:
            ModelError: naming layer and setting, for a layer that can't be followed.
        """
        self.saved = saved = model if isinstance(model, SavedNetwork) else saved_network(model)
        if problem := next((layer.problem for layer in saved.layers if layer.problem), ""):
            raise ModelError(problem)
        if len(saved.outputs) != 1:
            raise ModelError(
                "The network has more than one output, which can't be followed; use one with a single output."
            )
        self.nodes = tuple(
            Node(layer.name, layer.parents, None if layer.kind == "InputLayer" else operation_of(layer))
            for layer in saved.layers
        )
        self.inputs = saved.inputs
        self.recurrent_names = tuple(node.name for node in self.nodes if node.operation and node.operation.recurrent)
        self.causal = not any(layer.halves or layer.settings.get("go_backwards") for layer in saved.layers)
        self.returns_sequences = ranks(saved.layers)[saved.outputs[0]] == 3
        self.width = self._width()

    def _width(self) -> int:
        """The width of the answer to one timestep; ModelError if two layers don't fit each other."""
        shapes = [self.saved.shape(name) for name in self.inputs]
        if any(len(shape) > 2 or (shape[1:] and not 0 < (shape[1] or 0) <= MOST_FEATURES) for shape in shapes):
            raise ModelError(f"The network reads inputs of shape {shapes}, which can't be followed token by token.")
        skips = any(isinstance(node.operation, Embed) and node.operation.skips_zero for node in self.nodes)
        ids = np.full(1, skips, np.int32)
        try:
            first = [np.zeros((1, shape[1] or 0), np.float32) if shape[1:] else ids for shape in shapes]
            return int(self.run(*first).output.shape[-1])
        except (IndexError, KeyError, ValueError) as error:
            raise ModelError(f"The layers of the network don't fit each other: {str(error)[:100]}.") from error

    def answers(self, *inputs: Sequence[Array], rows: Sequence[int] = ()) -> Array:
        """One row of the answer to each of n texts, as from `run`, computed in batches.

        Args:
            inputs: for each model input the n arrays of ids.
            rows: the timestep of each text whose row is returned; none for the last ones.

        Returns:
            (n, width) float32.
        """
        lengths = [len(ids) for ids in inputs[0]]
        found = np.zeros((len(lengths), self.width), np.float32)
        for chosen in self._batches(lengths):
            padded = [_padded([ids[index] for index in chosen]) for ids in inputs]
            # Row t is the answer to a text that ends there, so what stands behind it doesn't count.
            places = [rows[index] if rows else lengths[index] - 1 for index in chosen]
            found[chosen] = self.run(*padded).output[places, np.arange(len(chosen))]
        return found

    def _batches(self, lengths: list[int]) -> Iterator[list[int]]:
        """Indices of each batch: texts of similar length, or of equal length if padding would change the answer."""
        by_length = sorted(range(len(lengths)), key=lengths.__getitem__)
        groups = [by_length] if self.causal else [list(same) for _, same in groupby(by_length, lengths.__getitem__)]
        for group in groups:
            while group:
                rows = max(1, min(BATCH, TOKENS // lengths[group[0]]))
                yield group[:rows]
                group = group[rows:]

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
            if clamp.layer not in range(len(self.recurrent_names)):
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


def _padded(ids: Sequence[Array]) -> Array:
    """(T, n) ids, each text's last one again behind it."""
    padded = np.empty((max(map(len, ids)), len(ids)), np.int32)
    for column, own in enumerate(ids):
        padded[: len(own), column] = own
        padded[len(own) :, column] = own[-1]
    return padded
