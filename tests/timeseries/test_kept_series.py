"""A user's series that is kept with a network: it comes back as it was, and damage is one sentence."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lstm_core.timeseries import series
from lstm_core.timeseries.backtest import SeriesError


def test_a_series_survives_json() -> None:
    kept = json.loads(json.dumps(series.seasons(60).to_json()))
    again = series.Series.from_json(kept)
    np.testing.assert_array_equal(again.values, series.seasons(60).values)
    np.testing.assert_array_equal(again.dates, series.seasons(60).dates.astype("datetime64[s]"))
    assert (again.season, again.step) == (7, "day")


@pytest.mark.parametrize(
    "change",
    [
        {"values": [1.0] * 59}, {"values": [1.0, "x"] * 30}, {"values": [[1.0]] * 60}, {"values": [float("nan")] * 60},
        {"dates": [5] * 60}, {"dates": [10**30] * 60}, {"season": 0}, {"season": None}, {"step": "<b>"}, {"step": None},
    ],
)  # fmt: skip
def test_a_damaged_series_is_one_sentence(change: dict[str, object]) -> None:
    with pytest.raises(SeriesError, match="can't be read"):
        series.Series.from_json(series.seasons(60).to_json() | change)
