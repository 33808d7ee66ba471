"""Recurrent layers of a saved graph: LSTM, GRU, SimpleRNN, RNN over cells, Bidirectional and TimeDistributed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lstm_core.arrays import Array
from lstm_core.nn.saved import SavedLayer
from lstm_core.nn.trace import STATES, merge
from lstm_core.nn.weights import CellWeights, weights_of
from lstm_core.tracing.batch import run_batch
from lstm_core.tracing.graph import Call, GraphLayer, Value
from lstm_core.tracing.model_trace import RecurrentTrace

CELLS = {"LSTMCell": "LSTM", "GRUCell": "GRU", "SimpleRNNCell": "SimpleRNN"}
ARRAYS, STEP = 13, 1000  # arrays that a trace of an LSTM has; numbers computed in the time that a step takes at least
# Layers to which TimeDistributed hands the mask of each timestep, (batch,), whatever they make of it.
_TAKE_MASKS = (*CELLS.values(), "RNN", "Bidirectional", "TimeDistributed", "Softmax", "GlobalAveragePooling1D")
KEEP_MASK = "keep_mask"  # an argument in the calls of Keras 2, which hands masks over beside states, too
STATEFUL = "The stateful layers of the file start from zeros: a file doesn't hold their states."


def recurrent(call: Call) -> Any:
    """LSTM, GRU, SimpleRNN, and RNN over Keras's own cells: what Keras returns by the layer's settings."""
    return _with_states(call, call.layer, call.name, call.first, _states(call))


def bidirectional(call: Call) -> Any:
    """Both directions, merged."""
    parts, states = call.layer.parts, _states(call)
    mode, half = call.layer.settings["merge_mode"], len(states) // 2
    ahead, back = parts["forward_layer"], parts["backward_layer"]
    sides = ((ahead, "forward", states[:half]), (back, "backward", states[half:]))
    first, second = (
        _as_list(_with_states(call, layer, f"{call.name}/{side}", call.first, own)) for layer, side, own in sides
    )
    y, y_back = first[0].array, second[0].array
    if ahead.settings["return_sequences"]:
        y_back = y_back[:, ::-1]
    merged, mask = merge(mode, y, y_back), first[0].mask
    values = [Value(each, mask) for each in (merged if isinstance(merged, tuple) else (merged,))]
    values += [*first[1:], *second[1:]]
    return values if len(values) > 1 else values[0]


def time_distributed(call: Call) -> Any:
    """A layer for each timestep: the timesteps become rows of one batch."""
    layer, value = call.layer.parts["layer"], call.first
    if value.mask is not None and (layer.graph is not None or layer.kind in _TAKE_MASKS):
        raise call.refused("gets a mask for the sequences inside")
    batch, steps = value.array.shape[:2]
    rows = value.array.reshape(-1, *value.array.shape[2:])
    found = call.run.layer(layer, f"{call.name}/{layer.name}", (Value(rows),), {})
    if not isinstance(found, Value):
        raise call.refused("wraps a layer with several outputs")
    return Value(found.array.reshape(batch, steps, *found.array.shape[1:]), call.mask)


def _as_list(value: Any) -> list[Value]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _states(call: Call) -> list[Array]:
    """The initial states that a layer is called with, flat; they follow the sequence, or have their own name."""
    given = call.kwargs.get("initial_state", call.args[1] if len(call.args) > 1 else None)
    flat: list[Array] = []

    def gather(value: Any) -> None:
        if isinstance(value, Value):
            flat.append(value.array)
        elif isinstance(value, list | tuple):
            for each in value:
                gather(each)

    gather(given)
    if not flat:  # Keras 2 wrote them behind the sequence
        gather(call.values[1:])
    return flat


def _with_states(call: Call, layer: GraphLayer, name: str, value: Value, states: Sequence[Array]) -> Any:
    settings = layer.settings
    if settings["stateful"]:
        call.run.notes[STATEFUL] = None
    mask = call.mask
    if mask is not None and mask.ndim == 3:
        mask = mask[..., 0]
    if mask is not None and all(settings.get(key) for key in ("unroll", "zero_output_for_mask", "go_backwards")):
        # Keras puts the zeros where the mask has them before it is turned round.
        raise call.refused("is unrolled backwards over a mask with zero_output_for_mask=True")
    # Keras 3 hands a mask over by itself only where a sequence is the one tensor of a call: with states, it has to be
    # given as well. The outputs have it in any case.
    alone = not states or call.kwargs.get("mask") is not None or call.kwargs.get(KEEP_MASK)
    traces = run_cells(call, cell_weights(call, layer, name), value.array, mask if alone else None, states)
    call.run.traces += traces
    backwards = bool(settings["go_backwards"])
    outputs = traces[-1].outputs[:, :: -1 if backwards else 1]
    whole = settings["return_sequences"]
    found = [Value(outputs if whole else outputs[:, -1], mask if whole else None)]
    if settings["return_state"]:
        found += [Value(state) for trace in traces for state in trace.final_state]
    return found if len(found) > 1 else found[0]


def run_cells(
    call: Call, weights: Sequence[CellWeights], x: Array, mask: Array | None, states: Sequence[Array]
) -> list[RecurrentTrace]:
    """The traces of a stack of cells, each of which reads the hidden states of the one before."""
    rest, traces = list(states), []
    for each in weights:
        count = len(STATES[each.kind]) if rest else 0
        own, rest = rest[:count], rest[count:]
        if x.ndim != 3:
            raise call.refused(f"reads an array of shape {x.shape}, no sequences")
        call.spend(x.shape[1] * max(ARRAYS * len(x) * each.units, STEP))
        trace = run_batch(each, x, mask=mask, initial_state=own, clamps=call.run.clamps(each.name))
        traces.append(trace)
        x = trace.signals["h"]
    if rest:
        raise call.refused("gets more initial states than it has")
    return traces


def cell_weights(call: Call, layer: GraphLayer, name: str) -> list[CellWeights]:
    """The weights of each cell of a recurrent layer, in the order of computation."""
    cell = layer.parts["cell"]
    cells = list(cell.parts.values()) if cell.kind == "StackedRNNCells" else [cell]
    names = [name] if len(cells) == 1 else [f"{name}/{each.name}" for each in cells]
    names = [each if names.count(each) == 1 else f"{each} ({n})" for n, each in enumerate(names, start=1)]
    own = {key: layer.settings.get(key, False) for key in ("go_backwards", "zero_output_for_mask")}
    found = []
    for each, own_name in zip(cells, names, strict=True):
        kind = CELLS.get(each.kind)
        if kind is None:
            raise call.refused(f"has a cell of the kind {each.kind}")
        settings = {"activation": "tanh", "recurrent_activation": "sigmoid", **each.settings, **own, "stateful": False}
        found.append(weights_of(SavedLayer(own_name, kind, settings, each.arrays)))
    return [replace(each, go_backwards=bool(each.go_backwards)) for each in found]
