"""What a forecaster's memory goes along with: which unit follows the season, the level or the direction best.

The unit is chosen on the training part, and how well it follows is measured on the test part: the best of many always
looks good where it was chosen.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.timeseries.series import Series

SERIES_SIGNALS = {
    "season": "the season",
    "level": "the value itself",
    "direction": "rising or falling",
}


@dataclass(frozen=True)
class Follower:
    """The unit whose cell state goes along best with a signal.

    Attributes:
        unit: which.
        training: share of its variance that the signal explains in the training part, 0…1: where it was chosen.
        test: the same in the test part, with what was fitted in the training part; negative if worse than the mean.
    """

    unit: int
    training: float
    test: float


def series_signal(name: str, series: Series, origins: Array) -> Array:
    """A signal's features at each origin, from values up to and with it; (k, features).

    Args:
        name: a key of `SIGNALS`. "season" is a sine and a cosine of the series' season, "direction" how far the value
            is above the one a quarter of a season before, or above the last one.
        series: the series.
        origins: (k,).
    """
    if name == "season":
        angle = 2 * np.pi * origins / max(series.season, 2)
        return np.stack([np.sin(angle), np.cos(angle)], axis=1)
    if name == "level":
        return series.values[origins][:, None]
    if name == "direction":
        before = np.maximum(origins - max(1, series.season // 4), 0)
        return (series.values[origins] - series.values[before])[:, None]
    raise ValueError(f"There is no signal {name!r}; there are {', '.join(SERIES_SIGNALS)}.")


def best_follower(memory: Array, features: Array, series: Series, origins: Array) -> Follower:
    """Fit each unit by the features on the training part, take the best there, and measure it on the test part.

    Args:
        memory: (k, units) cell states.
        features: (k, features) from `signal`.
        series: the series.
        origins: (k,) where both are from.
    """
    training, test = origins < series.parts.training, origins >= series.parts.validation
    design = np.column_stack([np.ones(len(features)), features])  # (k, 1 + features)
    weights, *_ = np.linalg.lstsq(design[training], memory[training], rcond=None)  # (1 + features, units)
    left = memory - design @ weights
    shares = _explained(memory[training], left[training])
    unit = int(shares.argmax())
    return Follower(unit, float(shares[unit]), float(_explained(memory[test], left[test])[unit]))


def standardised(memory: Array, training: Array) -> Array:
    """Each unit's cell state less its mean, over its standard deviation, both of the training part; (k, units).

    Args:
        memory: (k, units).
        training: (k,) of bool.
    """
    seen = memory[training]
    return (memory - seen.mean(axis=0)) / np.maximum(seen.std(axis=0), 1e-6)


def _explained(values: Array, left: Array) -> Array:
    """1 - what is left / variance, for each column; 0 where nothing varies."""
    spread = np.square(values - values.mean(axis=0)).sum(axis=0)
    return np.where(spread > 1e-12, 1 - np.square(left).sum(axis=0) / np.maximum(spread, 1e-12), 0.0)
