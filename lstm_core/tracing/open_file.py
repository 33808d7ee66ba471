"""Opens a file of a network of Keras or PyTorch, whatever its format, and traces it; nothing in it is trusted.

The format is told by the first bytes, not by the name; what can't be opened is refused by its name, with the way round.
"""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePath
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.keras_file import BROKEN, KERAS_FILE, LARGEST, MIB, check_size, read_members
from lstm_core.tracing.files.keras_h5 import KERAS_WAY, as_keras_file
from lstm_core.tracing.files.tensors import LARGEST_FILE, StoredTensor, tensors_of_arrays
from lstm_core.tracing.files.torch_file import WAY_ROUND, read_checkpoint, read_safetensors
from lstm_core.tracing.graph import Graph, trace_graph
from lstm_core.tracing.graph_file import read_graph
from lstm_core.tracing.graph_layers import compute
from lstm_core.tracing.model_trace import ModelTrace
from lstm_core.tracing.state_dict import TorchStacks, stacks_of, trace_stacks

BUNDLE = {"model.keras": 64 * MIB, "vocabulary.json": 8 * MIB, "card.json": 2 * MIB}  # see `library/bundle.py`
BOTH_WAYS = f"open the network where it was trained; {KERAS_WAY}, or in PyTorch {WAY_ROUND.removeprefix('save ')}"
# Endings of files that other programs write → what they are, and the way round.
OTHERS = {
    ".onnx": ("an ONNX graph", BOTH_WAYS),
    ".pb": ("a graph of TensorFlow", KERAS_WAY),
    ".tflite": ("a network for TensorFlow Lite", KERAS_WAY),
    ".ckpt": ("a checkpoint", BOTH_WAYS),
    ".index": ("a part of a checkpoint of TensorFlow", KERAS_WAY),
    ".mat": ("a file of MATLAB", "export the network from MATLAB as weights, and build it in Keras or PyTorch"),
    ".mlmodel": ("a network for Core ML", BOTH_WAYS),
    ".npz": (
        "an archive of NumPy",
        "load its arrays and trace the mapping: lstm_core.trace(dict(numpy.load(path)), x)",
    ),
    ".pkl": ("a pickle, which would have to be run to be read", BOTH_WAYS),
    ".joblib": ("a pickle, which would have to be run to be read", BOTH_WAYS),
    ".gguf": ("a file of a language model", "there is no recurrent network in it to trace"),
    ".json": ("a description without weights", BOTH_WAYS),
}
MAGIC = {
    b"\x89PNG": ".png", b"\xff\xd8\xff": ".jpg", b"%PDF": ".pdf", b"GIF8": ".gif", b"MATLAB": ".mat", b"GGUF": ".gguf",
    b"\x1f\x8b": ".gz", b"Rar!": ".rar", b"7z\xbc\xaf": ".7z", b"\x93NUMPY": ".npy",
}  # fmt: skip
NETWORK = "model.keras"  # in a model's folder
Saved = Graph | TorchStacks


def read_path(path: str | os.PathLike[str]) -> tuple[bytes, str]:
    """The bytes of a network's file and its name: of a file, or of the `.keras` file in a model's folder.

    Raises:
        ModelError: in one sentence, if there is none, or it is too large.
    """
    place, shown = Path(path), shown_name(os.fspath(path))
    try:
        if place.is_dir():
            if (place / "saved_model.pb").exists():
                raise ModelError(f"{shown} is a SavedModel of TensorFlow, which isn't opened here; {KERAS_WAY}.")
            if not (place / NETWORK).is_file():
                raise ModelError(f"The folder {shown} holds no {NETWORK}; give the file of a network.")
            place, shown = place / NETWORK, f"{shown}/{NETWORK}"
        if (size := place.stat().st_size) > LARGEST_FILE:
            raise ModelError(f"{shown} has {size / MIB:,.0f} MiB; {LARGEST_FILE // MIB:,} MiB is the most.")
        return place.read_bytes(), shown
    except (OSError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        reason = getattr(error, "strerror", None) or "it isn't the name of a file"
        raise ModelError(f"The file {shown} can't be read: {reason}.") from error


def read_network(data: bytes, filename: str) -> Saved:
    """The network in the bytes of a file.

    Args:
        data: of a `.keras`, `.h5`, `.safetensors`, `.pt` or `.pth` file, or of a model of LSTM Lab as `.zip`.
        filename: its name, for sentences and where its first bytes don't say what it is.

    Raises:
        ModelError: in one sentence, if it can't be opened.
    """
    what = shown_name(filename)
    check_size(data, what, LARGEST_FILE)
    found = file_format(data, filename)
    if found == "keras":
        return read_graph(data)
    if found == "bundle":
        return read_graph(read_members(data, what, LARGEST, BUNDLE)["model.keras"])
    if found == "h5":
        return read_graph(as_keras_file(data, what))
    tensors, notes = read_tensors(data, filename)
    return stacks_of(tensors, what, notes)


def read_tensors(data: bytes, filename: str) -> tuple[dict[str, StoredTensor], list[str]]:
    """The tensors in the bytes of a `.safetensors`, `.pt` or `.pth` file by name, and notes; ModelError as above."""
    what = shown_name(filename)
    if file_format(data, filename) == "safetensors":
        return read_safetensors(data, what), []
    return read_checkpoint(data, what)


def read_state_dict(arrays: Mapping[str, Any], name: str = "The state_dict") -> TorchStacks:
    """The recurrent modules in a `state_dict`, a mapping of names to arrays or tensors; ModelError if there is none."""
    return stacks_of(tensors_of_arrays(arrays), name)


def trace_file(
    network: Saved,
    x: Any,
    *,
    mask: Any = None,
    initial_state: Any = None,
    clamps: Iterable[Clamp] = (),
    most: int | None = None,
    names: Sequence[str] = (),
) -> ModelTrace:
    """Trace a network that was read from a file; see `trace_stacks` for PyTorch's.

    Args:
        network: what `read_network` returns.
        x: see `trace`.
        mask: see `trace`.
        initial_state: see `trace`.
        clamps: see `trace`.
        most: how many numbers a network of Keras may compute: a small file can ask for very many. None for any number.
        names: of the recurrent layers, if they are known: under clamps it then runs only once.

    Raises:
        ModelError: if the network can't be followed, or doesn't read x.
        ValueError: if a state, the mask or a clamp doesn't fit.
    """
    if isinstance(network, TorchStacks):
        return trace_stacks(network, x, mask=mask, initial_state=initial_state, clamps=clamps)
    if mask is not None or initial_state is not None:
        raise ValueError("A network of Keras takes masks and states as inputs of its own.")
    return trace_graph(network, x, compute, clamps, most, names)


def shown_name(filename: str) -> str:
    """A file's name as it stands in a sentence: short, and without what can't be shown."""
    name = PurePath(str(filename).replace("\\", "/")).name
    return "".join(each if each.isprintable() else "?" for each in name)[-60:] or "The file"


def file_format(data: bytes, filename: str) -> str:
    """ "keras", "bundle", "safetensors" or "checkpoint" (of `torch.save`).

    Raises:
        ModelError: naming what it is instead, and the way round.
    """
    what, ending = shown_name(filename), PurePath(filename).suffix.lower()
    if not data:
        raise ModelError(f"{what} is empty; get it again.")
    if data.startswith(b"PK"):
        return _zip_format(data, what)
    if data.startswith(b"\x89HDF\r\n\x1a\n"):
        return "h5"
    if data.startswith(b"\x80") and len(data) > 1 and data[1] <= 5 and ending != ".safetensors":
        raise ModelError(
            f"{what} is a pickle, or of PyTorch's format before version 1.6, which would have to be run to be read; "
            f"load it in PyTorch and {WAY_ROUND}."
        )
    if data[257:262] == b"ustar":
        raise ModelError(
            f"{what} is a tar archive, the format of the first versions of PyTorch; load it there and {WAY_ROUND}."
        )
    if data[4:8] == b"TFL3":
        ending = ".tflite"
    ending = next((own for start, own in MAGIC.items() if data.startswith(start)), ending)
    if ending in OTHERS:
        kind, way = OTHERS[ending]
        raise ModelError(f"{what} is {kind}, which isn't opened here; {way}.")
    if ending == ".safetensors" or data[8:9] == b"{":
        return "safetensors"
    raise ModelError(
        f"{what} is no network that can be opened: .keras, .h5, .safetensors, .pt and .pth files can, and a model of "
        "LSTM Lab as .zip."
    )


def _zip_format(data: bytes, what: str) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = archive.namelist()
    except (*BROKEN, UnicodeDecodeError) as error:
        raise ModelError(f"{what} is damaged ({' '.join(str(error).split())[:80]}); get it again.") from error
    if set(names) & set(KERAS_FILE):
        return "keras"
    if "model.keras" in names:
        return "bundle"
    if any(name.endswith("saved_model.pb") for name in names):
        raise ModelError(f"{what} is a SavedModel of TensorFlow, which isn't opened here; {KERAS_WAY}.")
    if names and all(name.endswith(".npy") for name in names):
        raise ModelError(f"{what} is {OTHERS['.npz'][0]}, which isn't opened here; {OTHERS['.npz'][1]}.")
    return "checkpoint"
