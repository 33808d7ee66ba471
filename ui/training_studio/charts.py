"""The figures of the training studio: curves of a run while it goes on, and several runs over each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import charts, theme

TRAINING, VALIDATION, GRADIENT = theme.CLASS_COLOURS[3], theme.CLASS_COLOURS[0], theme.CLASS_COLOURS[4]
LEGEND = charts.LEGEND | {"font": {"size": 14}}
HEIGHT = 520  # the same before and after the first point, so that nothing jumps


def run(points: Mapping[str, Sequence[Any]], epochs: Mapping[str, Sequence[Any]], accuracy: bool) -> go.Figure:
    """The curves of one run over its steps: loss, accuracy where there is one, and the norm of the gradient.

    Args:
        points: curves by step, see `told.Told.points`.
        epochs: curves by epoch, see `told.Told.epochs`.
        accuracy: whether answers can be right or wrong.
    """
    rows = ("loss", "accuracy", "gradient_norm") if accuracy else ("loss", "gradient_norm")
    titles = {"loss": "Loss (less is better)", "accuracy": "Accuracy", "gradient_norm": "Norm of the gradient"}
    figure = make_subplots(
        len(rows), 1, shared_xaxes=True, vertical_spacing=0.09, subplot_titles=[titles[name] for name in rows]
    )
    for row, name in enumerate(rows, start=1):
        colour = GRADIENT if name == "gradient_norm" else TRAINING
        label = "gradient" if name == "gradient_norm" else "training"
        _line(figure, row, points["step"], points[name], label, colour, shown=name != "accuracy")
        if name != "gradient_norm":
            _line(figure, row, epochs["step"], epochs[f"validation_{name}"], "validation", VALIDATION, name == "loss")
    figure.update_layout(
        height=HEIGHT, margin=charts.MARGIN | {"t": 64}, hovermode="x unified", legend=LEGEND | {"y": 1.06}
    )
    figure.update_xaxes(title="training step", row=len(rows), col=1, rangemode="tozero")
    if accuracy:
        figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", row=2, col=1)
    figure.update_yaxes(type="log", nticks=4, exponentformat="power", row=len(rows), col=1)
    return figure


def _line(figure: go.Figure, row: int, x: Sequence[Any], y: Sequence[Any], name: str, colour: str, shown: bool) -> None:
    figure.add_scatter(
        x=list(x),
        y=list(y),
        name=name,
        mode="lines+markers" if name == "validation" else "lines",
        line={"color": colour, "width": 3, "dash": "dash" if name == "validation" else "solid"},
        marker={"size": 9},
        showlegend=shown,
        legendgroup=name,
        hovertemplate="%{y:.4g}",
        row=row,
        col=1,
    )


def forecast(example: Mapping[str, Any]) -> go.Figure:
    """One forecast: what was known, what came, the median and the outer quantiles.

    Args:
        example: `before` (k,), `truth` (horizon,), `quantiles` (horizon, levels) and `levels`.
    """
    before, truth, rows = example["before"], example["truth"], example["quantiles"]
    start, last = len(before) - 1, before[-1]
    ahead = list(range(start, start + len(truth) + 1))
    middle = len(example["levels"]) // 2
    low, median, high = ([last, *(row[place] for row in rows)] for place in (0, middle, -1))
    figure = go.Figure()
    for name, x, y, line in (
        ("interval", ahead, low, {"width": 0, "color": VALIDATION}),
        ("its interval", ahead, high, {"width": 0, "color": VALIDATION}),
        ("known", list(range(len(before))), before, {"width": 3, "color": "#888888"}),
        ("what came", ahead, [last, *truth], {"width": 3, "color": TRAINING, "dash": "dot"}),
        ("forecast", ahead, median, {"width": 4, "color": VALIDATION}),
    ):
        fill = {"fill": "tonexty"} if name == "its interval" else {}
        figure.add_scatter(x=x, y=y, name=name, mode="lines", line=line, showlegend=name != "interval", **fill)
    figure.update_layout(height=360, margin=charts.MARGIN | {"t": 56}, legend=LEGEND)
    figure.update_xaxes(title="step")
    return figure


def together(
    runs: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    title: str,
    lines: Mapping[str, float],
    colours: Sequence[str] = theme.CLASS_COLOURS,
) -> go.Figure:
    """Several runs over each other, by epoch, with the figures that articles report as lines.

    Args:
        runs: name, epochs from 1, and values; at most six.
        title: of the axis.
        lines: name → value.
        colours: one a run.
    """
    figure = go.Figure()
    for (name, epochs, values), colour, dash in zip(runs, colours, theme.CLASS_DASHES, strict=False):
        figure.add_scatter(
            x=list(epochs),
            y=list(values),
            name=name,
            mode="lines+markers",
            line={"color": colour, "width": 3, "dash": dash},
            hovertemplate="%{y:.4g}",
        )
    for name, value in lines.items():
        figure.add_hline(y=value, line={"color": "#888888", "dash": "dot", "width": 2}, annotation_text=name)
    figure.update_layout(
        height=380, margin=charts.MARGIN | {"t": 72}, hovermode="x unified", legend=LEGEND, showlegend=True
    )
    figure.update_xaxes(title="epoch", dtick=1 if max((len(run[1]) for run in runs), default=1) <= 20 else None)
    figure.update_yaxes(title=title)
    return figure
