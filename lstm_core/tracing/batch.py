"""One recurrent layer over a batch, as a `RecurrentTrace`: what traces of Keras and PyTorch networks share.

Traces of steps that were computed one at a time, or of several batches, are joined to one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import STATES, run_cell
from lstm_core.nn.weights import CellWeights
from lstm_core.tracing.model_trace import RecurrentTrace

Join = Callable[[Sequence[Array]], Array]


def run_batch(
    weights: CellWeights,
    x: Any,
    *,
    mask: Any = None,
    initial_state: Sequence[Any] = (),
    clamps: Iterable[Clamp] = (),
) -> RecurrentTrace:
    """Run a recurrent layer over a batch of sequences of equal length.

    Args:
        weights: of the layer, and whether it reads backwards.
        x: (batch, T, features).
        mask: (batch, T) of bool, False where a step is skipped; None for no such step.
        initial_state: each (batch, units), or (units,) for all; h, c for an LSTM, h otherwise; zeros if empty.
        clamps: signals to clamp in all sequences; their `layer` isn't looked at.

    Raises:
        ValueError: if a shape is wrong, or a clamp names a signal, unit or timestep that doesn't exist.
    """
    x = np.asarray(x, weights.kernel.dtype)
    if x.ndim != 3 or x.shape[-1] != weights.kernel.shape[0]:
        wanted = f"(batch, T, {weights.kernel.shape[0]})"
        raise ValueError(f"Layer '{weights.name}' reads sequences of shape {wanted}; received {x.shape}.")
    if mask is not None:
        mask = np.asarray(mask, bool)
        if mask.shape != x.shape[:2]:
            raise ValueError(f"The mask of layer '{weights.name}' must be {x.shape[:2]}; received {mask.shape}.")
    trace = run_cell(
        weights,
        x.swapaxes(0, 1),
        mask=None if mask is None else mask.T,
        initial_state=[np.asarray(state) for state in initial_state],
        clamps=clamps,
    )
    order = slice(None, None, -1) if weights.go_backwards else slice(None)

    def rows(values: Array) -> Array:
        return values[order].swapaxes(0, 1)  # steps first → batch first, in the order of the input

    final = trace.initial_state  # of a sequence without a step
    if x.shape[1]:
        final = tuple(trace.signals[name][-1] for name in STATES[weights.kind])
    return RecurrentTrace(
        name=weights.name,
        kind=weights.kind,
        inputs=x,
        signals={name: rows(values) for name, values in trace.signals.items()},
        input_sums={name: rows(values) for name, values in trace.input_sums.items()},
        recurrent_sums={name: rows(values) for name, values in trace.recurrent_sums.items()},
        outputs=rows(trace.outputs),
        mask=np.ones(x.shape[:2], bool) if mask is None else mask,
        initial_state=trace.initial_state,
        final_state=final,
        weights=weights,
        clamps=trace.clamps,
    )


def joined_steps(parts: Sequence[RecurrentTrace]) -> RecurrentTrace:
    """Traces of the same batch, each starting from the last one's final state, as one over all timesteps."""
    if len(parts) == 1:
        return parts[0]
    whole = _joined(parts, lambda arrays: np.concatenate(arrays, axis=1))
    clamps, start = [clamp for clamp in parts[0].clamps if clamp.timesteps is None], 0
    for part in parts:
        for clamp in (clamp for clamp in part.clamps if clamp.timesteps is not None):
            steps = np.atleast_1d(np.asarray(clamp.timesteps, int)) + start
            clamps.append(replace(clamp, timesteps=steps.tolist()))
        start += part.outputs.shape[1]
    ends: dict[str, Any] = {"initial_state": parts[0].initial_state, "final_state": parts[-1].final_state}
    return replace(whole, clamps=tuple(clamps), **ends)


def joined_sequences(parts: Sequence[RecurrentTrace]) -> RecurrentTrace:
    """Traces of the S steps of a TimeDistributed layer as one batch: sequence b is rows b·S to b·S + S - 1."""
    if len(parts) == 1:
        return parts[0]

    def interleave(arrays: Sequence[Array]) -> Array:
        stacked = np.stack(arrays, axis=1)  # (batch, S, …)
        return stacked.reshape(-1, *stacked.shape[2:])

    def states(name: str) -> tuple[Array, ...]:
        return tuple(interleave(each) for each in zip(*(getattr(part, name) for part in parts), strict=True))

    whole = _joined(parts, interleave)
    return replace(whole, initial_state=states("initial_state"), final_state=states("final_state"))


def _joined(parts: Sequence[RecurrentTrace], join: Join) -> RecurrentTrace:
    def arrays(name: str) -> Array:
        return join([getattr(part, name) for part in parts])

    def by_name(name: str) -> dict[str, Array]:
        return {key: join([getattr(part, name)[key] for part in parts]) for key in getattr(parts[0], name)}

    return replace(
        parts[0],
        inputs=arrays("inputs"),
        outputs=arrays("outputs"),
        mask=arrays("mask"),
        signals=by_name("signals"),
        input_sums=by_name("input_sums"),
        recurrent_sums=by_name("recurrent_sums"),
    )
