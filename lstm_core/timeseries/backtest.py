"""Judges forecasts as they would have been made: origin by origin, each knowing only what lay before it.

The parts of a series, the simple forecasts that a network has to beat, the errors, and how far chance alone could
have moved them. Knows arrays only: no networks, no files. What a network does at an origin is in
`inference/forecaster.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError

TRAINING, VALIDATION = 0.6, 0.2  # shares of a series, in the order of time; the rest is the test part
SURE = 0.9  # confidence of an interval of the skill


class SeriesError(LabError):
    """A series can't be used: too short, not numbers, or without a date."""


@dataclass(frozen=True)
class Parts:
    """A series cut in three by time; an index belongs to a part if start <= index < stop.

    Attributes:
        training: where the training part stops and validation begins.
        validation: where the validation part stops and the test part begins.
        length: of the series.
    """

    training: int
    validation: int
    length: int

    @classmethod
    def of(cls, length: int) -> Parts:
        """The first 60 % to train on, the next 20 % to choose by, the last 20 % to be looked at once."""
        return cls(round(TRAINING * length), round((TRAINING + VALIDATION) * length), length)

    def training_origins(self, before: int, horizon: int) -> Array:
        """Origins t whose window and whose targets t + 1 … t + horizon all lie in the training part.

        Args:
            before: how many values up to and with the origin are looked at.
            horizon: steps ahead.
        """
        return np.arange(before - 1, self.training - horizon)

    def validation_origins(self, horizon: int) -> Array:
        """Origins whose targets all lie in the validation part; what lies before may be read."""
        return np.arange(self.training - 1, self.validation - horizon)

    def test_origins(self, horizon: int) -> Array:
        """Origins whose targets all lie in the test part; what lies before may be read."""
        return np.arange(self.validation - 1, self.length - horizon)


# --- Forecasts that cost nothing ----------------------------------------------------------------
# Each takes values (n,), origins (k,), the horizon and the season, and gives (k, horizon). Each looks at
# values[: origin + 1] only (Hyndman & Athanasopoulos 2021, section 5.2).


def naive(values: Array, origins: Array, horizon: int, season: int = 1) -> Array:
    """The last value again and again."""
    return np.repeat(values[origins][:, None], horizon, axis=1)


def seasonal_naive(values: Array, origins: Array, horizon: int, season: int = 1) -> Array:
    """What was there a season ago, of the last whole season before the origin; naive where none is whole."""
    steps = np.arange(1, horizon + 1)
    places = origins[:, None] + steps - season * -(-steps // season)  # (k, horizon)
    return np.where(places >= 0, values[np.maximum(places, 0)], values[origins][:, None])


def drift(values: Array, origins: Array, horizon: int, season: int = 1) -> Array:
    """The straight line through the first and the last value known."""
    slope = (values[origins] - values[0]) / np.maximum(origins, 1)
    return values[origins][:, None] + slope[:, None] * np.arange(1, horizon + 1)


Baseline = Callable[[Array, Array, int, int], Array]
BASELINES: dict[str, Baseline] = {"naive": naive, "seasonal_naive": seasonal_naive, "drift": drift}


# --- Errors -------------------------------------------------------------------------------------


def truth(values: Array, origins: Array, horizon: int) -> Array:
    """What came after each origin; (k, horizon)."""
    return values[origins[:, None] + np.arange(1, horizon + 1)]


def naive_scale(values: Array, parts: Parts) -> float:
    """The mean absolute change from one value to the next in the training part: the unit of MASE.

    Hyndman & Koehler (2006), with the one-step naive forecast whatever the season.

    Raises:
        SeriesError: if nothing ever changes there.
    """
    scale = float(np.abs(np.diff(values[: parts.training])).mean()) if parts.training > 1 else 0.0
    if not scale > 0:
        raise SeriesError("The training part never changes: there is nothing to learn in it.")
    return scale


def pinball(actual: Array, quantiles: Array, levels: tuple[float, ...]) -> Array:
    """The pinball loss of quantile forecasts (Koenker & Bassett 1978), smallest on average at the true quantile.

    Args:
        actual: (…,).
        quantiles: (…, levels).
        levels: each between 0 and 1.

    Returns:
        (…, levels), at least 0.
    """
    error = actual[..., None] - quantiles
    level = np.asarray(levels)
    return np.maximum(level * error, (level - 1) * error)


def coverage(actual: Array, quantiles: Array) -> float:
    """The share of values between the lowest and the highest quantile; quantiles (…, levels), rising."""
    return float(((quantiles[..., 0] <= actual) & (actual <= quantiles[..., -1])).mean())


# --- A backtest ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Backtest:
    """Forecasts from all origins of a part, and what then happened. Arrays are not to be changed.

    Attributes:
        origins: (k,) the last index known to each forecast.
        actual: (k, horizon).
        quantiles: (k, horizon, levels) of the network, rising; empty levels where there is no network.
        baselines: name → (k, horizon).
        levels: of the quantiles.
        scale: the training part's mean absolute change.
    """

    origins: Array
    actual: Array
    quantiles: Array
    baselines: Mapping[str, Array]
    levels: tuple[float, ...]
    scale: float

    @cached_property
    def forecasts(self) -> dict[str, Array]:
        """Name → (k, horizon): "lstm", the median of the network where there is one, and the simple ones."""
        own = {"lstm": self.quantiles[..., self.levels.index(0.5)]} if self.levels else {}
        return own | dict(self.baselines)

    def errors(self, name: str) -> Array:
        """|forecast - what happened|; (k, horizon)."""
        return np.abs(self.forecasts[name] - self.actual)

    def up_to(self, horizon: int) -> Backtest:
        """The same origins, only the first steps ahead."""
        return Backtest(
            self.origins,
            self.actual[:, :horizon],
            self.quantiles[:, :horizon],
            {name: each[:, :horizon] for name, each in self.baselines.items()},
            self.levels,
            self.scale,
        )

    def mae(self, name: str) -> float:
        """Mean absolute error over all origins and steps."""
        return float(self.errors(name).mean())

    def mase(self, name: str) -> float:
        """Mean absolute error in units of the training part's one-step naive error; below 1 is less than that."""
        return self.mae(name) / self.scale

    def mase_by_step(self, name: str) -> Array:
        """The same for each step ahead; (horizon,)."""
        return self.errors(name).mean(axis=0) / self.scale

    def skill(self, name: str = "lstm", against: str = "naive") -> float:
        """1 - MAE / MAE of the other: 1 is perfect, 0 no better, negative worse."""
        return skill_score(self.errors(name), self.errors(against))

    def push_errors(self) -> Array:
        """|error| of the network with its reading taken out; (k, horizon).

        Each last value gets the same push, the mean of all changes that the network forecasts for that step. What is
        as good as the network shows that the network gains nothing by looking at where it is. Only forecasts go into
        the push, no truth.
        """
        changes = self.forecasts["lstm"] - self.baselines["naive"]
        return np.abs(self.baselines["naive"] + changes.mean(axis=0) - self.actual)

    def coverage(self) -> float:
        """The share of values that fell into the network's interval."""
        return coverage(self.actual, self.quantiles)


def backtest_forecasts(
    values: Array,
    origins: Array,
    horizon: int,
    season: int,
    scale: float,
    quantiles: Array | None = None,
    levels: tuple[float, ...] = (),
) -> Backtest:
    """Lay a network's forecasts and the simple ones beside what happened.

    Args:
        values: (n,) the series.
        origins: (k,) with k >= 1; the last origin has `horizon` values behind it.
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


# --- Is it luck? --------------------------------------------------------------------------------


def skill_score(errors: Array, others: Array) -> float:
    """1 - mean of the one / mean of the other; 0 where both are without error."""
    mine, theirs = float(errors.mean()), float(others.mean())
    return 1 - mine / theirs if theirs > 0 else (0.0 if mine == 0 else -np.inf)


def skill_interval(errors: Array, others: Array, stretch: int) -> tuple[float, float]:
    """Where the true skill lies with a confidence of 90 %: the skill, and Student's t over the means of stretches.

    Neighbouring forecasts overlap and err together, so they are taken together in stretches of at least the horizon,
    each of which counts once (the method of batch means, Schmeiser 1982). The ratio is made linear around its value.

    Args:
        errors: (k, …) absolute errors, an origin a row.
        others: the same of the forecast that it is held against.
        stretch: origins in a stretch; at least the horizon.

    Returns:
        Lower and upper end; without end where there are fewer than two stretches.
    """
    count = stretches(len(errors), stretch)
    whole, theirs = skill_score(errors, others), float(others.mean())
    if count < 2 or not theirs > 0:
        return -np.inf, np.inf
    mine, other = (
        np.array([part.mean() for part in np.array_split(each.reshape(len(each), -1).mean(axis=1), count)])
        for each in (errors, others)
    )  # (count,)
    gains = (other * (1 - whole) - mine) / theirs
    reach = student_t((1 + SURE) / 2, count - 1) * float(gains.std(ddof=1)) / np.sqrt(count)
    return whole - reach, whole + reach


def stretches(origins: int, stretch: int) -> int:
    """How many stretches of forecasts that don't overlap there are among so many origins."""
    return min(origins // max(stretch, 1), 100)


def student_t(level: float, freedom: int) -> float:
    """The quantile of Student's t distribution; `level` between 0.5 and 1, `freedom` 1 or more.

    From the density, summed up after the substitution t = √freedom · tan a, which makes its tails finite.
    """
    angle = np.linspace(0, np.pi / 2, 20_001)
    density = np.cos(angle) ** (freedom - 1)
    below = np.concatenate([[0.0], np.cumsum((density[1:] + density[:-1]) / 2)])
    found = np.interp(level, 0.5 + 0.5 * below / below[-1], angle)
    return float(np.sqrt(freedom) * np.tan(found))


@dataclass(frozen=True)
class LaggedCopy:
    """Is the one-step forecast a forecast, or yesterday's value drawn a step to the right?

    Attributes:
        to_truth: mean distance between the forecast and the value that it forecasts.
        to_last: mean distance between the forecast and the value before, which it knew.
        correlation: of forecast and truth, as charts that hug the line boast of.
        naive_correlation: of the value before and the truth.
    """

    to_truth: float
    to_last: float
    correlation: float
    naive_correlation: float

    @property
    def is_copy(self) -> bool:
        """Whether the forecast is less than half as far from what it knew as from what it forecasts."""
        return self.to_last < self.to_truth / 2


def lagged_copy(test: Backtest) -> LaggedCopy:
    """Hold the network's one-step forecasts against the truth and against the last value known."""
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
