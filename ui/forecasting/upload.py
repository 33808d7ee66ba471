"""A visitor's own CSV: choose columns, see what is wrong, train a network in a worker, save it with its series."""

from dataclasses import replace
from typing import Any

import pandas as pd
import streamlit as st

from lstm_core import timeseries
from lstm_core.inference import Forecaster, load_bundle
from lstm_core.jobs import FINISHED, Job
from lstm_core.library import model_path
from lstm_core.timeseries import Series, Table
from lstm_core.training import FORECAST_JOB, forecast_arguments, forecast_recipe_for
from ui.common import job_panel, plotting, tokens, visitor
from ui.common.errors import once
from ui.common.url_state import control, session_cached, show_link
from ui.forecasting import charts, data
from ui.forecasting.data import Selection
from ui.training_studio.upload import save_form

KEY, MODEL = "fc", "fc_model"  # of its runs; of the saved network that is shown


def own() -> Selection | None:
    """The visitor's series and its forecasts: of a saved network, or of a file; None until there is one.

    Raises:
        LabError: if the file can't be used, in one sentence.
    """
    if name := _choose_saved():
        return data.saved(name)
    table = _table()
    if table is None:
        return None
    st.session_state.setdefault("fc_date", table.dates[0])
    st.session_state.setdefault("fc_value", next(iter(table.numbers), 0))
    columns = range(len(table.header))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        date, value = (
            st.selectbox(
                label, columns, format_func=table.header.__getitem__, key=key, width=200, persist_state="session"
            )
            for label, key in (("Dates", "fc_date"), ("Values", "fc_value"))
        )
        gaps = st.selectbox(
            "Missing values", list(timeseries.GAPS), format_func=timeseries.GAPS.__getitem__, key="fc_gaps", width=320,
            persist_state="session", help="No gap is filled from later values: that would be a leak.",
        )  # fmt: skip
        chosen = date, value, gaps
        found = once("_fc_series", chosen, lambda: timeseries.series_from_table(table, *chosen))
        longest = len(found.series) // 4
        st.session_state["fc_season"] = min(st.session_state.get("fc_season") or found.series.season, longest)
        season = st.number_input(
            "Season, in steps", 1, longest, key="fc_season", width=160, persist_state="session",
            help="The period of the series: 7 for days in a week, 12 for months in a year, 1 for none.",
        )  # fmt: skip
    for note in found.notes:
        st.warning(tokens.plain(note))
    return _with_network(replace(found.series, season=int(season)))


def _choose_saved() -> str:
    """The saved network that is shown, with its link and its file; "" for a file that is uploaded."""
    if identity := st.session_state.pop("_fc_saved", ""):
        st.session_state[MODEL] = identity
    saved = {card.name: card.title for card in visitor.own_cards() if card.task == "forecaster"}
    if not {st.session_state.get(MODEL, ""), st.query_params.get("model", "")} <= {"", *saved}:
        st.session_state.pop(MODEL, None)
        st.info("The network of this link was deleted, or the link is wrong.")
    if not saved:
        return ""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        names = {"": "None yet: upload a file", **saved}
        name = str(control(MODEL, names))
        if name and (path := model_path(name)):
            st.download_button(
                "Download", path.read_bytes, f"{saved[name]}.zip", "application/zip", icon=":material/download:",
                key="fc_saved_download", on_click="ignore",
            )  # fmt: skip
            show_link("Whoever has this link sees the network and its series.", series="own", model=name)
    return name


def _table() -> Table | None:
    st.markdown(
        "A CSV with a column of dates and a column of values, evenly spaced: at least "
        f"{timeseries.SHORTEST_SERIES} values."
    )
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Every type is accepted here: a file of another type is refused with a sentence that says what is wrong.
        upload = st.file_uploader(
            "Your file", key="fc_file", width=520, max_upload_size=timeseries.LARGEST_TABLE // 10**6
        )
        st.download_button(
            "An example", example_csv, "example.csv", "text/csv", key="fc_example", icon=":material/download:",
            help="700 days with a weekly and a monthly season.",
        )  # fmt: skip
    before, table, _ = st.session_state.get("_fc_table", (None, None, None))
    if upload is None:
        return table
    if before != upload.file_id:
        for name in ("_fc_series", "fc_date", "fc_value", "fc_season"):
            st.session_state.pop(name, None)
    return once("_fc_table", upload.file_id, lambda: timeseries.read_table(upload.getvalue()))


def example_csv() -> bytes:
    """The example file that visitors can download."""
    series = timeseries.seasons(700, seed=21)
    table = pd.DataFrame({"date": series.dates, "value": series.values})
    return table.to_csv(index=False, date_format="%Y-%m-%d", float_format="%.2f").encode()


def _with_network(series: Series) -> Selection:
    """The series with its network, and the controls to train one."""
    key = (series.values.tobytes(), series.dates.tobytes(), series.season)
    if st.session_state.get("_fc_key") != key:
        job_panel.leave(KEY)
        st.session_state.pop("_fc_forecaster", None)
        st.session_state["_fc_key"] = key
    recipe = forecast_recipe_for(series)
    job = job_panel.current(KEY)
    if job is not None:
        job_panel.watch(KEY, job, _progress)
    job_panel.trouble(KEY)
    if job is None or (job.over and job.state != FINISHED):
        st.button(
            "Train a network on it", type="primary", key="fc_train", icon=":material/model_training:",
            on_click=job_panel.begin, args=(KEY, FORECAST_JOB, forecast_arguments(series), "A network for your series"),
            help=f"An LSTM of {recipe.units} units that reads {recipe.window} values and forecasts {recipe.horizon}.",
        )  # fmt: skip
        st.caption("Training takes about a minute, in a worker process. Until then only the baselines are shown.")
    forecaster = _trained(job)
    if job is not None and job.result and forecaster is not None:
        st.caption("Save the network with its series, to open both again here or by a link.")
        if identity := save_form(f"fc_{job.identity}", "Name", series.title, job.result["model"], download=True):
            st.session_state["_fc_saved"] = identity
            st.rerun()
    return Selection(series, forecaster, data.own_backtest(series, forecaster, recipe.horizon))


def _trained(job: Job | None) -> Forecaster | None:
    """The network of a finished run, loaded once for each session; None if there is none."""
    if job is None or not job.over or not job.result:
        return None
    bundle = job.result["model"]
    return session_cached("fc_forecaster", job.identity, 1, lambda: load_bundle(bundle))


def _progress(job: Job) -> None:
    if job.over:
        return
    last = job.events[-1] if job.events else {}
    curves = {form: losses for form, losses in last.get("curves", {}).items() if losses}
    words = in_words(last)
    st.progress(last.get("share", 0.0), words)
    if curves:
        plotting.show(charts.training(curves), "fc_training", f"Lines: the validation error by epoch. {words}")


def in_words(event: dict[str, Any]) -> str:
    """Where a training stands."""
    if "form" not in event:
        return "Waiting for the first epoch …"
    forms, losses = list(event["curves"]), event["curves"][event["form"]]
    words = (
        f"Reads {timeseries.FORMS[event['form']]}, attempt {len(forms)}: epoch {event['epoch']} of {event['epochs']}."
    )
    if losses:
        words += f" Error on the validation set: {losses[-1]:.3f}; the lowest so far is {min(losses):.3f} and is kept."
    return words
