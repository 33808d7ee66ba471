"""The figures of the gradient lab, made from arrays. No Streamlit, no models, no sums: arrays in, a figure out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import charts, theme

# Powers and runs are no signals and no cells: they get the hues of the classes.
FIRST, SECOND, THIRD = theme.CLASS_COLOURS[3], theme.CLASS_COLOURS[1], theme.CLASS_COLOURS[4]
SYMBOLS = {"i": "circle", "f": "square", "o": "diamond", "z": "square", "r": "circle"}
LEGEND = charts.LEGEND | {"font": {"size": 14}}


def powers(curves: Mapping[str, np.ndarray], title: str) -> go.Figure:
    """What is left after k multiplications, on a log axis, with a line at 1.

    Args:
        curves: name → (steps + 1,), at most three; 0 leaves a gap, since it has no logarithm.
        title: of the axis.
    """
    figure = go.Figure()
    for (name, values), colour, dash in zip(
        curves.items(), (FIRST, SECOND, THIRD), ("solid", "dash", "dot"), strict=False
    ):
        _line(figure, name, values, colour, dash, start=0)
    figure.add_hline(y=1, line={"color": "#888888", "width": 1})
    figure.update_layout(height=330, margin=charts.MARGIN | {"t": 56}, hovermode="x unified", legend=LEGEND)
    figure.update_xaxes(title="multiplications", fixedrange=True)
    _log_axis(figure, title, curves.values())
    return figure


def flows(norms: Mapping[str, np.ndarray]) -> go.Figure:
    """The gradient's norm at every timestep beside its norm at the last one, a line a cell.

    Args:
        norms: kind of cell → (T,) norms; what is not finite or is 0 leaves a gap.
    """
    figure = go.Figure()
    shown = []
    for kind, values in norms.items():
        name, colour, dash = theme.CELL_LINES[kind]
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            shown.append(values / values[-1])
        _line(figure, name, shown[-1], colour, dash, start=1, width=4)
    figure.add_hline(y=1, line={"color": "#888888", "width": 1})
    figure.update_layout(height=440, margin=charts.MARGIN | {"t": 56}, hovermode="x unified", legend=LEGEND)
    figure.update_xaxes(title="timestep t")
    _log_axis(figure, "‖∂L/∂h<sub>t</sub>‖ ÷ ‖∂L/∂h<sub>T</sub>‖", shown)
    return figure


def runs(named: Mapping[str, tuple[np.ndarray, np.ndarray, np.ndarray]]) -> go.Figure:
    """Training runs: the loss, the gradient's norm as it came, and after clipping; exploding runs leave at the top.

    Args:
        named: name → loss, norm before and norm after, each (steps,); at most three runs.
    """
    titles = ("loss (mean squared error)", "norm of the gradient before clipping", "… and after")
    figure = make_subplots(3, 1, shared_xaxes=True, vertical_spacing=0.08, subplot_titles=titles)
    for (name, rows), colour, dash in zip(
        named.items(), (SECOND, FIRST, THIRD), ("dot", "solid", "dash"), strict=False
    ):
        for row, values in enumerate(rows, start=1):
            _line(figure, name, values, colour, dash, start=1, row=row, width=2.5)
    figure.update_layout(
        height=620, margin=charts.MARGIN | {"t": 72}, hovermode="x unified", legend=LEGEND | {"y": 1.05}
    )
    figure.update_xaxes(title="training step", row=3, col=1)
    for row in (1, 2, 3):
        _log_axis(figure, "", [rows[row - 1] for rows in named.values()], row=row, tallest=4)
    return figure


def error_flow(tokens: Sequence[str], gates: np.ndarray, measured: np.ndarray) -> go.Figure:
    """The product of forget gates and the measured gradient, from every token to the last cell state.

    Args:
        tokens: length T.
        gates: (T,) products of the forget gates after each token.
        measured: (T,) |∂c_T/∂c_t|.
    """
    figure = go.Figure()
    looks = (
        ("product of forget gates", "f", gates, "dash"),
        ("measured |∂c<sub>T</sub>/∂c<sub>t</sub>|", "c", measured, "solid"),
    )
    for name, letter, values, dash in looks:
        _line(figure, name, values, theme.SIGNALS[letter].colour, dash, start=0, width=3.5)
    charts.token_axis(figure, tokens)
    figure.update_layout(height=420, margin=charts.MARGIN | {"t": 56}, hovermode="x unified", legend=LEGEND)
    _log_axis(figure, "reaches the last cell state", (gates, measured))
    return figure


def saturation(shares: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> go.Figure:
    """How often each unit's gate is nearly open, against how often it is nearly shut: a point a unit.

    Args:
        shares: gate → left (units,), right (units,), both 0…1.
    """
    figure = go.Figure()
    for letter, (left, right) in shares.items():
        signal = theme.SIGNALS[letter]
        figure.add_scatter(
            x=right,
            y=left,
            mode="markers",
            name=f"{signal.name} {letter}",
            marker={"color": signal.colour, "symbol": SYMBOLS[letter], "size": 8, "opacity": 0.7},
            customdata=np.arange(len(left)),
            hovertemplate="unit %{customdata}: open %{x:.0%}, shut %{y:.0%} of the time",
        )
    figure.add_scatter(
        x=[0, 1], y=[1, 0], mode="lines", line={"color": "#888888", "width": 1}, showlegend=False, hoverinfo="skip"
    )
    figure.update_layout(height=430, margin=charts.MARGIN | {"t": 72}, legend=LEGEND)
    figure.update_xaxes(title="share of time right-saturated (> 0.9)", range=[-0.03, 1.03], tickformat=".0%")
    figure.update_yaxes(title="share of time left-saturated (< 0.1)", range=[-0.03, 1.03], tickformat=".0%")
    return figure


def histogram(shares: Mapping[str, np.ndarray]) -> go.Figure:
    """How often each gate has which value, all units and timesteps together.

    Args:
        shares: gate → (bins,) shares over 0…1.
    """
    figure = go.Figure()
    for (letter, values), dash in zip(shares.items(), ("solid", "dash", "dot"), strict=False):
        signal = theme.SIGNALS[letter]
        centres = (np.arange(len(values)) + 0.5) / len(values)
        figure.add_scatter(
            x=centres,
            y=values,
            name=f"{signal.name} {letter}",
            mode="lines",
            line={"color": signal.colour, "width": 3, "dash": dash, "shape": "hvh"},
            hovertemplate="%{y:.1%}",
        )
    for edge in (0.1, 0.9):
        figure.add_vline(x=edge, line={"color": "#888888", "width": 1, "dash": "dot"})
    figure.update_layout(height=430, margin=charts.MARGIN | {"t": 72}, hovermode="x unified", legend=LEGEND)
    figure.update_xaxes(title="value of the gate", range=[0, 1], hoverformat=".2f")
    figure.update_yaxes(title="share of all values", tickformat=".0%", rangemode="tozero")
    return figure


def _line(
    figure: go.Figure,
    name: str,
    values: np.ndarray,
    colour: str,
    dash: str,
    *,
    start: int,
    row: int | None = None,
    width: float = 3,
) -> None:
    drawn = np.where(np.isfinite(values) & (values > 0), values, np.nan)
    place = {} if row is None else {"row": row, "col": 1}
    figure.add_scatter(
        x=np.arange(start, start + len(values)),
        y=drawn,
        name=name,
        legendgroup=name,
        showlegend=row in (None, 1),
        mode="lines" if len(values) > 1 else "markers",
        line={"color": colour, "width": width, "dash": dash},
        hovertemplate="%{y:.2e}",
        **place,
    )


def _log_axis(
    figure: go.Figure, title: str, curves: Iterable[np.ndarray], row: int | None = None, tallest: float = np.inf
) -> None:
    """A log axis in whole powers of ten around what is drawn, at most so many of them above half of all values."""
    values = np.concatenate([np.asarray(curve, float) for curve in curves])
    values = np.log10(values[np.isfinite(values) & (values > 0)])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    middle = float(np.median(values)) if values.size else 0.0
    low, high = np.floor(low - 0.2), np.ceil(min(high + 0.2, middle + tallest))
    place = {} if row is None else {"row": row, "col": 1}
    figure.update_yaxes(
        type="log",
        title=title,
        range=[low, high],
        dtick=max(1, int(np.ceil((high - low) / 8))),
        exponentformat="power",
        showexponent="all",
        **place,
    )
