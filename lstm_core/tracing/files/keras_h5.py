"""Reads the `.h5` files of Keras 2 and 3, `model.save("net.h5")`, with h5py: nothing in them is trusted.

The description of the network is brought into the form of Keras 3's `config.json`, so that what reads `.keras` files
reads these too. Settings that Keras 2 computes otherwise than Keras 3 are refused by name.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.nn.keras_file import MIB, check_weights, parse_object
from lstm_core.nn.saved import group_name

KERAS_WAY = 'open the network in Keras and save it: model.save("net.keras")'
LARGEST_DESCRIPTION = 2 * MIB
MOST_NAMES = 1000  # arrays of one layer
MERGES = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
RECURRENT = ("LSTM", "GRU", "SimpleRNN")
Arrays = list[tuple[str, Any]]  # datasets of h5py by the names that Keras gave their weights
# Settings that older versions don't write, with the values that they have there.
_FLAGS = dict.fromkeys(("return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask"), False)
_DEFAULTS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(RECURRENT, _FLAGS | {"use_bias": True}),
    "GRU": _FLAGS | {"use_bias": True, "reset_after": False},
    "RNN": _FLAGS,
    "LSTMCell": {"use_bias": True},
    "SimpleRNNCell": {"use_bias": True},
    "GRUCell": {"use_bias": True, "reset_after": False},
    "Embedding": {"mask_zero": False},
    "GlobalMaxPooling1D": {"keepdims": False},
    "GlobalAveragePooling1D": {"keepdims": False},
}
WEIGHTS_ONLY = (
    "holds weights alone, without the layers that they belong to; build the network in Keras, call "
    'model.load_weights, and save all of it: model.save("net.keras").'
)


def as_keras_file(data: bytes, what: str) -> bytes:
    """The bytes of a `.keras` file with the network of an `.h5` file, for what reads `.keras` files.

    Args:
        data: the bytes of the `.h5` file.
        what: its name in a sentence.

    Raises:
        ModelError: if it holds weights alone, is damaged or too large; layers are checked by what reads the result.
    """
    import h5py

    check_weights(data)
    weights, archive = io.BytesIO(), io.BytesIO()
    with h5py.File(io.BytesIO(data), "r") as file, h5py.File(weights, "w") as target:
        config = read_description(file, what)

        def named(layer: str) -> Arrays:
            group = file.get(f"model_weights/{layer}")
            names = [] if group is None else _texts(group.attrs, "weight_names")
            return [(name, group.get(name)) for name in names]

        try:
            _copy_layers(config, "", target, named)
        except ModelError:
            raise
        except (AttributeError, IndexError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
            raise ModelError(
                f"{what} is damaged: its weights can't be read ({str(error)[:80]}); get it again."
            ) from error
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("config.json", json.dumps(config))
        out.writestr("model.weights.h5", weights.getvalue())
    return archive.getvalue()


def _copy_layers(config: Mapping[str, Any], place: str, target: Any, named: Callable[[str], Arrays]) -> None:
    """Put the arrays of all layers where a `.keras` file has them; those of a nested network lie with its own."""
    numbers: Counter[str] = Counter()
    for entry in config["config"]["layers"]:
        kind, settings = str(entry["class_name"]), entry["config"]
        group = f"{place}layers/{group_name(kind, numbers[kind])}"
        numbers[kind] += 1
        arrays = named(str(settings.get("name")))
        if isinstance(settings.get("layers"), list):
            _copy_layers(entry, f"{group}/", target, _within(arrays))
            continue
        for part, own in _parts(kind, settings, arrays):
            for number, (_, stored) in enumerate(own):
                if getattr(stored, "shape", None) is not None:
                    target.create_dataset("/".join(filter(None, (group, part, "vars", str(number)))), data=stored[()])


def _within(arrays: Arrays) -> Callable[[str], Arrays]:
    """The arrays of a layer inside a nested network: those whose path leads through its name."""
    return lambda layer: [(name, stored) for name, stored in arrays if layer in name.split("/")]


def _parts(kind: str, settings: Mapping[str, Any], arrays: Arrays) -> Iterator[tuple[str, Arrays]]:
    """Where the arrays of a layer lie within its group."""
    if kind == "Bidirectional":
        half = len(arrays) // 2
        yield from _inner_parts("forward_layer", settings["layer"], arrays[:half])
        yield from _inner_parts("backward_layer", settings["backward_layer"], arrays[half:])
    elif kind == "TimeDistributed":
        yield from _inner_parts("layer", settings["layer"], arrays)
    elif kind == "RNN":
        yield from _inner_parts("cell", settings["cell"], arrays)
    elif kind == "StackedRNNCells":
        numbers: Counter[str] = Counter()
        for cell in settings["cells"]:
            own = str(cell["class_name"])
            count = 2 + bool(cell["config"]["use_bias"])
            yield from _inner_parts(f"cells/{group_name(own, numbers[own])}", cell, arrays[:count])
            arrays = arrays[count:]
            numbers[own] += 1
    else:
        yield "cell" if kind in RECURRENT else "", arrays


def _inner_parts(place: str, entry: Mapping[str, Any], arrays: Arrays) -> Iterator[tuple[str, Arrays]]:
    """The same for a layer inside another one."""
    for part, own in _parts(str(entry["class_name"]), entry["config"], arrays):
        yield "/".join(filter(None, (place, part))), own


def _texts(attributes: Any, name: str) -> list[str]:
    """A list of texts in the attributes of a group; a long one is cut into "name0", "name1" and so on."""
    parts = [name] if name in attributes else []
    while f"{name}{len(parts)}" in attributes and name not in attributes and len(parts) < MOST_NAMES:
        parts.append(f"{name}{len(parts)}")
    found = [each for part in parts for each in list(attributes[part])[:MOST_NAMES]]
    return [each.decode("utf-8", "replace") if isinstance(each, bytes) else str(each) for each in found]


def read_description(file: Any, what: str) -> dict[str, Any]:
    """The description of the network in an open file, in the form of Keras 3.

    Raises:
        ModelError: if there is none, or it is damaged.
    """
    text = file.attrs.get("model_config")
    if text is None:
        if "layer_names" in file.attrs or "layers" in file or "_layer_checkpoint_dependencies" in file:
            raise ModelError(f"{what} {WEIGHTS_ONLY}")
        raise ModelError(f"{what} is an HDF5 file, but no network of Keras; {KERAS_WAY}.")
    content = text if isinstance(text, bytes) else str(text).encode("utf-8", "replace")
    if len(content) > LARGEST_DESCRIPTION:
        raise ModelError(f"{what} describes its layers in {len(content):,} bytes; {LARGEST_DESCRIPTION:,} is the most.")
    try:
        old = not str(file.attrs.get("keras_version", "2")).startswith("3")
        return normalized(parse_object(content), old=old)
    except ModelError:
        raise
    except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
        raise ModelError(f"{what} is damaged: its description of the layers can't be read; get it again.") from error


# --- From Keras 2 to Keras 3 ----------------------------------------------------------------------


def normalized(config: Mapping[str, Any], *, old: bool = True) -> dict[str, Any]:
    """A description of a network in an `.h5` file as Keras 3 writes it into `config.json`.

    Args:
        config: the description.
        old: whether Keras 2 wrote it.

    Raises:
        ModelError: naming a layer with a setting that Keras 3 computes otherwise.
        KeyError, TypeError, ValueError: if it is damaged.
    """
    kind, settings = str(config["class_name"]), config["config"]
    if isinstance(settings, list):  # a Sequential of the first versions of Keras 2
        settings = {"name": "sequential", "layers": settings}
    layers = [_layer(each, old) for each in settings["layers"]]
    if kind == "Sequential" and layers and layers[0]["class_name"] != "InputLayer":
        first = settings["layers"][0]["config"]
        shape = first.get("batch_input_shape") or settings.get("build_input_shape")
        if shape is not None:
            dtype = "int32" if layers[0]["class_name"] == "Embedding" else "float32"
            entry = {"name": f"{first['name']}_input", "batch_shape": shape, "dtype": dtype}
            layers.insert(0, {"module": "keras.layers", "class_name": "InputLayer", "config": entry})
    ends = {}
    for end in ("input_layers", "output_layers"):  # Keras 2 lists a single one, too
        if old and isinstance(settings.get(end), list) and len(settings[end]) == 1:
            ends[end] = settings[end][0]
    kind = "Functional" if kind == "Model" else kind
    return {**config, "class_name": kind, "config": {**settings, **ends, "layers": layers}}


def _layer(entry: Mapping[str, Any], old: bool) -> dict[str, Any]:
    """The description of one layer."""
    kind, settings = str(entry["class_name"]), dict(entry["config"])
    if kind in ("Functional", "Model", "Sequential"):
        inner = normalized(entry, old=old)
        return {**inner, "module": "keras", **_calls(entry, kind)}
    for gone in ("time_major", "ragged", "sparse", "implementation"):
        if settings.pop(gone, None) is True and gone == "time_major":
            raise ModelError(f"Layer '{_shown(settings)}' has time_major=True, which Keras 3 doesn't have; use False.")
    shape = settings.pop("batch_input_shape", None)
    if kind == "InputLayer":
        settings.setdefault("batch_shape", shape)
    for setting in ("activation", "recurrent_activation"):
        if old and settings.get(setting) == "hard_sigmoid":
            raise ModelError(
                f"Layer '{_shown(settings)}' has {setting}='hard_sigmoid', which Keras 2 computes as 0.2·x + 0.5 and "
                "Keras 3 as x/6 + 0.5, so its file doesn't say which it was trained with; use sigmoid."
            )
    settings = _DEFAULTS.get(kind, {}) | settings
    if isinstance(settings.get("layer"), Mapping):
        settings |= _wrapped(kind, settings, old)
    if isinstance(settings.get("cell"), Mapping):
        settings["cell"] = _layer(settings["cell"], old)
    if kind == "StackedRNNCells":
        if settings.get("reverse_state_order"):
            raise ModelError(f"Layer '{_shown(settings)}' has reverse_state_order=True, which Keras 3 doesn't have.")
        settings["cells"] = [_layer(each, old) for each in settings["cells"]]
    return {"module": "keras.layers", "registered_name": None, **entry, "config": settings, **_calls(entry, kind)}


def _wrapped(kind: str, settings: Mapping[str, Any], old: bool) -> dict[str, Any]:
    """The layer inside another; Keras 2 leaves the second direction of a Bidirectional one to its first."""
    inner = _layer(settings["layer"], old)
    if kind != "Bidirectional":
        return {"layer": inner}
    if isinstance(settings.get("backward_layer"), Mapping):
        return {"layer": inner, "backward_layer": _layer(settings["backward_layer"], old)}
    back = dict(inner["config"], name=f"backward_{inner['config']['name']}")
    back["go_backwards"] = not inner["config"]["go_backwards"]
    return {"layer": inner, "backward_layer": {**inner, "config": back}}


def _calls(entry: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """`inbound_nodes` as Keras 3 writes them; Keras 2 lists [layer, call, output, arguments] of each input."""
    if "inbound_nodes" not in entry:
        return {}
    nodes = entry["inbound_nodes"]
    return {"inbound_nodes": [node if isinstance(node, Mapping) else _call(node, kind) for node in nodes]}


def _call(node: Sequence[Any], kind: str) -> dict[str, Any]:
    if node and isinstance(node[0], str):  # one input that isn't in a list of inputs
        node = [node]
    tensors = [_tensor(each) for each in node]
    kwargs = {name: _argument(value) for name, value in (dict(node[0][3]) if len(node[0]) > 3 else {}).items()}
    if kind in MERGES:
        return {"args": [tensors], "kwargs": kwargs}
    first, *others = tensors
    if others and kind in (*RECURRENT, "Bidirectional", "RNN"):  # the states that it begins with
        return {"args": [first], "kwargs": {**kwargs, "initial_state": others, "keep_mask": True}}
    return {"args": [tensors if others else first], "kwargs": kwargs}


def _argument(value: Any) -> Any:
    """An argument of a call; a tensor is listed as [layer, call, output]."""
    if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return _tensor(value)
    return [_argument(each) for each in value] if isinstance(value, list) else value


def _tensor(reference: Sequence[Any]) -> dict[str, Any]:
    name, call, output = reference[:3]
    return {"class_name": "__keras_tensor__", "config": {"shape": None, "keras_history": [str(name), call, output]}}


def _shown(settings: Mapping[str, Any]) -> str:
    return str(settings.get("name"))[:60]
