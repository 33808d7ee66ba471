"""The hand-written recurrence and its gradients against the equations of an LSTM that JAX differentiates by itself."""

from typing import Any

import numpy as np
import pytest

from lstm_core.nn.jax_lstm import _recurrence

jax = pytest.importorskip("jax")
STEPS, ROWS, READS, UNITS = 6, 3, 4, 5


def by_the_equations(x: Any, taken: Any, W: Any, U: Any, b: Any, start: Any) -> tuple[Any, Any]:
    """The same as `_recurrence`, step by step (Hochreiter & Schmidhuber 1997; Gers et al. 2000)."""
    h, c, all_ = *start, []
    for t in range(len(x)):
        i, f, g, o = jax.numpy.split(x[t] @ W + h @ U + b, 4, axis=1)
        c_now = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jax.numpy.tanh(g)
        h_now = jax.nn.sigmoid(o) * jax.numpy.tanh(c_now)
        mask = True if taken is None else taken[t]
        h, c = jax.numpy.where(mask, h_now, h), jax.numpy.where(mask, c_now, c)
        all_.append(h)
    return jax.numpy.stack(all_), c


@pytest.mark.parametrize("masked", [False, True])
def test_values_and_gradients_are_those_of_the_equations(masked: bool) -> None:
    random = np.random.default_rng(0)
    sizes = [(STEPS, ROWS, READS), (READS, 4 * UNITS), (UNITS, 4 * UNITS), 4 * UNITS, (ROWS, UNITS), (ROWS, UNITS)]
    x, W, U, b, h, c = (random.normal(size=size).astype(np.float32) for size in sizes)
    taken = np.arange(STEPS)[:, None, None] < np.array([6, 1, 4])[:, None] if masked else None
    weights = random.normal(size=(STEPS, ROWS, UNITS)).astype(np.float32), random.normal(size=(ROWS, UNITS))

    def score(run: Any, x: Any, W: Any, U: Any, b: Any, start: Any) -> Any:
        return sum((weight * part).sum() for weight, part in zip(weights, run(x, taken, W, U, b, start), strict=True))

    own, expected = (
        jax.value_and_grad(score, argnums=(1, 2, 3, 4, 5))(run, x, W, U, b, [h, c])
        for run in (_recurrence(), by_the_equations)
    )
    for one, other in zip(jax.tree.leaves(own), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
