"""Data leakage: whether a forecast, or its scaling, depends on values after its origin.

The audit replaces the future by other values several times, computes everything again, and compares the results.
`PLANTED` lists three common leaks to test the audit with.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.forecaster import Forecaster
from lstm_core.timeseries.backtest import Parts
from lstm_core.timeseries.scaling import Scaling
from lstm_core.timeseries.series import Series

FUTURES, MOST_ORIGINS = 3, 16

Fit = Callable[[Array], Scaling]  # values (n,) → the scaling of the forecasts
Forecast = Callable[[Array, Array], Array]  # values (n,), origins (k,) → (k, horizon, …)


@dataclass(frozen=True)
class Check:
    """One check of an audit."""

    question: str  # what is checked, in a sentence
    held: bool  # whether it passed
    tried: int  # the number of comparisons
    worst: float  # the largest difference, in standard deviations of the series


@dataclass(frozen=True)
class Audit:
    """The result of an audit: its checks."""

    checks: tuple[Check, ...]

    @property
    def clean(self) -> bool:
        """Whether every check passed."""
        return all(check.held for check in self.checks)

    @property
    def tried(self) -> int:
        """The number of comparisons in all checks."""
        return sum(check.tried for check in self.checks)


def audit(values: Array, parts: Parts, origins: Array, fit: Fit, forecast: Forecast) -> Audit:
    """Check whether forecasts depend on their future.

    Args:
        values: (n,) the series.
        parts: of the series.
        origins: (k,), of which up to `MOST_ORIGINS` are used.
        fit: returns the scaling.
        forecast: returns the forecasts.
    """
    chosen = origins[np.unique(np.linspace(0, len(origins) - 1, MOST_ORIGINS).astype(int))]
    return Audit(
        (_scaling(values, parts, fit), _futures(values, chosen, forecast), _sensitivity(values, chosen, forecast))
    )


def audit_forecaster(forecaster: Forecaster, series: Series) -> Audit:
    """Audit a forecaster on a series, with its saved scaling."""
    kept = forecaster.scaling(series)
    origins = series.parts.test_origins(forecaster.settings.horizon)
    origins = origins[origins >= forecaster.settings.before - 1]
    found = audit(series.values, series.parts, origins, *planted("none", forecaster, series))
    again = Scaling.fit(series.values, kept.form, 0, series.parts.training)
    worst = max(abs(kept.centre - again.centre), abs(kept.spread - again.spread)) / _size(series.values)
    same = kept.fitted_on == again.fitted_on and worst < 1e-9
    return Audit((Check("The saved scaling is that of the training part", same, 1, worst), *found.checks))


def _scaling(values: Array, parts: Parts, fit: Fit) -> Check:
    before = fit(values)
    worst = 0.0
    for number in range(FUTURES):
        after = fit(_other_future(values, parts.training, number))
        worst = max(worst, abs(after.centre - before.centre), abs(after.spread - before.spread))
    question = "The scaling doesn't depend on values after the training part"
    return Check(question, worst == 0, FUTURES, worst / _size(values))


def _futures(values: Array, origins: Array, forecast: Forecast) -> Check:
    before = forecast(values, origins)
    worst = 0.0
    for row, origin in enumerate(origins):
        for number in range(FUTURES):
            after = forecast(_other_future(values, int(origin) + 1, number), origins[row : row + 1])[0]
            worst = max(worst, _apart(after, before[row]))
    held = worst <= 1e-5 * _size(values)  # rounding differs between one window and a batch of windows
    question = "A forecast doesn't depend on values after its origin"
    return Check(question, held, FUTURES * len(origins), worst / _size(values))


def _sensitivity(values: Array, origins: Array, forecast: Forecast) -> Check:
    """The value at the origin must change the forecast, or the other checks prove nothing."""
    before = forecast(values, origins)
    moved = []
    for row, origin in enumerate(origins):
        other = values.copy()
        other[origin] *= 1.1
        other[origin] += 0.1 * _size(values)
        moved.append(_apart(forecast(other, origins[row : row + 1])[0], before[row]))
    least = min(moved) / _size(values)
    return Check("A forecast depends on the value at its origin", least > 1e-6, len(moved), least)


def _other_future(values: Array, start: int, number: int) -> Array:
    """The same values before `start`, and other ones from there on."""
    rng = np.random.default_rng(number)
    other = values.copy()
    count = len(other) - start
    other[start:] = np.abs(rng.permutation(other[start:]) * (2 + number)) + _size(values) * (1 + rng.random(count))
    return other


def _apart(one: Array, other: Array) -> float:
    distance = float(np.abs(one - other).max())
    return distance if np.isfinite(distance) else np.inf


def _size(values: Array) -> float:
    return max(float(values.std()), 1e-12)


class Pipeline(NamedTuple):
    """How a forecaster is fitted and used."""

    fit: Fit
    forecast: Forecast


def planted(kind: str, forecaster: Forecaster, series: Series) -> Pipeline:
    """A pipeline with a leak.

    Args:
        kind: "none"; "scaler": the scaling is fitted on all values; "window": windows end one value too late;
            "smoothed": the series is smoothed by a centred moving average first.
        forecaster: the network.
        series: to forecast.

    Raises:
        ValueError: if there is no such kind.
    """
    kept = forecaster.scaling(series)

    def fit(values: Array) -> Scaling:
        if kind == "scaler":
            return Scaling.fit(values, kept.form, 0, len(values))
        return Scaling.fit(values, kept.form, *kept.fitted_on)

    def forecast(values: Array, origins: Array) -> Array:
        if kind == "window":
            late = np.minimum(origins + 1, len(values) - 1)
            ahead = forecaster.forecast(values, late, kept)
            # Its first forecast is the last input; the others are one step nearer than stated.
            known = np.broadcast_to(values[late][:, None, None], (len(origins), 1, ahead.shape[-1]))
            return np.concatenate([known, ahead[:, :-1]], axis=1)
        if kind == "smoothed":
            return forecaster.forecast(smoothed(values), origins, kept)
        return forecaster.forecast(values, origins, fit(values) if kind == "scaler" else kept)

    if kind not in PLANTED:
        raise ValueError(f"There is no leak called {kind!r}; there are {', '.join(PLANTED)}.")
    return Pipeline(fit, forecast)


PLANTED: dict[str, str] = {
    "none": "No leak",
    "scaler": "Scaled on all data",
    "window": "Window one too late",
    "smoothed": "Smoothed first",
}


def smoothed(values: Array) -> Array:
    """A centred moving average over five values, fewer at the ends; (n,)."""
    kernel = np.ones(5)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
