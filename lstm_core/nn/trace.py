"""Runs a recurrent Keras layer over one sequence in NumPy and keeps everything it computes.

`trace(layer, x)` returns a `LayerTrace`: every gate, the states, and the two sums of each gate's preactivation. The
recurrence itself is in `nn/cells.py`; `nn/weights.py` reads weights and settings from Keras.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit import Exhibit, cell_arrays, cell_frame, layers_frame
from lstm_core.nn import cells
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.nn.cells import Hook
from lstm_core.nn.clamps import SIGNALS, Clamp, clamp_hooks
from lstm_core.nn.saved import SavedLayer, saved_layer
from lstm_core.nn.weights import CellWeights, Kind, weights_of

# The parts of each kernel, in the order in which Keras stores them side by side.
PARTS: dict[str, tuple[str, ...]] = {"lstm": ("i", "f", "g", "o"), "gru": ("z", "r", "g"), "rnn": ("h",)}
# The states of each cell, in the order in which Keras takes and returns them.
STATES: dict[str, tuple[str, ...]] = {"lstm": ("h", "c"), "gru": ("h",), "rnn": ("h",)}
_STEPS: dict[str, Callable[..., Any]] = {"lstm": cells.lstm_step, "gru": cells.gru_step, "rnn": cells.rnn_step}


@dataclass(frozen=True)
class LayerTrace(Exhibit):
    """Everything one recurrent layer computed over one sequence.

    Every signal is an attribute of shape (T, units): `i f g o c h` for an LSTM, `z r g h` for a GRU, `h` for a plain
    RNN. Row n is the n-th step of the layer: with `go_backwards`, row 0 belongs to the last token, as in Keras's own
    output; `timesteps[n]` is the token of row n, and `in_text_order()` sorts the rows by token.

    Attributes:
        kind: "lstm", "gru" or "rnn".
        name: the Keras layer's name.
        signals: name → (T, units), in the order of the equations.
        input_sums: gate → (T, units), W·x + b.
        recurrent_sums: gate → (T, units), U·h; a gate's value is its activation of `input_sums + recurrent_sums` (a GRU
            with `reset_after` multiplies the recurrent sum of g by r first), also where a gate is clamped to another
            value.
        outputs: (T, units), what Keras returns with `return_sequences=True`; it differs from h only at masked steps.
        timesteps: (T,) the input index of each row.
        mask: (T,) True where the step was taken; elsewhere states are carried over.
        activations: Keras's names of the activation of the gates, and of that of the candidate and the state.
        clamps: the signals that were clamped.
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
    activations: tuple[str, str] = ("sigmoid", "tanh")
    clamps: tuple[Clamp, ...] = ()

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

    def activate(self, values: Array, *, gate: bool) -> Array:
        """The activation of the gates, or that of the candidate and the state, of some values."""
        return ELEMENTWISE[self.activations[0 if gate else 1]](values)

    def in_text_order(self) -> Self:
        """The same trace with row t belonging to token t, whatever the direction of the layer."""
        order = np.argsort(self.timesteps)
        rows = {name: getattr(self, name)[order] for name in ("outputs", "timesteps", "mask")}
        for name in ("signals", "input_sums", "recurrent_sums"):
            rows[name] = {key: value[order] for key, value in getattr(self, name).items()}
        return replace(self, **rows)

    def exhibits(self, sequence: int = 0) -> Mapping[str, "LayerTrace"]:
        """Itself; see `Exhibit`."""
        return {self.name: self}

    def to_dataframe(self) -> Any:
        """One row a timestep, columns by signal and unit; see `Exhibit`."""
        return cell_frame(self)

    def arrays(self) -> dict[str, Array]:
        """Names: "f", "input_sums/f", "recurrent_sums/f", "outputs", "timesteps", "mask", "initial_state/h" …"""
        return cell_arrays(self)


@dataclass(frozen=True)
class BidirectionalTrace(Exhibit):
    """The two traces of a `Bidirectional` layer and its merged output.

    `outputs` is (T, units) or (T, 2·units) in text order, as Keras returns it with `return_sequences=True`; a tuple of
    two such arrays where `merge_mode` is None.
    """

    forward: LayerTrace
    backward: LayerTrace
    outputs: Array | tuple[Array, Array]

    def exhibits(self, sequence: int = 0) -> Mapping[str, LayerTrace]:
        """The two directions, "forward" and "backward"; see `Exhibit`."""
        return {"forward": self.forward, "backward": self.backward}

    def to_dataframe(self) -> Any:
        """One row a timestep, columns by direction, signal and unit; see `Exhibit`."""
        return layers_frame(self.exhibits(), "direction")

    def arrays(self) -> dict[str, Array]:
        """The names of a `LayerTrace` after "forward/" and "backward/", and "outputs" (or "outputs/0", "outputs/1")."""
        found = {} if isinstance(self.outputs, tuple) else {"outputs": self.outputs}
        if isinstance(self.outputs, tuple):
            found = {f"outputs/{number}": values for number, values in enumerate(self.outputs)}
        for name, trace in self.exhibits().items():
            found |= cell_arrays(trace, f"{name}/")
        return found


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
        x: (T, features), one sequence, or a batch of exactly one, (1, T, features).
        mask: (T,) of bool, False where a timestep is skipped.
        initial_state: the arrays (units,) that Keras takes as `initial_state`: [h, c] for an
            LSTM, [h] otherwise, forward before backward for a `Bidirectional`; zeros if None.
        clamps: signals to clamp; their `layer` must be 0.

    Raises:
        ModelError: if the layer has a setting that can't be traced.
        ValueError: if a shape is wrong, or a clamp names a signal, unit or timestep that doesn't exist.
    """
    layer = layer if isinstance(layer, SavedLayer) else saved_layer(layer)
    x = np.asarray(x)
    if x.ndim == 3 and x.shape[0] == 1:
        x = x[0]
    states, clamps = _as_states(initial_state), tuple(clamps)
    for clamp in clamps:
        if clamp.layer != 0:
            raise ValueError(f"A clamp names layer {clamp.layer}; to trace '{layer.name}' alone, it must be 0.")

    def run(layer: SavedLayer, initial_state: Sequence[Array]) -> LayerTrace:
        weights = weights_of(layer)
        if x.ndim != 2:
            raise _wrong_shape(weights, x)
        return run_cell(weights, x, mask=mask, initial_state=initial_state, clamps=clamps)

    if not layer.halves:
        return run(layer, states)
    if len(states) % 2:
        raise ValueError(f"Layer '{layer.name}' shares the states between two directions; received {len(states)}.")
    half = len(states) // 2
    forward, backward = run(layer.halves[0], states[:half]), run(layer.halves[1], states[half:])
    # Keras always reverses the outputs of the second layer, and never those of the first.
    merged = merge(layer.settings["merge_mode"], forward.outputs, backward.outputs[::-1])
    return BidirectionalTrace(forward, backward, merged)


def merge(mode: str | None, forward: Array, backward: Array) -> Array | tuple[Array, Array]:
    """Merge two directions as Keras's `merge_mode` does; both (T, units) and in text order."""
    if mode is None:
        return forward, backward
    if mode == "concat":
        return np.concatenate([forward, backward], axis=-1)
    merges: dict[str, Callable[[Array, Array], Array]]
    merges = {"sum": np.add, "ave": lambda a, b: (a + b) / 2, "mul": np.multiply}
    return merges[mode](forward, backward)


def run_cell(
    weights: CellWeights,
    x: Array,
    *,
    mask: Any = None,
    initial_state: Sequence[Array] = (),
    clamps: Iterable[Clamp] = (),
    hooks: Callable[[int], Hook] | None = None,
) -> LayerTrace:
    """The recurrence over one sequence, or over a batch of sequences of equal length.

    The input sums of all timesteps are one matrix product; only U·h is computed step by step.

    Args:
        weights: from `weights_of`.
        x: (T, features), or (T, batch, features); then every signal is (T, batch, units).
        mask: (T,), as in `trace`; in a batch (T, batch), too.
        initial_state: see `trace`; in a batch each state is (units,) or (batch, units).
        clamps: signals to clamp, in all rows of a batch.
        hooks: for each step its hook (see `cells.lstm_step`), instead of clamps: rows of a batch may differ.

    Raises:
        ValueError: as in `trace`.
    """
    dtype, n = weights.kernel.dtype, weights.units
    x = np.asarray(x, dtype)
    if x.ndim < 2 or x.shape[-1] != weights.kernel.shape[0]:
        raise _wrong_shape(weights, x)
    timesteps = np.arange(len(x))
    if weights.go_backwards:
        timesteps = timesteps[::-1]
    taken = _as_mask(mask, x.shape[:-1])[timesteps]
    start = _initial_state(weights, initial_state, x.shape[1:-1])
    wx = _input_sums(x[timesteps], weights)  # (T, parts·units)
    clamps = tuple(clamps)

    default_activations = weights.sigma is cells.sigmoid and weights.tanh is np.tanh
    if weights.kind == "lstm" and default_activations and not clamps and hooks is None and taken.all():
        steps: Any = cells.lstm_sequence(wx, start[0], start[1], weights.recurrent)
    else:
        steps = _run_steps(weights, wx, start, taken, hooks or clamp_hooks(weights, clamps, timesteps))
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
        activations=weights.activations,
        clamps=clamps,
    )


def _wrong_shape(weights: CellWeights, x: Array) -> ValueError:
    expected = f"(T, {weights.kernel.shape[0]})"
    return ValueError(f"Layer '{weights.name}' reads one sequence of shape {expected}; received {x.shape}.")


def _input_sums(x: Array, weights: CellWeights) -> Array:
    """W·x + b of all timesteps, (T, …, parts·units)."""
    sums = cells.product(np.ascontiguousarray(x).reshape(-1, x.shape[-1]), weights.kernel)
    sums += weights.bias
    return sums.reshape(*x.shape[:-1], sums.shape[1])


def _run_steps(
    weights: CellWeights, wx: Array, state: tuple[Array, ...], taken: Array, hooks: Callable[[int], Hook]
) -> dict[str, list[Array]]:
    """Every signal and `uh`, one entry a step; a masked step keeps the state before it."""
    options: dict[str, Any] = {"U": weights.recurrent, "tanh": weights.tanh}
    if weights.kind != "rnn":
        options["sigma"] = weights.sigma
    if weights.kind == "gru":
        options |= {"recurrent_bias": weights.recurrent_bias, "reset_after": weights.reset_after}
    step, states = partial(_STEPS[weights.kind], **options), STATES[weights.kind]
    names = (*SIGNALS[weights.kind], "uh")
    columns: dict[str, list[Array]] = {name: [] for name in names}
    for t, wx_t in enumerate(wx):
        row = step(wx_t, *state, hook=hooks(t))
        if not taken[t].all():  # a mask of a batch has one entry a sequence
            here = taken[t][..., None]
            kept = {name: np.where(here, getattr(row, name), old) for name, old in zip(states, state, strict=True)}
            row = row._replace(**kept)
        state = tuple(getattr(row, name) for name in states)
        for name, value in zip(names, row, strict=True):
            columns[name].append(value)
    return columns


def _by_part(kind: str, sums: Array) -> dict[str, Array]:
    """Split (T, …, parts·units) into one (T, …, units) a gate."""
    parts = PARTS[kind]
    return dict(zip(parts, np.split(sums, len(parts), axis=-1), strict=True))


def _outputs(weights: CellWeights, h: Array, taken: Array) -> Array:
    """What Keras returns: at a masked step, the last output again (zeros before the first)."""
    if taken.all():
        return h
    steps = np.arange(len(h)).reshape(-1, *[1] * (taken.ndim - 1))
    last_taken = np.maximum.accumulate(np.where(taken, steps, -1))  # (T,), or (T, batch)
    missing = ~taken if weights.zero_output_for_mask else last_taken < 0
    rows = np.maximum(last_taken, 0)
    repeated = h[rows] if taken.ndim == 1 else np.take_along_axis(h, rows[..., None], axis=0)
    return np.where(missing.reshape(*missing.shape, *[1] * (h.ndim - taken.ndim)), 0, repeated).astype(h.dtype)


def _as_mask(mask: Any, shape: tuple[int, ...]) -> Array:
    if mask is None:
        return np.ones(shape[0], bool)
    mask = np.asarray(mask, bool)
    if len(shape) == 2 and mask.shape == shape:
        return mask
    if mask.size != shape[0]:
        raise ValueError(f"The mask must have one entry a timestep: {shape[0]}, received {mask.size}.")
    return mask.reshape(-1)


def _as_states(initial_state: Any) -> tuple[Array, ...]:
    if initial_state is None:
        return ()
    states = initial_state if isinstance(initial_state, list | tuple) else (initial_state,)
    return tuple(np.asarray(state) for state in states)


def _initial_state(weights: CellWeights, states: Sequence[Array], batch: tuple[int, ...]) -> tuple[Array, ...]:
    """Each state in the shape (…, units) of a step."""
    count, shape = len(STATES[weights.kind]), (*batch, weights.units)
    if not states:
        return tuple(np.zeros(shape, weights.kernel.dtype) for _ in range(count))
    whole = all(state.shape == shape for state in states)
    if len(states) != count or not (whole or all(state.size == weights.units for state in states)):
        raise ValueError(
            f"Layer '{weights.name}' starts from {count} state(s) of {weights.units} units; "
            f"received shapes {[state.shape for state in states]}."
        )
    rows = states if whole else [state.reshape(-1) for state in states]
    return tuple(np.broadcast_to(state.astype(weights.kernel.dtype), shape) for state in rows)
