"""A Keras network as plain settings and arrays, and a live recurrent layer as the same.

`nn/keras_config.py` makes whole networks of Keras's descriptions; `nn/keras_file.py` reads them from `.keras` files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError

KERNELS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}  # the kernels that a recurrent layer keeps side by side


@dataclass(frozen=True)
class SavedLayer:
    """One layer.

    Attributes:
        name: unique in its network.
        kind: Keras's class, such as "LSTM".
        settings: Keras's config of it.
        weights: in Keras's order.
        parents: the names of the layers that it reads from.
        problem: why what it reads can't be followed, a sentence; empty if it can.
        halves: the forward and the backward layer of a Bidirectional one, which then has no other weights.
        states: the layers and the numbers of their outputs that are its initial states.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    weights: tuple[Array, ...] = field(default=(), repr=False)
    parents: tuple[str, ...] = ()
    problem: str = ""
    halves: tuple[SavedLayer, ...] = ()
    states: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True)
class SavedNetwork:
    """A whole network.

    Attributes:
        layers: each after the layers that it reads from; inputs are layers, too.
        inputs: the names of the input layers, in the model's order.
        outputs: the names of the layers whose values are the answer, in the model's order.
    """

    layers: tuple[SavedLayer, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    @property
    def weights(self) -> list[Array]:
        """All arrays in Keras's order."""
        return [array for layer in self.layers for each in (layer.halves or (layer,)) for array in each.weights]

    def with_weights(self, weights: Sequence[Array]) -> SavedNetwork:
        """The same network with other arrays, in the order of `weights`; ValueError if their shapes are others."""
        if [array.shape for array in weights] != [array.shape for array in self.weights]:
            raise ValueError("The arrays have other shapes than those of the network.")
        rest = iter(weights)

        def filled(layer: SavedLayer) -> SavedLayer:
            own = tuple(as_float(next(rest)) for _ in layer.weights)
            return replace(layer, weights=own, halves=tuple(filled(half) for half in layer.halves))

        return replace(self, layers=tuple(filled(layer) for layer in self.layers))

    def shape(self, name: str) -> tuple[int | None, ...]:
        """The shape of an input without its batch axis."""
        found = next(layer for layer in self.layers if layer.name == name).settings.get("batch_shape") or (None,)
        return tuple(found[1:])


def weight_shapes(layer: SavedLayer) -> Sequence[tuple[int | None, ...]]:
    """The shapes of a layer's arrays by its settings, in Keras's order; None for the width of what it reads."""
    settings, units = layer.settings, layer.settings.get("units", 0)
    if layer.kind == "Embedding":
        return [(settings["input_dim"], settings["output_dim"])]
    if layer.kind == "Dense":
        return [(None, units), (units,)][: 1 + settings["use_bias"]]
    if layer.kind in KERNELS:
        width = KERNELS[layer.kind] * int(units)
        bias = (2, width) if layer.kind == "GRU" and settings["reset_after"] else (width,)
        return [(None, width), (int(units), width), bias][: 2 + settings["use_bias"]]
    return []


def saved_layer(layer: Any) -> SavedLayer:
    """A live, built, recurrent Keras layer, or a Bidirectional one; the arrays are copies."""
    import keras

    kinds = [kind for kind in (*KERNELS, "Bidirectional") if isinstance(layer, getattr(keras.layers, kind))]
    name = getattr(layer, "name", "?")
    if not kinds:
        raise ModelError(
            f"Layer '{name}' is a {type(layer).__name__}; "
            "only LSTM, GRU, SimpleRNN and Bidirectional of them can be traced."
        )
    if type(layer).call is not getattr(keras.layers, kinds[0]).call:
        raise ModelError(f"Layer '{name}' has its own `call`, which a trace would not follow.")
    if kinds == ["Bidirectional"]:
        halves = saved_layer(layer.forward_layer), saved_layer(layer.backward_layer)
        return SavedLayer(name, kinds[0], {"merge_mode": layer.merge_mode}, halves=halves)
    if not layer.built:
        raise ModelError(f"Layer '{name}' is not built yet: call it once, then trace it.")
    own = {key: getattr(layer, key, None) for key in ("go_backwards", "stateful", "zero_output_for_mask")}
    cell = saved_cell(layer.cell, name)
    return replace(cell, settings={**cell.settings, **own})


def saved_cell(cell: Any, name: str) -> SavedLayer:
    """A live, built cell of Keras as a layer that reads forwards; the arrays are copies.

    Raises:
        ModelError: if it is no LSTMCell, GRUCell or SimpleRNNCell, or has its own `call`.
    """
    import keras

    kind = next((kind for kind in KERNELS if isinstance(cell, getattr(keras.layers, f"{kind}Cell"))), "")
    if not kind:
        raise ModelError(f"Layer '{name}' has a {type(cell).__name__}; only Keras's own cells can be traced.")
    if type(cell).call is not getattr(keras.layers, f"{kind}Cell").call:
        raise ModelError(f"Layer '{name}' has a cell with its own `call`, which a trace would not follow.")
    settings = {"dtype": getattr(cell, "quantization_mode", None) or "float32"}
    settings |= {key: getattr(cell, key, None) for key in ("units", "use_bias", "reset_after")}
    settings |= dict.fromkeys(("go_backwards", "stateful", "zero_output_for_mask"), False)
    for key in ("activation", "recurrent_activation"):
        function = getattr(cell, key, None)
        known = getattr(function, "__name__", str(function))
        # A function of the user's own may carry a known name: only Keras's own object counts.
        settings[key] = known if getattr(keras.activations, known, None) is function else {"config": known}
    return SavedLayer(name, kind, settings, tuple(cell.get_weights()))


# --- Arrays ---------------------------------------------------------------------------------------


def group_name(kind: str, number: int) -> str:
    """The name of a layer's arrays in a file: its class in snake case, and from the second of a class on its number."""
    words = re.sub(r"([a-z])([A-Z])", r"\1_\2", re.sub(r"(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
    return f"{words}_{number}" if number else words


def as_float(array: Any) -> Array:
    """An array as float64 if it is, or else as float32."""
    array = np.asarray(array)
    return np.ascontiguousarray(array, np.float64 if array.dtype == np.float64 else np.float32)


def is_quantized(settings: Mapping[str, Any]) -> bool:
    """Whether the settings of a layer request quantized weights, by `quantization_config` or by their dtype policy."""
    return settings.get("quantization_config") is not None or _is_quantized_policy(settings.get("dtype"))


def _is_quantized_policy(policy: Any) -> bool:
    if not isinstance(policy, dict):
        return "_from_" in str(policy) or str(policy).startswith(("int4", "int8", "gptq", "awq"))
    inner = policy.get("config")
    inner = inner if isinstance(inner, dict) else {}
    if policy.get("class_name") == "DTypePolicyMap":
        many = inner.get("policy_map")
        every = [inner.get("default_policy"), *(many.values() if isinstance(many, dict) else [])]
        return any(_is_quantized_policy(each) for each in every if each is not None)
    plain = policy.get("class_name") in ("DTypePolicy", "FloatDTypePolicy", None)
    return not plain or _is_quantized_policy(inner.get("name", ""))
