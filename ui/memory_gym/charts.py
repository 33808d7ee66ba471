"""The figures of the memory gym: an example, the race, and a trained cell. Arrays and plain values in, a figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas  # noqa: F401  Plotly asks for it as soon as anybody has begun to import it
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import charts, theme

LEGEND = charts.LEGEND | {"font": {"size": 14}}
GREY = "#888888"
MARKED = theme.CLASS_COLOURS[1]
RIGHT, WRONG = theme.CLASS_COLOURS[3], theme.CLASS_COLOURS[5]


def numbers(values: np.ndarray, marked: np.ndarray) -> go.Figure:
    """The numbers of an adding problem as bars, those marked in colour with their value.

    Args:
        values: (T,) in -1…1.
        marked: (T,) of bool.
    """
    figure = go.Figure(
        go.Bar(
            x=np.arange(1, len(values) + 1),
            y=values,
            marker_color=[MARKED if mark else "#9AA0A6" for mark in marked],
            marker_opacity=[1.0 if mark else 0.45 for mark in marked],
            hovertemplate="timestep %{x}: %{y:.2f}<extra></extra>",
        )
    )
    for place in np.flatnonzero(marked):
        figure.add_annotation(
            x=int(place) + 1, y=float(values[place]), text=f"<b>{values[place]:+.2f}</b>", showarrow=False,
            yshift=12 if values[place] >= 0 else -12, font={"size": 16, "color": MARKED},
        )  # fmt: skip
    figure.update_layout(height=230, margin=charts.MARGIN | {"l": 8, "t": 16}, bargap=0.15)
    figure.update_xaxes(title="timestep", fixedrange=True)
    figure.update_yaxes(range=[-1.45, 1.45], tickvals=[-1, 0, 1], fixedrange=True)
    return figure


def race(
    cells: Mapping[str, Mapping[str, Any]],
    *,
    every: int,
    most: int,
    mark: float,
    baseline: tuple[float, str],
    error_name: str,
    error_mark: float | None,
) -> go.Figure:
    """The share of right answers and the error of each cell, by the sequences it has learned from.

    Args:
        cells: kind → `score` and `error` after each turn, and `passed`.
        every: sequences between two measurements.
        most: sequences at most; the axis is as wide from the start.
        mark: the share of right answers at which a cell passes.
        baseline: the share that is right without memory, and what to call that.
        error_name: what the lower picture shows.
        error_mark: where the published pass mark lies in it, if it has one.
    """
    figure = make_subplots(
        2, 1, shared_xaxes=True, vertical_spacing=0.13, row_heights=[0.6, 0.4],
        subplot_titles=("share of right answers", error_name),
    )  # fmt: skip
    highest = 0.0
    for kind, (name, colour, dash) in theme.CELL_LINES.items():
        of = cells.get(kind, {"score": [], "error": [], "passed": None})
        x = [every * (turn + 1) for turn in range(len(of["score"]))]
        errors = [value if value >= 0 else None for value in of["error"]]
        highest = max([highest, *(value for value in errors if value is not None)])
        line = {"color": colour, "width": 3.5, "dash": dash}
        shared = {"x": x or [None], "name": name, "legendgroup": name, "line": line, "marker": {"size": 8}}
        shared["mode"] = "lines" if len(x) > 1 else "markers"
        figure.add_scatter(y=of["score"] or [None], hovertemplate="%{y:.1%}", row=1, col=1, **shared)
        figure.add_scatter(
            y=errors or [None], hovertemplate="%{y:.3f}", showlegend=False, row=2, col=1, **shared
        )  # fmt: skip
        if of["passed"] is not None:
            figure.add_scatter(
                x=x[-1:], y=of["score"][-1:], mode="markers", showlegend=False, hoverinfo="skip",
                marker={"color": colour, "size": 15, "symbol": "star"}, row=1, col=1,
            )  # fmt: skip
    _level(figure, mark, "pass mark", 1, most, above=False)
    _level(figure, *baseline, 1, most)
    if error_mark is not None:
        _level(figure, error_mark, f"published mark {error_mark:g}", 2, most)
    figure.update_layout(
        height=560, margin=charts.MARGIN | {"t": 88}, hovermode="x unified", legend=LEGEND | {"y": 1.08}
    )
    figure.update_xaxes(range=[0, most * 1.02], fixedrange=True)
    figure.update_xaxes(title="sequences learned from", row=2, col=1)
    figure.update_yaxes(range=[-0.03, 1.08], tickformat=".0%", fixedrange=True, row=1, col=1)
    figure.update_yaxes(range=[0, max(highest, error_mark or 0.0, 0.1) * 1.12], fixedrange=True, row=2, col=1)
    return figure


def _level(figure: go.Figure, value: float, text: str, row: int, right: float, *, above: bool = True) -> None:
    figure.add_hline(y=value, line={"color": GREY, "width": 1.5, "dash": "dot"}, row=row, col=1)
    figure.add_annotation(
        x=right, y=value, text=text, showarrow=False, xanchor="right", yanchor="bottom" if above else "top",
        font={"size": 13, "color": GREY}, row=row, col=1,
    )  # fmt: skip


def carrier(
    tokens: Sequence[str], states: Mapping[str, np.ndarray], memory: np.ndarray, *, mirrored: bool
) -> go.Figure:
    """One unit's state above what there is to remember, and its gates below.

    Args:
        tokens: length T.
        states: letter → (T,) of this unit; the state that holds the memory comes first.
        memory: (T,) what there is to remember, on an axis of its own.
        mirrored: whether its axis points down, for a unit that keeps the negative.
    """
    (letter, values), *gates = states.items()
    gates = [(name, row) for name, row in gates if theme.SIGNALS[name].gate]
    specs = [[{"secondary_y": True}]] + [[{}]] * bool(gates)
    figure = make_subplots(
        1 + bool(gates), 1, shared_xaxes=True, row_heights=[0.64, 0.36][: 1 + bool(gates)], vertical_spacing=0.08,
        specs=specs,
    )  # fmt: skip
    steps, signal = np.arange(len(tokens)), theme.SIGNALS[letter]
    figure.add_scatter(
        x=steps, y=memory, name=f"to remember{', upside down' * mirrored}", mode="lines",
        line={"color": GREY, "width": 5, "shape": "hvh"}, opacity=0.55, hovertemplate="%{y:.2f}",
        row=1, col=1, secondary_y=True,
    )  # fmt: skip
    figure.add_scatter(
        x=steps, y=values, name=f"{signal.name.lower()} {letter}", mode="lines",
        line={"color": signal.colour, "width": 3.5}, hovertemplate="%{y:.2f}", row=1, col=1,
    )  # fmt: skip
    for (name, row), dash in zip(gates, ("solid", "dash", "dot"), strict=False):
        gate = theme.SIGNALS[name]
        figure.add_scatter(
            x=steps, y=row, name=f"{gate.name.lower().removesuffix(' gate')} {name}", mode="lines",
            line={"color": gate.colour, "width": 2.5, "dash": dash}, hovertemplate="%{y:.2f}", row=2, col=1,
        )  # fmt: skip
    charts.token_axis(figure, tokens)
    figure.update_layout(
        height=460 if gates else 330, margin=charts.MARGIN | {"t": 84}, hovermode="x unified", legend=LEGEND
    )
    figure.update_yaxes(title=letter, nticks=5, zeroline=False, row=1, col=1, secondary_y=False)
    direction = "reversed" if mirrored else True
    figure.update_yaxes(
        showgrid=False, zeroline=False, tickmode="auto", nticks=5, autorange=direction, row=1, col=1, secondary_y=True
    )
    if gates:
        figure.update_yaxes(range=[-0.06, 1.06], tickvals=[0, 0.5, 1], row=2, col=1)
    return figure


def beyond(cells: Mapping[str, np.ndarray], trained: int) -> go.Figure:
    """For each cell and each n, whether aⁿbⁿ was counted to the end.

    Args:
        cells: kind → (most,) of bool, for n = 1, 2, …
        trained: the longest n of training.
    """
    kinds = [kind for kind in theme.CELL_LINES if kind in cells]
    rows = np.array([cells[kind] for kind in kinds], float)
    figure = go.Figure(
        go.Heatmap(
            z=rows, x=np.arange(1, rows.shape[1] + 1), y=[theme.CELL_LINES[kind][0] for kind in kinds],
            colorscale=[(0.0, WRONG), (1.0, RIGHT)], zmin=0, zmax=1, showscale=False, xgap=1, ygap=6,
            customdata=np.where(rows > 0, "right", "wrong"),
            hovertemplate="%{y}, n = %{x}: %{customdata}<extra></extra>",
        )
    )  # fmt: skip
    figure.add_vline(x=trained + 0.5, line={"color": GREY, "width": 2.5})
    figure.add_annotation(
        x=trained + 0.5, y=1, yref="paper", text="  longest in training", showarrow=False, xanchor="left",
        yanchor="bottom", font={"size": 14},
    )  # fmt: skip
    figure.update_layout(height=110 + 46 * len(kinds), margin=charts.MARGIN | {"t": 36})
    figure.update_xaxes(title="n", fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont_size=15)
    return figure


def lengths(cells: Mapping[str, Sequence[float]], at: Sequence[int], trained: int, mark: float) -> go.Figure:
    """The share of right answers at other lengths than that of training, a line a cell.

    Args:
        cells: kind → a share a length.
        at: the lengths.
        trained: that of training.
        mark: of passing.
    """
    figure = go.Figure()
    for kind, (name, colour, dash) in theme.CELL_LINES.items():
        if kind in cells:
            figure.add_scatter(
                x=list(at), y=list(cells[kind]), name=name, mode="lines+markers", hovertemplate="%{y:.1%}",
                line={"color": colour, "width": 3.5, "dash": dash},
            )  # fmt: skip
    figure.add_vline(x=trained, line={"color": GREY, "width": 2})
    figure.add_annotation(
        x=trained, y=0, text=" trained here", showarrow=False, xanchor="left", yanchor="bottom", font={"size": 13}
    )
    figure.add_hline(y=mark, line={"color": GREY, "width": 1.5, "dash": "dot"})
    figure.update_layout(height=320, margin=charts.MARGIN | {"t": 56}, hovermode="x unified", legend=LEGEND)
    figure.update_xaxes(title="length", fixedrange=True)
    figure.update_yaxes(range=[-0.03, 1.08], tickformat=".0%", fixedrange=True, title="right answers")
    return figure
