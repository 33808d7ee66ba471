"""The figures of the training studio: the curves of a run, a forecast, and the curves of several runs."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from ui.common import theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

TRAINING, VALIDATION, GRADIENT = theme.CLASS_COLOURS[3], theme.CLASS_COLOURS[0], theme.CLASS_COLOURS[4]
TITLES = {"loss": "Loss (lower is better)", "accuracy": "Accuracy", "gradient_norm": "Norm of the gradient"}
HEIGHT = 520  # the same before and after the first point, so that the page does not move


def run(points: Mapping[str, Sequence[Any]], epochs: Mapping[str, Sequence[Any]], accuracy: bool) -> Figure:
    """The curves of one run over its steps: loss, accuracy if the task has one, and the norm of the gradient.

    `points` and `epochs` are the curves by step and by epoch of a `RunState`.
    """
    rows = [name for name in TITLES if accuracy or name != "accuracy"]
    titles = [TITLES[name] for name in rows]
    figure = Figure(len(rows), 1, shared_xaxes=True, vertical_spacing=0.09, subplot_titles=titles)
    for row, name in enumerate(rows, start=1):
        gradient = name == "gradient_norm"
        lines = [("gradient" if gradient else "training", points, name, GRADIENT if gradient else TRAINING, "solid")]
        if not gradient:
            lines.append(("validation", epochs, f"validation_{name}", VALIDATION, "dash"))
        for label, curves, key, colour, dash in lines:
            add_line(
                figure, list(curves["step"]), list(curves[key]), label, colour, dash=dash, marker={"size": 9},
                mode="lines+markers" if label == "validation" else "lines", showlegend=name != "accuracy",
                legendgroup=label, hovertemplate="%{y:.4g}", row=row, col=1,
            )  # fmt: skip
    figure.update_layout(height=HEIGHT, margin_t=64, hovermode="x unified", legend_y=1.06)
    figure.update_xaxes(title="training step", row=len(rows), col=1, rangemode="tozero")
    if accuracy:
        figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", row=2, col=1)
    return figure.update_yaxes(type="log", nticks=4, exponentformat="power", row=len(rows), col=1)


def forecast(example: Mapping[str, Any]) -> Figure:
    """One forecast: `before` (k,), `truth` (horizon,), and its `quantiles` (horizon, levels)."""
    before, truth, rows = example["before"], example["truth"], example["quantiles"]
    start, last = len(before) - 1, before[-1]
    ahead = list(range(start, start + len(truth) + 1))
    low, median, high = ([last, *(row[place] for row in rows)] for place in (0, len(example["levels"]) // 2, -1))
    figure = Figure()
    add_line(figure, ahead, low, "lower quantile", VALIDATION, width=0, showlegend=False)
    add_line(figure, ahead, high, "prediction interval", VALIDATION, width=0, fill="tonexty")
    add_line(figure, list(range(len(before))), before, "known", "#888888")
    add_line(figure, ahead, [last, *truth], "actual", TRAINING, dash="dot")
    add_line(figure, ahead, median, "forecast", VALIDATION, width=4)
    figure.update_layout(height=360)
    return figure.update_xaxes(title="step")


def compare(
    runs: Sequence[tuple[str, Sequence[float], Sequence[float]]],
    title: str,
    lines: Mapping[str, float],
    colours: Sequence[str] = theme.CLASS_COLOURS,
) -> Figure:
    """Several curves by epoch, with published results as horizontal lines.

    Args:
        runs: name, epochs from 1, and values; at most six.
        title: of the axis.
        lines: name → value.
        colours: one for each curve.
    """
    figure = Figure()
    for (name, epochs, values), colour, dash in zip(runs, colours, theme.CLASS_DASHES, strict=False):
        add_line(
            figure, list(epochs), list(values), escape(name, quote=False), colour, dash=dash, mode="lines+markers",
            hovertemplate="%{y:.4g}",
        )  # fmt: skip
    for name, value in lines.items():
        figure.add_hline(y=value, line={"color": "#888888", "dash": "dot", "width": 2}, annotation_text=name)
    figure.update_layout(height=380, margin_t=72, hovermode="x unified", showlegend=True)
    figure.update_xaxes(title="epoch", dtick=1 if max((len(run[1]) for run in runs), default=1) <= 20 else None)
    return figure.update_yaxes(title=title)
