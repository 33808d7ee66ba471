"""Forecasting with an LSTM: a backtest on the test set, compared with simple baselines."""

import streamlit as st

from lstm_core import LabError
from ui.common import url_state
from ui.forecasting import data, panels, upload

VIEWS = {
    "lagged": ("The lagged copy", panels.lagged),
    "memory": ("Cell states", panels.memory),
    "leakage": ("Leakage", panels.leakage),
}

st.title("Forecasting", anchor=False)
st.markdown(
    "An LSTM reads the last values of a series and forecasts the next ones. Charts of such forecasts often look "
    "convincing. **Are they better than simply repeating the last value?** Here every forecast is computed only from "
    "what was known at its origin, and compared with simple baselines."
)
kind = url_state.linked(st.segmented_control, "Series", data.KINDS, key="fc_kind", parameter="series")
shown: dict[str, str | int] = {"series": kind}
try:
    selection = upload.own() if kind == "own" else data.shipped(kind)
    if selection is None:
        url_state.remember(**shown)
        st.stop()
    test, more = panels.main(selection)
    st.header("Evaluation", anchor=False)
    panels.table(selection, test)
except LabError as error:
    st.error(str(error))
    st.stop()
shown |= more | ({"company": selection.series.name} if kind == "shares" else {})
st.markdown(
    "The *naive* forecast repeats the last value, the *seasonal naive* forecast the last season; *drift* continues the "
    "line from the first value to the last. They need no training, and on prices they are hard to beat: if it were "
    "known that a share will rise next week, people would buy it now, and its price would rise at once."
)
st.markdown(
    "A seasonal series is different. The next value depends on the phase of the season, which the last value alone "
    "does not determine, but a memory can. The prediction interval is learned too: the network has three outputs for "
    "each step, which should be above the actual value in 10%, 50% and 90% of the cases."
)
for formula in (
    r"(y_{t-w+1},\dots,y_t)\ \mapsto\ (\hat y_{t+1},\dots,\hat y_{t+H})",
    r"L_q(y,\hat y)=\max\big(q(y-\hat y),\,(q-1)(y-\hat y)\big)",
    r"\text{MASE}=\text{MAE}\Big/\tfrac{1}{m-1}\textstyle\sum_{t=2}^{m}|y_t-y_{t-1}|",
    r"\text{skill}=1-\text{MAE}/\text{MAE}_{\text{naive}}",
):
    st.latex(formula)
st.caption(
    "From top to bottom: a window of w values gives H forecasts; the pinball loss of quantile q; the mean absolute "
    "scaled error, where the mean is taken over the m values of the training set; the skill."
)

if selection.forecaster is not None:
    st.header("Details", anchor=False)
    view = url_state.linked(
        st.segmented_control, "Details", {name: title for name, (title, _) in VIEWS.items()}, key="fc_view",
        parameter="view", label_visibility="collapsed",
    )  # fmt: skip
    shown["view"] = view
    try:
        shown |= VIEWS[view][1](selection)
    except LabError as error:
        st.error(str(error))
    with st.expander("About this network"):
        st.markdown("\n\n".join([selection.forecaster.card.summary, *selection.forecaster.card.notes]))
        panels.about(selection.forecaster)
with st.expander("Try this: forecast a random walk"):
    st.markdown(
        "Choose **A random walk** and look at the lagged copy. Every step of that series is random and can't be "
        "forecast, but the forecast follows the chart as closely as that of a share price. Then choose **A sum of "
        "seasons**: there the forecast differs from the last value, and its error is smaller. A forecast that follows "
        "the chart closely proves nothing; a smaller error than that of the naive forecast does."
    )
url_state.remember(**shown)
st.caption(
    "Sources: Koenker & Bassett 1978 (quantiles); Schmeiser 1982 (batch means); Hathaway, Wilson & Reichmann 1994 "
    "(shape of the cycles); Hochreiter & Schmidhuber 1997; Hyndman & Koehler 2006 (MASE); Kaufman, Rosset & Perlich "
    "2012 (leakage); Hyndman & Athanasopoulos 2021 (baselines). Share prices: `plotly.data.stocks()`."
)
