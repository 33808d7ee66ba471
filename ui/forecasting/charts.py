"""The figures of the forecasting page. No Streamlit, no models: arrays in, a figure out."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from lstm_core.timeseries import FORMS, Backtest, Series
from ui.common import charts, theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

# Name, colour and dash of each forecast; those of the LSTM are the same on every page.
LOOKS = {
    "lstm": theme.CELL_LINES["lstm"],
    "naive": ("naive: the last value", theme.CLASS_COLOURS[1], "dash"),
    "seasonal_naive": ("seasonal naive", theme.CLASS_COLOURS[4], "dot"),
    "drift": ("drift", theme.CLASS_COLOURS[2], "dashdot"),
}
GREY = "#888888"
PARTS = (("training", "#0072B2"), ("validation", "#E69F00"), ("test", "#CC79A7"))
VALUE = {"hovertemplate": "%{y:.4g}"}


def fan(series: Series, test: Backtest, row: int, window: int) -> Figure:
    """The forecast from one origin with the actual values; below it, the whole series with its parts.

    `test` has the horizon shown, `row` is the number of the origin, and `window` values before it are shown.
    """
    origin, horizon = int(test.origins[row]), test.actual.shape[1]
    figure = Figure(2, 1, row_heights=[0.74, 0.26], vertical_spacing=0.16)
    past, ahead = slice(max(0, origin - window + 1), origin + 1), slice(origin, origin + horizon + 1)
    top: dict[str, Any] = VALUE | {"row": 1, "col": 1}
    add_line(figure, series.dates[past], series.values[past], "known", GREY, width=2.5, **top)
    add_line(
        figure, series.dates[ahead][1:], series.values[ahead][1:], "actual", GREY, dash="dot", width=1.5,
        mode="lines+markers", marker={"size": 8, "symbol": "circle-open"}, **top,
    )  # fmt: skip
    if test.levels:
        _interval(figure, series, test.quantiles[row], origin)
    for name in ("naive", "seasonal_naive", *["lstm"] * bool(test.levels)):
        values = np.append(series.values[origin], test.forecasts[name][row])  # begins at the origin
        _add_forecast(figure, series.dates[ahead], values, name, **top)
    figure.update_yaxes(title="value", row=1, col=1)
    _overview(figure, series, origin)
    return figure.update_layout(height=560, margin_t=64, hovermode="x unified")


def _add_forecast(figure: Figure, x: Any, y: Any, name: str, note: str = "", **options: Any) -> None:
    label, colour, dash = LOOKS[name]
    add_line(figure, x, y, label + note, colour, dash=dash, width=4 if name == "lstm" else 2.5, **options)


def _interval(figure: Figure, series: Series, quantiles: np.ndarray, origin: int) -> None:
    x = series.dates[origin : origin + len(quantiles) + 1]
    low, high = (np.append(series.values[origin], quantiles[:, end]) for end in (0, -1))
    red, green, blue = (int(LOOKS["lstm"][1][start : start + 2], 16) for start in (1, 3, 5))
    add_line(
        figure, np.concatenate([x, x[::-1]]), np.concatenate([high, low[::-1]]), "prediction interval",
        LOOKS["lstm"][1], width=0, fill="toself", fillcolor=f"rgba({red},{green},{blue},0.25)", hoverinfo="skip",
        row=1, col=1,
    )  # fmt: skip


def _overview(figure: Figure, series: Series, origin: int) -> None:
    """The whole series, its parts shaded, and a line at the origin."""
    below: dict[str, Any] = {"row": 2, "col": 1}
    hover = "%{y:.4g}<extra></extra>"  # the line comes first: Plotly adds no shapes to an empty subplot
    add_line(figure, series.dates, series.values, "", GREY, width=1.2, showlegend=False, hovertemplate=hover, **below)
    stops = (0, series.parts.training, series.parts.validation, len(series))
    for (name, colour), start, stop in zip(PARTS, stops[:-1], stops[1:], strict=True):
        figure.add_vrect(
            x0=series.dates[start], x1=series.dates[min(stop, len(series) - 1)], fillcolor=colour, opacity=0.16,
            line_width=0, layer="below", annotation_text=name, annotation_font_size=14, annotation_yanchor="bottom",
            annotation_position="top right" if name == "test" else "top left", **below,
        )  # fmt: skip
    figure.add_vline(x=series.dates[origin], line={"color": LOOKS["lstm"][1], "width": 3}, **below)
    figure.update_yaxes(showticklabels=False, **below)


def mase_by_step(test: Backtest, step: str) -> Figure:
    """The MASE of each forecast at each step ahead; `step` is the unit of a step, such as "day"."""
    figure = Figure()
    horizon = test.actual.shape[1]
    mode = "lines+markers" if horizon > 1 else "markers"
    for name in test.forecasts:
        errors = test.mase_by_step(name)
        _add_forecast(figure, np.arange(1, horizon + 1), errors, name, mode=mode, hovertemplate="%{y:.2f}")
    figure.update_layout(height=360, margin_t=84, hovermode="x unified")
    figure.update_xaxes(title=f"{step}s ahead", dtick=1 if horizon < 15 else None, fixedrange=True)
    return figure.update_yaxes(title="MASE", rangemode="tozero", fixedrange=True)


def training(curves: Mapping[str, Sequence[float]]) -> Figure:
    """The validation loss after each epoch, a line for each form of the input."""
    figure = Figure()
    for (form, losses), colour, dash in zip(curves.items(), theme.CLASS_COLOURS, theme.CLASS_DASHES, strict=False):
        epochs = np.arange(1, len(losses) + 1)
        add_line(figure, epochs, losses, FORMS[form], colour, dash=dash, hovertemplate="%{y:.4g}")
    figure.update_layout(height=280, hovermode="x unified", showlegend=True)
    figure.update_xaxes(title="epoch", rangemode="tozero")
    return figure.update_yaxes(title="validation error")


def one_step(series: Series, test: Backtest, shifted: bool) -> Figure:
    """One-step forecasts and the actual values over the test set; `shifted` draws the LSTM's at their origins."""
    figure = Figure()
    at = series.dates[test.origins + 1]
    add_line(figure, at, test.actual[:, 0], "actual", GREY, width=2.5, **VALUE)
    _add_forecast(figure, at, test.forecasts["naive"][:, 0], "naive", **VALUE)
    x, note = (series.dates[test.origins], ", moved one step to the left") if shifted else (at, "")
    _add_forecast(figure, x, test.forecasts["lstm"][:, 0], "lstm", note, **VALUE)
    return figure.update_layout(height=430, margin_t=84, hovermode="x unified").update_yaxes(title="value")


def memory(
    series: Series, origins: np.ndarray, deviations: np.ndarray, state: np.ndarray, order: np.ndarray, unit: int
) -> Figure:
    """The series, one unit's cell state, and the cell states of all units, over time.

    Args:
        series: the series.
        origins: (k,) the timesteps shown.
        deviations: (k, units) standardised cell states at the end of each window.
        state: (k,) the cell state of the unit that is drawn as a line.
        order: (units,) the unit in each row, from the top.
        unit: its number.
    """
    figure = Figure(3, 1, shared_xaxes=True, row_heights=[0.27, 0.23, 0.5], vertical_spacing=0.05)
    x = series.dates[origins]
    add_line(figure, x, series.values[origins], "the series", GREY, width=2, row=1, col=1, **VALUE)
    colour = theme.SIGNALS["c"].colour
    add_line(figure, x, state, f"cell state of unit {unit}", colour, width=2, row=2, col=1, **VALUE)
    limit = charts.colour_limit(deviations)
    figure.add_heatmap(
        x=x, z=np.ascontiguousarray(deviations.T[order], dtype=np.float32), colorscale=theme.colour_scale("c"),
        zmin=-limit, zmax=limit,
        customdata=np.broadcast_to(order[:, None].astype(np.int16), (len(order), len(origins))),
        colorbar={"title": {"text": "c, σ", "side": "top"}, "thickness": 12, "len": 0.5, "y": 0.22},
        hovertemplate="unit %{customdata}: %{z:.3f}<extra></extra>", row=3, col=1,
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showticklabels=False, title=f"{len(order)} units", row=3, col=1)
    for stop in (series.parts.training, series.parts.validation):
        if stop > origins[0]:
            figure.add_vline(x=series.dates[stop], line={"color": GREY, "width": 1.5, "dash": "dot"})
    return figure.update_layout(height=600)
