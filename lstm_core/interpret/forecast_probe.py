"""Which unit of a forecaster follows the season, the level or the direction of a series best.

The unit is chosen on the training part and measured on the test part; see `nn/unit_probe.py`.
"""

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.unit_probe import ProbedUnit, best_unit, explained_variance
from lstm_core.timeseries.series import Series

SERIES_SIGNALS = {"season": "the season", "level": "the value itself", "direction": "rising or falling"}


def series_signal(name: str, series: Series, origins: Array) -> Array:
    """A signal's features at each origin, from values up to and including it; (k, features).

    Args:
        name: a key of `SERIES_SIGNALS`. "season" is a sine and a cosine of the series' season, "direction" the
            difference from the value a quarter of a season before (from the last value where that is shorter).
        series: the series.
        origins: (k,).

    Raises:
        ValueError: if there is no such signal.
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


def best_follower(memory: Array, features: Array, series: Series, origins: Array) -> ProbedUnit:
    """The unit best explained by features: a linear regression fitted on the training part, measured on the test part.

    Args:
        memory: (k, units) cell states.
        features: (k, features) from `series_signal`.
        series: the series.
        origins: (k,) of both.

    Returns:
        scores are shares of explained variance: 0…1 in training; below 0 in the test if worse than the mean.
    """
    training, test = origins < series.parts.training, origins >= series.parts.validation
    design = np.column_stack([np.ones(len(features)), features])  # (k, 1 + features)
    weights, *_ = np.linalg.lstsq(design[training], memory[training], rcond=None)  # (1 + features, units)
    scores = (explained_variance(memory[part], design[part] @ weights) for part in (training, test))
    return best_unit(*scores)


def standardised(memory: Array, training: Array) -> Array:
    """(k, units) cell states minus their mean, over their standard deviation, both of the (k,) bool training part."""
    fitted = memory[training]
    return (memory - fitted.mean(axis=0)) / np.maximum(fitted.std(axis=0), 1e-6)
