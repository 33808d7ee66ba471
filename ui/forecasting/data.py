"""The series and the network that the page shows, and the backtest on its test set, cached for shipped networks."""

from dataclasses import dataclass

import streamlit as st

from lstm_core.evaluation import Audit, audit, audit_forecaster, planted
from lstm_core.inference import Forecaster
from lstm_core.timeseries import COMPANIES, Backtest, Series, backtest_forecasts, load_series, naive_scale
from ui.common import assets, model_cache
from ui.common.url_state import control, session_cached

KINDS: dict[str, str] = assets.table("presets.toml")["forecasting"]["series"]
# No network is trained on the random walk: it gets the one for share prices.
NETWORKS = {"seasons": "forecast_seasons", "sunspots": "forecast_sunspots"}


@dataclass(frozen=True, eq=False)
class Selection:
    """A series and its forecasts."""

    series: Series
    forecaster: Forecaster | None  # None if none is trained yet
    test: Backtest  # on the test set, over the whole horizon


def shipped(name: str) -> Selection:
    """A series that comes with the app; for share prices, of the company that is chosen.

    Raises:
        LabError: if the series or its network can't be loaded.
    """
    if name == "shares":
        name = control("fc_company", tuple(COMPANIES))
    forecaster = model_cache.model(Forecaster, NETWORKS.get(name, "forecast_stocks"))
    return Selection(load_series(name), forecaster, _backtest(name, forecaster))


def saved(name: str) -> Selection:
    """A network that a visitor has saved, with the series that it was saved with, or that of its lesson.

    Raises:
        LabError: if the network or its series can't be loaded.
    """
    return session_cached("fc_saved", model_cache.identity(name), 2, lambda: _saved(name))


def _saved(name: str) -> Selection:
    forecaster = model_cache.model(Forecaster, name)
    kept, dataset = forecaster.card.training.get("series"), forecaster.card.dataset
    series = Series.from_json(kept) if kept else load_series("AMZN" if dataset == "stocks" else dataset)
    return Selection(series, forecaster, forecaster.backtest(series))


@st.cache_data(max_entries=32, show_spinner=False)
def _backtest(name: str, _forecaster: Forecaster) -> Backtest:
    return _forecaster.backtest(load_series(name))


def own_backtest(series: Series, forecaster: Forecaster | None, horizon: int) -> Backtest:
    """The backtest of a visitor's own series; of the baselines alone, over a horizon, if no network is trained yet.

    Raises:
        SeriesError: if the series is too short.
    """
    if forecaster is not None:
        return forecaster.backtest(series)
    scale = naive_scale(series.values, series.parts)
    return backtest_forecasts(series.values, series.parts.test_origins(horizon), horizon, series.season, scale)


def audited(selection: Selection, leak: str) -> tuple[Audit, float, float]:
    """The audit with or without a leak, and the skill over all steps and at the first step that the leak gives."""
    if selection.series.name == "own":
        return _audited(selection, leak)
    return _audited_shipped(selection.series.name, leak, selection)


@st.cache_data(max_entries=64, show_spinner="The audit changes the future values …")
def _audited_shipped(name: str, leak: str, _selection: Selection) -> tuple[Audit, float, float]:
    return _audited(_selection, leak)


def _audited(selection: Selection, leak: str) -> tuple[Audit, float, float]:
    forecaster, series, test = selection.forecaster, selection.series, selection.test
    assert forecaster is not None  # the page offers the audit only with a network
    if leak == "none":
        return audit_forecaster(forecaster, series), test.skill(), test.up_to(1).skill()
    pipeline = planted(leak, forecaster, series)
    found = audit(series.values, series.parts, test.origins, pipeline.fit, pipeline.forecast)
    quantiles = pipeline.forecast(series.values, test.origins)
    leaky = backtest_forecasts(
        series.values, test.origins, forecaster.settings.horizon, series.season, test.scale, quantiles, test.levels
    )
    return found, leaky.skill(), leaky.up_to(1).skill()
