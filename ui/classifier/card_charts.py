"""The figures of a model's card: training curves, confusion, ROC, calibration, accuracy by length.

Each takes what `evaluate` or training wrote into the card, and draws an empty, labelled figure
where the card doesn't have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import theme

_HEIGHT = 340
_TRAINING, _VALIDATION = "#0072B2", "#D55E00"


def training_curves(curves: Mapping[str, list[float]]) -> go.Figure:
    """Loss and accuracy of training and validation after each epoch."""
    figure = make_subplots(1, 2, subplot_titles=("Loss", "Accuracy"), horizontal_spacing=0.12)
    for column, measure in enumerate(("loss", "accuracy"), start=1):
        for name, colour, dash in ((measure, _TRAINING, "solid"), (f"validation_{measure}", _VALIDATION, "dash")):
            values = curves.get(name, [])
            figure.add_scatter(
                x=list(range(1, len(values) + 1)),
                y=values,
                name="validation" if name.startswith("validation") else "training",
                line={"color": colour, "dash": dash, "width": 3},
                showlegend=column == 1,
                hovertemplate="epoch %{x}: %{y:.3f}",
                row=1,
                col=column,
            )
    figure.update_xaxes(title="epoch", tickformat="d", nticks=8)
    figure = _finished(figure, "Training")
    figure.update_layout(legend_y=1.14, margin_t=104)  # the two titles stand below it
    return figure


def confusion(measured: Mapping[str, Any]) -> go.Figure:
    """How many examples of each class were given to each class; the diagonal is right."""
    counts = measured.get("confusion", [])
    names = [theme.class_name(label) for label in measured.get("labels", [])]
    figure = go.Figure()
    if counts:
        totals = [max(sum(row), 1) for row in counts]
        figure.add_heatmap(
            z=[[count / total for count in row] for row, total in zip(counts, totals, strict=True)],
            x=names,
            y=names,
            text=[[f"{count:,}" for count in row] for row in counts],
            texttemplate="%{text}",
            textfont={"size": 15},
            colorscale=[(0.0, theme.neutral_colour()), (1.0, "#0072B2")],
            zmin=0,
            zmax=1,
            showscale=False,
            hovertemplate="%{y} given as %{x}: %{text} (%{z:.1%})<extra></extra>",
        )
    figure.update_xaxes(title="the network's answer")
    figure.update_yaxes(title="the truth", autorange="reversed")
    return _finished(figure, "Confusion matrix")


def roc(measured: Mapping[str, Any]) -> go.Figure:
    """True positives against false positives, a curve a class; the diagonal is guessing."""
    figure = go.Figure()
    labels = list(measured.get("labels", []))
    if measured.get("roc"):
        _diagonal(figure)
    for label, curve in measured.get("roc", {}).items():
        if not curve:
            continue
        index = labels.index(label)
        figure.add_scatter(
            x=curve["false_positive_rate"],
            y=curve["true_positive_rate"],
            name=f"{theme.class_name(label)}, AUC {curve['auc'][0]:.3f}",
            line={"color": theme.class_colours(labels)[index], "dash": theme.CLASS_DASHES[index], "width": 3},
            hovertemplate="false positives %{x:.1%}, true positives %{y:.1%}",
        )
    figure.update_xaxes(title="false positives", tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(title="true positives", tickformat=".0%", range=[-0.02, 1.02])
    return _finished(figure, "ROC")


def calibration(measured: Mapping[str, Any]) -> go.Figure:
    """How often answers of each confidence are right; on the diagonal the network knows how sure it may be."""
    figure = go.Figure()
    bins = measured.get("calibration", {})
    if bins:
        _diagonal(figure)
        figure.add_scatter(
            x=bins["confidence"],
            y=bins["accuracy"],
            customdata=bins["count"],
            mode="lines+markers",
            name="answers",
            marker={"size": 10},
            line={"color": _TRAINING, "width": 3},
            hovertemplate="%{x:.1%} sure, %{y:.1%} right, %{customdata:,} texts",
        )
    figure.update_xaxes(title="confidence", tickformat=".0%", range=[-0.02, 1.02])
    figure.update_yaxes(title="how often right", tickformat=".0%", range=[-0.02, 1.02])
    return _finished(figure, "Calibration")


def by_length(measured: Mapping[str, Any]) -> go.Figure:
    """Accuracy in groups of texts of like length."""
    figure = go.Figure()
    groups = measured.get("by_length", {})
    if groups:
        figure.add_scatter(
            x=groups["tokens"],
            y=groups["accuracy"],
            customdata=groups["count"],
            mode="lines+markers",
            marker={"size": 10},
            line={"color": _TRAINING, "width": 3},
            hovertemplate="about %{x:.0f} tokens: %{y:.1%} of %{customdata:,} texts<extra></extra>",
        )
    ticks = groups.get("tokens", [])
    figure.update_xaxes(
        title="tokens in the text", type="log", tickvals=ticks, ticktext=[f"{tick:.0f}" for tick in ticks]
    )
    figure.update_yaxes(title="accuracy", tickformat=".0%")
    return _finished(figure, "Accuracy by length")


def _diagonal(figure: go.Figure) -> None:
    line = {"color": "#888888", "dash": "dot", "width": 1}
    figure.add_scatter(x=[0, 1], y=[0, 1], mode="lines", line=line, showlegend=False, hoverinfo="skip")


def _finished(figure: go.Figure, title: str) -> go.Figure:
    empty = not figure.data or not any(len(trace.x if trace.x is not None else ()) for trace in figure.data)
    if empty:
        figure.add_annotation(text="not in this model's card", showarrow=False, font_size=15)
    figure.update_layout(title={"text": title, "font": {"size": 17}}, height=_HEIGHT, margin_t=84)
    return figure
