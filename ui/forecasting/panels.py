"""The live figures of the forecasting page, each with its controls and its computed sentence.

Each panel returns what a link to it must say. Which series is looked at is in `inference/forecaster.py`.
"""

from __future__ import annotations

import numpy as np
import streamlit as st

from lstm_core.evaluation import PLANTED
from lstm_core.inference import Forecaster
from lstm_core.interpret import SERIES_SIGNALS, best_follower, series_signal, standardised
from lstm_core.timeseries import BASELINES, FORMS, Backtest, lagged_copy, skill_interval, skill_score, stretches
from ui.common import charts, url_state
from ui.forecasting import charts as forecast_charts
from ui.forecasting import data
from ui.forecasting.data import Chosen

Shown = dict[str, str | int]
EARLIER = {"day": ("tomorrow", "today"), "week": ("next week", "this week"), "year": ("next year", "this year")}


LATEST = 250  # timesteps of the memory that are drawn unless all are asked for
COLUMNS = {
    "MAE": "Mean absolute error, in the units of the series.",
    "MASE": "Mean absolute scaled error: MAE divided by the training part's mean change from step to step.",
    "Skill": "1 - MAE / MAE of the naive forecast: 100 % is perfect, 0 no better, below 0 worse.",
}


def naive_in_words(step: str) -> str:
    """The naive forecast as people say it."""
    later, now = EARLIER.get(step, (f"the next {step}", "this one"))
    return f"“{later} equals {now}”"


def percent(value: float) -> str:
    """A share with as many digits as it deserves."""
    return f"{value:.0%}" if abs(value) >= 0.095 else f"{value:.1%}"


def held_against(test: Backtest, name: str) -> tuple[float, float, float]:
    """The LSTM's skill against another forecast, and the interval of that skill."""
    mine, theirs = test.errors("lstm"), test.errors(name)
    return skill_score(mine, theirs), *skill_interval(mine, theirs, test.actual.shape[1])


def signed(value: float) -> str:
    """A skill with its sign, in whole per cent; nothing is not minus nothing."""
    return f"{round(value, 2) + 0.0:+.0%}"


def verdict(test: Backtest, step: str) -> str:
    """Does the network beat the naive forecast, and is that more than luck? One computed sentence."""
    gain, low, high = held_against(test, "naive")
    size = f"{percent(abs(gain))} {'smaller' if gain >= 0 else 'larger'}"
    if low > 0:
        beats = f"The LSTM **beats** {naive_in_words(step)}: its error is {size}."
        return beats if _reads(test) else f"{beats} **But a constant push does as well.**"
    if high < 0:
        return f"The LSTM is **worse** than {naive_in_words(step)}: its error is {size}."
    return f"The LSTM **does not beat** {naive_in_words(step)}: its error is {size}, which may well be luck."


def _reads(test: Backtest) -> bool:
    """Whether the network is clearly better than the same push from every origin."""
    return skill_interval(test.errors("lstm"), test.push_errors(), test.actual.shape[1])[0] > 0


def push(test: Backtest) -> str:
    """What of the skill is left when the network's reading is taken out, in a sentence or two."""
    gain = skill_score(test.push_errors(), test.errors("naive"))
    words = (
        "Now take its reading away: add the *same* push, the mean of all changes that it forecasts, to every last "
        f"value. That has a skill of {signed(gain)}, the LSTM {signed(test.skill())}. "
    )
    if _reads(test):
        return words + "So its skill comes from reading the window."
    if gain > 0.02:
        return words + "So it has learned that this kind of series mostly rose, or fell, and not when."
    return words + "So its reading is worth nothing that this test part could tell."


def luck(test: Backtest) -> str:
    """How far chance alone moves the skill, in a sentence or two."""
    _, low, high = held_against(test, "naive")
    count, apart = len(test.origins), stretches(len(test.origins), test.actual.shape[1])
    words = f"The test part holds **{count:,} forecasts**, one from each origin. "
    if count > apart:
        words += f"They overlap, so they count as {apart} independent stretches. "
    if not np.isfinite(low):
        return words + "From so few nothing can be said about luck."
    ends = f"between {signed(low)} and {signed(high)}"
    return (
        words
        + f"With a confidence of 90 % the skill is **{ends}**"
        + (": zero is inside." if low <= 0 <= high else ".")
    )


# --- The forecast -------------------------------------------------------------------------------


def main(chosen: Chosen) -> tuple[Backtest, Shown]:
    """Horizon and origin, the fan, and the verdict; gives the backtest up to that horizon."""
    found, most, count = chosen.series, chosen.test.actual.shape[1], len(chosen.test.origins)
    horizon_key, origin_key = f"fc_horizon_{found.name}_{most}", f"fc_origin_{found.name}_{count}"
    # What a link says of horizon and origin holds for the series that it names, and not for the next one.
    named = {st.query_params.get("series", found.name), st.query_params.get("company", found.name)}
    linked = found.name in named
    st.session_state.setdefault(horizon_key, url_state.number("horizon", most, 1, most) if linked else most)
    st.session_state.setdefault(origin_key, url_state.number("origin", count // 2, 1, count) if linked else count // 2)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        horizon = st.slider(
            f"Horizon, {found.step}s ahead", 1, most, key=horizon_key, width=260, persist_state="session",
            disabled=most < 2, help="How many steps ahead are forecast, drawn and judged.",
        ) if most > 1 else 1  # fmt: skip
        origin = st.slider(
            "Origin in the test part", 1, count, key=origin_key, width=420, persist_state="session",
            help="From where the forecast is made: the last value that it may know.",
        ) if count > 1 else 1  # fmt: skip
    test = chosen.test.up_to(horizon)
    if test.levels:
        st.markdown(f"#### {verdict(test, found.step)}")
    window = max(4 * most, 24 if chosen.forecaster is None else chosen.forecaster.settings.window)
    figure = forecast_charts.fan(found, test, origin - 1, window)
    date = str(found.dates[test.origins[origin - 1]])[:10]
    words = (
        f"Forecast from {date}, {horizon} steps ahead, with what came after it; below, the whole series in its parts."
    )
    st.plotly_chart(figure, config=charts.CONFIG, key="fc_fan", alt=words)
    st.caption(f"Forecast made on {date}. {found.about}")
    return test, {"horizon": horizon, "origin": origin}


def table(chosen: Chosen, test: Backtest) -> None:
    """Every forecast's error and skill, and the error step by step."""
    columns: dict[str, list[str]] = {"Forecast": [], "MAE": [], "MASE": [], "Skill": []}
    for name in test.forecasts:
        columns["Forecast"].append(forecast_charts.LOOKS[name][0])
        columns["MAE"].append(f"{test.mae(name):.3g}")
        columns["MASE"].append(f"{test.mase(name):.2f}")
        columns["Skill"].append("0" if name == "naive" else f"{test.skill(name):+.1%}")
    left, right = st.columns(2, gap="large")
    with left:
        helps = {name: st.column_config.Column(help=words) for name, words in COLUMNS.items()}
        st.dataframe(columns, hide_index=True, column_config=helps)
        if test.levels:
            wanted = test.levels[-1] - test.levels[0]
            st.markdown(
                f"{luck(test)} The shaded interval should hold {wanted:.0%} of what comes; over the test part it held "
                f"**{test.coverage():.0%}**."
            )
            st.markdown(_the_best_of_the_others(test))
            st.markdown(push(test))
    with right:
        figure = forecast_charts.by_step(test, chosen.series.step)
        scores = ", ".join(f"{forecast_charts.LOOKS[name][0]} {test.mase(name):.2f}" for name in test.forecasts)
        alt = f"Lines: MASE by steps ahead. On the whole: {scores}."
        st.plotly_chart(figure, config=charts.CONFIG, key="fc_steps", alt=alt)


def _the_best_of_the_others(test: Backtest) -> str:
    best = min(BASELINES, key=test.mae)
    gain, low, high = held_against(test, best)
    better = "better" if low > 0 else "worse" if high < 0 else "no better, as far as this test part can tell"
    name = forecast_charts.LOOKS[best][0].split(":")[0]
    words = f"The best simple forecast here is **{name}**; against that one the LSTM is **{better}**: {signed(gain)}."
    if best == "drift":
        words += " The series went on as it had gone since its first value, and a straight line knows that much."
    return words


# --- Look closer --------------------------------------------------------------------------------


def lagged(chosen: Chosen) -> Shown:
    """The one-step forecast over the truth, and what it really is a copy of."""
    found, test = chosen.series, chosen.test
    copy = lagged_copy(test)
    st.markdown(
        f"One {found.step} ahead, from every origin of the test part. The forecast and the truth have a correlation of "
        f"**{copy.correlation:.2f}**. So have the truth and the value a {found.step} before: "
        f"**{copy.naive_correlation:.2f}**."
    )
    st.session_state.setdefault("fc_back", url_state.parameter("back", "no", ("no", "yes")) == "yes")
    back = st.toggle("Move the forecast one step to the left", key="fc_back", persist_state="session")
    distance = (
        f"On average the forecast is {copy.to_last:.3g} away from the last value that it knew, and {copy.to_truth:.3g} "
        "from the value that it forecasts."
    )
    alt = "Lines over the test part: what came, the naive forecast and the LSTM's. " + distance
    st.plotly_chart(forecast_charts.hugging(found, test, back), config=charts.CONFIG, key="fc_hug", alt=alt)
    if copy.is_copy:
        times = copy.to_truth / max(copy.to_last, 1e-12)
        st.markdown(
            f"{distance} It is **{times:.0f} times nearer to the past**: a *lagged copy*. Move it one step to the left "
            "and it lies on the line; a forecast that hugs the chart knows what was, not what will be."
        )
    else:
        st.markdown(f"{distance} It is **no lagged copy**: it says something that the last value doesn't say.")
    return {"back": "yes" if back else "no"}


def memory(chosen: Chosen) -> Shown:
    """What the cell state holds along the series, and the unit that follows a signal best."""
    found, forecaster = chosen.series, chosen.forecaster
    assert forecaster is not None  # the page offers this view only with a network
    origins = forecaster.origins(found)
    states = forecaster.memory(found.values, origins, forecaster.scaling(found))
    st.session_state.setdefault("fc_signal", url_state.parameter("signal", "season", tuple(SERIES_SIGNALS)))
    signal = st.segmented_control(
        "Look for the unit that follows", list(SERIES_SIGNALS), format_func=SERIES_SIGNALS.__getitem__,
        required=True, key="fc_signal", persist_state="session",
        help=f"The season: a sine and a cosine that repeat every {found.season} {found.step}s.",
    )  # fmt: skip
    features = series_signal(signal, found, origins)
    best = best_follower(states, features, found, origins)
    st.session_state.setdefault("fc_whole", url_state.parameter("whole", "no", ("no", "yes")) == "yes")
    whole = len(origins) <= LATEST or st.toggle("The whole series", key="fc_whole", persist_state="session")
    drawn = slice(None) if whole else slice(-LATEST, None)
    deviations = standardised(states, origins < found.parts.training)
    order = charts.similarity_order(deviations)
    figure = forecast_charts.memory(
        found, origins[drawn], deviations[drawn], states[drawn, best.unit], order, best.unit
    )
    words = (
        f"Unit {best.unit} follows {SERIES_SIGNALS[signal]} best: that explains {best.training:.0%} of its cell "
        f"state in the training part, where it was chosen, and {max(best.test, 0):.0%} in the test part."
    )
    st.plotly_chart(figure, config=charts.CONFIG, key="fc_memory", alt=f"The series above a heat map. {words}")
    faded = best.training - best.test > 0.2
    st.markdown(
        f"{words} {'Where it was chosen it looked better than it is.' if faded else 'It holds elsewhere, too.'}"
    )
    st.caption(
        f"Each column is the memory at the end of one window of {forecaster.settings.window} {found.step}s: all that "
        "the forecast from there is made of. Each row is one unit as it differs from its own mean in the training "
        "part, in standard deviations; units that behave alike stand together. Dotted lines part training, validation "
        "and test."
    )
    return {"signal": str(signal), "whole": "yes" if st.session_state["fc_whole"] else "no"}


def leakage(chosen: Chosen) -> Shown:
    """Build a leak in, see the skill that it pretends to, and have it caught."""
    st.markdown(
        "A *leak* lets a forecast know what it could not have known. It flatters, and it is easily made: scale the "
        "series before it is cut, smooth it first, or let a window end one value too late. The audit doesn't read the "
        "code. It **changes the future** and looks whether a forecast moves."
    )
    st.session_state.setdefault("fc_leak", url_state.parameter("leak", "none", tuple(PLANTED)))
    leak = st.segmented_control(
        "Build in", list(PLANTED), format_func=PLANTED.__getitem__, required=True, key="fc_leak",
        persist_state="session",
    )  # fmt: skip
    audit, skill, first = data.audited(chosen, leak)
    found = f"**{audit.tried:,} comparisons**, each with another future or another past."
    if audit.clean:
        st.success(f"No leak found in {found}")
    else:
        broken = sum(not check.held for check in audit.checks)
        st.warning(f"Leak caught: {broken} of {len(audit.checks)} checks failed, in {found}")
    st.dataframe(
        {
            "Check": [check.question for check in audit.checks],
            "Held": ["yes" if check.held else "no" for check in audit.checks],
            "Comparisons": [check.tried for check in audit.checks],
        },
        hide_index=True,
    )
    honest, step = chosen.test, chosen.series.step
    words = f"Skill over the whole horizon **{signed(skill)}**, one {step} ahead **{signed(first)}**"
    if leak != "none":
        words += f"; without the leak {signed(honest.skill())} and {signed(honest.up_to(1).skill())}"
        hidden = max(abs(skill - honest.skill()), abs(first - honest.up_to(1).skill())) < 0.05
        words += ". Nobody would have noticed it by these figures" if hidden else ". None of the difference is real"
    st.markdown(words + ".")
    return {"leak": leak}


def about(forecaster: Forecaster) -> None:
    """How a network was made, from its card."""
    facts = forecaster.card.training
    losses = facts.get("validation_pinball", {})
    tried = ", ".join(f"{FORMS[form]} {loss:.3f}" for form, loss in losses.items() if form in FORMS)
    st.markdown(
        f"It reads a window of {forecaster.settings.window} values and has {facts.get('parameters', 0):,} weights. "
        f"What it reads was chosen on the validation part by the pinball loss (lower is better): {tried}."
    )
    if forecaster.card.name != "own":
        st.markdown(
            f"To repeat it: `{facts.get('command', '')}`, then `python -m lstm_core evaluate {forecaster.card.name}`."
        )
