"""A figure for each check of a check-up, drawn from a finding's arrays."""

from collections.abc import Callable

import numpy as np

from lstm_core.interpret import Finding
from ui.common import theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

BLUE, ORANGE = "#0072B2", "#D55E00"
GREY = "#888888"
SYMBOLS = {"i": "circle", "f": "square", "o": "diamond", "z": "square", "r": "diamond", "h": "circle"}
HEIGHT = 320


def picture(finding: Finding) -> tuple[Figure, str] | None:
    """The figure of a finding and what it shows, for screen readers; None if there is nothing to draw."""
    figure, alt = _DRAW[finding.name](finding)
    if not figure.traces:
        return None
    return figure.set_defaults(height=HEIGHT, margin_t=40), alt


def _input_scale(finding: Finding) -> tuple[Figure, str]:
    edges, counts = finding.arrays["edges"], finding.arrays["counts"]
    figure = Figure()
    shares = counts / max(counts.sum(), 1)
    figure.add_bar(x=(edges[1:] + edges[:-1]) / 2, y=shares, marker_color=BLUE, hovertemplate="%{x:.2f}: %{y:.1%}")
    for limit in (-4, 4):
        figure.add_vline(x=limit, line={"color": GREY, "dash": "dot", "width": 2})
    figure.update_xaxes(title="input sum W·x")
    figure.update_yaxes(title="share", tickformat=".0%")
    figure.update_layout(showlegend=False, bargap=0)
    return (
        figure,
        "Histogram of the input sums of all gates; two lines at −4 and 4 mark the range that a gate can follow.",
    )


def _state_size(finding: Finding) -> tuple[Figure, str]:
    figure, steps = Figure(), np.arange(len(finding.arrays["size"]))
    for name, key, colour, dash in (
        ("root mean square", "size", BLUE, "solid"),
        ("largest", "largest", ORANGE, "dash"),
    ):
        add_line(figure, steps, finding.arrays[key], name, colour, dash=dash, hovertemplate="%{y:.3g}")
    figure.update_xaxes(title="timestep")
    figure.update_yaxes(title="size of the state", type="log" if finding.rank == 2 else "linear")
    return figure, "Two lines over the timesteps: the root mean square of the state, and its largest value."


def _forget_bias(finding: Finding) -> tuple[Figure, str]:
    figure = Figure().add_scatter(
        x=finding.arrays["bias"], y=finding.arrays["mean"], mode="markers", marker={"color": BLUE, "size": 8},
        customdata=np.arange(len(finding.arrays["bias"])),
        hovertemplate="unit %{customdata}<br>bias %{x:.2f}<br>mean %{y:.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="bias of the gate")
    figure.update_yaxes(title="mean value of the gate", range=[-0.05, 1.05])
    return figure, "Scatter plot, a point for each unit: the bias of the gate that keeps the state, and its mean value."


def _saturated_gates(finding: Finding) -> tuple[Figure, str]:
    figure = Figure()
    for key, closed in finding.arrays.items():
        gate, _, end = key.partition("_")
        if end != "closed":
            continue
        figure.add_scatter(
            x=closed, y=finding.arrays[f"{gate}_open"], name=f"{theme.SIGNALS[gate].name} {gate}", mode="markers",
            marker={"color": theme.SIGNALS[gate].colour, "size": 9, "symbol": SYMBOLS[gate], "opacity": 0.75},
            customdata=np.arange(len(closed)),
            hovertemplate="unit %{customdata}<br>closed %{x:.0%}<br>open %{y:.0%}",
        )  # fmt: skip
    figure.update_xaxes(title="share of timesteps below 0.05", tickformat=".0%", range=[-0.05, 1.05])
    figure.update_yaxes(title="above 0.95", tickformat=".0%", range=[-0.05, 1.05])
    return figure.update_layout(
        margin_t=56
    ), "Scatter plot, a point for each gate of each unit: how often it is closed and open."


def _dead_units(finding: Finding) -> tuple[Figure, str]:
    deviation = finding.arrays["deviation"]
    order = np.argsort(-deviation)
    figure = Figure().add_bar(
        x=np.arange(len(order)), y=deviation[order], marker_color=BLUE, customdata=order,
        hovertemplate="unit %{customdata}: %{y:.3g}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="units, the most variable first")
    figure.update_yaxes(title="standard deviation of h")
    return figure.update_layout(showlegend=False), "Bars, one a unit: the standard deviation of its hidden state."


def _redundant_units(finding: Finding) -> tuple[Figure, str]:
    order = finding.arrays["order"]
    high, low = theme.diverging_colours()
    names = [f"unit {unit}" for unit in order]
    figure = Figure().add_heatmap(
        z=finding.arrays["correlations"], x=names, y=names, zmin=-1, zmax=1,
        colorscale=[(0.0, low), (0.5, theme.neutral_colour()), (1.0, high)],
        colorbar={"title": {"text": "r", "side": "top"}, "thickness": 12, "len": 0.9},
        hovertemplate="%{x}, %{y}<br>r = %{z:.2f}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(showticklabels=False, title=f"{len(order)} units")
    figure.update_yaxes(showticklabels=False, autorange="reversed")
    return figure.update_layout(
        height=420
    ), "Heat map: the correlation of each pair of units, units that are alike side by side."


def _gradient(finding: Finding) -> tuple[Figure, str]:
    norms = finding.arrays["norms"]
    figure = Figure()
    shown = np.where(norms > 0, norms, np.nan)
    add_line(
        figure, np.arange(len(norms)), shown, "gradient", BLUE, hovertemplate="%{x} steps back: %{y:.2g}<extra></extra>"
    )
    figure.update_xaxes(title="timesteps back from the last one")
    figure.update_yaxes(title="norm of the gradient", type="log", exponentformat="power")
    return figure.update_layout(
        showlegend=False
    ), "Line on a log axis: the norm of the gradient by its distance from the last timestep."


def _memory(finding: Finding) -> tuple[Figure, str]:
    figure, lags, half_life = Figure(), finding.arrays["lags"], finding.arrays["half_life"]
    if len(lags):
        add_line(
            figure, lags, np.maximum(finding.arrays["read_back"], 0), "read back by a probe", BLUE,
            mode="lines+markers", hovertemplate="%{x} steps earlier: %{y:.0%}",
        )  # fmt: skip
    if len(half_life):
        steps = np.arange(int(lags[-1]) + 1 if len(lags) else 30)
        for name, value, dash in (
            ("median unit by its gate", np.median(half_life), "dash"),
            ("persistent tenth by its gate", np.quantile(half_life, 0.9), "dot"),
        ):
            add_line(
                figure, steps, 0.5 ** (steps / value), name, ORANGE, dash=dash, hovertemplate="%{x} steps: %{y:.0%}"
            )
    figure.update_xaxes(title="timesteps earlier")
    figure.update_yaxes(title="what is left", tickformat=".0%", range=[-0.02, 1.05])
    alt = "Lines: how much of an input can be read back from the state later, and what the gate alone keeps."
    return figure.update_layout(margin_t=72), alt


def _ablation(finding: Finding) -> tuple[Figure, str]:
    units, change = finding.arrays["units"], finding.arrays["change"]
    order = np.argsort(-change)
    figure = Figure().add_bar(
        x=[f"unit {unit}" for unit in units[order]], y=change[order], marker_color=BLUE,
        hovertemplate="%{x}: %{y:.1%}<extra></extra>",
    )  # fmt: skip
    figure.update_xaxes(title="clamped to its mean", tickangle=-90)
    figure.update_yaxes(title="change of the output", tickformat=".0%", rangemode="tozero")
    return figure.update_layout(
        showlegend=False
    ), "Bars: how far the output moves when the hidden state of a unit is clamped."


_DRAW: dict[str, Callable[[Finding], tuple[Figure, str]]] = {
    "input scale": _input_scale,
    "state size": _state_size,
    "forget bias": _forget_bias,
    "saturated gates": _saturated_gates,
    "dead units": _dead_units,
    "redundant units": _redundant_units,
    "gradient through time": _gradient,
    "memory": _memory,
    "ablation": _ablation,
}
