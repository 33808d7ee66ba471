"""Back-propagation through time in NumPy, one function a cell, from a finished trace.

Gives what a training framework hides: the gradient by every hidden state, every cell state and
every input, from one backward pass. The steps are the derivatives of those in `nn/cells.py`, in the
opposite order (Werbos 1990; for the LSTM, Graves 2012, section 4).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn import activations
from lstm_core.nn.trace import LayerTrace
from lstm_core.nn.weights import CellWeights


@dataclass(frozen=True)
class TimeGradients:
    """Gradients of a score, rows in the order in which the layer took its steps.

    Attributes:
        x: (T, …, features) by each input.
        h: (T, …, units) by each hidden state, all later timesteps included.
        c: (T, …, units) by each cell state, all later timesteps included; None without one.
        sums: (T, …, parts·units) by each input sum W·x + b, parts in Keras's order.
    """

    x: Array
    h: Array
    c: Array | None
    sums: Array


@dataclass(frozen=True)
class WeightGradients:
    """Gradients of a score by a layer's weights, each shaped as in `CellWeights`."""

    kernel: Array
    recurrent: Array
    bias: Array


def through_time(
    weights: CellWeights, trace: LayerTrace, by_output: Array, by_last_c: Array | float = 0.0
) -> TimeGradients:
    """Go back through a layer that was traced without clamps and without masked steps.

    Args:
        weights: the layer's.
        trace: what it computed, signals of shape (T, …, units).
        by_output: (T, …, units) gradient of the score by each output, as far as it doesn't come
            through later timesteps.
        by_last_c: (…, units) gradient of the score by the last cell state of an LSTM, as far as it
            doesn't come through the last output.

    Raises:
        ModelError: if an activation has no derivative here.
    """
    if weights.kind == "lstm":
        by_sums, by_h, by_c = _lstm(weights, trace, by_output, by_last_c)
        return TimeGradients(by_sums @ weights.kernel.T, by_h, by_c, by_sums)
    by_sums, by_h = _WITHOUT_C[weights.kind](weights, trace, by_output)
    return TimeGradients(by_sums @ weights.kernel.T, by_h, None, by_sums)


def by_weights(weights: CellWeights, trace: LayerTrace, x: Array, by_sums: Array) -> WeightGradients:
    """The gradient by the weights themselves, summed over timesteps and batch; what training needs.

    Args:
        weights: the layer's; a GRU's `recurrent_bias` is taken as fixed.
        trace: what it computed.
        x: (T, …, features) what it read.
        by_sums: (T, …, parts·units) `TimeGradients.sums`.
    """
    n = weights.units
    before = _before(trace.h, trace.initial_state[0])  # (T, …, units)
    if weights.kind != "gru":
        by_recurrent = _over_time(before, by_sums)
    else:
        gates, by_g = by_sums[..., : 2 * n], by_sums[..., 2 * n :]
        candidate = _over_time(before, by_g * trace.r) if weights.reset_after else _over_time(before * trace.r, by_g)
        by_recurrent = np.concatenate([_over_time(before, gates), candidate], axis=1)
    by_bias = by_sums.reshape(-1, by_sums.shape[-1]).sum(axis=0)
    return WeightGradients(_over_time(x, by_sums), by_recurrent, by_bias)


def _over_time(entering: Array, by_sums: Array) -> Array:
    """Σ over timesteps and batch of enteringᵀ · by_sums: (width, parts·units)."""
    return entering.reshape(-1, entering.shape[-1]).T @ by_sums.reshape(-1, by_sums.shape[-1])


def _before(values: Array, start: Array) -> Array:
    """What each step started from: (T, …, units)."""
    return np.concatenate([np.broadcast_to(start, values.shape[1:])[None], values[:-1]])


def _lstm(
    weights: CellWeights, trace: LayerTrace, by_output: Array, by_last_c: Array | float
) -> tuple[Array, Array, Array]:
    slope = activations.derivative(weights.sigma)
    bend = activations.derivative(weights.tanh)
    tanh_c = weights.tanh(trace.c)
    before = _before(trace.c, trace.initial_state[1])
    by_h, by_c = np.empty_like(by_output), np.empty_like(by_output)
    by_sums = np.empty((*by_output.shape[:-1], 4 * weights.units), by_output.dtype)
    from_h = np.zeros_like(by_output[0]) if len(by_output) else 0.0
    from_c = from_h + by_last_c
    back = weights.recurrent.T
    for t in reversed(range(len(by_output))):
        i, f, g, o = trace.i[t], trace.f[t], trace.g[t], trace.o[t]
        dh = by_h[t] = by_output[t] + from_h
        dc = by_c[t] = from_c + dh * o * bend(tanh_c[t])
        parts = (dc * g * slope(i), dc * before[t] * slope(f), dc * i * bend(g), dh * tanh_c[t] * slope(o))
        dz = by_sums[t] = np.concatenate(parts, axis=-1)
        from_h, from_c = dz @ back, dc * f
    return by_sums, by_h, by_c


def _gru(weights: CellWeights, trace: LayerTrace, by_output: Array) -> tuple[Array, Array]:
    slope, bend = activations.derivative(weights.sigma), activations.derivative(weights.tanh)
    n = weights.units
    before = _before(trace.h, trace.initial_state[0])
    by_h = np.empty_like(by_output)
    by_sums = np.empty((*by_output.shape[:-1], 3 * n), by_output.dtype)
    from_h = np.zeros_like(by_output[0]) if len(by_output) else 0.0
    to_gates, to_candidate = weights.recurrent[:, : 2 * n].T, weights.recurrent[:, 2 * n :].T
    for t in reversed(range(len(by_output))):
        z, r, g = trace.z[t], trace.r[t], trace.g[t]
        dh = by_h[t] = by_output[t] + from_h
        dg = dh * (1 - z) * bend(g)
        if weights.reset_after:  # g = tanh(wx + r ⊙ (U·h))
            dr = dg * trace.recurrent_sums["g"][t]
            through_candidate = (dg * r) @ to_candidate
        else:  # g = tanh(wx + U·(r ⊙ h))
            inner = dg @ to_candidate
            dr = inner * before[t]
            through_candidate = inner * r
        gates = np.concatenate([dh * (before[t] - g) * slope(z), dr * slope(r)], axis=-1)
        by_sums[t] = np.concatenate([gates, dg], axis=-1)
        from_h = dh * z + gates @ to_gates + through_candidate
    return by_sums, by_h


def _rnn(weights: CellWeights, trace: LayerTrace, by_output: Array) -> tuple[Array, Array]:
    bend = activations.derivative(weights.tanh)
    by_h, by_sums = np.empty_like(by_output), np.empty_like(by_output)
    from_h = np.zeros_like(by_output[0]) if len(by_output) else 0.0
    for t in reversed(range(len(by_output))):
        dh = by_h[t] = by_output[t] + from_h
        dz = by_sums[t] = dh * bend(trace.h[t])
        from_h = dz @ weights.recurrent.T
    return by_sums, by_h


_WITHOUT_C = {"gru": _gru, "rnn": _rnn}
