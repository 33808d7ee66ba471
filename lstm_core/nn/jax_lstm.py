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
        x = jnp.swapaxes(sequences, 0, 1)  # (T, batch, features)
        taken = None if mask is None else jnp.swapaxes(mask, 0, 1)[:, :, None]
        weights = [_value(part) for part in (layer.cell.kernel, layer.cell.recurrent_kernel, layer.cell.bias)]
        h, c = run(x, taken, *weights, [_value(state) for state in initial_state])  # (T, batch, units), (batch, units)
        return h[-1], jnp.swapaxes(h, 0, 1), [h[-1], c]

    return loop


def _value(variable: Any) -> Any:
    return keras.ops.convert_to_tensor(variable)


def _recurrence() -> Any:
    """(x, mask, W, U, b, [h, c] before) → (every h, the last c); gates in the order i, f, g, o.

    A masked step repeats the one before; the mask may be None. For XLA's sake, one tanh computes all gates, by
    σ(x) = (tanh(x / 2) + 1) / 2; what the backward pass needs is kept gate by gate; and the gradients of W and U are
    one product each over all timesteps. Other forms are up to twice as slow (`python -m benchmarks.training`).
    """
    import jax
    import jax.numpy as jnp

    def forward(x: Any, taken: Any, W: Any, U: Any, b: Any, start: Any) -> tuple[Any, Any]:
        half = jnp.repeat(jnp.array([0.5, 0.5, 1.0, 0.5], x.dtype), U.shape[0])  # 1 for g, a tanh by itself
        halved, halved_U = _flat(x) @ (W * half) + b * half, U * half

        def step(carry: Any, now: Any) -> Any:
            (h, c), (z, mask) = carry, now
            i, f, g, o = jnp.split(jnp.tanh(z + h @ halved_U) * half + (1 - half), 4, axis=1)
            c = _where(mask, f * c + i * g, c)
            h = _where(mask, o * jnp.tanh(c), h)
            return (h, c), (h, c, i, f, g, o)

        _, kept = jax.lax.scan(step, tuple(start), (halved.reshape(*x.shape[:2], -1), taken))
        return (kept[0], kept[1][-1]), (*kept, x, taken, W, U, start)

    def backward(kept: Any, d_outputs: Any) -> Any:
        h, c, i, f, g, o, x, taken, W, U, start = kept
        h_before, c_before = (
            jnp.concatenate([first[None], all_[:-1]]) for first, all_ in zip(start, (h, c), strict=True)
        )
        transposed = jax.lax.optimization_barrier(U.T)  # once, not in every step

        def step(carry: Any, now: Any) -> Any:
            (dh, dc), (dh_own, c, c_before, i, f, g, o, mask) = carry, now
            dh += dh_own
            tanh = jnp.tanh(c)
            dc_now = dc + dh * o * (1 - tanh * tanh)
            gates = [
                dc_now * g * i * (1 - i),
                dc_now * c_before * f * (1 - f),
                dc_now * i * (1 - g * g),
                dh * tanh * o * (1 - o),
            ]
            dz = _where(mask, jnp.concatenate(gates, axis=1), 0.0)
            return (_where(mask, dz @ transposed, dh), _where(mask, dc_now * f, dc)), dz

        d_h, d_c = d_outputs
        last = jnp.zeros_like(d_c), d_c
        d_start, dz = jax.lax.scan(step, last, (d_h, c, c_before, i, f, g, o, taken), reverse=True)
        dz = _flat(dz)
        return (dz @ W.T).reshape(x.shape), None, _flat(x).T @ dz, _flat(h_before).T @ dz, dz.sum(0), list(d_start)

    def _where(mask: Any, one: Any, other: Any) -> Any:
        return one if mask is None else jnp.where(mask, one, other)

    run = jax.custom_vjp(lambda *inputs: forward(*inputs)[0])
    run.defvjp(forward, backward)
    return run


def _flat(x: Any) -> Any:
    """(T, batch, n) → (T · batch, n)."""
    return x.reshape(-1, x.shape[2])
