"""From Keras's description of a network, as in `config.json` of a `.keras` file, to a `SavedNetwork`.

A setting or a connection with which Keras would compute other numbers than `nn/network.py` is refused by name: the
description isn't trusted, and nothing of it is passed over.
"""

from __future__ import annotations

import json
import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.saved import KERNELS, SavedLayer, SavedNetwork, as_float, is_quantized, weight_shapes

NOT_BUILT = "The network is neither a functional nor a built Sequential model of Keras; build it as one."
MOST_STEPS = 10_000  # timesteps of an input of fixed length
Fetch = Callable[[int, SavedLayer], Sequence[Array]]
Entry = Mapping[str, Any]  # the description of one layer
Reference = tuple[str, int, int]  # a layer's name, the number of its call, the number of its output

SIZES = ("units", "input_dim", "output_dim")
# Settings that are true or false, in the layers that have them; each layer must have all of its own.
_RECURRENT = ("use_bias", "return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask")
FLAGS = {
    "LSTM": _RECURRENT, "GRU": (*_RECURRENT, "reset_after"), "SimpleRNN": _RECURRENT, "Dense": ("use_bias",),
    "Embedding": ("mask_zero",), "GlobalMaxPooling1D": ("keepdims",), "GlobalAveragePooling1D": ("keepdims",),
}  # fmt: skip
# Further settings that an operation is made by.
REQUIRED = {
    **dict.fromkeys(("LSTM", "GRU"), ("activation", "recurrent_activation")),
    **dict.fromkeys(("SimpleRNN", "Dense", "Activation"), ("activation",)),
    "Bidirectional": ("merge_mode",),
    "Concatenate": ("axis",),
}
MERGES = ("Add", "Average", "Concatenate")
NEED_TIME = (*KERNELS, "Bidirectional", "GlobalMaxPooling1D", "GlobalAveragePooling1D", "SpatialDropout1D")


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
    functional = config["class_name"] == "Functional"
    layers = list(_functional(settings) if functional else _sequential(settings))
    for layer in layers:
        for part in (layer, *layer.halves):
            check_settings(part)
    dimensions = ranks(layers)
    layers = [_last_axis(layer, dimensions[layer.name]) for layer in layers]
    numbers: Counter[str] = Counter()
    found = []
    for layer in layers:
        found.append(_with_weights(layer, fetch, numbers[layer.kind]))
        numbers[layer.kind] += 1
    if not functional:
        return SavedNetwork(tuple(found), (found[0].name,), (found[-1].name,))
    inputs, outputs = (
        tuple(name for name, _, _ in _ends(settings[ends])) for ends in ("input_layers", "output_layers")
    )
    return SavedNetwork(tuple(found), inputs, outputs)


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


def _with_weights(layer: SavedLayer, fetch: Fetch, number: int) -> SavedLayer:
    arrays = tuple(fetch(number, layer))
    if not layer.halves:
        return replace(layer, weights=arrays)
    own = len(weight_shapes(layer.halves[0]))
    halves = zip(layer.halves, (arrays[:own], arrays[own:]), strict=True)
    return replace(layer, halves=tuple(replace(half, weights=part) for half, part in halves))


# --- Settings -------------------------------------------------------------------------------------


def check_settings(layer: SavedLayer) -> None:
    """Check the settings that weights and operations are made by; unknown kinds of layers are refused elsewhere.

    Raises:
        ModelError: naming the layer and the setting.
        KeyError: if one is missing.
    """
    settings, name = layer.settings, layer.name[:60]
    if missing := next((key for key in REQUIRED.get(layer.kind, ()) if key not in settings), ""):
        raise ModelError(f"Layer '{name}' has no setting '{missing}'; save the model again.")
    for flag in FLAGS.get(layer.kind, ()):
        if not isinstance(settings[flag], bool):
            raise ModelError(f"Layer '{name}' has {flag}={str(settings[flag])[:20]!r}; it must be true or false.")
    for size in SIZES:
        if size in settings and (type(settings[size]) is not int or settings[size] < 1):
            raise ModelError(f"Layer '{name}' has {size}={str(settings[size])[:20]!r}; it must be a positive number.")
    if layer.kind != "InputLayer" and is_quantized(settings):
        raise ModelError(f"Layer '{name}' is quantized, which can't be followed; save the model before `quantize`.")
    policy = settings.get("dtype")
    dtype = policy.get("config", {}).get("name") if isinstance(policy, dict) else policy
    numbers = ("float32", "float64", *(("int32", "int64") if layer.kind == "InputLayer" else ()))
    if dtype is not None and dtype not in numbers:
        raise ModelError(f"Layer '{name}' has the dtype {str(dtype)[:40]}, which can't be followed; use float32.")
    if settings.get("lora_rank") is not None:
        raise ModelError(f"Layer '{name}' has LoRA weights beside its own, which can't be followed; merge them.")
    if settings.get("keepdims") or settings.get("data_format", "channels_last") != "channels_last":
        raise ModelError(f"Layer '{name}' pools over another axis, or keeps it, which can't be followed.")
    if layer.kind == "InputLayer":
        _check_input(layer)
    if layer.kind == "Bidirectional":
        _check_halves(layer)


def _check_input(layer: SavedLayer) -> None:
    shape = layer.settings["batch_shape"][1:]
    steps = shape[0] if shape else None
    if not all(size is None or (type(size) is int and size > 0) for size in shape):
        raise ModelError(f"The input '{layer.name[:60]}' has the shape {str(shape)[:60]}, which no text has.")
    if steps is not None and steps > MOST_STEPS:
        raise ModelError(f"The network reads exactly {steps:,} timesteps; {MOST_STEPS:,} is the most.")


def _check_halves(layer: SavedLayer) -> None:
    if len(layer.halves) != 2 or any(half.kind not in KERNELS for half in layer.halves):
        raise ModelError(f"Layer '{layer.name[:60]}' must have two directions of an LSTM, GRU or SimpleRNN.")
    ahead, back = (half.settings for half in layer.halves)
    if layer.settings["merge_mode"] not in (None, "concat", "sum", "ave", "mul"):
        raise ModelError(f"Layer '{layer.name[:60]}' has no merge_mode of Keras.")
    if any(half["return_state"] for half in (ahead, back)):
        raise ModelError(f"Layer '{layer.name[:60]}' returns its states, which can't be followed.")
    if ahead["go_backwards"] == back["go_backwards"] or ahead["return_sequences"] != back["return_sequences"]:
        raise ModelError(f"The two directions of layer '{layer.name[:60]}' don't belong together.")


def ranks(layers: Sequence[SavedLayer]) -> dict[str, int]:
    """The number of axes of each layer's value in Keras, the batch included: 3 for a value at each timestep.

    Raises:
        ModelError: naming a layer that needs a sequence and doesn't get one, or that mixes both.
        KeyError: if a layer reads from one that isn't before it.
    """
    found: dict[str, int] = {}
    for layer in layers:
        before = {found[parent] for parent in layer.parents if parent in found or not layer.problem}
        if layer.kind == "InputLayer":
            found[layer.name] = len(layer.settings["batch_shape"])
            continue
        if layer.problem:
            found[layer.name] = max(before, default=2)
            continue
        if len(before) != 1 or (layer.kind in NEED_TIME and before != {3}):
            raise ModelError(f"Layer '{layer.name[:60]}' reads no sequence, or a sequence beside a single value.")
        (rank,) = before
        inner = layer.halves[0] if layer.halves else layer
        if layer.kind.startswith("Global") or inner.settings.get("return_sequences") is False:
            rank = 2
        found[layer.name] = rank + (layer.kind == "Embedding")
    return found


def _last_axis(layer: SavedLayer, rank: int) -> SavedLayer:
    """The same layer; an axis that is the last one is called -1, the other number that it has."""
    if layer.settings.get("axis") != rank - 1:
        return layer
    return replace(layer, settings={**layer.settings, "axis": -1})


# --- Connections ----------------------------------------------------------------------------------


def _functional(settings: Mapping[str, Any]) -> Iterator[SavedLayer]:
    """The layers of a functional model in their order; the operations that compute masks are left out."""
    entries = {str(each["name"]): each for each in settings["layers"]}
    if len(entries) < len(settings["layers"]):
        raise ModelError("Two layers of the network have the same name; build it with a name for each.")
    inputs = [name for name, call, tensor in _ends(settings["input_layers"]) if call == tensor == 0]
    outputs = _ends(settings["output_layers"])
    of_kind = [name for name, each in entries.items() if each["class_name"] == "InputLayer"]
    if sorted(inputs) != sorted(of_kind) or any(_is_operation(entries[name]) or tensor for name, _, tensor in outputs):
        raise ModelError("The inputs or outputs of the network aren't layers of its own.")
    if list(entries) != _keras_order(entries, outputs):
        raise ModelError("The layers of the network aren't in Keras's order, so their weights can't be found.")
    masks = _true_masks(entries)
    for name, each in entries.items():
        if not _is_operation(each):
            yield _connected(name, entries, masks)


def _connected(name: str, entries: Mapping[str, Entry], masks: set[str]) -> SavedLayer:
    """A layer with the layers that it reads from; ModelError if it is called with anything else."""
    entry, shown = entries[name], name[:60]
    calls, states = entry["inbound_nodes"], []
    for call in calls:
        first, *more = call["args"]
        others = {**{f"argument {number}": value for number, value in enumerate(more, start=2)}, **call["kwargs"]}
        for key, value in others.items():
            tensors = list(_references(value))
            if value is None or value is False or (key == "mask" and {parent for parent, _, _ in tensors} & masks):
                continue
            if key != "initial_state" or not tensors:
                raise ModelError(f"Layer '{shown}' is called with {key[:40]} of its own, which can't be followed.")
            states += [(parent, tensor) for parent, _, tensor in tensors]
        if not isinstance(first, list) and len(list(_references(first))) != 1:
            raise ModelError(f"Layer '{shown}' reads from nothing, or from too much; build the network again.")
        if isinstance(first, list) != (entry["class_name"] in MERGES):
            raise ModelError(f"Layer '{shown}' reads from several layers, or from one where it needs several.")
    read = [reference for call in calls for reference in _references(call["args"][0])]
    parents = tuple(parent for parent, _, _ in read)
    problem = ""
    if len(calls) > 1:
        problem = "is used more than once"
    elif operation := next((parent for parent in parents if _is_operation(entries[parent])), ""):
        problem = f"reads from the operation '{operation[:60]}'"
    elif states or any(tensor for _, _, tensor in read):
        problem = "is given another layer's states"
    problem = problem and f"Layer '{shown}' {problem}, which can't be followed."
    return replace(_described(entry, parents, problem), states=tuple(states))


def _sequential(settings: Mapping[str, Any]) -> Iterator[SavedLayer]:
    layers = settings["layers"]
    if not layers or layers[0]["class_name"] != "InputLayer":
        if not settings.get("build_input_shape"):
            raise ModelError(NOT_BUILT)
        shape = {"name": "input", "batch_shape": settings["build_input_shape"]}
        layers = [{"class_name": "InputLayer", "config": shape, "module": "keras.layers"}, *layers]
    if len({str(each["config"]["name"]) for each in layers}) < len(layers):
        raise ModelError("Two layers of the network have the same name; build it with a name for each.")
    before: tuple[str, ...] = ()
    for each in layers:
        if each["class_name"] in MERGES or each["config"].get("return_state"):
            raise ModelError(f"Layer '{str(each['config']['name'])[:60]}' can't be one of a Sequential model.")
        yield _described(each, before)
        before = (str(each["config"]["name"]),)


def _is_operation(entry: Entry) -> bool:
    """Whether an entry of a description is an operation such as `NotEqual`, and no layer."""
    return str(entry.get("module")).startswith("keras.src.ops")


def _described(entry: Entry, parents: tuple[str, ...], problem: str = "") -> SavedLayer:
    settings = entry["config"]
    if entry.get("shared_object_id") is not None or entry.get("name", settings["name"]) != settings["name"]:
        raise ModelError(f"Layer '{str(settings['name'])[:60]}' is also another layer, which can't be followed.")
    halves = [settings.get(half) for half in ("layer", "backward_layer")]
    found = tuple(_described(half, ()) for half in halves if isinstance(half, dict))
    stock = entry.get("module") == "keras.layers"
    kind = str(entry["class_name"]) if stock else f"{entry['class_name']} of its own"
    return SavedLayer(str(settings["name"]), kind, settings, (), parents, problem, found)


def _tensors(value: Any) -> Iterator[Mapping[str, Any]]:
    """The tensors in a part of a description, in Keras's order: shape, dtype and the layer that they come from."""
    if isinstance(value, dict):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]
            return
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


def _references(value: Any) -> Iterator[Reference]:
    """Where each tensor in a part of a description comes from."""
    for tensor in _tensors(value):
        name, call, output = tensor["keras_history"]
        yield str(name), int(call), int(output)


def _ends(value: Any) -> list[Reference]:
    """The inputs or outputs of a model, each listed as [layer, 0, 0]."""
    if isinstance(value, dict):
        value = list(value.values())
    if len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [(value[0], value[1], int(value[2]))]
    return [reference for each in value for reference in _ends(each)]


def _keras_order(entries: Mapping[str, Entry], outputs: Sequence[Reference]) -> list[str]:
    """The order in which Keras lists layers: by depth, then as a search from the outputs meets them.

    Weights are stored by the number of a layer in this order, so a list in another one would give them to others. See
    `map_graph` in Keras's `ops/function.py`. Layers that no output depends on are left out.
    """
    met: dict[str, int] = {}
    finished: dict[tuple[str, int], list[tuple[str, int]]] = {}  # each call, and the calls that it reads from
    under_way: set[tuple[str, int]] = set()

    def visit(name: str, number: int) -> None:
        call = name, number
        if call in finished:
            return
        if call in under_way:
            raise ModelError(f"Layer '{name[:60]}' reads from itself; build the network again.")
        under_way.add(call)
        met.setdefault(name, len(met))
        node = (entries[name]["inbound_nodes"] or [{"args": [], "kwargs": {}}])[number]
        before = [(parent, its) for parent, its, _ in _references([node["args"], node["kwargs"]])]
        for parent in before:
            visit(*parent)
        finished[call] = before

    for name, number, _ in outputs:
        visit(name, number)
    depths: dict[tuple[str, int], int] = {}
    of_layer: dict[str, int] = {}
    for call in reversed(finished):
        of_layer[call[0]] = depths[call] = max(depths.get(call, 0), of_layer.get(call[0], 0))
        for parent in finished[call]:
            depths[parent] = max(depths[call] + 1, depths.get(parent, 0))
    return sorted(of_layer, key=lambda name: (-of_layer[name], met[name]))


# --- Masks ----------------------------------------------------------------------------------------


def _true_masks(entries: Mapping[str, Entry]) -> set[str]:
    """The operations whose masks are true everywhere as long as no input holds the id 0 that its embedding skips.

    `nn/layers.py` refuses to read such an id, so these masks change nothing.
    """
    embeddings = [each for each in entries.values() if each["class_name"] == "Embedding"]
    skipping = {
        parent
        for each in embeddings
        if each["config"]["mask_zero"]
        for parent, _, _ in _references(each["inbound_nodes"])
    }
    found: set[str] = set()
    for name, entry in entries.items():  # each after those that it reads from
        if not _is_operation(entry):
            continue
        (call,) = entry["inbound_nodes"]
        kind, args = entry["class_name"], call["args"]
        parents = {parent for parent, _, _ in _references(args)}
        holds = {
            "NotEqual": args[1:] == [0] and parents <= skipping,
            "OnesLike": True,
            "LogicalOr": bool(parents & found),
        }
        if holds.get(kind, kind in ("ExpandDims", "Any", "Concatenate") and parents <= found):
            found.add(name)
    return found
