"""Clamps: set a gate or a state to a fixed value while a layer runs; later timesteps follow from it.

A clamp is data. `clamp_hooks` turns clamps into the hook that the steps in `nn/cells.py` call for every signal.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn import cells
from lstm_core.nn.cells import Hook
from lstm_core.nn.weights import CellWeights

# Everything that a step computes, in the order of the equations.
SIGNALS: dict[str, tuple[str, ...]] = {"lstm": tuple("ifgoch"), "gru": tuple("zrgh"), "rnn": ("h",)}


@dataclass(frozen=True)
class Clamp:
    """Set one signal to a fixed value while tracing; everything computed from it follows.

    Attributes:
        gate: a gate (`i f g o`; `z r g` in a GRU) or a state (`c`, `h`).
        value: any finite number; gates live in 0…1, but the network accepts what it is given.
        units: which units, from 0; None for all.
        timesteps: which timesteps of the input, from 0; None for all.
        layer: which recurrent layer of a network, from 0; for a whole network also by name.
    """

    gate: str = "f"
    value: float = 0.0
    units: Sequence[int] | int | None = None
    timesteps: Sequence[int] | int | None = None
    layer: int | str = 0

    def __post_init__(self) -> None:
        if not np.isfinite(self.value):
            raise ValueError(f"A clamp needs a finite value; received {self.value}.")


def clamp_hooks(weights: CellWeights, clamps: Iterable[Clamp], timesteps: Array) -> Callable[[int], Hook]:
    """For each step, the hook that replaces clamped values; of two clamps on one value, the later one wins.

    Args:
        weights: of the layer.
        clamps: those of this layer; their `layer` isn't looked at.
        timesteps: (T,) the input index of each step.

    Raises:
        ValueError: if a clamp names a signal, unit or timestep that doesn't exist.
    """
    clamps = tuple(clamps)
    if not clamps:
        return lambda t: cells.identity_hook
    length, n = len(timesteps), weights.units
    clamped: dict[str, tuple[Array, Array]] = {}
    for clamp in clamps:
        if clamp.gate not in SIGNALS[weights.kind]:
            has = ", ".join(SIGNALS[weights.kind])
            raise ValueError(f"Layer '{weights.name}' ({weights.kind}) has no '{clamp.gate}' to clamp; it has {has}.")
        unclamped = np.zeros((length, n), bool), np.zeros((length, n), weights.kernel.dtype)
        where, values = clamped.setdefault(clamp.gate, unclamped)
        rows = np.isin(timesteps, _chosen(clamp.timesteps, length, "timestep"))
        chosen = np.outer(rows, np.isin(np.arange(n), _chosen(clamp.units, n, "unit")))
        where |= chosen
        values[chosen] = clamp.value

    def hook_at(t: int) -> Hook:
        def hook(signal: str, value: Array) -> Array:
            if signal not in clamped:
                return value
            where, values = clamped[signal]
            return np.where(where[t], values[t], value)

        return hook

    return hook_at


def clamps_by_name(clamps: Iterable[Clamp], names: Sequence[str]) -> dict[str, tuple[Clamp, ...]]:
    """The clamps of each recurrent layer.

    Args:
        clamps: their `layer` is a name, that of a layer with several parts, such as a bidirectional one, or a number,
            which is that of both directions of one layer.
        names: of the recurrent layers, in their order.

    Raises:
        ValueError: if there is no such layer.
    """
    found: dict[str, tuple[Clamp, ...]] = {}
    layers = list(dict.fromkeys(re.sub("/(forward|backward)$", "", name) for name in names))
    for clamp in clamps:
        wanted = layers[int(clamp.layer)] if clamp.layer in range(len(layers)) else clamp.layer
        own = [name for name in names if name == wanted or name.startswith(f"{wanted}/")]
        if not own:
            raise ValueError(f"A clamp names layer {wanted!r}; there are {len(layers)}, from 0: {', '.join(layers)}.")
        for name in own:
            found[name] = (*found.get(name, ()), clamp)
    return found


def shift_clamps(clamps: Iterable[Clamp], first: int, length: int) -> list[Clamp]:
    """The clamps of a part of a sequence, their timesteps counted from the part's first one.

    Args:
        clamps: with timesteps of the whole sequence; one without timesteps applies to every part.
        first: the timestep of the whole sequence at which the part begins.
        length: the part's timesteps; a clamp whose timesteps all lie outside is left out.
    """
    shifted = []
    for clamp in clamps:
        if clamp.timesteps is not None:
            own = [int(t) - first for t in np.atleast_1d(clamp.timesteps) if 0 <= t - first < length]
            if not own:
                continue
            clamp = replace(clamp, timesteps=own)
        shifted.append(clamp)
    return shifted


def _chosen(indices: Sequence[int] | int | None, count: int, what: str) -> Array:
    if indices is None:
        return np.arange(count)
    chosen = np.atleast_1d(np.asarray(indices, int))
    if chosen.size and (chosen.min() < 0 or chosen.max() >= count):
        raise ValueError(f"A clamp names {what} {chosen.min()}…{chosen.max()}; there are 0…{count - 1}.")
    return chosen
