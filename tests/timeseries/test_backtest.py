"""Simple forecasts, errors and intervals against numbers worked out by hand; the parts of a series."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import stdtrit

from lstm_core.timeseries import backtest, series
from lstm_core.timeseries.backtest import Parts, SeriesError

VALUES = np.array([2.0, 4.0, 3.0, 7.0, 5.0, 9.0, 8.0, 6.0])


def test_naive_repeats_the_last_value() -> None:
    np.testing.assert_array_equal(backtest.naive(VALUES, np.array([1, 4]), 2), [[4, 4], [5, 5]])


def test_seasonal_naive_repeats_the_last_whole_season() -> None:
    found = backtest.seasonal_naive(VALUES, np.array([4]), 5, 3)
    np.testing.assert_array_equal(found, [[3, 7, 5, 3, 7]])
    # Two values are no season of three: where none is there, the last value stands in.
    np.testing.assert_array_equal(backtest.seasonal_naive(VALUES, np.array([1]), 3, 3), [[4, 2, 4]])


def test_drift_is_the_line_through_the_first_and_the_last() -> None:
    np.testing.assert_allclose(backtest.drift(VALUES, np.array([3]), 2), [[7 + 5 / 3, 7 + 10 / 3]])
    np.testing.assert_array_equal(backtest.drift(VALUES, np.array([0]), 2), [[2, 2]])


@pytest.mark.parametrize("name", list(backtest.BASELINES))
def test_simple_forecasts_know_nothing_of_what_comes(name: str) -> None:
    origins = np.arange(2, 6)
    forecast = backtest.BASELINES[name]
    before = forecast(VALUES, origins, 2, 3)
    for row, origin in enumerate(origins):
        other = VALUES.copy()
        other[origin + 1 :] = 1e6
        np.testing.assert_array_equal(forecast(other, origins, 2, 3)[row], before[row])


def test_pinball_loss_by_hand() -> None:
    found = backtest.pinball(np.array([10.0]), np.array([[8.0, 10.0, 13.0]]), (0.1, 0.5, 0.9))
    np.testing.assert_allclose(found, [[0.2, 0.0, 0.3]])


def test_the_true_quantile_has_the_smallest_pinball_loss() -> None:
    draws = np.random.default_rng(0).normal(size=20_000)
    grid = np.linspace(-3, 3, 121)
    losses = backtest.pinball(draws[:, None].repeat(len(grid), 1), grid[None, :, None], (0.9,)).mean(axis=(0, 2))
    assert grid[losses.argmin()] == pytest.approx(1.2816, abs=0.06)


def test_coverage_counts_both_ends_in() -> None:
    quantiles = np.array([[1.0, 2.0, 3.0]] * 4)
    values = np.array([1.0, 3.0, 0.9, 3.1, 0.0])
    test = backtest.backtest_forecasts(values, np.arange(-1, 3), 1, 1, 1.0, quantiles[:, None], (0.1, 0.5, 0.9))
    assert test.coverage() == 0.5


def test_mase_and_skill_by_hand() -> None:
    parts = Parts(4, 5, 8)
    assert backtest.naive_scale(VALUES, parts) == pytest.approx((2 + 1 + 4) / 3)
    origins = parts.test_origins(1)
    np.testing.assert_array_equal(origins, [4, 5, 6])
    quantiles = np.array([[[0.0, 8.0, 20.0]], [[0.0, 8.0, 20.0]], [[7.0, 8.0, 9.0]]])
    test = backtest.backtest_forecasts(VALUES, origins, 1, 2, 7 / 3, quantiles, (0.1, 0.5, 0.9))
    assert test.mae("naive") == pytest.approx((4 + 1 + 2) / 3)
    assert test.mae("lstm") == pytest.approx((1 + 0 + 2) / 3)
    assert test.mase("lstm") == pytest.approx(1 / (7 / 3))
    assert test.skill() == pytest.approx(1 - 3 / 7)
    assert test.coverage() == pytest.approx(2 / 3)
    # Pushes: 8 - 5, 8 - 9 and 8 - 8, their mean 2/3; errors |5 2/3 - 9|, |9 2/3 - 8|, |8 2/3 - 6|.
    np.testing.assert_allclose(test.push_errors()[:, 0], [10 / 3, 5 / 3, 8 / 3])


def test_a_series_that_never_changes_has_no_scale() -> None:
    with pytest.raises(SeriesError, match="never changes"):
        backtest.naive_scale(np.ones(50), Parts.of(50))


def test_no_origins_is_one_sentence() -> None:
    with pytest.raises(SeriesError, match="too short"):
        backtest.backtest_forecasts(VALUES, np.array([], int), 3, 1, 1.0)


@pytest.mark.parametrize("length", [50, 105, 1400])
@pytest.mark.parametrize("horizon", [1, 4, 12])
def test_parts_never_touch(length: int, horizon: int) -> None:
    parts = Parts.of(length)
    training = parts.training_origins(13, horizon)
    validation, test = parts.validation_origins(horizon), parts.test_origins(horizon)
    for origins in (training, validation, test):
        assert len(origins) == 0 or origins.min() >= 0
    if len(training):
        assert training.min() == 12  # a window of 13 values ends there
        assert training.max() + horizon == parts.training - 1
    if len(validation):
        assert validation.min() + 1 == parts.training
        assert validation.max() + horizon == parts.validation - 1
    if len(test):
        assert test.min() + 1 == parts.validation
        assert test.max() + horizon == length - 1


def test_the_interval_of_a_skill_by_hand() -> None:
    errors, others = np.array([1.0, 1.0, 3.0, 3.0]), np.full(4, 4.0)
    low, high = backtest.skill_interval(errors, others, 2)
    # Skill 1/2; gains of the two stretches ±1/4, so their deviation is √2/4 and the error of the mean 1/4.
    reach = 6.314 / 4  # the 95 % quantile of Student's t with one degree of freedom, from a table
    assert (low, high) == pytest.approx((0.5 - reach, 0.5 + reach), abs=1e-3)
    assert backtest.skill_interval(errors, others, 4) == (-np.inf, np.inf)


def test_the_interval_holds_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(400):
        errors, others = (np.abs(rng.normal(size=120)) for _ in range(2))
        low, high = backtest.skill_interval(errors, others, 6)
        inside += low <= 0 <= high
    assert 0.86 <= inside / 400 <= 0.94


class TestLaggedCopy:
    def test_a_copy_is_called_one(self) -> None:
        values = np.cumsum(np.random.default_rng(2).normal(size=200))
        origins = Parts.of(200).test_origins(1)
        quantiles = values[origins][:, None, None] + np.array([-1, 0.01, 1])
        test = backtest.backtest_forecasts(values, origins, 1, 1, 1.0, quantiles, (0.1, 0.5, 0.9))
        copy = backtest.lagged_copy(test)
        assert copy.is_copy
        assert copy.to_last == pytest.approx(0.01)
        assert copy.correlation == pytest.approx(copy.naive_correlation)

    def test_a_forecast_that_knows_something_is_none(self) -> None:
        values = np.sin(np.arange(200) / 2)
        origins = Parts.of(200).test_origins(1)
        quantiles = values[origins + 1][:, None, None] + np.array([-1, 0.01, 1])
        test = backtest.backtest_forecasts(values, origins, 1, 1, 1.0, quantiles, (0.1, 0.5, 0.9))
        assert not backtest.lagged_copy(test).is_copy


class TestSeries:
    @pytest.mark.parametrize("name", [*series.COMPANIES, *series.GENERATED])
    def test_every_series_is_whole_and_can_not_be_changed(self, name: str) -> None:
        found = series.load_series(name)
        assert len(found.dates) == len(found) >= 105
        assert np.isfinite(found.values).all()
        assert (np.diff(found.dates) > np.timedelta64(0, "s")).all()
        with pytest.raises(ValueError, match="read-only"):
            found.values[0] = 1

    def test_share_prices_are_those_of_plotly(self) -> None:
        from plotly import data

        table = data.stocks()
        for name, found in series.stocks().items():
            np.testing.assert_array_equal(found.values, table[name])
            assert [str(date)[:10] for date in found.dates] == [str(date)[:10] for date in table["date"]]

    def test_without_plotly_it_is_one_sentence(self, monkeypatch: pytest.MonkeyPatch) -> None:
        series.stocks.cache_clear()
        monkeypatch.setattr(series, "STOCKS_FILE", "plotly/nothing.csv.gz")
        with pytest.raises(series.DatasetError, match="install Plotly again"):
            series.stocks()
        series.stocks.cache_clear()

    def test_the_seasons_are_in_the_sum_and_nothing_else_is(self) -> None:
        values = series.seasons(4096).values
        power = np.abs(np.fft.rfft(values - values.mean())) ** 2
        strongest = set((4096 / np.argsort(power)[::-1][:5]).round(1))
        assert 7.0 in strongest
        assert strongest & {30.3, 30.6}
        assert 3.5 in strongest | set((4096 / np.argsort(power)[::-1][5:9]).round(1))
        assert series.seasons(seed=1).values[0] != series.seasons(seed=2).values[0]
        np.testing.assert_array_equal(series.sunspots().values, series.sunspots().values)

    def test_cycles_rise_faster_than_they_fall(self) -> None:
        values = series.sunspots(6000).values
        smooth = np.convolve(values, np.ones(5) / 5, "same")
        change = np.diff(smooth)[np.abs(np.diff(smooth)) > 1.0]
        assert change[change > 0].mean() > 1.2 * -change[change < 0].mean()


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 7, 30, 1001])
@pytest.mark.parametrize("probability", [0.5, 0.6, 0.95, 0.999])
def test_quantiles_of_t_are_those_of_scipy(probability: float, freedom: int) -> None:
    expected = pytest.approx(stdtrit(freedom, probability), rel=1e-9, abs=1e-9)
    assert backtest.t_quantile(probability, freedom) == expected
