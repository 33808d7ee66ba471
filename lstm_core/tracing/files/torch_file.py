"""The tensors in files of PyTorch: `.safetensors`, and the zip files of `torch.save`, without torch and without pickle.

Sizes are checked before anything is unpacked. Files in older or other forms are refused with the way round.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.keras_file import BROKEN, MIB, parse_object
from lstm_core.tracing.files.pickled_tensors import TensorPlace, read_pickle
from lstm_core.tracing.files.tensors import DTYPES, MOST_TENSORS, StoredTensor, check_sizes

LARGEST_HEADER = 4 * MIB
_SAFE_DTYPES = {
    "F64": "float64", "F32": "float32", "F16": "float16", "BF16": "bfloat16", "I64": "int64", "I32": "int32",
    "I16": "int16", "I8": "int8", "U8": "uint8", "BOOL": "bool",
}  # fmt: skip
WAY_ROUND = 'save the weights alone, by torch.save(model.state_dict(), "net.pt") or as a .safetensors file'
# Where people keep the weights in a checkpoint, and what they keep beside them.
WEIGHTS = ("state_dict", "model_state_dict", "model_state", "model", "net", "weights", "module")


def read_safetensors(data: bytes, what: str) -> dict[str, StoredTensor]:
    """The tensors of a `.safetensors` file.

    Args:
        data: the bytes of the file.
        what: its name in a sentence.

    Raises:
        ModelError: if it is damaged or too large, or the package `safetensors` is missing.
    """
    length = int.from_bytes(data[:8], "little")
    if length > min(LARGEST_HEADER, len(data) - 8):
        raise ModelError(f"{what} is damaged: its header would take {length:,} bytes of {len(data):,}; get it again.")
    try:
        header = parse_object(data[8 : 8 + length])
    except ValueError as error:
        raise ModelError(f"{what} is damaged: its header {error}; get it again.") from error
    if len(header) > MOST_TENSORS:
        raise ModelError(f"{what} holds {len(header):,} tensors; {MOST_TENSORS:,} is the most.")
    try:
        import safetensors
    except ModuleNotFoundError as error:
        raise ModelError(
            "To read .safetensors files, install the package safetensors: pip install safetensors."
        ) from error
    try:
        stored = safetensors.deserialize(data)
    except Exception as error:  # its own kind, which is no subclass of ours
        raise ModelError(f"{what} is damaged ({' '.join(str(error).split())[:80]}); get it again.") from error
    found = {}
    for name, tensor in stored:
        dtype = _SAFE_DTYPES.get(tensor["dtype"], str(tensor["dtype"]))
        found[name] = StoredTensor(name, dtype, tuple(tensor["shape"]), _reader(dtype, tensor))
    check_sizes(found, what)
    return found


def _reader(dtype: str, tensor: Mapping[str, Any]) -> Callable[[], Array]:
    return lambda: np.frombuffer(tensor["data"], DTYPES[dtype]).reshape(tensor["shape"])


# --- Zip files of `torch.save` --------------------------------------------------------------------


def read_checkpoint(data: bytes, what: str) -> tuple[dict[str, StoredTensor], list[str]]:
    """The tensors of a file of `torch.save`, by the names of its `state_dict`, and notes on where they were.

    Args:
        data: the bytes of the file, a zip archive.
        what: its name in a sentence.

    Raises:
        ModelError: if it holds anything but tensors and plain values, or is damaged.
    """
    archive, folder = _archive(data, what)
    members = {info.filename: info for info in archive.infolist()}
    try:
        order = archive.read(f"{folder}byteorder") if f"{folder}byteorder" in members else b"little"
        described = archive.read(f"{folder}data.pkl")
    except BROKEN as error:
        raise ModelError(f"{what} is damaged ({' '.join(str(error).split())[:80]}); get it again.") from error
    value = read_pickle(described, what)
    places, notes = _state_dict(value, what)
    storages: dict[str, bytes] = {}

    def fetch(place: TensorPlace) -> Array:
        if place.key not in storages:
            try:
                storages[place.key] = archive.read(f"{folder}data/{place.key}")
            except (KeyError, *BROKEN) as error:
                raise ModelError(f"{what} is damaged: the data of a tensor is missing; get it again.") from error
        return _strided(storages[place.key], place, big=order == b"big", what=what)

    found = {
        name: StoredTensor(name, place.dtype, place.shape, _fetcher(fetch, place)) for name, place in places.items()
    }
    check_sizes(found, what)
    return found, notes


def _fetcher(fetch: Callable[[TensorPlace], Array], place: TensorPlace) -> Callable[[], Array]:
    return lambda: fetch(place)


def _archive(data: bytes, what: str) -> tuple[zipfile.ZipFile, str]:
    """The archive, and the folder of its members; ModelError unless all are stored as they are, each once."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        members = archive.infolist()
    except BROKEN as error:
        raise ModelError(f"{what} is damaged ({' '.join(str(error).split())[:80]}); get it again.") from error
    names = [info.filename for info in members]
    pickles = [name for name in names if name.rpartition("/")[2] == "data.pkl"]
    if any(name.endswith(("/constants.pkl", "/model.json")) or "/code/" in name for name in names):
        raise ModelError(f"{what} is a program of TorchScript or torch.export, not weights; {WAY_ROUND}.")
    if len(pickles) != 1 or len(set(names)) < len(names):
        raise ModelError(f"{what} is a zip file, but none of torch.save; {WAY_ROUND}.")
    if len(names) > 2 * MOST_TENSORS or sum(info.file_size for info in members) > len(data):
        raise ModelError(f"{what} is larger once unpacked than torch.save would make it; {WAY_ROUND}.")
    if any(info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1 for info in members):
        raise ModelError(f"{what} is compressed or encrypted, which torch.save never does; {WAY_ROUND}.")
    return archive, pickles[0].removesuffix("data.pkl")


def _strided(storage: bytes, place: TensorPlace, *, big: bool, what: str) -> Array:
    """The elements of one tensor; `read_pickle` has checked that they lie within the storage that it states."""
    dtype = np.dtype(DTYPES[place.dtype])
    if len(storage) < place.elements * dtype.itemsize:
        raise ModelError(f"{what} is damaged: a tensor has fewer bytes than its shape says; get it again.")
    elements = np.frombuffer(storage, dtype.newbyteorder(">") if big else dtype, place.elements)
    strides = tuple(stride * dtype.itemsize for stride in place.strides)
    view = np.lib.stride_tricks.as_strided(elements[place.offset :], place.shape, strides)
    return view.astype(dtype) if math.prod(place.shape) else np.zeros(place.shape, dtype)


# --- Which of them are the weights ----------------------------------------------------------------


def _state_dict(value: Any, what: str) -> tuple[dict[str, TensorPlace], list[str]]:
    """The tensors of the weights in a checkpoint by their names, and a note if something else is beside them."""
    found = dict(_dictionaries(value, "", set()))
    found = {path: tensors for path, tensors in found.items() if "optim" not in path}
    recurrent = {path: tensors for path, tensors in found.items() if any("weight_hh" in name for name in tensors)}
    found = recurrent or found
    if not found:
        raise ModelError(f"{what} holds no state_dict with the tensors of a network; {WAY_ROUND}.")
    chosen = next((path for path in ("", *WEIGHTS) if path in found), None)
    if chosen is not None:
        notes = [f"The weights are those under '{chosen}'."] if chosen else []
        return found[chosen], notes
    merged = {f"{path}.{name}": place for path, tensors in found.items() for name, place in tensors.items()}
    return merged, []


def _dictionaries(value: Any, path: str, seen: set[int]) -> Iterator[tuple[str, dict[str, TensorPlace]]]:
    """The dictionaries of tensors in a value, each by the keys that lead to it."""
    if not isinstance(value, dict) or id(value) in seen or path.count(".") > 8:
        return
    seen.add(id(value))
    tensors = {name: each for name, each in value.items() if isinstance(each, TensorPlace) and isinstance(name, str)}
    if tensors:
        yield path, tensors
    for name, each in value.items():
        if isinstance(name, str):
            yield from _dictionaries(each, f"{path}.{name}".lstrip("."), seen)
