"""Values into windows and back: what the network reads, what it learns to say, and in which units.

A scaling remembers the range on which it was fitted, so that anybody can check that it is the training part. Arrays
only; the network is in `inference/forecaster.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

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
    """How a series becomes numbers of a size that a network likes.

    Attributes:
        form: "level": the values, moved and scaled; "difference": changes; "log_difference": changes of the logarithm.
        centre: is subtracted; 0 for changes, so that "no change" stays 0.
        spread: is divided by; the standard deviation.
        fitted_on: start and stop of the range that both were computed from.
    """

    form: Form
    centre: float
    spread: float
    fitted_on: tuple[int, int]

    @classmethod
    def fit(cls, values: Array, form: Form, start: int, stop: int) -> Scaling:
        """Centre and spread of values[start:stop], and of nothing else.

        Raises:
            SeriesError: if they never change, or logarithms of values that aren't positive are asked for.
        """
        seen = _even(values[start:stop], form)
        if form != "level":
            seen = np.diff(seen)
        spread = float(seen.std()) if len(seen) else 0.0
        if not (np.isfinite(spread) and spread > 1e-12 * (1 + np.abs(seen).max(initial=0.0))):
            raise SeriesError("The training part never changes: there is nothing to learn in it.")
        return cls(form, float(seen.mean()) if form == "level" else 0.0, spread, (start, stop))

    @property
    def reach(self) -> int:
        """How many more values than its length a window needs: changes need the one before."""
        return 0 if self.form == "level" else 1

    def inputs(self, values: Array, origins: Array, window: int) -> Array:
        """What the network reads at each origin t, the values up to and with t; (k, window, 1) float32.

        Args:
            values: (n,) the series.
            origins: (k,), each at least window - 1 + reach.
            window: how many timesteps.
        """
        places = origins[:, None] + np.arange(1 - window - self.reach, 1)  # (k, window + reach), the last column is t
        seen = _even(values[places], self.form)
        seen = seen if self.form == "level" else np.diff(seen, axis=1)
        return ((seen - self.centre) / self.spread).astype(np.float32)[..., None]

    def targets(self, values: Array, origins: Array, horizon: int) -> Array:
        """What the network should say: the values, or their changes since the origin; (k, horizon) float32."""
        ahead = _even(values[origins[:, None] + np.arange(1, horizon + 1)], self.form)
        anchor = self.centre if self.form == "level" else _even(values[origins], self.form)[:, None]
        return ((ahead - anchor) / self.spread).astype(np.float32)

    def back(self, answers: Array, values: Array, origins: Array) -> Array:
        """What the network said, in the units of the series; (k, horizon, levels) float64, rising along levels.

        Quantiles that cross are put in order, which never makes them worse (Chernozhukov, Fernández-Val & Galichon
        2010).
        """
        anchor = self.centre if self.form == "level" else _even(values[origins], self.form)[:, None, None]
        found = np.sort(anchor + self.spread * answers.astype(float), axis=-1)
        return np.exp(found) if self.form == "log_difference" else found

    def to_json(self) -> dict[str, Any]:
        """Ready for `from_json`."""
        return {"form": self.form, "centre": self.centre, "spread": self.spread, "fitted_on": list(self.fitted_on)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Scaling:
        """Raises KeyError, TypeError or ValueError for anything else than `to_json` gave."""
        if data["form"] not in FORMS:
            raise ValueError(f"there is no form {data['form']!r}")
        start, stop = data["fitted_on"]
        centre, spread = float(data["centre"]), float(data["spread"])
        if not (np.isfinite(centre) and np.isfinite(spread) and spread > 0):
            raise ValueError("a scaling needs a finite centre and a spread above 0")
        return cls(data["form"], centre, spread, (int(start), int(stop)))


def _even(values: Array, form: str) -> Array:
    """The values, or their logarithms."""
    if form != "log_difference":
        return values
    if values.size and not values.min() > 0:
        raise SeriesError("Relative changes need values above 0; this series has others.")
    return np.log(values)
