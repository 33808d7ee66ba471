"""Backtests: forecasts from every origin of a test part, baseline forecasts, errors and confidence intervals.

Each forecast uses only values up to its origin. The forecasts of a network are made in `inference/forecaster.py`.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError

TRAINING, VALIDATION = 0.6, 0.2  # shares of a series in the order of time; the rest is the test part
CONFIDENCE = 0.9  # of the interval of the skill


class SeriesError(LabError):
    """A series that can't be used, for instance one that is too short."""


@dataclass(frozen=True)
class Parts:
    """The three parts of a series in the order of time."""

    training: int  # the stop of the training part, the start of the validation part
    validation: int  # the stop of the validation part, the start of the test part
    length: int  # of the series

    @classmethod
    def of(cls, length: int) -> Self:
        """The first 60 % for training, the next 20 % for validation, the last 20 % for the test."""
        return cls(round(TRAINING * length), round((TRAINING + VALIDATION) * length), length)

    def training_origins(self, before: int, horizon: int) -> Array:
        """Origins whose targets, and whose last `before` values with the origin's own, lie in the training part."""
        return np.arange(before - 1, self.training - horizon)

    def validation_origins(self, horizon: int) -> Array:
        """Origins whose targets all lie in the validation part."""
        return np.arange(self.training - 1, self.validation - horizon)

    def test_origins(self, horizon: int) -> Array:
        """Origins whose targets all lie in the test part."""
        return np.arange(self.validation - 1, self.length - horizon)


# Each takes values (n,), origins (k,), the horizon and the season, and returns (k, horizon). Each uses
# values[: origin + 1] only (Hyndman & Athanasopoulos 2021, section 5.2).


def naive(values: Array, origins: Array, horizon: int, season: int = 1) -> Array:
    """The last known value."""
    return np.repeat(values[origins][:, None], horizon, axis=1)


def seasonal_naive(values: Array, origins: Array, horizon: int, season: int = 1) -> Array:
    """The value one season before, from the last complete season; naive where there is none."""
    steps = np.arange(1, horizon + 1)
    places = origins[:, None] + steps - season * -(-steps // season)  # (k, horizon)
    return np.where(places >= 0, values[np.maximum(places, 0)], values[origins][:, None])


def drift(values: Array, origins: Array, horizon: int, season: int = 1) -> Array:
    """The straight line through the first and the last known value."""
    slope = (values[origins] - values[0]) / np.maximum(origins, 1)
    return values[origins][:, None] + slope[:, None] * np.arange(1, horizon + 1)


Baseline = Callable[[Array, Array, int, int], Array]
BASELINES: dict[str, Baseline] = {"naive": naive, "seasonal_naive": seasonal_naive, "drift": drift}


def truth(values: Array, origins: Array, horizon: int) -> Array:
    """The true values after each origin; (k, horizon)."""
    return values[origins[:, None] + np.arange(1, horizon + 1)]


def naive_scale(values: Array, parts: Parts) -> float:
    """The unit of MASE, the naive error in the training part (Hyndman & Koehler 2006); SeriesError if it is 0."""
    scale = float(np.abs(np.diff(values[: parts.training])).mean()) if parts.training > 1 else 0.0
    if not scale > 0:
        raise SeriesError("The training part never changes: there is nothing to learn in it.")
    return scale


def pinball(actual: Array, quantiles: Array, levels: tuple[float, ...]) -> Array:
    """The pinball loss of quantile forecasts (Koenker & Bassett 1978), minimized by the true quantiles; (…, levels).

    Args:
        actual: (…,).
        quantiles: (…, levels).
        levels: each between 0 and 1.
    """
    error = actual[..., None] - quantiles
    level = np.asarray(levels)
    return np.maximum(level * error, (level - 1) * error)


@dataclass(frozen=True)
class Backtest:
    """Forecasts from all origins of a part, and the true values."""

    origins: Array  # (k,) the last index known to each forecast
    actual: Array  # (k, horizon) the true values
    quantiles: Array  # (k, horizon, levels) of the network, rising; no levels without a network
    baselines: Mapping[str, Array]  # name → (k, horizon)
    levels: tuple[float, ...]  # of the quantiles
    scale: float  # see `naive_scale`

    @cached_property
    def forecasts(self) -> dict[str, Array]:
        """Name → (k, horizon): "lstm", the median of the network, and the baselines."""
        own = {"lstm": self.quantiles[..., self.levels.index(0.5)]} if self.levels else {}
        return own | dict(self.baselines)

    def errors(self, name: str) -> Array:
        """Absolute errors; (k, horizon)."""
        return np.abs(self.forecasts[name] - self.actual)

    def up_to(self, horizon: int) -> Self:
        """The same backtest with fewer steps ahead."""
        baselines = {name: each[:, :horizon] for name, each in self.baselines.items()}
        actual, quantiles = self.actual[:, :horizon], self.quantiles[:, :horizon]
        return replace(self, actual=actual, quantiles=quantiles, baselines=baselines)

    def mae(self, name: str) -> float:
        """Mean absolute error over all origins and steps."""
        return float(self.errors(name).mean())

    def mase(self, name: str) -> float:
        """Mean absolute scaled error: `mae` in units of `scale`."""
        return self.mae(name) / self.scale

    def mase_by_step(self, name: str) -> Array:
        """MASE of each step ahead; (horizon,)."""
        return self.errors(name).mean(axis=0) / self.scale

    def skill(self, name: str = "lstm") -> float:
        """The skill of a forecast against the naive one, see `skill_score`."""
        return skill_score(self.errors(name), self.errors("naive"))

    def push_errors(self) -> Array:
        """Absolute errors of the last value plus the network's mean forecast change of each step; (k, horizon).

        If this constant is as good as the network, the network gains nothing from its inputs.
        """
        changes = self.forecasts["lstm"] - self.baselines["naive"]
        return np.abs(self.baselines["naive"] + changes.mean(axis=0) - self.actual)

    def coverage(self) -> float:
        """The share of true values between the lowest and the highest quantile of the network."""
        inside = (self.quantiles[..., 0] <= self.actual) & (self.actual <= self.quantiles[..., -1])
        return float(inside.mean())


def backtest_forecasts(
    values: Array,
    origins: Array,
    horizon: int,
    season: int,
    scale: float,
    quantiles: Array | None = None,
    levels: tuple[float, ...] = (),
) -> Backtest:
    """The backtest of a network and of the baselines.

    Args:
        values: (n,) the series.
        origins: (k,) with k >= 1; the last origin has `horizon` values after it.
        horizon: steps ahead.
        season: of the seasonal naive forecast, in steps.
        scale: from `naive_scale`.
        quantiles: (k, horizon, levels), None without a network.
        levels: of the quantiles.

    Raises:
        SeriesError: if there is no origin.
    """
    if not len(origins):
        raise SeriesError(f"The test part is too short for a forecast {horizon} steps ahead; give a longer series.")
    return Backtest(
        origins,
        truth(values, origins, horizon),
        np.empty((len(origins), horizon, 0)) if quantiles is None else quantiles,
        {name: each(values, origins, horizon, season) for name, each in BASELINES.items()},
        levels,
        scale,
    )


def skill_score(errors: Array, others: Array) -> float:
    """1 - mean error / mean error of the other: 1 is perfect, 0 no better, negative worse; 0 where both are 0."""
    mine, theirs = float(errors.mean()), float(others.mean())
    return 1 - mine / theirs if theirs > 0 else (0.0 if mine == 0 else -np.inf)


def t_quantile(probability: float, freedom: int) -> float:
    """A quantile of Student's t, by bisection of its distribution (Abramowitz and Stegun 26.7.3 and 26.7.4).

    SciPy has it; the web process would need its 95 MB for this alone.

    Args:
        probability: from 0.5 to below 1.
        freedom: degrees of freedom, a whole number from 1.
    """
    low, high = 0.0, math.pi / 2  # of the angle whose tangent is t / √freedom
    for _ in range(60):
        angle = (low + high) / 2
        odd, cosine, total = freedom % 2, math.cos(angle), 0.0
        term = cosine**odd
        for power in range(odd, freedom - 1, 2):
            total += term
            term *= cosine**2 * (power + 1) / (power + 2)
        inside = math.sin(angle) * total  # the share between −t and t
        inside = 2 / math.pi * (angle + inside) if odd else inside
        low, high = (angle, high) if inside < 2 * probability - 1 else (low, angle)
    return math.sqrt(freedom) * math.tan((low + high) / 2)


def skill_interval(errors: Array, others: Array, batch: int) -> tuple[float, float]:
    """The 90 % confidence interval of the skill, by batch means (Schmeiser 1982) and Student's t.

    Neighbouring forecasts overlap, so their errors are correlated; they are averaged over batches of at least the
    horizon. The ratio is linearized.

    Args:
        errors: (k, …) absolute errors, an origin a row.
        others: of the forecast to compare with.
        batch: origins in a batch; at least the horizon.

    Returns:
        Lower and upper end; infinite with fewer than two batches.
    """
    count = independent_batches(len(errors), batch)
    whole, theirs = skill_score(errors, others), float(others.mean())
    if count < 2 or not theirs > 0:
        return -np.inf, np.inf
    mine, other = (
        np.array([part.mean() for part in np.array_split(each.reshape(len(each), -1).mean(axis=1), count)])
        for each in (errors, others)
    )  # (count,)
    gains = (other * (1 - whole) - mine) / theirs
    reach = t_quantile((1 + CONFIDENCE) / 2, count - 1) * float(gains.std(ddof=1)) / np.sqrt(count)
    return whole - reach, whole + reach


def independent_batches(origins: int, batch: int) -> int:
    """The number of batches of `batch` origins, 100 at most."""
    return min(origins // max(batch, 1), 100)


@dataclass(frozen=True)
class LaggedCopy:
    """Whether the one-step forecast is a copy of the last known value."""

    to_truth: float  # mean distance from the forecast to the true value
    to_last: float  # mean distance from the forecast to the last known value
    correlation: float  # of the forecast and the true value
    naive_correlation: float  # of the last known value and the true value

    @property
    def is_copy(self) -> bool:
        """Whether the forecast is less than half as far from the last known value as from the true one."""
        return self.to_last < self.to_truth / 2


def lagged_copy(test: Backtest) -> LaggedCopy:
    """Compare the one-step forecasts of the network with the true and the last known values."""
    forecast, last, actual = (each[:, 0] for each in (test.forecasts["lstm"], test.forecasts["naive"], test.actual))
    return LaggedCopy(
        float(np.abs(forecast - actual).mean()),
        float(np.abs(forecast - last).mean()),
        _correlation(forecast, actual),
        _correlation(last, actual),
    )


def _correlation(one: Array, other: Array) -> float:
    if len(one) < 2 or one.std() == 0 or other.std() == 0:
        return 0.0
    return float(np.corrcoef(one, other)[0, 1])
