"""What is fed to a network: arrays by the names of its inputs, batch first, with their shapes checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError

MOST_TIMESTEPS = 1_000_000  # of one sequence


@dataclass(frozen=True)
class InputSpec:
    """One input of a network.

    Attributes:
        name: as in the network.
        shape: with the batch axis, None where any size will do; None if the network doesn't say.
        text: whether it reads texts.
    """

    name: str
    shape: tuple[int | None, ...] | None = None
    text: bool = False


def arrays_by_name(x: Any, specs: Sequence[InputSpec]) -> dict[str, Array]:
    """The arrays for each input of a network, in the order of `specs`.

    Args:
        x: an array (batch, …) or one sequence without the batch axis; a list of arrays, or a dictionary by names, where
            there are several inputs; a list of texts for an input of texts.
        specs: the inputs.

    Raises:
        ModelError: if an input is missing, has another shape, or more than `MOST_TIMESTEPS` timesteps.
    """
    if isinstance(x, Mapping):
        names = [spec.name for spec in specs]
        if sorted(map(str, x)) != sorted(names):
            raise ModelError(f"The network's inputs are {_listed(names)}; received {_listed(map(str, x))}.")
        given = [x[name] for name in names]
    elif len(specs) > 1:
        if not isinstance(x, list | tuple) or len(x) != len(specs):
            names = [spec.name for spec in specs]
            raise ModelError(f"The network has {len(specs)} inputs: give a list of arrays for {_listed(names)}.")
        given = list(x)
    else:
        given = [x[0] if isinstance(x, list | tuple) and len(x) == 1 and isinstance(x[0], np.ndarray) else x]
    return {spec.name: as_batch(value, spec) for spec, value in zip(specs, given, strict=True)}


def as_batch(value: Any, spec: InputSpec) -> Array:
    """The array of one input with its batch axis; ModelError as in `arrays_by_name`."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ModelError(f"Input '{spec.name}' has sequences of several lengths: pad them to one length.") from error
    is_text = array.dtype.kind in "OSU"
    if is_text != spec.text and spec.shape is not None:
        raise ModelError(f"Input '{spec.name}' reads {'texts' if spec.text else 'numbers'}; received {array.dtype}.")
    if is_text:
        array = array.astype(str)
        return array.reshape(-1, 1) if spec.shape is None or len(spec.shape) == 2 else array.reshape(-1)
    if array.dtype.kind not in "biuf" and array.dtype.name != "bfloat16":
        raise ModelError(f"Input '{spec.name}' reads numbers; received {array.dtype}.")
    shape = spec.shape
    if shape is not None:
        if len(shape) > 1 and shape[-1] == 1 and array.ndim == len(shape) - 1 and array.shape[-1] != 1:
            array = array[..., None]  # (batch, T) for (batch, T, 1), as in Keras
        elif array.ndim == len(shape) - 1:
            array = array[None]
        fits = array.ndim == len(shape) and all(a in (None, b) for a, b in zip(shape[1:], array.shape[1:], strict=True))
        if not fits:
            wanted = ", ".join(["batch", *("any" if size is None else str(size) for size in shape[1:])])
            raise ModelError(f"Input '{spec.name}' has the shape ({wanted}); received {np.asarray(value).shape}.")
    if array.ndim > 1 and array.shape[1] > MOST_TIMESTEPS:
        raise ModelError(f"Input '{spec.name}' has {array.shape[1]:,} timesteps; {MOST_TIMESTEPS:,} is the most.")
    if 0 in array.shape:
        raise ModelError(f"Input '{spec.name}' is empty: its shape is {array.shape}.")
    return array


def _listed(names: Any) -> str:
    return ", ".join(f"'{name[:60]}'" for name in names) or "none"
