"""The figures of a model's card, as training and `evaluate` wrote it; a figure without data is empty but labelled."""

from collections.abc import Mapping
from typing import Any

from ui.common import theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

_TRAINING, _VALIDATION = "#0072B2", "#D55E00"
_HEIGHT, _TITLE = 340, 36  # pixels: of a figure, and from its top to the middle of its title
_LAST_TICK = 24  # pixels for half of the label "100%"
_SHARE = {"tickformat": ".0%", "range": [-0.02, 1.02]}  # of an axis


def training_curves(curves: Mapping[str, list[float]]) -> Figure:
    """Loss and accuracy on training and validation data after each epoch."""
    figure = Figure(1, 2, subplot_titles=("Loss", "Accuracy"), horizontal_spacing=0.12)
    for column, measure in enumerate(("loss", "accuracy"), start=1):
        for prefix, name, colour, dash in (
            ("", "training", _TRAINING, "solid"), ("validation_", "validation", _VALIDATION, "dash"),
        ):  # fmt: skip
            values = curves.get(prefix + measure, [])
            add_line(
                figure, list(range(1, len(values) + 1)), values, name, colour, dash=dash, mode=None, row=1, col=column,
                showlegend=column == 1, hovertemplate="epoch %{x}: %{y:.3f}",
            )  # fmt: skip
    figure.update_xaxes(title="epoch", tickformat="d", nticks=8)
    return _titled(figure, "Training").update_layout(legend_y=1.14, margin_t=104)  # above the titles of the two plots


def confusion(measured: Mapping[str, Any]) -> Figure:
    """How many examples of each class were assigned to each class; correct answers lie on the diagonal."""
    counts = measured.get("confusion", [])
    names = [theme.class_name(label) for label in measured.get("labels", [])]
    figure = Figure()
    if counts:
        figure.add_heatmap(
            z=[[count / max(sum(row), 1) for count in row] for row in counts], x=names, y=names,
            text=[[f"{count:,}" for count in row] for row in counts], texttemplate="%{text}", textfont={"size": 15},
            colorscale=[(0.0, theme.neutral_colour()), (1.0, _TRAINING)], zmin=0, zmax=1, showscale=False,
            hovertemplate="%{y} classified as %{x}: %{text} (%{z:.1%})<extra></extra>",
        )  # fmt: skip
    figure.update_xaxes(title="predicted class")
    figure.update_yaxes(title="true class", autorange="reversed")
    return _titled(figure, "Confusion matrix")


def roc(measured: Mapping[str, Any]) -> Figure:
    """True positive rate against false positive rate, a curve for each class; the diagonal is chance."""
    figure = Figure()
    labels = list(measured.get("labels", []))
    if measured.get("roc"):
        _diagonal(figure)
    looks = dict(zip(labels, zip(theme.class_colours(labels), theme.CLASS_DASHES, strict=False), strict=False))
    for label, curve in measured.get("roc", {}).items():
        if curve:
            colour, dash = looks[label]
            add_line(
                figure, curve["false_positive_rate"], curve["true_positive_rate"],
                f"{theme.class_name(label)}, AUC {curve['auc'][0]:.3f}", colour, dash=dash, mode=None,
                hovertemplate="false positives %{x:.1%}, true positives %{y:.1%}",
            )  # fmt: skip
    figure.update_xaxes(title="false positive rate", **_SHARE)
    figure.update_yaxes(title="true positive rate", **_SHARE)
    return _titled(figure, "ROC").update_layout(margin_r=_LAST_TICK)


def calibration(measured: Mapping[str, Any]) -> Figure:
    """Accuracy of the answers in each range of confidence; a calibrated network lies on the diagonal."""
    figure = Figure()
    if bins := measured.get("calibration", {}):
        _diagonal(figure)
        add_line(
            figure, bins["confidence"], bins["accuracy"], "answers", _TRAINING, mode="lines+markers",
            marker={"size": 10}, customdata=bins["count"],
            hovertemplate="confidence %{x:.1%}, accuracy %{y:.1%}, %{customdata:,} texts",
        )  # fmt: skip
    figure.update_xaxes(title="confidence", **_SHARE)
    figure.update_yaxes(title="accuracy", **_SHARE)
    return _titled(figure, "Calibration").update_layout(margin_r=_LAST_TICK)


def by_length(measured: Mapping[str, Any]) -> Figure:
    """Accuracy in groups of texts of similar length."""
    figure = Figure()
    groups = measured.get("by_length", {})
    names = [f"{tokens:.0f}" for tokens in groups.get("tokens", [])]
    places = list(range(len(names)))  # the groups are equally large
    if groups:
        add_line(
            figure, places, groups["accuracy"], "", _TRAINING, mode="lines+markers", marker={"size": 10},
            text=names, customdata=groups["count"], showlegend=False,
            hovertemplate="about %{text} tokens: %{y:.1%} of %{customdata:,} texts<extra></extra>",
        )  # fmt: skip
    alias = {str(place): name for place, name in enumerate(names)}
    figure.update_xaxes(title="tokens in the text", tickvals=places, labelalias=alias)
    figure.update_yaxes(title="accuracy", tickformat=".1~%")  # 93%, 93.5%
    return _titled(figure, "Accuracy by length")


def _diagonal(figure: Figure) -> None:
    add_line(figure, [0, 1], [0, 1], "", "#888888", dash="dot", width=1, showlegend=False, hoverinfo="skip")


def _titled(figure: Figure, title: str) -> Figure:
    if not any(len(trace.get("x", ())) for trace in figure.traces):
        figure.add_annotation(text="not in this model's card", showarrow=False, font_size=15)
    place = {"y": 1 - _TITLE / _HEIGHT, "yanchor": "middle"}
    return figure.update_layout(title={"text": title, "font": {"size": 17}, **place}, height=_HEIGHT, margin_t=84)
