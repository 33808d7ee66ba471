"""Back-propagation through time in NumPy, one function a cell, from a finished trace.

One backward pass returns the gradients of every hidden state, cell state and input, which training frameworks don't
expose. Its steps are the derivatives of those in `nn/cells.py` (Werbos 1990; for the LSTM, Graves 2012, section 4).
"""

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn import activations
from lstm_core.nn.trace import LayerTrace
from lstm_core.nn.weights import CellWeights


@dataclass(frozen=True)
class TimeGradients:
    """Gradients of a score with respect to a layer's values, rows in the order of the layer's steps."""

    x: Array  # (T, …, features) of each input
    h: Array  # (T, …, units) of each hidden state, through all later timesteps too
    c: Array | None  # (T, …, units) of each cell state, through all later timesteps too; None without one
    preactivation: Array  # (T, …, parts·units) of each input sum W·x + b, parts in Keras's order


@dataclass(frozen=True)
class WeightGradients:
    """Gradients of a score with respect to a layer's weights, each shaped as in `CellWeights`."""

    kernel: Array
    recurrent: Array
    bias: Array


def backpropagate(
    weights: CellWeights, trace: LayerTrace, d_outputs: Array, d_last_c: Array | float = 0.0
) -> TimeGradients:
    """The backward pass through a layer that was traced without clamps and without masked steps.

    Args:
        weights: the layer's.
        trace: its forward pass, signals of shape (T, …, units).
        d_outputs: (T, …, units) gradient of the score with respect to each output, without the part
            that comes through later timesteps.
        d_last_c: (…, units) gradient with respect to the last cell state of an LSTM, without the
            part that comes through the last output.

    Raises:
        ModelError: if the derivative of an activation isn't known.
    """
    dc = None
    if weights.kind == "lstm":
        dz, dh, dc = _lstm(weights, trace, d_outputs, d_last_c)
    else:
        dz, dh = (_gru if weights.kind == "gru" else _rnn)(weights, trace, d_outputs)
    return TimeGradients(dz @ weights.kernel.T, dh, dc, dz)


def weight_gradients(weights: CellWeights, trace: LayerTrace, x: Array, d_preactivation: Array) -> WeightGradients:
    """The gradients of the weights, summed over timesteps and batch.

    Args:
        weights: the layer's; a GRU's `recurrent_bias` counts as constant.
        trace: its forward pass.
        x: (T, …, features) its inputs.
        d_preactivation: (T, …, parts·units) from `TimeGradients.preactivation`.
    """
    n = weights.units
    before = _previous(trace.h, trace.initial_state[0])  # (T, …, units)
    if weights.kind != "gru":
        recurrent = _outer_sum(before, d_preactivation)
    else:
        gates, dg = d_preactivation[..., : 2 * n], d_preactivation[..., 2 * n :]
        candidate = _outer_sum(before, dg * trace.r) if weights.reset_after else _outer_sum(before * trace.r, dg)
        recurrent = np.concatenate([_outer_sum(before, gates), candidate], axis=1)
    bias = d_preactivation.reshape(-1, d_preactivation.shape[-1]).sum(axis=0)
    return WeightGradients(_outer_sum(x, d_preactivation), recurrent, bias)


def _outer_sum(a: Array, b: Array) -> Array:
    """Σ aᵀ·b over timesteps and batch: (width of a, width of b)."""
    return a.reshape(-1, a.shape[-1]).T @ b.reshape(-1, b.shape[-1])


def _previous(values: Array, start: Array) -> Array:
    """The state before each step: (T, …, units)."""
    return np.concatenate([np.broadcast_to(start, values.shape[1:])[None], values[:-1]])


# In the functions below, `d_sigma` and `d_tanh` are the derivatives of the layer's activations as functions of their
# values; `later_h` and `later_c` are the gradients that come from the timestep after.


def _lstm(
    weights: CellWeights, trace: LayerTrace, d_outputs: Array, d_last_c: Array | float
) -> tuple[Array, Array, Array]:
    d_sigma, d_tanh = activations.derivative(weights.sigma), activations.derivative(weights.tanh)
    tanh_c, n = weights.tanh(trace.c), weights.units
    before = _previous(trace.c, trace.initial_state[1])
    # What dc and dh are multiplied by doesn't depend on later timesteps, so it is computed for all of them at once, and
    # lies where the gradient of the sums i, f, g, o will be.
    all_dz = np.empty((*d_outputs.shape[:-1], 4, n), d_outputs.dtype)
    gates = (
        (trace.g, d_sigma(trace.i)),
        (before, d_sigma(trace.f)),
        (trace.i, d_tanh(trace.g)),
        (tanh_c, d_sigma(trace.o)),
    )
    several = (1,) * (d_outputs.ndim - trace.h.ndim)  # gradients of one sequence: (T, several, units)
    for number, factors in enumerate(gates):
        first, second = (values.reshape(*values.shape[:-1], *several, n) for values in factors)
        np.multiply(first, second, all_dz[..., number, :])
    through_c = d_tanh(tanh_c)
    through_c *= trace.o
    all_dh, all_dc = np.array(d_outputs), np.empty_like(d_outputs)
    back = np.ascontiguousarray(weights.recurrent.T)
    later_h = np.zeros_like(d_outputs[0]) if len(d_outputs) else 0.0
    later_c = later_h + d_last_c
    for t in reversed(range(len(d_outputs))):
        dh, dc, dz = all_dh[t], all_dc[t], all_dz[t]
        dh += later_h
        np.multiply(dh, through_c[t], out=dc)
        dc += later_c
        dz[..., :3, :] *= dc[..., None, :]
        dz[..., 3, :] *= dh
        later_h, later_c = dz.reshape(*dh.shape[:-1], 4 * n) @ back, dc * trace.f[t]
    return all_dz.reshape(*d_outputs.shape[:-1], 4 * n), all_dh, all_dc


def _gru(weights: CellWeights, trace: LayerTrace, d_outputs: Array) -> tuple[Array, Array]:
    d_sigma, d_tanh = activations.derivative(weights.sigma), activations.derivative(weights.tanh)
    n = weights.units
    before = _previous(trace.h, trace.initial_state[0])
    all_dh = np.empty_like(d_outputs)
    all_dz = np.empty((*d_outputs.shape[:-1], 3 * n), d_outputs.dtype)
    later_h = np.zeros_like(d_outputs[0]) if len(d_outputs) else 0.0
    U_gates, U_candidate = weights.recurrent[:, : 2 * n], weights.recurrent[:, 2 * n :]
    for t in reversed(range(len(d_outputs))):
        z, r, g = trace.z[t], trace.r[t], trace.g[t]
        dh = all_dh[t] = d_outputs[t] + later_h
        dg = dh * (1 - z) * d_tanh(g)
        if weights.reset_after:  # g = tanh(wx + r ⊙ (U·h))
            dr = dg * trace.recurrent_sums["g"][t]
            through_candidate = (dg * r) @ U_candidate.T
        else:  # g = tanh(wx + U·(r ⊙ h))
            inner = dg @ U_candidate.T
            dr, through_candidate = inner * before[t], inner * r
        gates = np.concatenate([dh * (before[t] - g) * d_sigma(z), dr * d_sigma(r)], axis=-1)
        all_dz[t] = np.concatenate([gates, dg], axis=-1)
        later_h = dh * z + gates @ U_gates.T + through_candidate
    return all_dz, all_dh


def _rnn(weights: CellWeights, trace: LayerTrace, d_outputs: Array) -> tuple[Array, Array]:
    d_tanh = activations.derivative(weights.tanh)
    all_dh, all_dz = np.empty_like(d_outputs), np.empty_like(d_outputs)
    later_h = np.zeros_like(d_outputs[0]) if len(d_outputs) else 0.0
    for t in reversed(range(len(d_outputs))):
        dh = all_dh[t] = d_outputs[t] + later_h
        dz = all_dz[t] = dh * d_tanh(trace.h[t])
        later_h = dz @ weights.recurrent.T
    return all_dz, all_dh
