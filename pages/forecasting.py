"""Forecasting with an LSTM: a backtest on the test set, compared with simple baselines."""

import streamlit as st

from lstm_core import LabError
from ui.common import tokens, url_state
from ui.common.errors import show_error, show_errors
from ui.common.explanations import explain
from ui.forecasting import data, panels, upload

VIEWS = {
    "lagged": ("The lagged copy", panels.lagged),
    "memory": ("Cell states", panels.memory),
    "leakage": ("Leakage", panels.leakage),
}

st.title("Forecasting", anchor=False)
explain("forecasting_intro")
first = "own" if "model" in st.query_params else None  # the link to a saved network
kind = url_state.control("fc_kind", data.KINDS, default=first)
try:
    selection = upload.own() if kind == "own" else data.shipped(kind)
    if selection is None:
        url_state.remember_page()
        st.stop()
    test = panels.main(selection)
    st.header("Evaluation", anchor=False)
    panels.table(selection, test)
except LabError as error:
    show_error(error)
    st.stop()
explain("forecasting")

if selection.forecaster is not None:
    st.header("Details", anchor=False)
    view = url_state.control("fc_view", {name: title for name, (title, _) in VIEWS.items()})
    with show_errors():
        VIEWS[view][1](selection)
    with st.expander("About this network"):
        card = selection.forecaster.card
        st.markdown("\n\n".join(map(tokens.plain, [card.summary, *card.notes])))
        panels.about(selection.forecaster)
url_state.remember_page()
explain("random_walk")
