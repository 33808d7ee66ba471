"""Forecasting with an LSTM, judged honestly: a walk through the test part, beside forecasts that cost nothing."""

import streamlit as st

from lstm_core import LabError
from ui.common import url_state
from ui.forecasting import data, panels, upload

VIEWS = {
    "lagged": ("The lagged copy", panels.lagged),
    "memory": ("What the memory holds", panels.memory),
    "leakage": ("Leaks, built in and caught", panels.leakage),
}

st.title("Forecasting", anchor=False)
st.markdown(
    "An LSTM reads the last values of a series and says what comes next. Charts of such forecasts look wonderful. "
    "**Do they know anything about the future?** Here every forecast is made from what was known at its origin, and "
    "laid beside forecasts that cost nothing."
)
kind = data.kind()
shown: dict[str, str | int] = {"series": kind}
try:
    chosen = upload.own() if kind == "own" else data.shipped(kind)
    if chosen is None:
        url_state.remember(**shown)
        st.stop()
    test, more = panels.main(chosen)
    st.header("How good is it?", anchor=False)
    panels.table(chosen, test)
except LabError as error:
    st.error(str(error))
    st.stop()
shown |= more | ({"company": chosen.series.name} if kind == "shares" else {})
st.markdown(
    "The *naive* forecast says that nothing will change. The *seasonal naive* one repeats the last season, *drift* "
    "draws the line from the first value to the last on. They learn nothing, and on prices they are hard to beat: if "
    "it were known that a share will rise next week, people would buy it today, and it would have risen already."
)
st.markdown(
    "A series with a rhythm is another matter. What it does next depends on where in its rhythm it is, the last value "
    "alone doesn't tell, and a memory can. The interval is learned like the forecast: three outputs for each step, of "
    "which one should be above the truth one time in ten, one five times, and one nine times."
)
for formula in (
    r"(y_{t-w+1},\dots,y_t)\ \mapsto\ (\hat y_{t+1},\dots,\hat y_{t+H})",
    r"L_q(y,\hat y)=\max\big(q(y-\hat y),\,(q-1)(y-\hat y)\big)",
    r"\text{MASE}=\text{MAE}\Big/\tfrac{1}{m-1}\textstyle\sum_{t=2}^{m}|y_t-y_{t-1}|",
    r"\text{skill}=1-\text{MAE}/\text{MAE}_{\text{naive}}",
):
    st.latex(formula)
st.caption(
    "From above: a window of w values becomes H forecasts; the pinball loss of quantile q; the mean absolute scaled "
    "error, with the mean taken over the m values of the training part; the skill."
)

if chosen.forecaster is not None:
    st.header("Look closer", anchor=False)
    st.session_state.setdefault("fc_view", url_state.parameter("view", "lagged", tuple(VIEWS)))
    view = st.segmented_control(
        "Look closer", list(VIEWS), format_func=lambda name: VIEWS[name][0], required=True, key="fc_view",
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    shown["view"] = str(view)
    try:
        shown |= VIEWS[str(view)][1](chosen)
    except LabError as error:
        st.error(str(error))
    with st.expander("About this network"):
        st.markdown("\n\n".join([chosen.forecaster.card.summary, *chosen.forecaster.card.notes]))
        panels.about(chosen.forecaster)
with st.expander("Try this: forecast a coin"):
    st.markdown(
        "Choose **A random walk** and look at the lagged copy. Every step of that series was thrown by chance, nobody "
        "can know which way it turns, and the network for share prices hugs it as beautifully as it hugs a company. "
        "Then choose **A sum of seasons**: there the forecast leaves yesterday's value, and is right. A chart that "
        "hugs is no evidence; a smaller error than the naive forecast's is."
    )
url_state.remember(**shown)
st.caption(
    "Sources: Koenker & Bassett 1978 (quantiles); Schmeiser 1982 (batch means); Hathaway, Wilson & Reichmann 1994 "
    "(shape of the cycles); Hochreiter & Schmidhuber 1997; Hyndman & Koehler 2006 (MASE); Kaufman, Rosset & Perlich "
    "2012 (leakage); Hyndman & Athanasopoulos 2021 (simple forecasts). Share prices: `plotly.data.stocks()`."
)
