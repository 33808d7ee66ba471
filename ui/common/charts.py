"""The Plotly figures, made from readings. No Streamlit, no models: arrays in, a figure out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import pandas  # noqa: F401  # whole before the first figure: Plotly looks at it even while another thread imports it
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import theme

# The camera saves what is shown as PNG, in the browser; nothing is sent anywhere.
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "filename": "lstm-lab", "scale": 2},
}
MOST_LABELS = 32  # as many tokens as stay readable on a phone; zooming in shows the others
STRONGEST = 0.995  # share of a state's values that a colour scale tells apart; those beyond get its end
MARGIN = {"l": 8, "r": 8, "t": 28, "b": 8}

# Above the plot, where two rows of it still fit on a phone.
LEGEND = {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom", "font": {"size": 15}}


def answer_bars(labels: Sequence[str], probabilities: np.ndarray, colours: Sequence[str]) -> go.Figure:
    """The answer: one horizontal bar a class, its probability written beside it.

    Args:
        labels: the classes.
        probabilities: (classes,), 0…1.
        colours: one a class.
    """
    figure = go.Figure(
        go.Bar(
            x=probabilities,
            y=[theme.class_name(label) for label in labels],
            orientation="h",
            marker_color=list(colours),
            text=[f"{value:.1%}" for value in probabilities],
            textposition="outside",
            textfont_size=16,
            cliponaxis=False,
            hovertemplate="%{y}: %{x:.2%}<extra></extra>",
        )
    )
    figure.update_layout(height=60 + 40 * len(labels), margin=MARGIN | {"r": 64, "t": 8}, bargap=0.3)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], fixedrange=True)
    figure.update_yaxes(autorange="reversed", tickfont_size=16, fixedrange=True)
    return figure


def answer_so_far(
    tokens: Sequence[str], labels: Sequence[str], probabilities: np.ndarray, colours: Sequence[str]
) -> go.Figure:
    """The probability of each class after each token, as lines over the tokens.

    Args:
        tokens: length T.
        labels: the classes.
        probabilities: (T, classes).
        colours: one a class.
    """
    figure = go.Figure()
    steps = np.arange(len(tokens))
    for index, (label, colour) in enumerate(zip(labels, colours, strict=True)):
        figure.add_scatter(
            x=steps,
            y=probabilities[:, index],
            name=theme.class_name(label),
            mode="lines+markers" if len(tokens) <= 60 else "lines",
            line={"color": colour, "width": 3, "dash": theme.CLASS_DASHES[index]},
            hovertemplate="%{y:.1%}",
        )
    figure.update_layout(height=400, margin=MARGIN | {"t": 56}, hovermode="x unified", legend=LEGEND)
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", title="probability so far")
    token_axis(figure, tokens)
    return figure


def two_curves(
    tokens: Sequence[str],
    name: str,
    curves: Sequence[np.ndarray],
    parted: int | None,
    names: tuple[str, str] = ("first text", "second text"),
) -> go.Figure:
    """The probability of one class in two texts that were laid beside each other, or in one that was read twice.

    Args:
        tokens: length A, a token a row of the alignment.
        name: of the class.
        curves: two of (A,), NaN where a text has not begun.
        parted: the row at which the answers part, if they do.
        names: what the two are called.
    """
    figure = go.Figure()
    looks = ((names[0], "#0072B2", "solid"), (names[1], "#D55E00", "dash"))
    for (label, colour, dash), values in zip(looks, curves, strict=True):
        figure.add_scatter(
            x=np.arange(len(tokens)),
            y=values,
            name=label,
            mode="lines+markers" if len(tokens) <= 60 else "lines",
            line={"color": colour, "width": 3, "dash": dash},
            hovertemplate="%{y:.1%}",
        )
    if parted is not None:
        figure.add_vline(x=parted, line={"color": "#888888", "dash": "dot", "width": 2})
    figure.update_layout(height=360, margin=MARGIN | {"t": 56}, hovermode="x unified", legend=LEGEND)
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", title=f"{name} so far")
    token_axis(figure, tokens)
    return figure


def reach_of(values: np.ndarray) -> float:
    """Where the colour scale of a state ends: a few units may hold very much, and all others should still be seen."""
    return max(float(np.quantile(np.abs(values), STRONGEST)) if values.size else 0.0, 1e-6)


def memory(
    tokens: Sequence[str],
    letter: str,
    values: np.ndarray,
    order: np.ndarray,
    chosen: int | None,
    reach: float | None = None,
) -> go.Figure:
    """One signal of all units over all tokens, as a heat map with the chosen token marked.

    Args:
        tokens: length T.
        letter: the signal.
        values: (T, units).
        order: (units,) which unit stands in each row, from the top.
        chosen: the marked timestep, if any.
        reach: where the colour scale of a state ends, so that two maps can share it; see `reach_of`.
    """
    signal = theme.SIGNALS[letter]
    reach = 1.0 if signal.gate else reach or reach_of(values)
    figure = go.Figure(
        go.Heatmap(
            z=np.ascontiguousarray(values.T[order], dtype=np.float32),
            customdata=np.broadcast_to(order[:, None].astype(np.int16), (len(order), len(tokens))),
            colorscale=theme.scale_of(letter),
            zmin=0.0 if signal.gate else -reach,
            zmax=reach,
            colorbar={"title": {"text": letter, "side": "top"}, "thickness": 12, "len": 0.9},
            hovertemplate=f"unit %{{customdata}}<br>token %{{x}}<br>{signal.name} %{{z:.3f}}<extra></extra>",
        )
    )
    if chosen is not None:
        edge = "#FFFFFF" if theme.is_dark() else "#000000"
        figure.add_vrect(x0=chosen - 0.5, x1=chosen + 0.5, line={"color": edge, "width": 2}, fillcolor="rgba(0,0,0,0)")
    figure.update_layout(height=460, margin=MARGIN)
    figure.update_yaxes(autorange="reversed", title=f"{len(order)} units", showticklabels=False)
    token_axis(figure, tokens)
    return figure


def signed_bars(names: Sequence[str], values: np.ndarray, title: str, colours: tuple[str, str]) -> go.Figure:
    """Named values below and above zero, in the order given.

    Args:
        names: length n.
        values: (n,) changes of a probability, -1…1.
        title: of the axis.
        colours: of values above and below zero.
    """
    reach = max(float(np.abs(values).max(initial=0.0)) * 1.25, 1e-4)
    figure = go.Figure(
        go.Bar(
            x=values,
            y=list(range(len(values))),
            orientation="h",
            marker_color=[colours[0] if value > 0 else colours[1] for value in values],
            text=[f"{value:+.{1 if reach > 0.05 else 2}%}" for value in values],
            textposition="outside",
            cliponaxis=False,
            customdata=[escape(name, quote=False) for name in names],
            hovertemplate="%{customdata}: %{x:+.2%}<extra></extra>",
        )
    )
    figure.update_xaxes(
        range=[-reach, reach], tickformat="+.0%" if reach > 0.05 else "+.2%", title=title, fixedrange=True
    )
    ticks = {"tickvals": list(range(len(names))), "ticktext": [escape(name[:24], quote=False) for name in names]}
    figure.update_yaxes(autorange="reversed", fixedrange=True, **ticks)
    figure.update_layout(height=90 + 24 * len(names), margin={"l": 8, "r": 48, "t": 8, "b": 8})
    return figure


def one_unit(tokens: Sequence[str], signals: dict[str, np.ndarray]) -> go.Figure:
    """The cell state and the gates of a single unit over a short text, as steps.

    Args:
        tokens: length T.
        signals: letter → (T,); `c`, `i` and `f` are drawn.
    """
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.08)
    steps = np.arange(len(tokens))
    for letter, row in (("c", 1), ("i", 2), ("f", 2)):
        signal = theme.SIGNALS[letter]
        figure.add_scatter(
            x=steps,
            y=signals[letter],
            name=f"{signal.name} {letter}",
            mode="lines+markers",
            line={"color": signal.colour, "width": 3, "shape": "hvh"},
            fill="tozeroy" if letter == "c" else None,
            hovertemplate="%{y:.3f}",
            row=row,
            col=1,
        )
    figure.update_layout(height=380, margin=MARGIN | {"t": 56}, hovermode="x unified", legend=LEGEND)
    figure.update_yaxes(fixedrange=True, nticks=5, row=1, col=1)
    figure.update_yaxes(fixedrange=True, range=[-0.1, 1.1], tickvals=[0, 1], row=2, col=1)
    token_axis(figure, tokens)
    figure.update_xaxes(tickangle=0, tickfont_size=16, fixedrange=True)
    return figure


def timestep(signals: dict[str, np.ndarray], units: np.ndarray) -> go.Figure:
    """All signals of a few units at one timestep: a small bar chart a signal, in its colour.

    Args:
        signals: letter → (units,) values of the layer at this timestep; up to six letters.
        units: which units to show, most active first.
    """
    names = [f"{theme.SIGNALS[letter].name} {letter}" for letter in signals]
    figure = make_subplots(
        2, 3, shared_yaxes=True, subplot_titles=names, horizontal_spacing=0.04, vertical_spacing=0.16
    )
    rows = [f"unit {unit}" for unit in units]
    for index, (letter, values) in enumerate(signals.items()):
        signal = theme.SIGNALS[letter]
        reach = 1.0 if signal.gate else max(1.0, float(np.abs(values).max()))
        figure.add_bar(
            x=values[units],
            y=rows,
            orientation="h",
            marker_color=signal.colour,
            hovertemplate=f"%{{y}}<br>{signal.name} %{{x:.3f}}<extra></extra>",
            row=index // 3 + 1,
            col=index % 3 + 1,
        )
        axis = {"range": [0 if signal.gate else -reach, reach], "nticks": 3, "fixedrange": True, "zeroline": True}
        figure.update_xaxes(**axis, row=index // 3 + 1, col=index % 3 + 1)
    figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont_size=13)
    figure.update_layout(height=520, margin=MARGIN | {"t": 36}, showlegend=False)
    return figure


def token_axis(figure: go.Figure, tokens: Sequence[str]) -> None:
    """Tokens on the x axis: as many as fit, more of them when one zooms in."""
    # Plotly takes tags in a label as formatting; a token is shown as it is.
    names = {str(index): escape(token[:14], quote=False) for index, token in enumerate(tokens)}
    figure.update_xaxes(
        labelalias=names,
        tickformat="d",
        separatethousands=False,
        **({"dtick": 1} if len(tokens) <= MOST_LABELS else {"nticks": MOST_LABELS}),
        tickangle=-90,
        tickfont_size=13,
        ticklabeloverflow="allow",
        range=[-0.5, max(len(tokens) - 0.5, 0.5)],
        showgrid=False,
    )


def alike_together(values: np.ndarray) -> np.ndarray:
    """An order of the units in which those that behave alike stand together; (units,) of int.

    Units are put around a circle by their weights in the first two principal components of the
    signal, and read off by angle, from the widest gap on.

    Args:
        values: (T, units).
    """
    centred = values - values.mean(axis=0)
    if min(centred.shape) < 2:
        return np.argsort(values[-1], kind="stable")
    _, _, directions = np.linalg.svd(centred, full_matrices=False)  # (min(T, units), units)
    angles = np.arctan2(directions[1], directions[0])
    order = np.argsort(angles, kind="stable")
    gaps = np.diff(angles[order], append=angles[order[0]] + 2 * np.pi)  # behind each unit, around the circle
    return np.roll(order, -1 - int(gaps.argmax()))
