"""Forecasting with an LSTM: a backtest on the test set, compared with simple baselines."""

import streamlit as st

from lstm_core import LabError
from ui.common import tokens, url_state
from ui.common.errors import show_error, show_errors
from ui.common.explanations import explain, say
from ui.forecasting import data, panels, upload

VIEWS = {
    "lagged": ("The lagged copy", panels.lagged),
    "memory": ("Cell states", panels.memory),
    "leakage": ("Leakage", panels.leakage),
}

st.title("Forecasting", anchor=False)
say(
    "An LSTM reads the last values of a series and forecasts the next ones. Charts of such forecasts often look "
    "convincing. **Are they better than simply repeating the last value?** Here every forecast is computed only from "
    "what was known at its origin, and compared with simple baselines."
)
first = "own" if "model" in st.query_params else None  # the link to a saved network
kind = url_state.linked(st.segmented_control, "Series", data.KINDS, key="fc_kind", parameter="series", default=first)
shown: dict[str, str | int] = {"series": kind}
try:
    selection = upload.own() if kind == "own" else data.shipped(kind)
    if kind == "own" and st.session_state.get(upload.MODEL):
        shown["model"] = st.session_state[upload.MODEL]
    if selection is None:
        url_state.remember(**shown)
        st.stop()
    test, more = panels.main(selection)
    st.header("Evaluation", anchor=False)
    panels.table(selection, test)
except LabError as error:
    show_error(error)
    st.stop()
shown |= more | ({"company": selection.series.name} if kind == "shares" else {})
explain("forecasting")

if selection.forecaster is not None:
    st.header("Details", anchor=False)
    view = url_state.linked(
        st.segmented_control, "Details", {name: title for name, (title, _) in VIEWS.items()}, key="fc_view",
        parameter="view", label_visibility="collapsed",
    )  # fmt: skip
    shown["view"] = view
    with show_errors():
        shown |= VIEWS[view][1](selection)
    with st.expander("About this network"):
        card = selection.forecaster.card
        st.markdown("\n\n".join(map(tokens.plain, [card.summary, *card.notes])))
        panels.about(selection.forecaster)
url_state.remember(**shown)
explain("random_walk")
