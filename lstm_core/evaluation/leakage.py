"""Looks for leaks: does a forecast, or anything it was made with, depend on what lay in its future?

Nothing is read from the code that is audited. The future is changed, wildly and several times, everything is computed
again, and what should have stayed the same is compared bit by bit. `PLANTED` holds three leaks as people really build
them, to see that they are caught.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.forecaster import Forecaster
from lstm_core.timeseries.backtest import Parts
from lstm_core.timeseries.scaling import Scaling
from lstm_core.timeseries.series import Series

FUTURES, MOST_ORIGINS = 3, 16

Fit = Callable[[Array], Scaling]  # values (n,) → the scaling that a forecast would use
Forecast = Callable[[Array, Array], Array]  # values (n,), origins (k,) → (k, horizon, …)


@dataclass(frozen=True)
class Check:
    """One question of an audit.

    Attributes:
        question: what was changed.
        held: whether nothing depended on it.
        tried: how many comparisons were made.
        worst: the largest difference that was found, in units of the series' standard deviation.
    """

    question: str
    held: bool
    tried: int
    worst: float


@dataclass(frozen=True)
class Audit:
    """What an audit found; `clean` if nothing depends on the future, and forecasts do depend on the past."""

    checks: tuple[Check, ...]

    @property
    def clean(self) -> bool:
        """Whether every check held."""
        return all(check.held for check in self.checks)

    @property
    def tried(self) -> int:
        """Comparisons in all."""
        return sum(check.tried for check in self.checks)


def audit(values: Array, parts: Parts, origins: Array, fit: Fit, forecast: Forecast) -> Audit:
    """Ask whether `forecast` knows its future, by giving it other ones.

    Args:
        values: (n,) the series.
        parts: of the series.
        origins: forecasts of some of these are made again.
        fit: gives the scaling that is used.
        forecast: gives the forecasts.
    """
    chosen = origins[np.unique(np.linspace(0, len(origins) - 1, MOST_ORIGINS).astype(int))]
    return Audit(
        (
            _scaling(values, parts, fit),
            _futures(values, chosen, forecast),
            _alive(values, chosen, forecast),
        )
    )


def audit_forecaster(forecaster: Forecaster, series: Series) -> Audit:
    """Audit a forecaster on a series, with the scaling that it was saved with."""
    kept = forecaster.scaling(series)
    origins = series.parts.test_origins(forecaster.settings.horizon)
    origins = origins[origins >= forecaster.settings.before - 1]
    found = audit(
        series.values,
        series.parts,
        origins,
        lambda values: Scaling.fit(values, kept.form, *kept.fitted_on),
        lambda values, at: forecaster.forecast(values, at, kept),
    )
    return Audit((_kept(kept, series), *found.checks))


def _kept(kept: Scaling, series: Series) -> Check:
    """The numbers in the model's folder against the training part, computed again."""
    again = Scaling.fit(series.values, kept.form, 0, series.parts.training)
    worst = max(abs(kept.centre - again.centre), abs(kept.spread - again.spread)) / _size(series.values)
    inside = kept.fitted_on == (0, series.parts.training)
    return Check("The scaling kept with the network is that of the training part", inside and worst < 1e-9, 1, worst)


def _scaling(values: Array, parts: Parts, fit: Fit) -> Check:
    before = fit(values)
    worst = 0.0
    for number in range(FUTURES):
        after = fit(_other_future(values, parts.training, number))
        worst = max(worst, abs(after.centre - before.centre), abs(after.spread - before.spread))
    question = "The scaling stays as it is whatever comes after the training part"
    return Check(question, worst == 0, FUTURES, worst / _size(values))


def _futures(values: Array, origins: Array, forecast: Forecast) -> Check:
    before = forecast(values, origins)
    worst = 0.0
    for row, origin in enumerate(origins):
        for number in range(FUTURES):
            after = forecast(_other_future(values, int(origin) + 1, number), origins[row : row + 1])[0]
            worst = max(worst, _apart(after, before[row]))
    # A network that reads one window and one that reads many at once may round differently.
    held = worst <= 1e-5 * _size(values)
    question = "A forecast stays as it is whatever comes after its origin"
    return Check(question, held, FUTURES * len(origins), worst / _size(values))


def _alive(values: Array, origins: Array, forecast: Forecast) -> Check:
    """An audit that never sees anything move proves nothing: the value at the origin must matter."""
    before = forecast(values, origins)
    moved = []
    for row, origin in enumerate(origins):
        other = values.copy()
        other[origin] *= 1.1
        other[origin] += 0.1 * _size(values)
        moved.append(_apart(forecast(other, origins[row : row + 1])[0], before[row]))
    least = min(moved) / _size(values)
    return Check("A forecast does change with the value at its origin", least > 1e-6, len(moved), least)


def _other_future(values: Array, start: int, number: int) -> Array:
    """The same past, and from `start` on something else: other sizes, other order, other noise."""
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


# --- Leaks to be caught -------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """A pipeline with a leak in it: what it does to fit and to forecast."""

    fit: Fit
    forecast: Forecast


def planted(kind: str, forecaster: Forecaster, series: Series) -> Planted:
    """A forecaster inside a careless pipeline.

    Args:
        kind: "none"; "scaler": fitted on all values, future ones included; "window": ends one value too late;
            "smoothed": the series was smoothed by a centred average before anything else.
        forecaster: what forecasts.
        series: whose parts and kept scaling are used.

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
            # Its first "forecast" is the value it has already read; the others are a step nearer than they say.
            known = np.broadcast_to(values[late][:, None, None], (len(origins), 1, ahead.shape[-1]))
            return np.concatenate([known, ahead[:, :-1]], axis=1)
        if kind == "smoothed":
            return forecaster.forecast(smoothed(values), origins, kept)
        return forecaster.forecast(values, origins, fit(values) if kind == "scaler" else kept)

    if kind not in PLANTED:
        raise ValueError(f"There is no leak called {kind!r}; there are {', '.join(PLANTED)}.")
    return Planted(fit, forecast)


PLANTED: dict[str, str] = {
    "none": "No leak",
    "scaler": "Scaled on all data",
    "window": "Window one too late",
    "smoothed": "Smoothed first",
}


def smoothed(values: Array, reach: int = 2) -> Array:
    """A centred moving average over 2 · reach + 1 values, shorter at the ends; (n,). It knows `reach` future values."""
    kernel = np.ones(2 * reach + 1)
    return np.convolve(values, kernel, "same") / np.convolve(np.ones(len(values)), kernel, "same")
