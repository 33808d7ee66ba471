"""`trace`: one function for single layers, whole networks and files. What isn't needed isn't imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.nn import trace as one_layer
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.saved import SavedLayer, SavedNetwork
from lstm_core.nn.trace import BidirectionalTrace, LayerTrace
from lstm_core.tracing.graph import Graph
from lstm_core.tracing.graph_file import graph_of
from lstm_core.tracing.inputs import arrays_by_name
from lstm_core.tracing.model_trace import ModelTrace
from lstm_core.tracing.open_file import read_network, read_path, read_state_dict, trace_file
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
    single = isinstance(obj, SavedLayer)
    if _is_keras(obj):
        layers = sys.modules["keras"].layers
        single = isinstance(obj, (layers.LSTM, layers.GRU, layers.SimpleRNN, layers.Bidirectional))
    if single:
        return one_layer.trace(obj, x, mask=mask, initial_state=initial_state, clamps=clamps)
    return trace_network(obj, x, mask=mask, initial_state=initial_state, clamps=clamps)


def trace_network(
    obj: Any,
    x: Any,
    *,
    mask: Any = None,
    initial_state: Sequence[Any] | Any = None,
    clamps: Iterable[Clamp] = (),
    names: Sequence[str] = (),
) -> ModelTrace:
    """`trace` of a network; a single layer of Keras is one, too, which reads a batch.

    Args:
        obj: as in `trace`, or what `opened` returns.
        x: a batch, as in `trace`.
        mask: as in `trace`.
        initial_state: as in `trace`.
        clamps: as in `trace`.
        names: of the recurrent layers, if the same network was traced before: with clamps it then runs only once, and
            isn't compared with Keras again.

    Raises:
        ModelError: as `trace`.
        ValueError: as `trace`.
    """
    obj = opened(obj)
    if _is_keras(obj):
        from lstm_core.tracing.live.keras_model import trace_keras

        if initial_state is not None:
            raise ValueError("initial_state is for a single layer; a network takes states as inputs of its own.")
        return trace_keras(obj, x, mask=mask, clamps=clamps, names=names)
    if _is_torch(obj):
        from lstm_core.tracing.live.torch_model import trace_torch

        if mask is not None:
            raise ValueError("A module of PyTorch takes no mask; give it a PackedSequence.")
        return trace_torch(obj, x, initial_state, clamps)
    return trace_file(obj, x, mask=mask, initial_state=initial_state, clamps=clamps, names=names)


def opened(obj: Any) -> Any:
    """What `trace` takes as a network, with files and mappings read: a live one, a `Graph` or `TorchStacks`.

    Raises:
        ModelError: if it is nothing that can be traced, or its file can't be read.
    """
    if isinstance(obj, str | os.PathLike):
        return read_network(*read_path(obj))
    if isinstance(obj, Mapping):
        return read_state_dict(obj)
    if isinstance(obj, SavedNetwork):
        return graph_of(obj)
    if isinstance(obj, Graph | TorchStacks) or _is_keras(obj) or _is_torch(obj):
        return obj
    raise ModelError(
        f"A {type(obj).__name__} can't be traced; give a built Keras model or layer, a module of PyTorch, its "
        "state_dict, or the path of a file of either."
    )


def first_sequences(obj: Any, x: Any, most: int) -> Any:
    """The first sequences of what a network of Keras reads, or all where it reads a fixed number, or is PyTorch's.

    Args:
        obj: what `opened` returns.
        x: as in `trace`.
        most: how many sequences.

    Raises:
        ModelError: if the network doesn't read x.
    """
    if isinstance(obj, Graph):
        specs = list(obj.specs)
    elif _is_keras(obj):
        from lstm_core.tracing.live.keras_model import input_specs

        specs = input_specs(obj, x)
    else:
        return x
    arrays = arrays_by_name(x, specs)
    fixed = any(spec.shape is not None and spec.shape[0] is not None for spec in specs)
    if fixed or all(len(each) <= most for each in arrays.values()):
        return x
    kept = {name: each[:most] for name, each in arrays.items()}
    if isinstance(x, Mapping):
        return kept
    return list(kept.values()) if len(kept) > 1 else next(iter(kept.values()))


def _is_keras(obj: Any) -> bool:
    keras = sys.modules.get("keras")  # what isn't imported has made no object
    return keras is not None and isinstance(obj, keras.layers.Layer)


def _is_torch(obj: Any) -> bool:
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(obj, torch.nn.Module)
