"""Trains LSTM layers with default settings faster with JAX: a hand-written backward pass through time.

The layer stays Keras's own, with the same weights and the same values; only its loop is replaced
while a network is trained. Other backends are left as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import keras

# With fewer units, JAX's own backward pass is as fast or faster where nothing is masked: measured by `python -m
# benchmarks.training`.
SMALLEST = 256


@contextmanager
def faster(model: Any) -> Iterator[None]:
    """Within the block, the model's LSTM layers with Keras's default settings are trained faster under JAX."""
    found = [getattr(layer, "lstm", layer) for layer in model.layers] if keras.backend.backend() == "jax" else []
    layers = [layer for layer in found if _is_plain(layer)]
    if layers:
        loop = _loop()
        for layer in layers:
            layer.inner_loop = partial(loop, layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.inner_loop


def _is_plain(layer: Any) -> bool:
    return (
        type(layer) is keras.layers.LSTM
        and (layer.activation, layer.recurrent_activation) == (keras.activations.tanh, keras.activations.sigmoid)
        and not (layer.dropout or layer.recurrent_dropout or layer.go_backwards or layer.zero_output_for_mask)
        and layer.use_bias
    )


def _loop() -> Any:
    """The replacement of `LSTM.inner_loop`: (layer, sequences, …) → (last output, outputs, states)."""
    import jax.numpy as jnp

    run = _recurrence()

    def loop(
        layer: Any, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> tuple[Any, Any, list[Any]]:
        if mask is None and layer.units < SMALLEST:
            return keras.layers.LSTM.inner_loop(layer, sequences, initial_state, mask, training)
        cell = layer.cell
        x = jnp.swapaxes(sequences, 0, 1)  # (T, batch, features)
        z = x @ _value(cell.kernel) + _value(cell.bias)  # (T, batch, 4 * units)
        taken = jnp.ones(z.shape[:2], bool) if mask is None else jnp.swapaxes(mask, 0, 1)
        start = tuple(_value(state) for state in initial_state)
        h, c = run(z, _value(cell.recurrent_kernel), taken[:, :, None], start)  # each (T, batch, units)
        return h[-1], jnp.swapaxes(h, 0, 1), [h[-1], c[-1]]

    return loop


def _value(variable: Any) -> Any:
    return keras.ops.convert_to_tensor(variable)


def _recurrence() -> Any:
    """(z, U, mask, (h, c) before) → (h, c): a masked step repeats the one before; gates in the order i, f, g, o."""
    import jax
    import jax.numpy as jnp

    def forward(z: Any, U: Any, taken: Any, start: Any) -> tuple[Any, Any]:
        def step(carry: Any, now: Any) -> Any:
            (h, c), (z_t, mask_t) = carry, now
            i, f, g, o = jnp.split(z_t + h @ U, 4, axis=1)
            i, f, g, o = jax.nn.sigmoid(i), jax.nn.sigmoid(f), jnp.tanh(g), jax.nn.sigmoid(o)
            c_next = jnp.where(mask_t, f * c + i * g, c)
            h_next = jnp.where(mask_t, o * jnp.tanh(c_next), h)
            return (h_next, c_next), (h_next, c_next, i, f, g, o)

        _, kept = jax.lax.scan(step, start, (z, taken))
        return kept[:2], (*kept, U, taken, start)

    def backward(kept: Any, d_outputs: Any) -> Any:
        h, c, i, f, g, o, U, taken, start = kept
        h_before, c_before = (
            jnp.concatenate([first[None], all_[:-1]]) for first, all_ in zip(start, (h, c), strict=True)
        )

        def step(carry: Any, now: Any) -> Any:
            (dh, dc), (dh_t, dc_t_own, c_t, c_old, i_t, f_t, g_t, o_t, mask_t) = carry, now
            dh, dc = dh + dh_t, dc + dc_t_own
            tanh = jnp.tanh(c_t)
            dc_t = dc + dh * o_t * (1 - tanh * tanh)
            gates = [
                dc_t * g_t * i_t * (1 - i_t),
                dc_t * c_old * f_t * (1 - f_t),
                dc_t * i_t * (1 - g_t * g_t),
                dh * tanh * o_t * (1 - o_t),
            ]
            dz = jnp.concatenate(gates, axis=1) * mask_t
            return (jnp.where(mask_t, dz @ U.T, dh), jnp.where(mask_t, dc_t * f_t, dc)), dz

        zeros = jnp.zeros_like(start[0])
        d_start, dz = jax.lax.scan(step, (zeros, zeros), (*d_outputs, c, c_before, i, f, g, o, taken), reverse=True)
        dU = h_before.reshape(-1, h.shape[2]).T @ dz.reshape(-1, dz.shape[2])
        return dz, dU, None, d_start

    run = jax.custom_vjp(lambda z, U, taken, start: forward(z, U, taken, start)[0])
    run.defvjp(forward, backward)
    return run
