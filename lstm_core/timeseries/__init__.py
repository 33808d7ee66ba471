"""Time series: reading and scaling them, baseline forecasts, and backtests."""

from lstm_core.datasets.csv_table import LARGEST_TABLE
from lstm_core.timeseries.backtest import (
    BASELINES,
    Backtest,
    backtest_forecasts,
    independent_batches,
    lagged_copy,
    naive_scale,
    skill_interval,
    skill_score,
)
from lstm_core.timeseries.csv_series import GAPS, SHORTEST_SERIES, Table, read_table, series_from_table
from lstm_core.timeseries.number_table import NumberTable, read_number_table
from lstm_core.timeseries.scaling import FORMS
from lstm_core.timeseries.series import COMPANIES, Series, load_series, seasons

__all__ = [
    "BASELINES",
    "COMPANIES",
    "FORMS",
    "GAPS",
    "LARGEST_TABLE",
    "SHORTEST_SERIES",
    "Backtest",
    "NumberTable",
    "Series",
    "Table",
    "backtest_forecasts",
    "independent_batches",
    "lagged_copy",
    "load_series",
    "naive_scale",
    "read_number_table",
    "read_table",
    "seasons",
    "series_from_table",
    "skill_interval",
    "skill_score",
]
