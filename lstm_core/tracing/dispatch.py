"""`trace`: one function for single layers, whole networks and files. What isn't needed isn't imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.nn import trace as one_layer
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.keras_file import MIB
from lstm_core.nn.saved import SavedLayer, SavedNetwork
from lstm_core.nn.trace import BidirectionalTrace, LayerTrace
from lstm_core.tracing.files.tensors import LARGEST_FILE
from lstm_core.tracing.graph import Graph
from lstm_core.tracing.graph_file import graph_of
from lstm_core.tracing.model_trace import ModelTrace
from lstm_core.tracing.open_file import Saved, read_network, read_state_dict, trace_file
from lstm_core.tracing.state_dict import TorchStacks


def trace(
    obj: Any,
    x: Any,
    *,
    mask: Any = None,
    initial_state: Sequence[Any] | Any = None,
    clamps: Iterable[Clamp] = (),
) -> LayerTrace | BidirectionalTrace | ModelTrace:
    """Everything that the recurrent layers of a network compute, at every timestep.

    Args:
        obj: a built Keras layer `LSTM`, `GRU`, `SimpleRNN` or a `Bidirectional` of them; or a network: a built Keras
            model, a module of PyTorch or its `state_dict`, the path of a file, or what `read_network` returns.
        x: for a layer (T, features), one sequence, or a batch of exactly one; for a network what it takes: an array
            (batch, …), a list of arrays, a dictionary by names of inputs, or texts.
        mask: (T,) of bool for a layer, False where a timestep is skipped; (batch, T) for a network.
        initial_state: for a layer the arrays (units,) that Keras takes as `initial_state`: [h, c] for an LSTM, [h]
            otherwise, forward before backward for a `Bidirectional`; zeros if None.
        clamps: signals to clamp; their `layer` is 0 for a layer, and the number or the name of a recurrent layer in a
            network. All that follows changes with them.

    Returns:
        For a layer a `LayerTrace` or a `BidirectionalTrace` of one sequence; for a network a `ModelTrace` of the batch.

    Raises:
        ModelError: naming the layer and the setting that can't be followed, or whose numbers aren't Keras's to 1e-5.
        ValueError: if a shape is wrong, or a clamp names a layer, signal, unit or timestep that doesn't exist.
    """
    keras, torch = sys.modules.get("keras"), sys.modules.get("torch")
    if isinstance(obj, SavedLayer):
        return one_layer.trace(obj, x, mask=mask, initial_state=initial_state, clamps=clamps)
    if keras is not None and isinstance(obj, keras.layers.Layer):  # before PyTorch: a backend of Keras has both
        layers = keras.layers
        if isinstance(obj, (layers.LSTM, layers.GRU, layers.SimpleRNN, layers.Bidirectional)):
            return one_layer.trace(obj, x, mask=mask, initial_state=initial_state, clamps=clamps)
        from lstm_core.tracing.live.keras_model import trace_keras

        if initial_state is not None:
            raise ValueError("initial_state is for a single layer; a network takes states as inputs of its own.")
        return trace_keras(obj, x, mask=mask, clamps=clamps)
    if torch is not None and isinstance(obj, torch.nn.Module):
        from lstm_core.tracing.live.torch_model import trace_torch

        if mask is not None:
            raise ValueError("A module of PyTorch takes no mask; give it a PackedSequence.")
        return trace_torch(obj, x, initial_state, clamps)
    if isinstance(obj, str | os.PathLike):
        obj = _read_file(Path(obj))
    elif isinstance(obj, Mapping):
        obj = read_state_dict(obj)
    elif isinstance(obj, SavedNetwork):
        obj = graph_of(obj)
    if isinstance(obj, Graph | TorchStacks):
        return trace_file(obj, x, mask=mask, initial_state=initial_state, clamps=clamps)
    raise ModelError(
        f"A {type(obj).__name__} can't be traced; give a built Keras model or layer, a module of PyTorch, its "
        "state_dict, or the path of a file of either."
    )


def _read_file(path: Path) -> Saved:
    try:
        if (size := path.stat().st_size) > LARGEST_FILE:
            raise ModelError(f"{path.name} has {size / MIB:,.1f} MiB; {LARGEST_FILE // MIB} MiB is the most.")
        data = path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error.strerror}.") from error
    return read_network(data, path.name)
