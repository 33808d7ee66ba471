"""One step of each recurrent cell in NumPy, one line a gate, in the order of the equations.

A step receives `wx`, the sum W·x + b of every gate at this timestep, which `nn/trace.py` computes for all timesteps in
one matrix product, and the previous state. It returns every signal, and `uh`, the sums U·h: wx + uh is each gate's
preactivation. Shapes are given for one sequence; a batch adds an axis before the units, (batch, units).

Formulas and weight layout: LSTM, Hochreiter & Schmidhuber (1997) with the forget gate of Gers et al. (2000); GRU, Cho
et al. (2014). Keras stores the kernels side by side in the order i, f, g, o (LSTM) and z, r, g (GRU), where g is the
candidate.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lstm_core.arrays import Array

Activation = Callable[[Array], Array]
Hook = Callable[[str, Array], Array]


def identity_hook(signal: str, value: Array) -> Array:
    """A hook that changes nothing: every signal keeps its computed value."""
    return value


def sigmoid(z: Array) -> Array:
    """1 / (1 + e^-z), in 0…1, computed as (1 + tanh(z / 2)) / 2, which can't overflow."""
    half = z.dtype.type(0.5)
    return np.tanh(z * half) * half + half


def product(x: Array, kernel: Array, out: Array | None = None) -> Array:
    """x @ kernel for one row or a batch of rows, (…, width in) → (…, width out).

    It is cut into slices that OpenBLAS computes in the calling thread: on a busy machine, waiting for other threads
    took up to a hundred times longer than the product itself.
    """
    rows = max(1, 2**18 // max(kernel.size, 1))
    if x.ndim == 1 or len(x) <= rows:
        return np.dot(x, kernel, out)
    if out is None:
        out = np.empty((len(x), kernel.shape[1]), x.dtype)
    for first in range(0, len(x), rows):
        np.dot(x[first : first + rows], kernel, out[first : first + rows])
    return out


class RNNStep(NamedTuple):
    """What a plain RNN computes in one step; both arrays have shape (units,)."""

    h: Array
    uh: Array


class GRUStep(NamedTuple):
    """What a GRU computes in one step: gates z, r in 0…1, candidate g, new h; uh is (3·units,)."""

    z: Array
    r: Array
    g: Array
    h: Array
    uh: Array


class LSTMStep(NamedTuple):
    """What an LSTM computes in one step: i, f, o in 0…1, g, c, h; uh is (4·units,)."""

    i: Array
    f: Array
    g: Array
    o: Array
    c: Array
    h: Array
    uh: Array


def rnn_step(wx: Array, h: Array, U: Array, tanh: Activation = np.tanh, hook: Hook = identity_hook) -> RNNStep:
    """h_t = tanh(W·x_t + b + U·h_{t-1}) (Elman 1990).

    Args:
        wx: (units,) the sum W·x_t + b.
        h: (units,) the previous hidden state.
        U: (units, units) the recurrent kernel, applied as h @ U.
        tanh: the layer's activation.
        hook: called with each signal's name and computed value; returns the value to use (for clamps).
    """
    uh = product(h, U)  # (units,)
    return RNNStep(hook("h", tanh(wx + uh)), uh)


def gru_step(
    wx: Array,
    h: Array,
    U: Array,
    recurrent_bias: Array | float = 0.0,
    *,
    reset_after: bool = True,
    sigma: Activation = sigmoid,
    tanh: Activation = np.tanh,
    hook: Hook = identity_hook,
) -> GRUStep:
    """h_t = z ⊙ h_{t-1} + (1 - z) ⊙ g, as Keras has it (z near 1 keeps the old state).

    `reset_after` says whether the reset gate multiplies U·h (True: Keras's default and cuDNN's)
    or h itself before the product (False: Cho et al. 2014).

    Args:
        wx: (3·units,) the sums W·x_t + b of z, r, g.
        h: (units,) the previous hidden state.
        U: (units, 3·units) the recurrent kernel.
        recurrent_bias: (3·units,) added to U·h; only with `reset_after`.
        sigma: the activation of both gates.
        tanh: the activation of the candidate.
        hook: see `rnn_step`.
    """
    n = h.shape[-1]
    if reset_after:
        uh = product(h, U) + recurrent_bias  # (3·units,)
        z = hook("z", sigma(wx[..., :n] + uh[..., :n]))
        r = hook("r", sigma(wx[..., n : 2 * n] + uh[..., n : 2 * n]))
        g = hook("g", tanh(wx[..., 2 * n :] + r * uh[..., 2 * n :]))
    else:
        uh_gates = product(h, U[:, : 2 * n])  # (2·units,)
        z = hook("z", sigma(wx[..., :n] + uh_gates[..., :n]))
        r = hook("r", sigma(wx[..., n : 2 * n] + uh_gates[..., n:]))
        uh_candidate = product(r * h, U[:, 2 * n :])  # (units,)
        g = hook("g", tanh(wx[..., 2 * n :] + uh_candidate))
        uh = np.concatenate([uh_gates, uh_candidate], axis=-1)
    h = hook("h", z * h + (1 - z) * g)
    return GRUStep(z, r, g, h, uh)


def lstm_step(
    wx: Array,
    h: Array,
    c: Array,
    U: Array,
    *,
    sigma: Activation = sigmoid,
    tanh: Activation = np.tanh,
    hook: Hook = identity_hook,
) -> LSTMStep:
    """c_t = f ⊙ c_{t-1} + i ⊙ g and h_t = o ⊙ tanh(c_t).

    Args:
        wx: (4·units,) the sums W·x_t + b of i, f, g, o.
        h: (units,) the previous hidden state.
        c: (units,) the previous cell state.
        U: (units, 4·units) the recurrent kernel.
        sigma: the activation of the three gates.
        tanh: the activation of the candidate and of the cell state.
        hook: see `rnn_step`.
    """
    n = h.shape[-1]
    uh = product(h, U)  # (4·units,)
    sums = wx + uh
    gates = sigma(sums)  # one call for all four is faster than three; the quarter of g is unused
    i = hook("i", gates[..., :n])
    f = hook("f", gates[..., n : 2 * n])
    g = hook("g", tanh(sums[..., 2 * n : 3 * n]))
    o = hook("o", gates[..., 3 * n :])
    c = hook("c", f * c + i * g)
    h = hook("h", o * tanh(c))
    return LSTMStep(i, f, g, o, c, h, uh)


def lstm_sequence(wx: Array, h: Array, c: Array, U: Array) -> dict[str, Array]:
    """`lstm_step` over a whole sequence, with the default activations and no hook.

    The same operations in the same order, written in place into preallocated arrays: bit-identical to
    stepping, in half the time. This loop dominates the run time of a forward pass.

    Args:
        wx: (T, 4·units) the sums W·x_t + b of i, f, g, o.
        h: (units,) the hidden state before the first step.
        c: (units,) the cell state before the first step.
        U: (units, 4·units) the recurrent kernel.

    Returns:
        `i f g o c h`, each (T, units), and `uh` (T, 4·units).
    """
    T, n = len(wx), h.shape[-1]
    # A row of `rows` is i, f, o, g of a step and c of the step before: i ⊙ g and f ⊙ c are one product of neighbours.
    order, scales = (0, 1, 3, 2), (0.5, 0.5, 0.5, 1.0)  # see `sigmoid`; g uses tanh itself

    def arranged(sums: Array) -> Array:
        found = np.empty_like(sums)
        for place, (part, scale) in enumerate(zip(order, scales, strict=True)):
            np.multiply(sums[..., part * n : (part + 1) * n], scale, found[..., place * n : (place + 1) * n])
        return found

    wx_scaled, U_scaled = arranged(wx), arranged(U)  # halving is exact in floating point
    half = np.full((*h.shape[:-1], 3 * n), 0.5, wx.dtype)
    rows, products = np.empty((T + 1, *h.shape[:-1], 5 * n), wx.dtype), np.empty((*h.shape[:-1], 2 * n), wx.dtype)
    uh, hs = np.empty_like(wx), np.empty((T, *h.shape), wx.dtype)
    rows[0, ..., 4 * n :] = c
    now, cs, written, kept = rows[:-1], rows[1:, ..., 4 * n :], products[..., :n], products[..., n:]
    views = (now[..., : 4 * n], now[..., : 3 * n], now[..., : 2 * n], now[..., 3 * n :], now[..., 2 * n : 3 * n])
    for wx_t, uh_t, c_t, h_t, sums, gates, if_t, gc_t, o_t in zip(wx_scaled, uh, cs, hs, *views, strict=True):
        product(h, U_scaled, uh_t)
        np.add(wx_t, uh_t, sums)
        np.tanh(sums, sums)
        np.multiply(gates, half, gates)
        np.add(gates, half, gates)
        np.multiply(if_t, gc_t, products)
        np.add(written, kept, c_t)
        np.tanh(c_t, h_t)
        np.multiply(o_t, h_t, h_t)
        h = h_t
    recurrent_sums = wx_scaled  # whose values are used up
    for place, (part, scale) in enumerate(zip(order, scales, strict=True)):
        np.multiply(uh[..., place * n : (place + 1) * n], 1 / scale, recurrent_sums[..., part * n : (part + 1) * n])
    i, f, o, g = (now[..., part * n : (part + 1) * n] for part in range(4))
    return {"i": i, "f": f, "g": g, "o": o, "c": cs, "h": hs, "uh": recurrent_sums}
