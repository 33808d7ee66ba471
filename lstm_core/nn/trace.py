"""Runs a recurrent Keras layer over one sequence in NumPy and keeps everything it computes.

`trace(layer, x)` gives a `LayerTrace`: every gate, the states, and the two sums that each gate
squashes. `nn/clamps.py` forces signals to values on the way. The recurrence itself is in `nn/cells.py`,
and `nn/weights.py` asks Keras for weights and settings: a trace needs no graph and no compilation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn import cells
from lstm_core.nn.cells import Hold
from lstm_core.nn.clamps import Clamp, holds
from lstm_core.nn.weights import CellWeights, Kind, is_a, weights_of

# The parts of each kernel, in the order in which Keras stores them side by side.
PARTS: dict[str, tuple[str, ...]] = {"lstm": ("i", "f", "g", "o"), "gru": ("z", "r", "g"), "rnn": ("h",)}


@dataclass(frozen=True)
class LayerTrace:
    """Everything one recurrent layer computed over one sequence.

    Every signal is an attribute of shape (T, units): `i f g o c h` for an LSTM, `z r g h` for a
    GRU, `h` for a plain RNN. Row n is the n-th step *as the layer took it*: with `go_backwards`
    row 0 belongs to the last token, as in Keras's own output; `timesteps[n]` says which token a
    row belongs to and `in_text_order()` turns the rows around.

    Attributes:
        kind: "lstm", "gru" or "rnn".
        name: the Keras layer's name.
        signals: name → (T, units), in the order of the equations.
        input_sums: gate → (T, units), W·x + b.
        recurrent_sums: gate → (T, units), U·h; a gate's value is its activation of
            `input_sums + recurrent_sums` (a GRU with `reset_after` multiplies the recurrent sum
            of g by r first). Where a clamp holds a gate, the sums still say what the network
            wanted.
        outputs: (T, units), what Keras returns with `return_sequences=True`; it differs from h
            only at masked steps.
        timesteps: (T,) the input index of each row.
        mask: (T,) True where the step was taken; elsewhere states are carried over.
    """

    kind: Kind
    name: str
    signals: Mapping[str, Array]
    input_sums: Mapping[str, Array]
    recurrent_sums: Mapping[str, Array]
    outputs: Array
    timesteps: Array
    mask: Array
    initial_state: tuple[Array, ...] = field(default=())

    def __getattr__(self, name: str) -> Array:
        signals = self.__dict__.get("signals", {})
        if name in signals:
            return signals[name]
        raise AttributeError(f"a trace of kind '{self.__dict__.get('kind')}' has no signal '{name}'")

    def __len__(self) -> int:
        return len(self.timesteps)

    @property
    def units(self) -> int:
        """The number of units."""
        return self.outputs.shape[-1]

    def in_text_order(self) -> LayerTrace:
        """The same trace with row t belonging to token t, whichever way the layer read."""
        order = np.argsort(self.timesteps)
        turned = {key: value[order] for key, value in self.signals.items()}
        return replace(
            self,
            signals=turned,
            input_sums={key: value[order] for key, value in self.input_sums.items()},
            recurrent_sums={key: value[order] for key, value in self.recurrent_sums.items()},
            outputs=self.outputs[order],
            timesteps=self.timesteps[order],
            mask=self.mask[order],
        )


@dataclass(frozen=True)
class BidirectionalTrace:
    """The two traces of a `Bidirectional` layer and what it makes of them.

    `outputs` is (T, units) or (T, 2·units) in text order, as Keras returns it with
    `return_sequences=True`; a tuple of two such arrays where `merge_mode` is None.
    """

    forward: LayerTrace
    backward: LayerTrace
    outputs: Array | tuple[Array, Array]


def trace(
    layer: Any,
    x: Any,
    *,
    mask: Any = None,
    initial_state: Sequence[Any] | Any = None,
    clamps: Iterable[Clamp] = (),
) -> LayerTrace | BidirectionalTrace:
    """Run a built Keras `LSTM`, `GRU`, `SimpleRNN` or a `Bidirectional` of them over one sequence.

    Args:
        layer: the built layer. Dropout is off, as in `layer(x)` outside training.
        x: (T, features), one sequence; a batch of exactly one, (1, T, features), will do too.
        mask: (T,) of bool, False where the step is to be skipped.
        initial_state: the arrays (units,) that Keras takes as `initial_state`: [h, c] for an
            LSTM, [h] otherwise, forward before backward for a `Bidirectional`; zeros if None.
        clamps: signals to hold; their `layer` must be 0.

    Raises:
        ModelError: if the layer has a setting that can't be traced.
        ValueError: if a shape doesn't fit, or a clamp names no signal, unit or timestep.
    """
    x = np.asarray(x)
    if x.ndim == 3 and x.shape[0] == 1:
        x = x[0]
    states, clamps = _as_states(initial_state), tuple(clamps)
    for clamp in clamps:
        if clamp.layer != 0:
            raise ValueError(f"A clamp names layer {clamp.layer}; to trace '{layer.name}' alone, it must be 0.")
    run = partial(_run_one, x=x, mask=mask, clamps=clamps)
    if not is_a(layer, "Bidirectional"):
        return run(weights_of(layer), initial_state=states)
    if len(states) % 2:
        raise ValueError(f"Layer '{layer.name}' shares the states between two directions; received {len(states)}.")
    half = len(states) // 2
    forward = run(weights_of(layer.forward_layer), initial_state=states[:half])
    backward = run(weights_of(layer.backward_layer), initial_state=states[half:])
    # Keras turns the second half around whichever way it reads, and never the first.
    merged = merge(layer.merge_mode, forward.outputs, backward.outputs[::-1])
    return BidirectionalTrace(forward, backward, merged)


def merge(mode: str | None, forward: Array, backward: Array) -> Array | tuple[Array, Array]:
    """Join two directions as Keras's `merge_mode` does; both (T, units) and in text order."""
    if mode is None:
        return forward, backward
    joined: dict[str, Callable[[Array, Array], Array]] = {
        "concat": lambda a, b: np.concatenate([a, b], axis=-1),
        "sum": np.add,
        "ave": lambda a, b: (a + b) / 2,
        "mul": np.multiply,
    }
    return joined[mode](forward, backward)


def run_cell(
    weights: CellWeights,
    x: Array,
    *,
    mask: Any = None,
    initial_state: Sequence[Array] = (),
    clamps: Iterable[Clamp] = (),
    hold: Callable[[int], Hold] | None = None,
) -> LayerTrace:
    """The recurrence over one sequence; arguments as in `trace`, weights from `weights_of`.

    `hold`, for each step the function that `cells.lstm_step` calls, stands in for clamps where a batch needs others in
    each of its rows.

    The input sums of all timesteps are one matrix product; only U·h must wait for its turn. A batch
    of sequences of equal length is x of shape (T, batch, features), and every signal (T, batch, units).
    """
    dtype, n = weights.kernel.dtype, weights.units
    x = np.asarray(x, dtype)
    if x.ndim < 2 or x.shape[-1] != weights.kernel.shape[0]:
        raise _wrong_shape(weights, x)
    timesteps = np.arange(len(x))
    if weights.go_backwards:
        timesteps = timesteps[::-1]
    taken = _as_mask(mask, len(x))[timesteps]
    start = tuple(np.broadcast_to(state, (*x.shape[1:-1], n)) for state in _initial_state(weights, initial_state))
    wx = _input_sums(x[timesteps], weights)  # (T, parts·units)
    clamps = tuple(clamps)

    if weights.kind == "lstm" and _is_plain(weights) and not clamps and hold is None and taken.all():
        steps: Any = cells.lstm_sequence(wx, start[0], start[1], weights.recurrent)
    else:
        steps = _STEPPERS[weights.kind](weights, wx, start, taken, hold or holds(weights, clamps, timesteps))
    uh = np.asarray(steps.pop("uh"), dtype).reshape(wx.shape)
    signals = {name: np.asarray(values, dtype).reshape(*x.shape[:-1], n) for name, values in steps.items()}
    return LayerTrace(
        kind=weights.kind,
        name=weights.name,
        signals=signals,
        input_sums=_by_part(weights.kind, wx),
        recurrent_sums=_by_part(weights.kind, uh),
        outputs=_outputs(weights, signals["h"], taken),
        timesteps=timesteps,
        mask=taken,
        initial_state=start,
    )


def _run_one(weights: CellWeights, x: Array, **options: Any) -> LayerTrace:
    if x.ndim != 2:
        raise _wrong_shape(weights, x)
    return run_cell(weights, x, **options)


def _wrong_shape(weights: CellWeights, x: Array) -> ValueError:
    wanted = f"(T, {weights.kernel.shape[0]})"
    return ValueError(f"Layer '{weights.name}' reads one sequence of shape {wanted}; received {x.shape}.")


def _input_sums(x: Array, weights: CellWeights) -> Array:
    """W·x + b of all timesteps, (T, parts·units).

    One product, cut into slices that OpenBLAS computes without calling for other threads: on a
    busy machine, waiting for those took a hundred times longer than the product itself.
    """
    flat = np.ascontiguousarray(x).reshape(-1, x.shape[-1])
    sums = np.empty((len(flat), weights.kernel.shape[1]), x.dtype)
    rows = max(1, 2**18 // max(weights.kernel.size, 1))
    for first in range(0, len(flat), rows):
        np.dot(flat[first : first + rows], weights.kernel, out=sums[first : first + rows])
    sums += weights.bias
    return sums.reshape(*x.shape[:-1], sums.shape[1])


def _is_plain(weights: CellWeights) -> bool:
    return weights.sigma is cells.sigmoid and weights.tanh is np.tanh


Steps = dict[str, list[Array]]


def _step_lstm(weights: CellWeights, wx: Array, start: tuple[Array, ...], taken: Array, hold: Any) -> Steps:
    h, c = start
    step = partial(cells.lstm_step, U=weights.recurrent, sigma=weights.sigma, tanh=weights.tanh)
    rows = []
    for t, row in enumerate(wx):
        row = step(row, h, c, hold=hold(t))
        if not taken[t]:
            row = row._replace(h=h, c=c)
        h, c = row.h, row.c
        rows.append(row)
    return _columns(cells.LSTMStep._fields, rows)


def _step_gru(weights: CellWeights, wx: Array, start: tuple[Array, ...], taken: Array, hold: Any) -> Steps:
    (h,) = start
    step = partial(
        cells.gru_step,
        U=weights.recurrent,
        recurrent_bias=weights.recurrent_bias,
        reset_after=weights.reset_after,
        sigma=weights.sigma,
        tanh=weights.tanh,
    )
    rows = []
    for t, row in enumerate(wx):
        row = step(row, h, hold=hold(t))
        if not taken[t]:
            row = row._replace(h=h)
        h = row.h
        rows.append(row)
    return _columns(cells.GRUStep._fields, rows)


def _step_rnn(weights: CellWeights, wx: Array, start: tuple[Array, ...], taken: Array, hold: Any) -> Steps:
    (h,) = start
    rows = []
    for t, row in enumerate(wx):
        row = cells.rnn_step(row, h, weights.recurrent, weights.tanh, hold(t))
        if not taken[t]:
            row = row._replace(h=h)
        h = row.h
        rows.append(row)
    return _columns(cells.RNNStep._fields, rows)


_STEPPERS = {"lstm": _step_lstm, "gru": _step_gru, "rnn": _step_rnn}


def _columns(fields: tuple[str, ...], rows: list[Any]) -> Steps:
    columns = zip(*rows, strict=True) if rows else ([] for _ in fields)
    return {name: list(column) for name, column in zip(fields, columns, strict=True)}


def _by_part(kind: str, sums: Array) -> dict[str, Array]:
    """Split (T, …, parts·units) into one (T, …, units) a gate."""
    parts = PARTS[kind]
    return dict(zip(parts, np.split(sums, len(parts), axis=-1), strict=True))


def _outputs(weights: CellWeights, h: Array, taken: Array) -> Array:
    """What Keras returns: at a masked step the last output again (zeros before the first)."""
    if taken.all():
        return h
    last_taken = np.maximum.accumulate(np.where(taken, np.arange(len(h)), -1))
    missing = ~taken if weights.zero_output_for_mask else last_taken < 0
    missing = missing.reshape(-1, *[1] * (h.ndim - 1))
    return np.where(missing, 0, h[np.maximum(last_taken, 0)]).astype(h.dtype)


def _as_mask(mask: Any, length: int) -> Array:
    if mask is None:
        return np.ones(length, bool)
    mask = np.asarray(mask, bool).reshape(-1)
    if len(mask) != length:
        raise ValueError(f"The mask must have one entry a timestep: {length}, received {len(mask)}.")
    return mask


def _as_states(initial_state: Any) -> tuple[Array, ...]:
    if initial_state is None:
        return ()
    states = initial_state if isinstance(initial_state, list | tuple) else (initial_state,)
    return tuple(np.asarray(state) for state in states)


def _initial_state(weights: CellWeights, states: Sequence[Array]) -> tuple[Array, ...]:
    count = 2 if weights.kind == "lstm" else 1
    if not states:
        return tuple(np.zeros(weights.units, weights.kernel.dtype) for _ in range(count))
    if len(states) != count or any(state.size != weights.units for state in states):
        raise ValueError(
            f"Layer '{weights.name}' starts from {count} state(s) of {weights.units} units; "
            f"received shapes {[state.shape for state in states]}."
        )
    return tuple(state.reshape(-1).astype(weights.kernel.dtype) for state in states)
