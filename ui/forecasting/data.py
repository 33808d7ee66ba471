"""What a visitor of the forecasting page looks at: which series, which network, and the walk through its test part.

Results of the shipped networks are computed once and cached; those of a visitor's own series stay in their session.
The figures are in `forecasting/charts.py`, the panels in `forecasting/panels.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from lstm_core.evaluation import Audit, audit, audit_forecaster, planted
from lstm_core.inference import Forecaster
from lstm_core.timeseries import COMPANIES, Backtest, Series, backtest_forecasts, load_series, naive_scale
from ui.common import model_cache, url_state

KINDS = {
    "shares": "A share price",
    "seasons": "A sum of seasons",
    "sunspots": "A sunspot-like cycle",
    "random_walk": "A random walk",
    "own": "Your own CSV",
}
# The walk was made by chance alone, so no network was trained on it: it gets the one for share prices.
NETWORKS = {"seasons": "forecast_seasons", "sunspots": "forecast_sunspots"}


@dataclass(frozen=True, eq=False)
class Chosen:
    """A series and what is known about forecasting it.

    Attributes:
        series: the series.
        forecaster: None where none is trained yet.
        test: the walk through the test part, all steps ahead.
    """

    series: Series
    forecaster: Forecaster | None
    test: Backtest


def kind() -> str:
    """Which kind of series, from the link or the visitor's choice; a key of `KINDS`."""
    st.session_state.setdefault("fc_kind", url_state.parameter("series", "shares", tuple(KINDS)))
    chosen = st.segmented_control(
        "Series", list(KINDS), format_func=KINDS.__getitem__, required=True, key="fc_kind", persist_state="session"
    )
    return str(chosen)


def shipped(name: str) -> Chosen:
    """A series that comes with the app; for share prices the company is asked for.

    Raises:
        LabError: if the series or its network can't be had.
    """
    if name == "shares":
        st.session_state.setdefault("fc_company", url_state.parameter("company", "AMZN", tuple(COMPANIES)))
        name = st.segmented_control(
            "Company", list(COMPANIES), required=True, key="fc_company", persist_state="session",
            help="105 weeks from January 2018 to December 2019, each divided by its first price.",
        )  # fmt: skip
    found = load_series(name)
    forecaster = model_cache.model(Forecaster, NETWORKS.get(name, "forecast_stocks"))
    return Chosen(found, forecaster, _walk(name, forecaster))


@st.cache_data(max_entries=32, show_spinner=False)
def _walk(name: str, _forecaster: Forecaster) -> Backtest:
    return _forecaster.backtest(load_series(name))


def own_walk(found: Series, forecaster: Forecaster | None, horizon: int) -> Backtest:
    """The same for a visitor's own series; with the simple forecasts alone where nothing is trained yet.

    Raises:
        SeriesError: if it is too short.
    """
    if forecaster is not None:
        return forecaster.backtest(found)
    scale = naive_scale(found.values, found.parts)
    return backtest_forecasts(found.values, found.parts.test_origins(horizon), horizon, found.season, scale)


def audited(chosen: Chosen, leak: str) -> tuple[Audit, float, float]:
    """What an audit says with a leak built in or without one, and the skill and one-step skill that it pretends to."""
    if chosen.series.name == "own":
        return _audited(chosen, leak)
    return _audited_shipped(chosen.series.name, leak, chosen)


@st.cache_data(max_entries=64, show_spinner="The audit changes the future …")
def _audited_shipped(name: str, leak: str, _chosen: Chosen) -> tuple[Audit, float, float]:
    return _audited(_chosen, leak)


def _audited(chosen: Chosen, leak: str) -> tuple[Audit, float, float]:
    forecaster, found, test = chosen.forecaster, chosen.series, chosen.test
    assert forecaster is not None  # a panel without a network doesn't ask
    if leak == "none":
        return audit_forecaster(forecaster, found), test.skill(), test.up_to(1).skill()
    pipeline = planted(leak, forecaster, found)
    caught = audit(found.values, found.parts, test.origins, pipeline.fit, pipeline.forecast)
    quantiles = pipeline.forecast(found.values, test.origins)
    leaky = backtest_forecasts(
        found.values, test.origins, forecaster.settings.horizon, found.season, test.scale, quantiles, test.levels
    )
    return caught, leaky.skill(), leaky.up_to(1).skill()
