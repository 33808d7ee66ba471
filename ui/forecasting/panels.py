"""The panels of the forecasting page."""

import numpy as np
import streamlit as st

from lstm_core import timeseries
from lstm_core.evaluation import PLANTED
from lstm_core.inference import Forecaster
from lstm_core.interpret import SERIES_SIGNALS, best_follower, series_signal, standardised
from lstm_core.timeseries import Backtest
from ui.common import assets, charts, plotting
from ui.common.explanations import explain
from ui.common.url_state import control, in_link
from ui.forecasting import charts as forecast_charts
from ui.forecasting import data
from ui.forecasting.data import Selection

NAIVE = {"day": "tomorrow equals today", "week": "next week equals this week", "year": "next year equals this year"}
LATEST = 250  # timesteps of the memory that are drawn unless the whole series is asked for
COLUMNS: dict[str, str] = assets.table("presets.toml")["forecasting"]["columns"]


def naive_in_words(step: str) -> str:
    """The naive forecast as a quoted phrase."""
    return f"“{NAIVE.get(step, f'the next {step} equals this one')}”"


def signed(value: float) -> str:
    """A skill with its sign, in whole per cent; never −0%."""
    return plotting.signed(value, ".0%")


def skill_against(test: Backtest, name: str) -> tuple[float, float, float]:
    """The skill of the LSTM against another forecast, and the interval of that skill."""
    lstm, other = test.errors("lstm"), test.errors(name)
    return timeseries.skill_score(lstm, other), *timeseries.skill_interval(lstm, other, test.actual.shape[1])


def best_simple(test: Backtest) -> str:
    """The name of the baseline with the smallest error on the test set."""
    return min(timeseries.BASELINES, key=test.mae)


def simple_in_words(name: str, step: str) -> str:
    """A baseline as a quoted phrase."""
    return {"seasonal_naive": "“as one season ago”", "drift": "“the trend goes on”"}.get(name, naive_in_words(step))


def verdict(test: Backtest, step: str) -> str:
    """Whether the network beats the best simple forecast, and whether that may be chance; one sentence."""
    best = best_simple(test)
    gain, low, high = skill_against(test, best)
    size = f"{abs(gain):.0%}" if abs(gain) >= 0.095 else f"{abs(gain):.1%}"
    size = f"its error is {size} {'smaller' if gain >= 0 else 'larger'}"
    simple = f"the best simple forecast, {simple_in_words(best, step)}"
    if low > 0:
        beats = f"The LSTM **beats** {simple}: {size}."
        return beats if _uses_window(test) else f"{beats} **But a constant offset does as well.**"
    if high < 0:
        return f"The LSTM is **worse** than {simple}: {size}."
    return f"The LSTM **does not beat** {simple}: {size}, which may be chance."


def _uses_window(test: Backtest) -> bool:
    """Whether the network is significantly better than the same offset from every origin."""
    return timeseries.skill_interval(test.errors("lstm"), test.push_errors(), test.actual.shape[1])[0] > 0


def constant_offset(test: Backtest) -> str:
    """The skill that is left if the network's forecasts no longer depend on the window; one or two sentences."""
    gain = timeseries.skill_score(test.push_errors(), test.errors("naive"))
    words = (
        "For comparison, a *constant offset*: the mean of all changes that the network forecasts, added to every last "
        f"value. Its skill is {signed(gain)}, that of the LSTM {signed(test.skill())}. "
    )
    if _uses_window(test):
        return words + "So the skill of the LSTM comes from the window."
    if gain > 0.02:
        return words + "So it has learned the mean trend of such series, not when they rise or fall."
    return words + "So the window gives no measurable benefit on this test set."


def uncertainty(test: Backtest) -> str:
    """The confidence interval of the skill; one or two sentences."""
    _, low, high = skill_against(test, "naive")
    count, apart = len(test.origins), timeseries.independent_batches(len(test.origins), test.actual.shape[1])
    words = f"The test set has **{count:,} forecasts**, one from each origin. "
    if count > apart:
        words += f"They overlap and count as {apart} independent ones. "
    if not np.isfinite(low):
        return words + "These are too few for a confidence interval."
    interval = f"The 90% confidence interval of the skill is **{signed(low)} to {signed(high)}**"
    return f"{words}{interval}{', which includes zero' if low <= 0 <= high else ''}."


def main(selection: Selection) -> Backtest:
    """Horizon and origin, the forecast and the verdict; returns the backtest up to that horizon."""
    series, most, count = selection.series, selection.test.actual.shape[1], len(selection.test.origins)
    keys = {"horizon": f"fc_horizon_{series.name}_{most}", "origin": f"fc_origin_{series.name}_{count}"}
    # The horizon and the origin of a link belong to the series that it names.
    if series.name not in (st.query_params.get("series", series.name), st.query_params.get("company", series.name)):
        st.session_state.setdefault(keys["horizon"], most)
        st.session_state.setdefault(keys["origin"], max(count // 2, 1))
    horizon = origin = 1
    with st.container(horizontal=True, vertical_alignment="bottom"):
        if most > 1:
            label = f"Horizon, {series.step}s ahead"
            horizon = control("fc_horizon", 1, most, label=label, key=keys["horizon"], default=most)
        if count > 1:
            origin = control("fc_origin", 1, count, key=keys["origin"], default=count // 2)
    test = selection.test.up_to(horizon)
    if test.levels:
        st.markdown(f"#### {verdict(test, series.step)}")
    window = max(4 * most, 24 if selection.forecaster is None else selection.forecaster.settings.window)
    date = str(series.dates[test.origins[origin - 1]])[:10]
    alt = f"Forecast from {date}, {horizon} steps ahead, with the actual values; below, the whole series and its parts."
    plotting.show(forecast_charts.fan(series, test, origin - 1, window), "fc_fan", alt)
    st.caption(f"Forecast from {date}. {series.about}")
    return test


def table(selection: Selection, test: Backtest) -> None:
    """The error and the skill of every forecast, and the error at each step."""
    rows = [
        {
            "Forecast": forecast_charts.LOOKS[name][0],
            "MAE": f"{test.mae(name):.3g}",
            "MASE": f"{test.mase(name):.2f}",
            "Skill": "0" if name == "naive" else plotting.signed(test.skill(name), ".1%"),
        }
        for name in test.forecasts
    ]
    left, right = st.columns(2, gap="large")
    with left:
        helps = {name: st.column_config.Column(help=words) for name, words in COLUMNS.items()}
        st.dataframe(rows, hide_index=True, column_config=helps)
        if test.levels:
            st.markdown(in_short(test, selection.series.step))
            with st.expander("Confidence interval, and where the skill comes from"):
                st.markdown(uncertainty(test))
                st.markdown(constant_offset(test))
    with right:
        scores = ", ".join(f"{row['Forecast']} {row['MASE']}" for row in rows)
        alt = f"Lines: MASE by steps ahead. Over all steps: {scores}."
        plotting.show(forecast_charts.mase_by_step(test, selection.series.step), "fc_steps", alt)


def in_short(test: Backtest, step: str) -> str:
    """The skill against the naive forecast, and how often the prediction interval holds; one sentence."""
    wanted, found = test.levels[-1] - test.levels[0], test.coverage()
    return (
        f"Against {naive_in_words(step)} the skill of the LSTM is **{signed(test.skill())}**; its {wanted:.0%} "
        f"prediction interval contains **{found:.0%}** of the actual values."
    )


def lagged(selection: Selection) -> None:
    """The one-step forecast and the actual values, and whether it is a lagged copy of them."""
    series, test = selection.series, selection.test
    copy = timeseries.lagged_copy(test)
    st.markdown(
        f"One {series.step} ahead, from every origin of the test set. The correlation of the forecast with the actual "
        f"value is **{copy.correlation:.2f}**. That of the previous value is **{copy.naive_correlation:.2f}**."
    )
    shifted = control("fc_back")
    distance = (
        f"The mean distance of the forecast from the last known value is {copy.to_last:.3g}, and from the actual value "
        f"{copy.to_truth:.3g}."
    )
    alt = "Lines over the test set: the actual values, the naive forecast and the LSTM's. " + distance
    plotting.show(forecast_charts.one_step(series, test, shifted), "fc_hug", alt)
    if copy.is_copy:
        times = copy.to_truth / max(copy.to_last, 1e-12)
        st.markdown(
            f"{distance} It is **{times:.0f} times closer to the past**: a *lagged copy*. Moved one step to the left, "
            "it lies on the line. A forecast that follows the chart closely may only repeat the last value."
        )
    else:
        st.markdown(f"{distance} It is **no lagged copy**: it differs from the last value.")


def memory(selection: Selection) -> None:
    """The cell states at the end of each window, and the unit that correlates best with a signal."""
    series, forecaster = selection.series, selection.forecaster
    assert forecaster is not None  # the page offers this panel only with a network
    origins = forecaster.origins(series)
    states = forecaster.memory(series.values, origins, forecaster.scaling(series))  # (origins, units)
    about = f"The season: a sine and a cosine with a period of {series.season} {series.step}s."
    signal = control("fc_signal", SERIES_SIGNALS, help=about)
    best = best_follower(states, series_signal(signal, series, origins), series, origins)
    whole = len(origins) <= LATEST or control("fc_whole")
    shown = slice(None) if whole else slice(-LATEST, None)
    deviations = standardised(states, origins < series.parts.training)
    order = charts.similarity_order(deviations)
    figure = forecast_charts.memory(
        series, origins[shown], deviations[shown], states[shown, best.unit], order, best.unit
    )
    words = (
        f"Unit {best.unit} follows {SERIES_SIGNALS[signal]} best. The signal explains {best.chosen:.0%} of the "
        "variance of its cell state on the training set, where the unit was chosen, and "
        f"{max(best.measured, 0):.0%} on the test set."
    )
    plotting.show(figure, "fc_memory", f"The series above a heat map. {words}")
    generalizes = best.chosen - best.measured <= 0.2
    st.markdown(f"{words} {'The result generalizes.' if generalizes else 'The result does not generalize.'}")
    st.caption(
        f"Each column is the cell state at the end of one window of {forecaster.settings.window} {series.step}s, from "
        "which the forecast is computed. Each row is one unit: the deviation from its mean on the training set, in "
        "standard deviations. Similar units are neighbours. Dotted lines separate training, validation and test set."
    )
    in_link(whole=bool(st.session_state.get("fc_whole")))


def leakage(selection: Selection) -> None:
    """Add a leak, see the skill that it pretends to have, and let the audit detect it."""
    explain("leakage")
    leak = control("fc_leak", PLANTED)
    audit, skill, first = data.audited(selection, leak)
    found = f"**{audit.tried:,} comparisons**, each with other future or past values."
    if audit.clean:
        st.success(f"No leak found in {found}")
    else:
        failed = sum(not check.held for check in audit.checks)
        st.warning(f"Leak found: {failed} of {len(audit.checks)} checks failed, in {found}")
    st.dataframe(
        [
            {"Check": check.question, "Passed": "yes" if check.held else "no", "Comparisons": check.tried}
            for check in audit.checks
        ],
        hide_index=True,
    )
    step, honest = selection.series.step, (selection.test.skill(), selection.test.up_to(1).skill())
    words = f"Skill over the whole horizon: **{signed(skill)}**; one {step} ahead: **{signed(first)}**."
    if leak != "none":
        words += f" Without the leak: {signed(honest[0])} and {signed(honest[1])}."
        if max(abs(skill - honest[0]), abs(first - honest[1])) < 0.05:
            words += " These figures alone would not reveal the leak."
    st.markdown(words)


def about(forecaster: Forecaster) -> None:
    """How a network was trained, from its card."""
    facts = forecaster.card.training
    losses = facts.get("validation_pinball", {})
    forms = timeseries.FORMS
    tried = ", ".join(f"{forms[form]} {loss:.3f}" for form, loss in losses.items() if form in forms)
    st.markdown(
        f"It reads a window of {forecaster.settings.window} values and has {facts.get('parameters', 0):,} parameters. "
        f"The form of its input was chosen by the pinball loss on the validation set (lower is better): {tried}."
    )
    if forecaster.card.name != "own":
        st.markdown(f"To repeat it: `{facts.get('command')}`, `python -m lstm_core evaluate {forecaster.card.name}`.")
