"""A model folder as one zip file: for workers without a shared disk, for downloads and uploads.

A bundle holds the three files of `library/store.py` and nothing else. It isn't trusted: everything is checked before
anything is written, and the network before Keras loads it.
"""

from __future__ import annotations

import io
import json
import re
import stat
import tempfile
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.library import store
from lstm_core.library.card import CARD, ModelCard
from lstm_core.library.store import FILES, VOCABULARY, WEIGHTS
from lstm_core.nn.layers import KNOWN_LAYERS

MIB = 2**20
LARGEST_BUNDLE = 64 * MIB
LARGEST = {WEIGHTS: 64 * MIB, VOCABULARY: 8 * MIB, CARD: 2 * MIB}
# The members of a `.keras` file, which is a zip file, too.
LARGEST_PART = {"config.json": 2 * MIB, "metadata.json": MIB, "model.weights.h5": 64 * MIB}
MOST_OBJECTS = 10_000  # groups and arrays in a weights file
# The layers that `nn/layers.py` can compute, and inputs.
LAYERS = frozenset(("InputLayer", *KNOWN_LAYERS))
# Operations by which a saved network computes masks; none has an output larger than its inputs.
MASKING = frozenset(("NotEqual", "ExpandDims", "LogicalOr", "ZerosLike", "OnesLike", "Concatenate", "Any"))
WRAPPERS = frozenset(("Functional", "Sequential"))
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)


def bundle_folder(folder: Path) -> bytes:
    """The bundle of a model folder; ModelError if one of its three files is missing."""
    found = {name: folder / name for name in FILES}
    if missing := next((name for name, path in found.items() if not path.is_file()), ""):
        raise ModelError(f"The model '{folder.name}' is incomplete: {missing} is missing. Get the folder again.")
    return bundle_files({name: path.read_bytes() for name, path in found.items()})


def bundle_model(network: Any, vocabulary: Any, card: ModelCard) -> bytes:
    """The bundle of a trained network.

    Args:
        network: a Keras model.
        vocabulary: see `store.HasJson`.
        card: of the model.
    """
    with tempfile.TemporaryDirectory() as temporary:
        store.save(network, vocabulary, card, Path(temporary) / card.name)
        return bundle_folder(Path(temporary) / card.name)


def bundle_files(files: Mapping[str, bytes]) -> bytes:
    """The bundle of three files; equal files give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in FILES:
            # The network is compressed already; the date is fixed so that the bytes are reproducible.
            compression = zipfile.ZIP_STORED if name == WEIGHTS else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], compression)
    return out.getvalue()


def unpack_bundle(data: bytes) -> dict[str, bytes]:
    """The checked files of a bundle, without writing anything.

    Raises:
        ModelError: in one sentence, if it is no bundle, is too large once unpacked, or its network has unknown layers.
    """
    files = _members(data, "The file", LARGEST_BUNDLE, LARGEST)
    if missing := next((name for name in FILES if name not in files), ""):
        raise ModelError(f"The file is no model of LSTM Lab: {missing} is missing in it.")
    for name in (VOCABULARY, CARD):
        _object(files[name], name)
    check_network(files[WEIGHTS])
    return files


def unpack_bundle_into(data: bytes, folder: Path) -> None:
    """Write the checked files of a bundle into a folder without overwriting.

    Raises:
        ModelError: as `unpack_bundle`.
        OSError: if the folder can't be written, or one of the files exists.
    """
    files = unpack_bundle(data)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with (folder / name).open("xb") as out:
            out.write(content)


def check_network(data: bytes) -> None:
    """Check a `.keras` file without loading it.

    Raises:
        ModelError: if it isn't one, is too large once unpacked, or has a layer that isn't one of `LAYERS`.
    """
    parts = _members(data, "The network", LARGEST[WEIGHTS], LARGEST_PART)
    if missing := next((name for name in ("config.json", "model.weights.h5") if name not in parts), ""):
        raise ModelError(f"The network is no .keras file of Keras 3: {missing} is missing in it.")
    config = _object(parts["config.json"], "config.json")
    if config.get("class_name") not in WRAPPERS:
        raise ModelError("The network is neither a Sequential nor a functional model of Keras; build it as one.")
    _check_config(config.get("config"), depth=0)
    _check_weights(parts["model.weights.h5"])


def _members(data: bytes, what: str, largest: int, limits: Mapping[str, int]) -> dict[str, bytes]:
    """The members of a zip file by name; ModelError for anything unexpected."""
    if len(data) > largest:
        raise ModelError(f"{what} has {len(data) / MIB:,.0f} MiB; {largest // MIB} MiB is the most.")
    if not data.startswith(b"PK"):
        raise ModelError(f"{what} is no zip archive, so it is no model; choose a file that was downloaded here.")
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


def _check_member(info: zipfile.ZipInfo, what: str, limits: Mapping[str, int], found: Mapping[str, bytes]) -> None:
    shown = repr(info.filename[:60])
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        raise ModelError(f"{what} holds {shown}, which is a link or a folder and no plain file.")
    if info.filename not in limits:
        raise ModelError(f"{what} holds {shown}, which is no part of a model.")
    if info.filename in found:
        raise ModelError(f"{what} holds {shown} twice.")
    if info.flag_bits & 1:
        raise ModelError(f"{what} is encrypted; choose one without a password.")
    if info.file_size > limits[info.filename]:
        most = limits[info.filename] // MIB
        raise ModelError(
            f"{what} is too large once unpacked: {shown} would take {info.file_size / MIB:,.0f} MiB of {most}."
        )


def _object(content: bytes, name: str) -> dict[str, Any]:
    try:
        data = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"The file is damaged: {name} holds no JSON. Get it again.") from error
    if not isinstance(data, dict):
        raise ModelError(f"The file is damaged: {name} holds no JSON object. Get it again.")
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
    if isinstance(settings, dict) and _is_quantized(settings):
        raise ModelError(
            f"Layer '{str(settings.get('name'))[:60]}' is quantized, which is not supported; save the model "
            "before `quantize` is called."
        )
    for each in value.values():
        _check_config(each, depth + 1)


def _is_quantized(settings: Mapping[str, Any]) -> bool:
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


def _check_weights(content: bytes) -> None:
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
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ModelError("The network's weights link to another file or place, so they aren't read.")
            item = group[name]
            address = h5py.h5o.get_info(item.id).addr
            if address in seen:
                raise ModelError("The network's weights link one object twice, which Keras never does; save it again.")
            seen.add(address)
            if len(seen) > MOST_OBJECTS:
                raise ModelError(f"The network's weights are more than {MOST_OBJECTS:,} objects; a model has fewer.")
            if isinstance(item, h5py.Group):
                waiting.append(item)
            elif item.external or item.is_virtual:
                raise ModelError("The network's weights link to another file, so they aren't read.")
            else:
                total += item.size * item.dtype.itemsize
    return total
