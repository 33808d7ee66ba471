"""Which timestep an answer depends on: each is replaced in turn, and the network answers again.

Occlusion (Zeiler & Fergus 2014; "leave one out" in Li, Monroe & Jurafsky 2016) asks for nothing but answers, so it
works for every network, whatever its layers are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from lstm_core.arrays import Array

STEPS_AT_ONCE = 2_000  # timesteps of all sequences of a batch


def occlude(
    answer: Callable[[Array], Array],
    values: Array,
    blank: Array | float,
    report: Callable[[float], object] = lambda share: None,
    *,
    steps: Sequence[int] | None = None,
) -> Array:
    """How much of each output goes when one timestep is replaced, (steps, K): positive where the timestep raises it.

    Args:
        answer: (n, T, …) sequences → (n, K) outputs.
        values: (T, …) of one sequence: ids or features.
        blank: what stands at the replaced timestep; of the shape of one timestep, or one number.
        report: called with the share that is done, 0…1.
        steps: the timesteps that are replaced, from 0; None for all.

    Raises:
        ValueError: if there are no timesteps.
    """
    places = np.arange(len(values)) if steps is None else np.asarray(steps, int)
    if not len(places):
        raise ValueError("There are no timesteps to replace.")
    whole = answer(values[None])  # (1, K)
    parts, size = [], max(1, STEPS_AT_ONCE // len(values))
    for first in range(0, len(places), size):
        replaced = places[first : first + size]
        batch = np.repeat(values[None], len(replaced), axis=0)
        batch[np.arange(len(replaced)), replaced] = blank
        parts.append(whole - answer(batch))
        report((first + len(replaced)) / len(places))
    return np.concatenate(parts)
