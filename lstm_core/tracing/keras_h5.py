"""Reads the `.h5` files of Keras 2 and 3, `model.save("net.h5")`, with h5py: nothing in them is trusted.

The description of the network is brought into the form of Keras 3's `config.json`, so that what reads `.keras` files
reads these too. Settings that Keras 2 computes otherwise than Keras 3 are refused by name.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.keras_config import network_of_config
from lstm_core.nn.keras_file import MIB, check_description, check_weights, parse_object, stored_array
from lstm_core.nn.saved import SavedLayer, SavedNetwork, weight_shapes

KERAS_WAY = 'open the network in Keras and save it: model.save("net.keras")'
LARGEST_DESCRIPTION = 2 * MIB
MOST_NAMES = 1000  # arrays of one layer
MERGES = ("Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract")
RECURRENT = ("LSTM", "GRU", "SimpleRNN")
# Settings that older versions don't write, with the values that they have there.
_FLAGS = dict.fromkeys(("return_sequences", "return_state", "go_backwards", "stateful", "zero_output_for_mask"), False)
_DEFAULTS: dict[str, dict[str, Any]] = {
    **dict.fromkeys(RECURRENT, _FLAGS | {"use_bias": True}),
    "GRU": _FLAGS | {"use_bias": True, "reset_after": False},
    "Embedding": {"mask_zero": False},
    "GlobalMaxPooling1D": {"keepdims": False},
    "GlobalAveragePooling1D": {"keepdims": False},
}
WEIGHTS_ONLY = (
    "holds weights alone, without the layers that they belong to; build the network in Keras, call "
    'model.load_weights, and save all of it: model.save("net.keras").'
)


def read_h5(data: bytes, what: str) -> SavedNetwork:
    """The network in the bytes of an `.h5` file.

    Args:
        data: the bytes of the file.
        what: its name in a sentence.

    Raises:
        ModelError: if it holds weights alone, is damaged or too large, or has a layer that can't be followed.
    """
    import h5py

    check_weights(data)
    with h5py.File(io.BytesIO(data), "r") as file:
        config = read_description(file, what)
        check_description(config)

        def fetch(number: int, layer: SavedLayer) -> list[Array]:
            return layer_arrays(file, layer)

        try:
            return network_of_config(config, fetch)
        except ModelError:
            raise
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ModelError(f"The description of the network is damaged ({str(error)[:80]}); get it again.") from error


def layer_arrays(file: Any, layer: SavedLayer) -> list[Array]:
    """The arrays of a layer, in Keras's order, from an open file; ModelError if their shapes don't fit its settings."""
    parts = [(part, shape) for part in layer.halves or (layer,) for shape in weight_shapes(part)]
    if not parts:
        return []
    group = file.get(f"model_weights/{layer.name}")
    names = [] if group is None else _texts(group.attrs, "weight_names")
    if len(names) != len(parts):
        raise ModelError(f"Layer '{layer.name}' has more or fewer arrays than its settings say; save the model again.")
    return [stored_array(part, group.get(name), shape) for name, (part, shape) in zip(names, parts, strict=True)]


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
    kind = "Functional" if kind == "Model" else kind
    return {**config, "class_name": kind, "config": {**settings, "layers": layers}}


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
        return {"args": [first], "kwargs": {**kwargs, "initial_state": others}}
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
