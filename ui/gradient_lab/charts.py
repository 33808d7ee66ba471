"""The figures of the gradient lab, made from arrays. No Streamlit, no models: arrays in, a figure out."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from ui.common import charts, theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

# Powers and runs are neither signals nor cells: they get the colours of the classes.
FIRST, SECOND, THIRD = theme.CLASS_COLOURS[3], theme.CLASS_COLOURS[1], theme.CLASS_COLOURS[4]
SYMBOLS = {"i": "circle", "f": "square", "o": "diamond", "z": "square", "r": "circle"}


def powers(curves: Mapping[str, np.ndarray], title: str) -> Figure:
    """At most three curves, each (steps + 1,), on a log axis with a line at 1; 0 has no logarithm and leaves a gap."""
    looks = zip(curves, curves.values(), (FIRST, SECOND, THIRD), theme.CLASS_DASHES, strict=False)
    figure = _on_log_axis(looks, title, height=330)
    figure.add_hline(y=1, line={"color": "#888888", "width": 1})
    return figure.update_xaxes(title="multiplications", fixedrange=True)


def flows(norms: Mapping[str, np.ndarray]) -> Figure:
    """For each kind of cell, its (T,) norms divided by the last one; a norm that is 0 or not finite leaves a gap."""
    looks = []
    for kind, values in norms.items():
        name, *colour_and_dash = theme.CELL_LINES[kind]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            looks.append((name, values / values[-1], *colour_and_dash))
    figure = _on_log_axis(looks, "‖∂L/∂h<sub>t</sub>‖ ÷ ‖∂L/∂h<sub>T</sub>‖", height=440, start=1, width=4)
    figure.add_hline(y=1, line={"color": "#888888", "width": 1})
    return figure.update_xaxes(title="timestep t")


def runs(named: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> Figure:
    """At most three runs: loss, norm before and norm after clipping, each (steps,); the axes cut off explosions."""
    titles = ("loss (mean squared error)", "norm of the gradient before clipping", "norm of the gradient after")
    figure = Figure(3, 1, shared_xaxes=True, vertical_spacing=0.08, subplot_titles=titles)
    for row, curves in enumerate(zip(*named.values(), strict=True), start=1):
        for name, values, colour, dash in zip(
            named, curves, (SECOND, FIRST, THIRD), ("dot", "solid", "dash"), strict=False
        ):
            options = {"width": 2.5, "row": row, "col": 1, "legendgroup": name, "showlegend": row == 1}
            _add_positive(figure, values, name, colour, dash, start=1, **options)
        _log_axis(figure, curves, tallest=4, row=row, col=1)
    figure.update_layout(height=620, margin_t=72, hovermode="x unified", legend_y=1.05)
    return figure.update_xaxes(title="training step", row=3, col=1)


def error_flow(tokens: Sequence[str], gates: np.ndarray, measured: np.ndarray) -> Figure:
    """From each of T tokens to the last cell state: (T,) products of forget gates, and the measured |∂c_T/∂c_t|."""
    looks = (
        ("product of forget gates", gates, theme.SIGNALS["f"].colour, "dash"),
        ("measured |∂c<sub>T</sub>/∂c<sub>t</sub>|", measured, theme.SIGNALS["c"].colour, "solid"),
    )
    figure = _on_log_axis(looks, "share that reaches the last cell state", height=420, width=3.5)
    charts.token_axis(figure, tokens)
    return figure


def saturation(shares: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """For each gate, the (units,) shares of time nearly closed and nearly open, 0…1: a point for each unit."""
    figure = Figure()
    for letter, (left, right) in shares.items():
        signal = theme.SIGNALS[letter]
        figure.add_scatter(
            x=right,
            y=left,
            mode="markers",
            name=f"{signal.name} {letter}",
            marker={"color": signal.colour, "symbol": SYMBOLS[letter], "size": 8, "opacity": 0.7},
            customdata=np.arange(len(left)),
            hovertemplate="unit %{customdata}: open %{x:.0%}, closed %{y:.0%} of the time",
        )
    add_line(figure, [0, 1], [1, 0], "", "#888888", width=1, showlegend=False, hoverinfo="skip")
    figure.update_layout(height=430, margin_t=72)
    figure.update_xaxes(title="share of time right-saturated (> 0.9)", range=[-0.03, 1.03], tickformat=".0%")
    return figure.update_yaxes(title="share of time left-saturated (< 0.1)", range=[-0.03, 1.03], tickformat=".0%")


def histogram(shares: Mapping[str, np.ndarray]) -> Figure:
    """The distribution of each gate's values: (bins,) shares over 0…1."""
    figure = Figure()
    for (letter, values), dash in zip(shares.items(), theme.CLASS_DASHES, strict=False):
        signal, centres = theme.SIGNALS[letter], (np.arange(len(values)) + 0.5) / len(values)
        add_line(
            figure, centres, values, f"{signal.name} {letter}", signal.colour, dash=dash, line_shape="hvh",
            hovertemplate="%{y:.1%}",
        )  # fmt: skip
    for edge in (0.1, 0.9):
        figure.add_vline(x=edge, line={"color": "#888888", "width": 1, "dash": "dot"})
    figure.update_layout(height=430, margin_t=72, hovermode="x unified")
    figure.update_xaxes(title="value of the gate", range=[0, 1], hoverformat=".2f")
    return figure.update_yaxes(title="share of all values", tickformat=".0%", rangemode="tozero")


def _on_log_axis(
    looks: Iterable[tuple[str, np.ndarray, str, str]], title: str, height: int, start: int = 0, width: float = 3
) -> Figure:
    """Lines on a log axis, each given by its name, values, colour and dash."""
    figure, looks = Figure(), list(looks)
    for name, values, colour, dash in looks:
        _add_positive(figure, values, name, colour, dash, start=start, width=width)
    figure.update_layout(height=height, hovermode="x unified")
    _log_axis(figure, [values for _, values, *_ in looks], title=title)
    return figure


def _add_positive(
    figure: Figure, values: np.ndarray, name: str, colour: str, dash: str, *, start: int, **options: Any
) -> None:
    """Add a line with gaps where a value has no logarithm."""
    values = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    options |= {"mode": "lines" if len(values) > 1 else "markers", "hovertemplate": "%{y:.2e}"}
    add_line(figure, np.arange(start, start + len(values)), values, name, colour, dash=dash, **options)


def _log_axis(figure: Figure, curves: Iterable[np.ndarray], tallest: float = np.inf, **options: Any) -> None:
    """A log axis in whole powers of ten around the curves; it ends at most `tallest` of them above the median."""
    values = np.concatenate([np.asarray(curve, float) for curve in curves])
    values = np.log10(values[np.isfinite(values) & (values > 0)])
    if not values.size:
        values = np.zeros(1)
    low, high = np.floor(values.min() - 0.2), np.ceil(min(values.max() + 0.2, np.median(values) + tallest))
    step = max(1, int(np.ceil((high - low) / 8)))
    figure.update_yaxes(
        type="log", range=[low, high], dtick=step, exponentformat="power", showexponent="all", **options
    )
