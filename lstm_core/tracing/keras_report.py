"""The layers in the description of a Keras network, whether they can be traced or not."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstm_core.nn.saved import KERNELS, group_name
from lstm_core.tracing.graph_file import can_read
from lstm_core.tracing.model_report import InputReport, LayerReport, Shape

NETWORKS = ("Functional", "Sequential", "Model")
WAY = "load the network in Keras and trace that: lstm_core.trace(keras.saving.load_model(path), x)"
_CELLS = (*KERNELS, "RNN", "Bidirectional", "LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells")
MOST_LAYERS = 1000


def keras_layers(config: Mapping[str, Any], file: Any, *, legacy: bool) -> list[LayerReport]:
    """The layers of a network, those of nested networks behind their own.

    Args:
        config: the description, in the form of Keras 3.
        file: the open HDF5 file of its weights.
        legacy: whether that is an `.h5` file, where weights lie by the names of layers.

    Raises:
        KeyError, TypeError, ValueError: if the description is damaged.
    """
    return list(_layers(config, file, "model_weights/" if legacy else "layers/", legacy, ""))[:MOST_LAYERS]


def _layers(config: Mapping[str, Any], file: Any, place: str, legacy: bool, path: str) -> Iterator[LayerReport]:
    entries = config["config"]["layers"]
    shapes = _shapes(entries)
    numbers: Counter[str] = Counter()
    before: tuple[str, ...] = ()
    for entry in entries:
        kind, settings = str(entry["class_name"]), entry["config"]
        name = str(entry.get("name", settings.get("name")))
        group = f"{place}{name if legacy else group_name(kind, numbers[kind])}"
        numbers[kind] += 1
        reads = tuple(dict.fromkeys(_parents(entry.get("inbound_nodes")))) if "inbound_nodes" in entry else before
        read = _read_shape(kind, settings, [shapes.get(each) for each in reads])
        shapes.setdefault(name, output_shape(kind, settings, read))
        yield LayerReport(
            name=f"{path}{name}",
            kind=_shown_kind(kind, settings),
            shape=shapes[name],
            parameters=_parameters(file, group),
            reads=tuple(f"{path}{each}" for each in reads),
            traced=kind in _CELLS,
            problem=_problem(entry, f"{path}{name}", kind),
        )
        if kind in NETWORKS and isinstance(settings.get("layers"), list):
            yield from _layers(entry, file, f"{group}/layers/", legacy, f"{path}{name}/")
        before = (name,)


def _shown_kind(kind: str, settings: Mapping[str, Any]) -> str:
    inner = settings.get("layer")
    return f"{kind}({inner.get('class_name')})" if isinstance(inner, Mapping) else kind


def _problem(entry: Mapping[str, Any], name: str, kind: str) -> str:
    """Why a layer isn't Keras's own; what it computes is looked at when the network is opened."""
    module = str(entry.get("module", "keras.layers"))
    if kind == "Lambda" or not module.startswith("keras"):
        return f"'{name}' runs code of the network's own, which is not run here; build it of Keras's layers."
    if can_read(kind) or module.startswith("keras.src.ops"):
        return ""
    return f"'{name}' is a {kind}, which can't be followed from the file alone; {WAY}."


def _parameters(file: Any, group: str) -> int:
    """The number of all stored weights below a group."""
    found, waiting = 0, [file.get(group)]
    while waiting:
        item = waiting.pop()
        if hasattr(item, "shape"):
            found += math.prod(item.shape or ()) if item.dtype.kind == "f" else 0
        elif item is not None:
            waiting += list(item.values())
    return found


def _parents(value: Any) -> Iterator[str]:
    """The names of the layers whose tensors are in a part of a description."""
    for tensor in _tensors(value):
        yield str(tensor["keras_history"][0])


def _tensors(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            yield value["config"]
        else:
            for each in value.values():
                yield from _tensors(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _tensors(each)


# --- Shapes ---------------------------------------------------------------------------------------


def _shapes(entries: Sequence[Mapping[str, Any]]) -> dict[str, Shape | None]:
    """The shapes that the description states: of inputs, and of what other layers read."""
    found: dict[str, Shape | None] = {}
    for entry in entries:
        settings = entry["config"]
        if entry["class_name"] == "InputLayer" and settings.get("batch_shape") is not None:
            found[str(settings.get("name"))] = tuple(settings["batch_shape"])
        for tensor in _tensors(entry.get("inbound_nodes")):
            name, _, output = tensor["keras_history"]
            if output == 0 and tensor.get("shape") is not None:
                found.setdefault(str(name), tuple(tensor["shape"]))
    names = [str(each.get("name", each["config"].get("name"))) for each in entries]
    for name, entry in zip(names, entries[1:], strict=False):
        read = (entry.get("build_config") or {}).get("input_shape")
        if "inbound_nodes" not in entry and isinstance(read, list):
            found.setdefault(name, tuple(read))
    return found


def _read_shape(kind: str, settings: Mapping[str, Any], shapes: Sequence[Shape | None]) -> Shape | None:
    """The shape of what a layer reads; of several side by side."""
    known = [shape for shape in shapes if shape]
    if kind != "Concatenate" or not known or len(known) < len(shapes) or settings.get("axis") != -1:
        return known[0] if known and shapes[0] else None
    widths = [shape[-1] for shape in known]
    return (*known[0][:-1], sum(width or 0 for width in widths) if all(widths) else None)


def output_shape(kind: str, settings: Mapping[str, Any], read: Shape | None) -> Shape | None:
    """The shape of a layer's output, from what it reads; None for kinds that change it otherwise."""
    inner = settings.get("layer")
    if kind == "Bidirectional" and isinstance(inner, Mapping):
        one = output_shape(str(inner.get("class_name")), inner["config"], read)
        both = one and settings.get("merge_mode") == "concat" and isinstance(one[-1], int)
        return (*one[:-1], 2 * one[-1]) if one and both else one  # type: ignore[operator]
    if read is None:
        return None
    if kind == "Embedding":
        return (*read, settings["output_dim"])
    if kind == "Dense":
        return (*read[:-1], settings["units"])
    if kind in KERNELS:
        return (*read[:2], settings["units"]) if settings.get("return_sequences") else (read[0], settings["units"])
    if kind.startswith("Global"):
        return (read[0], read[-1])
    same = kind in ("Activation", "Masking", "Add", "Average", "Concatenate") or kind.endswith(
        ("Dropout", "Dropout1D", "Normalization", "ReLU")
    )
    return read if same else None


def keras_inputs(layers: Sequence[LayerReport], config: Mapping[str, Any]) -> list[InputReport]:
    """What each input of a network reads: ids where an embedding is behind it, texts or numbers."""
    found = []
    entries = {str(each["config"].get("name")): each for each in config["config"]["layers"]}
    for layer in layers:
        if layer.kind != "InputLayer" or "/" in layer.name:
            continue
        embedding = next((each for each in layers if each.kind == "Embedding" and layer.name in each.reads), None)
        shape = layer.shape
        if str(entries[layer.name]["config"].get("dtype")) == "string":
            feed = "a list of texts"
        elif embedding is not None:
            count = entries.get(embedding.name, {}).get("config", {}).get("input_dim", 0)
            feed = f"ids 0…{count - 1} of shape {_words(shape)}"
        else:
            feed = f"numbers of shape {_words(shape)}"
        found.append(InputReport(layer.name, shape, feed))
    order = list(_names(config["config"].get("input_layers", ())))
    return sorted(found, key=lambda each: order.index(each.name) if each.name in order else len(order))


def _names(value: Any) -> Iterator[str]:
    """The names in a list of inputs, each listed as [layer, 0, 0]."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _names(each)


def _words(shape: Shape | None) -> str:
    if shape is None:
        return "(batch, T, features)"
    return "(" + ", ".join(["batch", *("T" if size is None else str(size) for size in shape[1:])]) + ")"
