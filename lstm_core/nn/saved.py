"""A Keras network as plain settings and arrays: from a `.keras` file, which needs no Keras, or from a live model.

A `.keras` file is a zip archive of `config.json`, which lists the layers and their connections, and of
`model.weights.h5` with their arrays. It is not trusted: `nn/keras_file.py` checks it first.
"""

from __future__ import annotations

import json
import re
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError

KERNELS = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}  # the kernels that a recurrent layer keeps side by side
NOT_BUILT = "The network is neither a functional nor a built Sequential model of Keras; build it as one."
Fetch = Callable[[int, "SavedLayer"], Sequence[Array]]


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
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    weights: tuple[Array, ...] = field(default=(), repr=False)
    parents: tuple[str, ...] = ()
    problem: str = ""
    halves: tuple[SavedLayer, ...] = ()


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


def network_of_config(config: Mapping[str, Any], fetch: Fetch) -> SavedNetwork:
    """A network from Keras's description of it.

    Args:
        config: what `config.json` holds.
        fetch: (a layer's number among the layers of its class, the layer without weights) → its arrays.

    Raises:
        ModelError: naming the layer that can't be followed, or whose arrays have other shapes than its settings say.
        KeyError, TypeError, ValueError: if the description is damaged.
    """
    if config.get("class_name") not in ("Functional", "Sequential"):
        raise ModelError(NOT_BUILT)
    settings = config["config"]
    layers = list(_functional(settings) if config["class_name"] == "Functional" else _sequential(settings))
    numbers: Counter[str] = Counter()
    found = []
    for layer in layers:
        found.append(_with_weights(layer, fetch, numbers[layer.kind]))
        numbers[layer.kind] += 1
    if config["class_name"] == "Sequential":
        return SavedNetwork(tuple(found), (found[0].name,), (found[-1].name,))
    return SavedNetwork(tuple(found), _ends(settings["input_layers"]), _ends(settings["output_layers"]))


def saved_network(model: Any) -> SavedNetwork:
    """A live Keras model; the arrays are copies. Raises ModelError as `network_of_config`."""
    import keras

    if not (isinstance(model, keras.Model) and hasattr(getattr(model, "_functional", model), "_nodes_by_depth")):
        raise ModelError(NOT_BUILT)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras warns of functions that it can't save; they are refused by name
        config = json.loads(json.dumps(keras.saving.serialize_keras_object(model), default=str))
    live = {layer.name: layer.get_weights() for layer in model.layers}
    return network_of_config(config, lambda number, layer: [as_float(each) for each in live.get(layer.name, ())])


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
    settings = {"dtype": getattr(layer.cell, "quantization_mode", None) or "float32"}
    for key in ("units", "use_bias", "reset_after", "go_backwards", "stateful", "zero_output_for_mask"):
        settings[key] = getattr(layer, key, None)
    for key in ("activation", "recurrent_activation"):
        function = getattr(layer, key, None)
        known = getattr(function, "__name__", str(function))
        # A function of the user's own may carry a known name: only Keras's own object counts.
        settings[key] = known if getattr(keras.activations, known, None) is function else {"config": known}
    return SavedLayer(name, kinds[0], settings, tuple(layer.get_weights()))


# --- Connections ----------------------------------------------------------------------------------


def _functional(settings: Mapping[str, Any]) -> Iterator[SavedLayer]:
    """The layers of a functional model in their order; the operations that compute masks are left out."""
    operations = {each["name"] for each in settings["layers"] if _is_operation(each)}
    for each in settings["layers"]:
        if _is_operation(each):
            continue
        parents: tuple[str, ...] = ()
        calls, problem = each["inbound_nodes"], ""
        if len(calls) > 1:
            problem = "is used more than once"
        elif calls:
            parents, takes_states = _parents(calls[0])
            own = next((parent for parent in parents if parent in operations), None)
            rank = len(next(_tensors(calls[0]["args"]))["shape"])
            if each["config"].get("axis") == rank - 1:  # the last axis has two numbers
                each = each | {"config": each["config"] | {"axis": -1}}
            problem = f"reads from the operation '{own}'" if own else "is given another layer's states" * takes_states
        yield _described(each, parents, problem and f"Layer '{each['name']}' {problem}, which can't be followed.")


def _sequential(settings: Mapping[str, Any]) -> Iterator[SavedLayer]:
    layers = settings["layers"]
    if not layers or layers[0]["class_name"] != "InputLayer":
        if not settings.get("build_input_shape"):
            raise ModelError(NOT_BUILT)
        shape = {"name": "input", "batch_shape": settings["build_input_shape"]}
        layers = [{"class_name": "InputLayer", "config": shape}, *layers]
    before: tuple[str, ...] = ()
    for each in layers:
        yield _described(each, before)
        before = (each["config"]["name"],)


def _is_operation(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of a description is an operation such as `NotEqual`, and no layer."""
    return str(entry.get("module")).startswith("keras.src.ops")


def _described(entry: Mapping[str, Any], parents: tuple[str, ...], problem: str = "") -> SavedLayer:
    settings = entry["config"]
    halves = [settings.get(half) for half in ("layer", "backward_layer")]
    found = tuple(_described(half, ()) for half in halves if isinstance(half, dict))
    stock = str(entry.get("module", "keras")).startswith("keras")
    kind = str(entry["class_name"]) if stock else f"{entry['class_name']} of its own"
    return SavedLayer(str(settings["name"]), kind, settings, (), parents, problem, found)


def _parents(call: Mapping[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The names of the layers that a call reads from, and whether it takes states, too.

    Masks don't count: one text has no pads to mask.
    """
    found = list(_references(call["args"][:1]))
    others = [value for key, value in call["kwargs"].items() if key != "mask"]
    takes_states = any(index for _, index in found) or any(True for _ in _references([call["args"][1:], others]))
    return tuple(parent for parent, _ in found), takes_states


def _tensors(value: Any) -> Iterator[Mapping[str, Any]]:
    """The tensors in a part of a description: shape, dtype and the layer that they come from."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]
            return
        value = list(value.values())
    if isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


def _references(value: Any) -> Iterator[tuple[str, int]]:
    """(name of a layer, number of its output) of each tensor in a part of a description."""
    for tensor in _tensors(value):
        yield str(tensor["keras_history"][0]), int(tensor["keras_history"][2])


def _ends(value: Any) -> tuple[str, ...]:
    """The names in the inputs or outputs of a model, each listed as [layer, 0, 0]."""
    if isinstance(value, dict):
        value = list(value.values())
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return (value[0],)
    return tuple(name for each in value for name in _ends(each))


# --- Arrays ---------------------------------------------------------------------------------------


def _with_weights(layer: SavedLayer, fetch: Fetch, number: int) -> SavedLayer:
    arrays = tuple(fetch(number, layer))
    if not layer.halves:
        return replace(layer, weights=arrays)
    own = len(weight_shapes(layer.halves[0]))
    halves = zip(layer.halves, (arrays[:own], arrays[own:]), strict=True)
    return replace(layer, halves=tuple(replace(half, weights=part) for half, part in halves))


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
