"""Small still figures for the path through the lab: no axes, no hovering, arrays in, a figure out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import theme

HEIGHT = 190  # pixels, of every thumbnail
CONFIG = {"staticPlot": True, "displayModeBar": False}
TEXT = 15  # size of the few words in it


def strip(tokens: Sequence[str], signals: Mapping[str, np.ndarray]) -> go.Figure:
    """One row a signal, one cell a token, in each signal's own colours.

    Args:
        tokens: length T.
        signals: letter → (T,).
    """
    figure = make_subplots(len(signals), 1, shared_xaxes=True, vertical_spacing=0.06)
    for row, (letter, values) in enumerate(signals.items(), start=1):
        reach = 1.0 if theme.SIGNALS[letter].gate else max(float(np.abs(values).max()), 1e-6)
        low = 0.0 if theme.SIGNALS[letter].gate else -reach
        figure.add_heatmap(
            z=values[None], y=[letter], colorscale=theme.colour_scale(letter), zmin=low, zmax=reach, showscale=False,
            xgap=2, row=row, col=1,
        )  # fmt: skip
    figure.update_yaxes(tickfont_size=TEXT + 3)
    figure.update_xaxes(showticklabels=False)
    names = [escape(token, quote=False) for token in tokens]
    figure.update_xaxes(
        tickvals=list(range(len(names))), ticktext=names, showticklabels=True, tickangle=0, tickfont_size=TEXT,
        row=len(signals), col=1,
    )  # fmt: skip
    return _finished(figure, bottom=26)


def fading(shares: Mapping[str, np.ndarray]) -> go.Figure:
    """What is left of a gradient at each timestep, on a log axis, a line a kind of cell, named at its end.

    Args:
        shares: kind of cell → (T,) above 0.
    """
    figure = go.Figure()
    for kind, values in shares.items():
        name, colour, dash = theme.CELL_LINES[kind]
        figure.add_scatter(y=values, mode="lines", line={"color": colour, "width": 4, "dash": dash}, name=name)
    figure.update_yaxes(type="log", nticks=4, tickfont_size=TEXT - 2, exponentformat="power")
    figure.update_xaxes(showticklabels=False, showgrid=False)
    return _finished(figure, legend=True)


def cells(shares: Mapping[str, np.ndarray]) -> go.Figure:
    """The probability of one class after each token, a line a kind of cell.

    Args:
        shares: kind of cell → (T,), 0…1.
    """
    figure = go.Figure()
    for kind, values in shares.items():
        name, colour, dash = theme.CELL_LINES[kind]
        figure.add_scatter(y=values, mode="lines", line={"color": colour, "width": 3.5, "dash": dash}, name=name)
    return _probabilities(figure)


def answers(tokens: Sequence[str], labels: Sequence[str], probabilities: np.ndarray) -> go.Figure:
    """The probability of each class after each token.

    Args:
        tokens: length T.
        labels: the classes.
        probabilities: (T, classes).
    """
    figure = go.Figure()
    colours = theme.class_colours(labels)
    for index, label in enumerate(labels):
        line = {"color": colours[index], "width": 4, "dash": theme.CLASS_DASHES[index]}
        figure.add_scatter(y=probabilities[:, index], mode="lines", line=line, name=theme.class_name(label))
    return _probabilities(figure)


def _probabilities(figure: go.Figure) -> go.Figure:
    figure.update_yaxes(range=[-0.05, 1.05], tickvals=[0, 1], tickformat=".0%", tickfont_size=TEXT - 2)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    return _finished(figure, legend=True)


def surprises(text: str, surprise: np.ndarray) -> go.Figure:
    """A bar a character with the character below it: how little it was expected.

    Args:
        text: length T.
        surprise: (T,) nats.
    """
    names = [escape("·" if each.isspace() else each, quote=False) for each in text]
    figure = go.Figure(go.Bar(y=surprise, marker_color=theme.SIGNALS["h"].colour))
    figure.update_xaxes(tickvals=list(range(len(names))), ticktext=names, tickangle=0, tickfont_size=TEXT - 2)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    figure.update_layout(bargap=0.15)
    return _finished(figure, bottom=24)


def _finished(figure: go.Figure, *, legend: bool = False, bottom: int = 6) -> go.Figure:
    figure.update_layout(
        height=HEIGHT,
        margin={"l": 6, "r": 6, "t": 26 if legend else 6, "b": bottom},
        showlegend=legend,
        legend_font_size=TEXT - 1,
    )
    return figure
