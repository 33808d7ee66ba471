"""Reads and checks a `.keras` file with zipfile and h5py, without Keras: nothing in it is trusted.

Sizes are checked before anything is unpacked, classes and links before anything is used, and the shape of each array
that the layers' settings ask for against the shape that is stored, before it is read.
"""

from __future__ import annotations

import io
import json
import math
import re
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.keras_config import network_of_config
from lstm_core.nn.layers import KNOWN_LAYERS
from lstm_core.nn.saved import (
    KERNELS,
    SavedLayer,
    SavedNetwork,
    as_float,
    group_name,
    is_quantized,
    weight_shapes,
)

MIB = 2**20
LARGEST = 64 * MIB  # a `.keras` file
# The members of a `.keras` file.
LARGEST_PART = {"config.json": 2 * MIB, "metadata.json": MIB, "model.weights.h5": 64 * MIB}
KERAS_FILE = ("config.json", "model.weights.h5")
MOST_LAYERS = 200
LARGEST_WEIGHT = 1e6  # sums of products of larger ones leave the range of float32
MOST_OBJECTS = 10_000  # groups and arrays in a weights file
# The layers that `nn/layers.py` can compute, and inputs.
LAYERS = frozenset(("InputLayer", *KNOWN_LAYERS))
# Operations by which a saved network computes masks; none has an output larger than its inputs.
MASKING = frozenset(("NotEqual", "ExpandDims", "LogicalOr", "ZerosLike", "OnesLike", "Concatenate", "Any"))
WRAPPERS = frozenset(("Functional", "Sequential"))
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def read_network(data: bytes) -> SavedNetwork:
    """The network in the bytes of a `.keras` file.

    Raises:
        ModelError: as `check_network`, and if an array is missing or has another shape than its layer's settings say.
    """
    import h5py

    config, weights = check_network(data)

    with h5py.File(io.BytesIO(weights), "r") as file:

        def fetch(number: int, layer: SavedLayer) -> list[Array]:
            group = f"layers/{group_name(layer.kind, number)}"
            if layer.kind in KERNELS:
                return _arrays(file, f"{group}/cell", layer)
            if not layer.halves:
                return _arrays(file, group, layer)
            places = zip((f"{group}/forward_layer/cell", f"{group}/backward_layer/cell"), layer.halves, strict=True)
            return [array for place, half in places for array in _arrays(file, place, half)]

        try:
            return network_of_config(config, fetch)
        except ModelError:
            raise
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ModelError(f"The description of the network is damaged ({str(error)[:80]}); get it again.") from error


def _arrays(file: Any, place: str, layer: SavedLayer) -> list[Array]:
    found, shapes = [], weight_shapes(layer)
    if shapes and len(file.get(f"{place}/vars", ())) not in (0, len(shapes)):
        raise ModelError(f"Layer '{layer.name}' has more or fewer arrays than its settings say; save the model again.")
    for number, expected in enumerate(shapes):
        stored = file.get(f"{place}/vars/{number}")
        shape = getattr(stored, "shape", None)
        if shape is None or stored.dtype.kind != "f":
            raise ModelError(f"Layer '{layer.name}' has no weights in the file; save the whole model again.")
        if len(shape) != len(expected) or any(a not in (None, b) for a, b in zip(expected, shape, strict=True)):
            raise ModelError(f"Layer '{layer.name}' has weights of shape {shape}, but its settings say {expected}.")
        found.append(as_float(stored[()]))
        if not np.abs(found[-1]).max(initial=0) <= LARGEST_WEIGHT:  # also where one of them is no number
            raise ModelError(f"Layer '{layer.name}' has weights that are no numbers, or above {LARGEST_WEIGHT:.0e}.")
    return found


def check_network(data: bytes) -> tuple[dict[str, Any], bytes]:
    """The description and the stored arrays of a `.keras` file, checked but not loaded.

    Raises:
        ModelError: if it isn't one, is too large once unpacked, or has a layer that isn't one of `LAYERS`.
    """
    parts = read_members(data, "The network in model.keras", LARGEST, LARGEST_PART)
    if missing := next((name for name in KERAS_FILE if name not in parts), ""):
        raise ModelError(f"The network in model.keras is no file of Keras 3: {missing} is missing in it.")
    config = json_object(parts["config.json"], "config.json")
    if str(config.get("class_name")) not in WRAPPERS:
        raise ModelError("The network is neither a Sequential nor a functional model of Keras; build it as one.")
    _check_config(config.get("config"), depth=0)
    layers = config["config"].get("layers") if isinstance(config.get("config"), dict) else None
    if not isinstance(layers, list) or len(layers) > MOST_LAYERS:
        raise ModelError(f"The network has no list of layers, or more than {MOST_LAYERS} of them.")
    check_weights(parts["model.weights.h5"])
    return config, parts["model.weights.h5"]


def read_members(data: bytes, what: str, largest: int, limits: Mapping[str, int]) -> dict[str, bytes]:
    """The members of a zip file by name.

    Args:
        data: the bytes of the file.
        what: its name in a sentence, such as "The network".
        largest: the most bytes that the file may have.
        limits: the names of the members that may be in it → the most bytes of each once unpacked.

    Raises:
        ModelError: for anything else.
    """
    check_size(data, what, largest)
    if not data.startswith(b"PK"):
        raise ModelError(f"{what} is damaged, or no zip archive; choose a model that was downloaded from LSTM Lab.")
    found: dict[str, bytes] = {}
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            infos = archive.infolist()
            if len(infos) > 2 * len(limits):
                raise ModelError(f"{what} holds {len(infos):,} files; a model has {len(limits)}.")
            for info in infos:
                _check_member(info, what, limits, found)
                with archive.open(info) as stream:
                    content = stream.read(limits[info.filename] + 1)  # at most, whatever size the directory states
                if len(content) > limits[info.filename]:
                    raise ModelError(f"{what} is too large once unpacked: {info.filename}.")
                found[info.filename] = content
    except ModelError:
        raise
    except BROKEN as error:
        raise ModelError(f"{what} is damaged ({' '.join(str(error).split())[:80]}); get it again.") from error
    return found


def check_size(data: bytes, what: str, largest: int) -> None:
    """ModelError if a file, called `what` in the sentence, has more than `largest` bytes."""
    if len(data) > largest:
        raise ModelError(f"{what} has {len(data) / MIB:,.1f} MiB; {largest // MIB} MiB is the most.")


def _check_member(info: zipfile.ZipInfo, what: str, limits: Mapping[str, int], found: Mapping[str, bytes]) -> None:
    shown = repr(info.filename[:60])
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ModelError(f"{what} holds {shown}, which is a link or a folder and no plain file.")
    if info.filename not in limits:
        raise ModelError(f"{what} holds {shown}, which is no part of a model; it may hold {_listed(limits)} alone.")
    if info.filename in found:
        raise ModelError(f"{what} holds {shown} twice.")
    if info.flag_bits & 1:
        raise ModelError(f"{what} is encrypted; choose one without a password.")
    if info.file_size > limits[info.filename]:
        most = limits[info.filename] // MIB
        raise ModelError(
            f"{what} is too large once unpacked: {shown} would take {info.file_size / MIB:,.0f} MiB of {most}."
        )


def _listed(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}"


def json_object(content: bytes, name: str) -> dict[str, Any]:
    """The JSON object in the bytes of a file; ModelError, naming the file, if there is none."""
    try:
        return parse_object(content)
    except ValueError as error:
        raise ModelError(f"The file is damaged: {name} {error}. Get it again.") from error


def parse_object(content: bytes) -> dict[str, Any]:
    """The JSON object in some bytes; ValueError, with the reason, if there is none that can be written again."""
    try:
        data = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError("holds no JSON") from error
    if not isinstance(data, dict):
        raise ValueError("holds no JSON object")
    if b"\\ud" in content or b"\\uD" in content:  # half of a pair, alone, is no character
        try:
            json.dumps(data, ensure_ascii=False).encode()
        except UnicodeEncodeError as error:
            raise ValueError("holds half a character, a lone surrogate") from error
    return data


def _check_config(value: Any, depth: int) -> None:
    """ModelError unless all layers in the description of a network are Keras's own and supported."""
    if depth > 60:
        raise ModelError("The description of the network is nested too deeply.")
    if isinstance(value, list):
        for each in value:
            _check_config(each, depth + 1)
    if not isinstance(value, dict):
        return
    module, name = value.get("module"), value.get("class_name")
    if isinstance(name, str):
        home = re.fullmatch(r"keras(\.[a-z_.0-9]+)?|builtins", str(module)) if module is not None else None
        if value.get("registered_name") not in (None, name) or (module is not None and home is None):
            raise ModelError(
                f"The network has a part '{name[:60]}' that isn't Keras's own; custom code is not run here."
            )
        is_layer = str(module).startswith("keras.layers") or "build_config" in value or "inbound_nodes" in value
        if name == "Lambda" or (is_layer and name not in LAYERS | MASKING):
            known = ", ".join(sorted(LAYERS))
            raise ModelError(f"The network has a layer '{name[:60]}', which is not supported; supported are {known}.")
    settings = value.get("config")
    if isinstance(settings, dict) and name != "InputLayer" and is_quantized(settings):
        raise ModelError(
            f"Layer '{str(settings.get('name'))[:60]}' is quantized, which is not supported; save the model "
            "before `quantize` is called."
        )
    for each in value.values():
        _check_config(each, depth + 1)


def check_weights(content: bytes) -> None:
    """ModelError if the arrays are too large once unpacked, or HDF5 links lead elsewhere or in circles."""
    import h5py

    try:
        with h5py.File(io.BytesIO(content), "r") as file:
            total = _stored_bytes(file)
    except ModelError:
        raise
    except Exception as error:  # h5py raises many kinds of errors for damaged files
        raise ModelError("The network's weights are damaged; get the file again.") from error
    if total > LARGEST_PART["model.weights.h5"]:
        raise ModelError(f"The network's weights would take {total / MIB:,.0f} MiB; 64 MiB is the most.")


def _stored_bytes(file: Any) -> int:
    """The bytes of all arrays in an open HDF5 file once they are unpacked.

    Every object is visited once, by its address: a hard link may lead back to a parent group.

    Raises:
        ModelError: if a link leads to another file, an object is linked twice, or there are too many of them.
    """
    import h5py

    total, waiting, seen = 0, [file], {h5py.h5o.get_info(file.id).addr}
    while waiting:
        group = waiting.pop()
        if len(seen) + len(group) > MOST_OBJECTS:  # before they are opened
            raise ModelError(f"The network's weights are more than {MOST_OBJECTS:,} objects; a model has fewer.")
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ModelError("The network's weights link to another file or place, so they aren't read.")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ModelError("The network's weights link one object twice, which Keras never does; save it again.")
            seen.add(address)
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif item.external or item.is_virtual:
                raise ModelError("The network's weights link to another file, so they aren't read.")
            else:
                # Python's numbers: products of the stated sizes leave the range of 64 bits. A chunk is read as a whole.
                largest = max(math.prod(item.shape or ()), math.prod(item.chunks or ()))
                total += largest * max(item.dtype.itemsize, 4)  # half precision is computed as float32
    return total
