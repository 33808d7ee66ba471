"""The figures of the forecasting page. No Streamlit, no models: arrays in, a figure out."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from lstm_core.timeseries import Backtest, Series
from ui.common import charts, theme

# Name, colour and dash of each forecast; the LSTM's are those it has on every page.
LOOKS = {
    "lstm": theme.CELL_LINES["lstm"],
    "naive": ("naive: the last value", theme.CLASS_COLOURS[1], "dash"),
    "seasonal_naive": ("seasonal naive", theme.CLASS_COLOURS[4], "dot"),
    "drift": ("drift", theme.CLASS_COLOURS[2], "dashdot"),
}
SERIES = "#888888"
PARTS = (("training", "#0072B2"), ("validation", "#E69F00"), ("test", "#CC79A7"))
LEGEND = charts.LEGEND | {"font": {"size": 14}}


def fan(series: Series, test: Backtest, row: int, window: int) -> go.Figure:
    """The forecast from one origin beside what came, and below it where in the series that is.

    Args:
        series: the series.
        test: its backtest, up to the horizon shown.
        row: which origin.
        window: how many values before the origin are shown.
    """
    origin, horizon = int(test.origins[row]), test.actual.shape[1]
    figure = make_subplots(2, 1, row_heights=[0.74, 0.26], vertical_spacing=0.16)
    first = max(0, origin - window + 1)
    past, ahead = slice(first, origin + 1), slice(origin, origin + horizon + 1)
    known = {"mode": "lines", "name": "known", "line": {"color": SERIES, "width": 2.5}, "row": 1, "col": 1}
    figure.add_scatter(x=series.dates[past], y=series.values[past], hovertemplate="%{y:.4g}", **known)
    figure.add_scatter(
        x=series.dates[ahead][1:], y=series.values[ahead][1:], name="what came", mode="lines+markers",
        line={"color": SERIES, "width": 1.5, "dash": "dot"}, marker={"size": 8, "symbol": "circle-open"},
        hovertemplate="%{y:.4g}", row=1, col=1,
    )  # fmt: skip
    for name in ("naive", "seasonal_naive"):
        _forecast(figure, name, series, test.forecasts[name][row], origin)
    if test.levels:
        _interval(figure, series, test.quantiles[row], origin)
        _forecast(figure, "lstm", series, test.forecasts["lstm"][row], origin, width=4)
    _overview(figure, series, origin, horizon)
    figure.update_layout(height=560, margin=charts.MARGIN | {"t": 64}, legend=LEGEND, hovermode="x unified")
    return figure


def _forecast(figure: go.Figure, name: str, series: Series, values: np.ndarray, origin: int, width: float = 2) -> None:
    """From the origin's own value on, so that the eye sees where a forecast starts."""
    label, colour, dash = LOOKS[name]
    figure.add_scatter(
        x=series.dates[origin : origin + len(values) + 1], y=np.append(series.values[origin], values), name=label,
        mode="lines", line={"color": colour, "width": width, "dash": dash}, hovertemplate="%{y:.4g}", row=1, col=1,
    )  # fmt: skip


def _interval(figure: go.Figure, series: Series, quantiles: np.ndarray, origin: int) -> None:
    x = series.dates[origin : origin + len(quantiles) + 1]
    low, high = (np.append(series.values[origin], quantiles[:, end]) for end in (0, -1))
    red, green, blue = (int(LOOKS["lstm"][1][start : start + 2], 16) for start in (1, 3, 5))
    figure.add_scatter(
        x=np.concatenate([x, x[::-1]]), y=np.concatenate([high, low[::-1]]), name="its interval", mode="lines",
        fill="toself", fillcolor=f"rgba({red},{green},{blue},0.25)", line={"width": 0}, hoverinfo="skip",
        row=1, col=1,
    )  # fmt: skip


def _overview(figure: go.Figure, series: Series, origin: int, horizon: int) -> None:
    """The whole series, small, its parts shaded, and a mark at the origin."""
    # First: an empty subplot gets no shades.
    figure.add_scatter(
        x=series.dates, y=series.values, mode="lines", line={"color": SERIES, "width": 1.2}, showlegend=False,
        hovertemplate="%{y:.4g}<extra></extra>", row=2, col=1,
    )  # fmt: skip
    parts = series.parts
    stops = (0, parts.training, parts.validation, len(series))
    for (name, colour), start, stop in zip(PARTS, stops[:-1], stops[1:], strict=True):
        figure.add_vrect(
            x0=series.dates[start], x1=series.dates[min(stop, len(series) - 1)], fillcolor=colour, opacity=0.16,
            line_width=0, layer="below", row=2, col=1, annotation_text=name, annotation_position="top left",
            annotation_font_size=14,
        )  # fmt: skip
    figure.add_vline(x=series.dates[origin], line={"color": LOOKS["lstm"][1], "width": 3}, row=2, col=1)
    figure.update_yaxes(showticklabels=False, row=2, col=1)


def by_step(test: Backtest, step: str) -> go.Figure:
    """The error of each forecast, step by step ahead, in units of the training part's naive error.

    Args:
        test: the backtest.
        step: what a step is called.
    """
    figure = go.Figure()
    horizon = test.actual.shape[1]
    for name in test.forecasts:
        label, colour, dash = LOOKS[name]
        figure.add_scatter(
            x=np.arange(1, horizon + 1), y=test.mase_by_step(name), name=label,
            mode="lines+markers" if horizon > 1 else "markers",
            line={"color": colour, "width": 4 if name == "lstm" else 2.5, "dash": dash}, hovertemplate="%{y:.2f}",
        )  # fmt: skip
    figure.update_layout(height=360, margin=charts.MARGIN | {"t": 84}, legend=LEGEND, hovermode="x unified")
    figure.update_xaxes(title=f"{step}s ahead", dtick=1 if horizon < 15 else None, fixedrange=True)
    figure.update_yaxes(title="MASE", rangemode="tozero", fixedrange=True)
    return figure


def hugging(series: Series, test: Backtest, back: bool) -> go.Figure:
    """One-step forecasts over the truth, and the truth a step later.

    Args:
        series: the series.
        test: its backtest.
        back: draw the forecast a step further to the left, at the value that it was made after.
    """
    figure = go.Figure()
    at = series.dates[test.origins + 1]
    figure.add_scatter(
        x=at, y=test.actual[:, 0], name="what came", mode="lines", line={"color": SERIES, "width": 2.5},
        hovertemplate="%{y:.4g}",
    )  # fmt: skip
    for name, x in (("naive", at), ("lstm", series.dates[test.origins] if back else at)):
        label, colour, dash = LOOKS[name]
        moved = ", moved a step to the left" if back and name == "lstm" else ""
        figure.add_scatter(
            x=x, y=test.forecasts[name][:, 0], name=label + moved, mode="lines",
            line={"color": colour, "width": 3.5 if name == "lstm" else 2, "dash": dash}, hovertemplate="%{y:.4g}",
        )  # fmt: skip
    figure.update_layout(height=430, margin=charts.MARGIN | {"t": 84}, legend=LEGEND, hovermode="x unified")
    return figure


def memory(
    series: Series, origins: np.ndarray, deviations: np.ndarray, state: np.ndarray, order: np.ndarray, unit: int
) -> go.Figure:
    """The series, one unit's cell state, and the cell states of all units, over time.

    Args:
        series: the series.
        origins: (k,) the timesteps shown.
        deviations: (k, units) standardised cell states at the end of each window.
        state: (k,) the cell state of the unit that is drawn as a line.
        order: (units,) which unit stands in each row, from the top.
        unit: its number.
    """
    figure = make_subplots(3, 1, shared_xaxes=True, row_heights=[0.27, 0.23, 0.5], vertical_spacing=0.05)
    x, cell = series.dates[origins], theme.SIGNALS["c"]
    for row, name, values, colour in (
        (1, "the series", series.values[origins], SERIES),
        (2, f"cell state of unit {unit}", state, cell.colour),
    ):
        figure.add_scatter(
            x=x, y=values, name=name, mode="lines", line={"color": colour, "width": 2}, hovertemplate="%{y:.3g}",
            row=row, col=1,
        )  # fmt: skip
    reach = charts.colour_limit(deviations)
    figure.add_heatmap(
        x=x, z=np.ascontiguousarray(deviations.T[order], dtype=np.float32), colorscale=theme.colour_scale("c"),
        zmin=-reach, zmax=reach,
        customdata=np.broadcast_to(order[:, None].astype(np.int16), (len(order), len(origins))),
        colorbar={"title": {"text": "c, σ", "side": "top"}, "thickness": 12, "len": 0.5, "y": 0.22},
        hovertemplate="unit %{customdata}: %{z:.3f}<extra></extra>", row=3, col=1,
    )  # fmt: skip
    figure.update_yaxes(autorange="reversed", showticklabels=False, title=f"{len(order)} units", row=3, col=1)
    for stop in (series.parts.training, series.parts.validation):
        if stop > origins[0]:
            figure.add_vline(x=series.dates[stop], line={"color": SERIES, "width": 1.5, "dash": "dot"})
    figure.update_layout(height=600, margin=charts.MARGIN | {"t": 56}, legend=LEGEND)
    return figure
