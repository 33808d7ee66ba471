"""One live recurrent layer or cell of Keras: its weights, what it was called with, and what it has to return.

Each step that we computed is repeated by Keras's own cell, all steps at once: equal to 1e-5, or an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.saved import saved_cell
from lstm_core.nn.trace import STATES
from lstm_core.nn.weights import CellWeights, weights_of
from lstm_core.tracing.batch import run_batch
from lstm_core.tracing.live.keras_calls import LayerCall
from lstm_core.tracing.model_trace import RecurrentTrace

# How far a value may be from Keras's, absolutely and relatively, by the type in which Keras computes.
TOLERANCES = {"float64": 1e-5, "float32": 1e-5, "float16": 1e-2, "bfloat16": 8e-2}
STOCK = ("LSTM", "GRU", "SimpleRNN")
ROWS = 2**22  # numbers in one check of cells


def array(tensor: Any, name: str = "") -> Array:
    """A tensor's numbers, half precision as float32; ModelError, naming the layer, if it has none yet."""
    import keras

    try:
        found = np.asarray(keras.ops.convert_to_numpy(tensor))
    except Exception as error:  # each backend has its own kinds for tensors inside a compiled function
        raise ModelError(
            f"Layer '{name}' runs inside a compiled function, where its numbers can't be seen; "
            "trace the network without @tf.function, jax.jit or a scan of your own around it."
        ) from error
    if found.dtype.kind == "f" and found.dtype.itemsize > 2:
        return found
    half = found.dtype.kind == "f" or found.dtype.name == "bfloat16"
    return found.astype(np.float32) if half else found


def tolerance(layer: Any) -> float:
    """How far a layer's values may be from ours."""
    return TOLERANCES.get(str(layer.compute_dtype), 1e-5)


def differs(ours: Any, theirs: Any, most: float) -> float:
    """The largest difference of two arrays; 0 where every one is within the tolerance."""
    ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
    if ours.shape != theirs.shape:
        return np.inf
    if np.allclose(ours, theirs, rtol=most, atol=most, equal_nan=True):
        return 0.0
    with np.errstate(invalid="ignore"):
        return float(np.nanmax(np.abs(ours - theirs), initial=0)) or np.inf


def is_cell(layer: Any) -> bool:
    """Whether a layer is one of Keras's recurrent cells."""
    import keras

    return isinstance(layer, (keras.layers.LSTMCell, keras.layers.GRUCell, keras.layers.SimpleRNNCell))


def cells_of(layer: Any) -> list[Any] | None:
    """The cells of a recurrent layer, in the order of computation; None if one is of another kind than Keras's own."""
    import keras

    stacked = isinstance(layer.cell, keras.layers.StackedRNNCells)
    if stacked and type(layer.cell).call is not keras.layers.StackedRNNCells.call:
        return None
    cells = list(layer.cell.cells) if stacked else [layer.cell]
    return cells if all(map(is_cell, cells)) else None


def layer_weights(layer: Any, name: str) -> list[CellWeights]:
    """The weights of each cell of a recurrent layer; ModelError, naming it, if its numbers can't be ours."""
    import keras

    cells = cells_of(layer)
    assert cells is not None
    kind = next((kind for kind in STOCK if isinstance(layer, getattr(keras.layers, kind))), "RNN")
    stock = getattr(keras.layers, kind)
    if any(getattr(type(layer), method) is not getattr(stock, method) for method in ("call", "inner_loop")):
        raise ModelError(
            f"Layer '{name}' is a {type(layer).__name__} with its own `call`, which a trace would not follow; "
            f"build the network with keras.layers.{kind} and the same weights to trace it."
        )
    own = {key: getattr(layer, key) for key in ("go_backwards", "zero_output_for_mask")}
    if len(cells) == 1:
        names = [name]
    else:
        names = [f"{name}/{cell.name}" for cell in cells]
        names = [each if names.count(each) == 1 else f"{each} ({n})" for n, each in enumerate(names, start=1)]
    saved = [saved_cell(cell, each) for cell, each in zip(cells, names, strict=True)]
    return [weights_of(replace(each, settings={**each.settings, **own})) for each in saved]


@dataclass(frozen=True)
class RecurrentCall:
    """What a recurrent layer was called with.

    Attributes:
        x: (batch, T, features).
        mask: (batch, T) of bool, or None.
        states: of all cells one after the other, each (batch, units).
    """

    x: Array
    mask: Array | None
    states: list[Array]


def read_call(call: LayerCall) -> RecurrentCall:
    """The arrays with which a recurrent layer was called; ModelError, naming it, if they can't be seen."""
    import keras

    layer, name = call.layer, call.name
    given = dict(call.arguments)
    sequences = given.pop("sequences")
    if given.get("training") and any(cell.dropout or cell.recurrent_dropout for cell in cells_of(layer) or ()):
        raise ModelError(f"Layer '{name}' is called with training=True: its dropout is random and can't be traced.")
    x = array(sequences, name)
    states = given.get("initial_state")
    if states is None:
        states = layer.states if layer.stateful else layer.get_initial_state(batch_size=len(x))
        kept = keras.tree.flatten(states)[0].shape[0]
        if kept != len(x):
            raise ModelError(
                f"Layer '{name}' is stateful: it keeps the states of {kept} sequences, and reads {len(x)}."
            )
    mask = next((each for each in keras.tree.flatten(given.get("mask")) if each is not None), None)
    if mask is not None:
        mask = array(mask, name).astype(bool)
        mask = mask[..., 0] if mask.ndim == 3 and mask.shape[-1] == 1 else mask
    return RecurrentCall(x, mask, [array(state, name) for state in keras.tree.flatten(states)])


def run_layer(
    layer: Any, weights: Sequence[CellWeights], call: RecurrentCall, clamps: Callable[[str], Iterable[Clamp]]
) -> list[RecurrentTrace]:
    """Our trace of each cell of a recurrent layer, by its weights; `clamps` gives those of a name."""
    import keras

    x, states, traces = call.x, list(call.states), []
    for each in weights:
        own, states = states[: len(STATES[each.kind])], states[len(STATES[each.kind]) :]
        trace = run_batch(each, x, mask=call.mask, initial_state=own, clamps=clamps(each.name))
        traces.append(trace)
        x = trace.signals["h"]
    carried = keras.backend.backend() == "jax" and not layer.unroll and not layer.zero_output_for_mask
    if carried and call.mask is not None:  # JAX's scan outputs the initial state before the first step taken
        traces[-1] = replace(traces[-1], outputs=traces[-1].signals["h"])
    return traces


def returned(layer: Any, traces: Sequence[RecurrentTrace]) -> Any:
    """What a recurrent layer returns, as tensors; a stateful one keeps its new states."""
    import keras

    outputs = traces[-1].outputs[:, :: -1 if layer.go_backwards else 1]
    output = outputs if layer.return_sequences else outputs[:, -1]
    flat = [state for trace in traces for state in trace.final_state]

    def tensor(values: Array) -> Any:
        return keras.ops.convert_to_tensor(np.ascontiguousarray(values), dtype=layer.compute_dtype)

    if layer.stateful:
        for variable, state in zip(keras.tree.flatten(layer.states), flat, strict=True):
            variable.assign(tensor(state))
    if not layer.return_state:
        return tensor(output)
    like = layer.get_initial_state(batch_size=1)
    return tensor(output), *keras.tree.pack_sequence_as(like, [tensor(state) for state in flat])


def check_cell(cell: Any, trace: RecurrentTrace) -> None:
    """Compare every step of a trace with Keras's own cell, which gets the same inputs and the same states before it.

    Raises:
        ModelError: naming the layer, if a new state is another one.
    """
    names = STATES[trace.kind]
    states = [trace.signals[name] for name in names]
    before = [
        np.concatenate(
            [values[:, 1:], start[:, None]] if trace.weights.go_backwards else [start[:, None], values[:, :-1]], 1
        )
        for start, values in zip(trace.initial_state, states, strict=True)
    ]
    x, before = trace.inputs[trace.mask], [values[trace.mask] for values in before]
    rows, most = max(1, ROWS // trace.weights.kernel.shape[1]), tolerance(cell)
    for first in range(0, len(x), rows):
        part = slice(first, first + rows)
        _, new = cell(x[part], [values[part] for values in before])
        for name, theirs, ours in zip(names, new if isinstance(new, list | tuple) else [new], states, strict=True):
            if error := differs(ours[trace.mask][part], array(theirs, trace.name), most):
                raise ModelError(
                    f"Layer '{trace.name}' computes another {name} than the equations of its kind, by up to "
                    f"{error:.2g}; is it changed or quantized? Trace a layer of Keras's own with its weights."
                )
