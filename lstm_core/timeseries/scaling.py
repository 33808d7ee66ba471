"""The scaling of a series: windows of inputs, targets, and forecasts in the units of the series.

A scaling stores the range on which it was fitted, so that this can be checked to be the training part.
"""

from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.timeseries.backtest import SeriesError

Form = Literal["level", "difference", "log_difference"]
FORMS: dict[str, str] = {
    "level": "values",
    "difference": "changes from one value to the next",
    "log_difference": "relative changes (differences of logarithms)",
}


@dataclass(frozen=True)
class Scaling:
    """A standardization of a series or of its changes."""

    form: Form  # "level": values; "difference": changes; "log_difference": changes of the logarithm
    centre: float  # the mean, which is subtracted; 0 for changes, so that "no change" stays 0
    spread: float  # the standard deviation, the divisor
    fitted_on: tuple[int, int]  # start and stop of the range from which both were computed

    @classmethod
    def fit(cls, values: Array, form: Form, start: int, stop: int) -> Self:
        """Fit the centre and spread of values[start:stop].

        Args:
            values: (n,) the series.
            form: one of `FORMS`.
            start: first index.
            stop: index after the last.

        Raises:
            SeriesError: if the values are constant, or not positive for "log_difference".
        """
        seen = _values(values[start:stop], form)
        if form != "level":
            seen = np.diff(seen)
        spread = float(seen.std()) if len(seen) else 0.0
        if not (np.isfinite(spread) and spread > 1e-12 * (1 + np.abs(seen).max(initial=0.0))):
            raise SeriesError("The training part never changes: there is nothing to learn in it.")
        return cls(form, float(seen.mean()) if form == "level" else 0.0, spread, (start, stop))

    @property
    def reach(self) -> int:
        """The number of values before a window that are needed: 1 for changes, else 0."""
        return 0 if self.form == "level" else 1

    def inputs(self, values: Array, origins: Array, window: int) -> Array:
        """The inputs of the network at each origin t, values up to and including t; (k, window, 1) float32.

        Args:
            values: (n,) the series.
            origins: (k,), each at least window - 1 + reach.
            window: timesteps.
        """
        places = origins[:, None] + np.arange(1 - window - self.reach, 1)  # (k, window + reach), the last column is t
        seen = _values(values[places], self.form)
        seen = seen if self.form == "level" else np.diff(seen, axis=1)
        return ((seen - self.centre) / self.spread).astype(np.float32)[..., None]

    def targets(self, values: Array, origins: Array, horizon: int) -> Array:
        """The targets of the network: values, or their changes since the origin; (k, horizon) float32.

        `horizon` is in steps; the other arguments are those of `inputs`.
        """
        ahead = _values(values[origins[:, None] + np.arange(1, horizon + 1)], self.form)
        anchor = self.centre if self.form == "level" else _values(values[origins], self.form)[:, None]
        return ((ahead - anchor) / self.spread).astype(np.float32)

    def back(self, answers: Array, values: Array, origins: Array) -> Array:
        """Outputs of the network in the units of the series; (k, horizon, levels) float64, rising along levels.

        Crossing quantiles are sorted, which never makes them worse (Chernozhukov, Fernández-Val & Galichon 2010). Other
        arguments are those of `inputs`.
        """
        anchor = self.centre if self.form == "level" else _values(values[origins], self.form)[:, None, None]
        found = np.sort(anchor + self.spread * answers.astype(float), axis=-1)
        return np.exp(found) if self.form == "log_difference" else found

    def to_json(self) -> dict[str, Any]:
        """Ready for `from_json`."""
        return {"form": self.form, "centre": self.centre, "spread": self.spread, "fitted_on": list(self.fitted_on)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """The inverse of `to_json`; KeyError, TypeError or ValueError for other data."""
        if data["form"] not in FORMS:
            raise ValueError(f"there is no form {data['form']!r}")
        start, stop = data["fitted_on"]
        centre, spread = float(data["centre"]), float(data["spread"])
        if not (np.isfinite(centre) and np.isfinite(spread) and spread > 0):
            raise ValueError("a scaling needs a finite centre and a spread above 0")
        return cls(data["form"], centre, spread, (int(start), int(stop)))


def _values(values: Array, form: str) -> Array:
    """The values, or their logarithms for "log_difference"."""
    if form != "log_difference":
        return values
    if values.size and not values.min() > 0:
        raise SeriesError("Relative changes need values above 0; this series has others.")
    return np.log(values)
