"""Which unit carries a quantity: the unit is chosen on one set and measured on another.

The best of many units has a high score on the set that it was chosen on, even by chance: report `measured`.
"""

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array


@dataclass(frozen=True)
class ProbedUnit:
    """The unit with the largest score."""

    unit: int  # from 0
    chosen: float  # its score on the set that it was chosen on
    measured: float  # its score on the other set; report this one
    all: Array  # (units,) the scores of all units on the other set


def best_unit(choosing: Array, measuring: Array) -> ProbedUnit:
    """The unit with the largest absolute score, from all (units,) scores on one set, and the same scores on another."""
    unit = int(np.abs(choosing).argmax())
    return ProbedUnit(unit, float(choosing[unit]), float(measuring[unit]), measuring)


def probe_units(choose_on: tuple[Array, Array], measure_on: tuple[Array, Array]) -> ProbedUnit:
    """The unit whose activation correlates best with a target; each set is (n, units) activations and (n,) targets."""
    return best_unit(correlations(*choose_on), correlations(*measure_on))


def correlations(activations: Array, target: Array) -> Array:
    """(units,) Pearson's r of (n, units) activations with an (n,) target; 0 where a unit or the target is constant."""
    centred, target = activations - activations.mean(axis=0), target - target.mean()
    scale = np.sqrt((centred**2).sum(axis=0) * (target**2).sum())
    return np.where(scale > 1e-12, target @ centred / np.maximum(scale, 1e-12), 0.0)


def explained_variance(activations: Array, predicted: Array) -> Array:
    """(units,) 1 - squared error / variance of (n, units) activations and predictions; 0 where a unit is constant."""
    variance = np.square(activations - activations.mean(axis=0)).sum(axis=0)
    error = np.square(activations - predicted).sum(axis=0)
    return np.where(variance > 1e-12, 1 - error / np.maximum(variance, 1e-12), 0.0)
