"""`inspect`: what is in the file of a network, layer by layer, and what of it can be traced. Nothing is computed."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable
from pathlib import PurePath
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.nn.keras_file import LARGEST, check_weights, read_members
from lstm_core.tracing.files.keras_h5 import read_description
from lstm_core.tracing.graph_file import keras_members
from lstm_core.tracing.keras_report import keras_inputs, keras_layers
from lstm_core.tracing.model_report import ModelReport
from lstm_core.tracing.open_file import (
    BUNDLE,
    NETWORK,
    file_format,
    read_network,
    read_path,
    read_tensors,
    shown_name,
)
from lstm_core.tracing.state_dict import stacks_of
from lstm_core.tracing.torch_report import torch_inputs, torch_layers

FORMATS = {
    "keras": "Keras file (.keras)",
    "bundle": "model of LSTM Lab",
    "h5": "HDF5 file of Keras (.h5)",
    "safetensors": "safetensors",
    "checkpoint": "file of torch.save",
}


def inspect(path: str | os.PathLike[str]) -> ModelReport:
    """What is in the file of a network: its layers, inputs and weights, and what of it can be traced.

    Args:
        path: a `.keras`, `.h5`, `.safetensors`, `.pt` or `.pth` file, or a model's folder or `.zip`.

    Raises:
        ModelError: in one sentence, if there is no such file, or what is in it can't be read.
    """
    data, shown = read_path(path)
    return inspect_bytes(data, PurePath(shown).name, shown=shown)


def inspect_bytes(data: bytes, filename: str, *, shown: str = "") -> ModelReport:
    """`inspect` of the bytes of a file, for uploads.

    Args:
        data: the bytes.
        filename: the name of the file.
        shown: what it is called in the report, if something else.

    Raises:
        ModelError: as `inspect`.
    """
    what = shown or shown_name(filename)
    found = file_format(data, filename)
    if found in ("safetensors", "checkpoint"):
        return _torch_report(data, filename, what, found)
    return _keras_report(data, filename, what, found)


def _torch_report(data: bytes, filename: str, what: str, found: str) -> ModelReport:
    tensors, notes = read_tensors(data, filename)
    problem, stacks = "", None
    try:
        stacks = stacks_of(tensors, shown_name(filename), notes)
    except ModelError as error:
        problem = str(error)
    layers = torch_layers(tensors, stacks)
    notes = [*(stacks.notes if stacks else notes), "The file has weights alone; what reads what isn't in it."]
    return ModelReport(
        file=what,
        format=FORMATS[found],
        framework="PyTorch",
        layers=tuple(layers),
        inputs=tuple(torch_inputs(stacks)) if stacks else (),
        parameters=sum(layer.parameters for layer in layers),
        dtypes=tuple(sorted({tensor.dtype for tensor in tensors.values()})),
        problem=problem,
        notes=tuple(notes),
    )


def _keras_report(data: bytes, filename: str, what: str, found: str) -> ModelReport:
    import h5py

    if found == "bundle":
        data, found = read_members(data, what, LARGEST, BUNDLE)[NETWORK], "keras"
    weights, config = data, None  # of an .h5 file, whose description lies beside the weights
    if found == "keras":
        config, parts = keras_members(data, what)
        weights = parts["model.weights.h5"]
    check_weights(weights)
    with h5py.File(io.BytesIO(weights), "r") as file:
        config = read_description(file, what) if config is None else config
        try:
            layers = keras_layers(config, file, legacy=found == "h5")
            inputs = keras_inputs(layers, config)
        except (AttributeError, IndexError, KeyError, RecursionError, TypeError, ValueError) as error:
            raise ModelError(f"The description of the layers in {what} is damaged; get the file again.") from error
        dtypes = sorted(set(_dtypes(file)))
    try:
        read_network(data, filename)
        problem = ""
    except ModelError as error:
        problem = str(error)
    parameters = sum(layer.parameters for layer in layers if "/" not in layer.name)
    return ModelReport(what, FORMATS[found], "Keras", tuple(layers), tuple(inputs), parameters, tuple(dtypes), problem)


def _dtypes(group: Any) -> Iterable[str]:
    """The types of all floating-point arrays in a file."""
    found: list[str] = []
    group.visititems(lambda _, item: found.append(item.dtype.name) if hasattr(item, "dtype") else None)
    return (name for name in found if name.startswith("float"))
