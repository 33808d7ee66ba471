"""A visitor's own CSV on the forecasting page: choose columns, hear what is wrong, train a network beside the app.

All of it stays in the visitor's session. What a worker does with it is in `lstm_core.training.forecast_job`.
"""

from __future__ import annotations

import io
from dataclasses import replace

import streamlit as st

from lstm_core.inference import Forecaster, load_bundle
from lstm_core.jobs import FINISHED, Job
from lstm_core.timeseries import (
    GAPS,
    LARGEST_TABLE,
    SHORTEST_SERIES,
    Series,
    Table,
    read_table,
    seasons,
    series_from_table,
)
from lstm_core.training import FORECAST_JOB, forecast_arguments, forecast_recipe_for
from ui.common import job_panel
from ui.forecasting import data
from ui.forecasting.data import Chosen

KEY = "fc"  # of its runs


def own() -> Chosen | None:
    """The visitor's series with what is known about it; None until there is one.

    Raises:
        LabError: if the file can't be used, in one sentence.
    """
    table = _table()
    if table is None:
        return None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        date, value = _columns(table)
        gaps = st.selectbox(
            "Where something is missing", list(GAPS), format_func=GAPS.__getitem__, key="fc_gaps", width=320,
            persist_state="session", help="Nothing is filled from what came later: that would be a leak.",
        )  # fmt: skip
        found = series_from_table(table, date, value, str(gaps))
        st.session_state["fc_season"] = min(
            st.session_state.get("fc_season") or found.series.season, len(found.series) // 4
        )
        season = st.number_input(
            "Season, in steps", 1, len(found.series) // 4, key="fc_season", width=160, persist_state="session",
            help="When it looks alike again: 7 for days in a week, 12 for months in a year, 1 for never.",
        )  # fmt: skip
    for note in found.notes:
        st.warning(note)
    return _with_network(replace(found.series, season=int(season)))


def _table() -> Table | None:
    st.markdown(
        "A CSV with a column of dates and a column of values, evenly spaced, "
        f"{SHORTEST_SERIES} values or more, {LARGEST_TABLE / 1e6:.0f} MB at most."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Every type is let in: a file of another type gets a sentence that says what is wrong with it.
        upload = st.file_uploader("Your file", key="fc_file", width=520)
        st.download_button(
            "An example", _example, "example.csv", "text/csv", key="fc_example", icon=":material/download:",
            help="700 days with a week and a month in them.",
        )  # fmt: skip
    if upload is None:
        return st.session_state.get("_fc_table")
    if st.session_state.get("_fc_read") != upload.file_id:
        for name in ("_fc_table", "fc_date", "fc_value", "fc_season"):
            st.session_state.pop(name, None)
        st.session_state["_fc_table"] = read_table(upload.getvalue())
        st.session_state["_fc_read"] = upload.file_id
    return st.session_state["_fc_table"]


def _example() -> bytes:
    made = seasons(700, seed=21)
    out = io.StringIO()
    out.write("date,value\n")
    out.writelines(f"{str(date)[:10]},{value:.2f}\n" for date, value in zip(made.dates, made.values, strict=True))
    return out.getvalue().encode()


def _columns(table: Table) -> tuple[int, int]:
    every = list(range(len(table.header)))

    def name(index: int) -> str:
        return table.header[index]

    st.session_state.setdefault("fc_date", table.dates[0])
    st.session_state.setdefault("fc_value", next((each for each in table.numbers), 0))
    date = st.selectbox("Dates", every, format_func=name, key="fc_date", width=200, persist_state="session")
    value = st.selectbox("Values", every, format_func=name, key="fc_value", width=200, persist_state="session")
    return int(date), int(value)


# --- Training -----------------------------------------------------------------------------------


def _with_network(found: Series) -> Chosen:
    key = (found.values.tobytes(), found.dates.tobytes(), found.season)
    if st.session_state.get("_fc_key") != key:
        job_panel.leave(KEY)
        st.session_state.pop("_fc_forecaster", None)
        st.session_state["_fc_key"] = key
    recipe = forecast_recipe_for(found)
    job = job_panel.current(KEY)
    if job is not None:
        job_panel.watch(KEY, job, _progress)
    job_panel.trouble(KEY)
    forecaster = _trained(job)
    if job is None or (job.over and job.state != FINISHED):
        st.button(
            "Train a network on it", type="primary", key="fc_train", icon=":material/model_training:",
            on_click=_train, args=(found,),
            help=f"An LSTM of {recipe.units} units that reads {recipe.window} values and forecasts {recipe.horizon}.",
        )  # fmt: skip
        st.caption("It takes a minute or so, in a process of its own. Until then the simple forecasts are shown.")
    return Chosen(found, forecaster, data.own_walk(found, forecaster, recipe.horizon))


def _train(found: Series) -> None:
    job_panel.begin(KEY, FORECAST_JOB, forecast_arguments(found), "A network for your series")


def _trained(job: Job | None) -> Forecaster | None:
    """The network of a run that has ended, loaded once a session; None if it left none."""
    if job is None or not job.over or not job.result:
        return None
    identity, forecaster = st.session_state.get("_fc_forecaster", ("", None))
    if identity != job.identity:
        forecaster = load_bundle(job.result["model"])
        st.session_state["_fc_forecaster"] = job.identity, forecaster
    return forecaster


def _progress(job: Job) -> None:
    """A bar, for as long as there is something to wait for."""
    if not job.over:
        told = job.events[-1] if job.events else {}
        st.progress(told.get("share", 0.0), told.get("line", "A worker is getting ready …"))
