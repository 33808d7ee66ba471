"""Networks that people bring to a check-up, live ones of Keras and PyTorch and files, and files of data for them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError, TextError
from lstm_core.interpret.diagnosis.ablation import OutputOf
from lstm_core.interpret.diagnosis.finding import NotCheckedError
from lstm_core.nn.clamps import Clamp
from lstm_core.timeseries import read_number_table
from lstm_core.tracing import FeedSpec, ModelTrace, feeds, first_sequences, opened, trace_network

MOST_SEQUENCES, MOST_TIMESTEPS = 64, 64_000  # that are read; all sequences together
ABLATED_SEQUENCES, ABLATED_TIMESTEPS = 8, 8_000  # of those, in which units are clamped
MOST_AGAIN = 100_000  # timesteps of all layers, beyond which a network isn't run again: ablation runs it about 30 times


def trace_given(network: Any, data: Any) -> tuple[ModelTrace, OutputOf]:
    """The trace of a network over data, and its output with clamps.

    Args:
        network: what `lstm_core.trace` takes.
        data: what it reads, as for `lstm_core.trace`; of networks of Keras at most `MOST_SEQUENCES` are read.

    Raises:
        ModelError: if the network can't be traced, doesn't read the data, or there are none.
    """
    network = opened(network)
    if data is None:
        raise ModelError("There are no examples for this network: give data for it to read.")
    read = first_sequences(network, data, MOST_SEQUENCES)
    steps = max(_steps(read), 1)
    read = first_sequences(network, read, max(1, MOST_TIMESTEPS // steps))
    trace = trace_network(network, read)
    names = [layer.name for layer in trace.layers]
    few = first_sequences(network, read, min(ABLATED_SEQUENCES, max(1, ABLATED_TIMESTEPS // steps)))
    all_steps = sum(layer.mask.size for layer in trace.layers)

    def output_of(clamps: tuple[Clamp, ...]) -> Array:
        if few is read and all_steps > MOST_AGAIN:
            raise NotCheckedError(
                f"{all_steps:,} timesteps are too many to run the network about 30 times; give fewer."
            )
        return _rows(trace_network(network, few, clamps=clamps, names=names))

    return trace, output_of


def _arrays(data: Any) -> Iterator[Array]:
    """The arrays in what a network reads or answers."""
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, list | tuple) and not all(isinstance(each, int | float | str) for each in data):
        for each in data:
            yield from _arrays(each)
    elif hasattr(data, "shape") or isinstance(data, list | tuple):
        yield np.asarray(data)


def _steps(data: Any) -> int:
    return max((each.shape[1] for each in _arrays(data) if each.ndim > 1), default=1)


def _rows(trace: ModelTrace) -> Array:
    """An output as (sequences, numbers); NotCheckedError if it has no number for each sequence.

    PyTorch may have the timesteps first and doesn't say, and a layer inside TimeDistributed reads more sequences than
    the network: the axis is found by how many sequences the layers read, or else the network.
    """
    numbers = [each for each in _arrays(trace.output) if each.dtype.kind == "f" and each.ndim]
    for count in (*(len(layer.mask) for layer in trace.layers), *(len(each) for each in _arrays(trace.inputs))):
        found = [
            np.moveaxis(each, each.shape[:2].index(count), 0).reshape(count, -1)
            for each in numbers
            if count in each.shape[:2]
        ]
        if found:
            return np.concatenate(found, axis=1)
    raise NotCheckedError("The output has no numbers for each sequence.")


# --- Data in a file ---------------------------------------------------------------------------------


def read_data(path: Path, network: Any) -> Any:
    """What a network reads, from a file.

    Args:
        path: `.npy`, an array (sequences, timesteps, features), or (sequences, timesteps) of ids; `.npz`, an array for
            each input by its name; `.csv`, one row a timestep; or a file of texts, one a line.
        network: read from a file, by which a table is cut into sequences as long as the network needs.

    Raises:
        TextError: if the file can't be read, or isn't what the network reads.
    """
    try:
        content = path.read_bytes()
        if path.suffix.lower() in (".npy", ".npz"):
            with path.open("rb") as file:
                found = np.load(file, allow_pickle=False)
                return dict(found) if isinstance(found, Mapping) else found
    except OSError as error:
        raise TextError(f"The data '{path}' can't be read ({error.strerror}).") from error
    except (ValueError, EOFError) as error:
        raise TextError(f"The data '{path}' are no array of numbers that NumPy can read.") from error
    specs = feeds(network)
    if len(specs) > 1:
        names = ", ".join(f"'{spec.name}'" for spec in specs)
        raise TextError(f"The network has several inputs: give an .npz file with an array for each of {names}.")
    return _of_text(content, specs[0])


def _of_text(content: bytes, spec: FeedSpec) -> Any:
    if spec.kind == "texts":
        return [line for line in content.decode("utf-8", "replace").splitlines() if line.strip()]
    values = read_number_table(content, 1 if spec.kind == "ids" else spec.size).values  # (T, features)
    values = values[:, 0].astype(np.int64) if spec.kind == "ids" else values
    if not spec.sequence:
        return values
    steps = spec.steps or len(values)
    if len(values) < steps:
        raise TextError(f"The table has {len(values)} rows; the network reads {steps} timesteps.")
    return values[: len(values) // steps * steps].reshape(-1, steps, *values.shape[1:])
