"""Small static figures for the home page, made from arrays: almost no axes, no hovering."""

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from ui.common import theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

HEIGHT = 120  # pixels, of every thumbnail
TEXT = 15  # font size


def strip(tokens: Sequence[str], signals: Mapping[str, np.ndarray]) -> Figure:
    """A row for each signal, (T,) values in its own colours, and a cell for each of T tokens."""
    figure = Figure(len(signals), 1, shared_xaxes=True, vertical_spacing=0.06)
    for row, (letter, values) in enumerate(signals.items(), start=1):
        gate = theme.SIGNALS[letter].gate
        limit = 1.0 if gate else max(float(np.abs(values).max()), 1e-6)
        figure.add_heatmap(
            z=values[None], y=[letter], colorscale=theme.colour_scale(letter), zmin=0.0 if gate else -limit, zmax=limit,
            showscale=False, xgap=2, row=row, col=1,
        )  # fmt: skip
    figure.update_yaxes(tickfont_size=TEXT + 3)
    figure.update_xaxes(showticklabels=False)
    figure.update_xaxes(**_labels(tokens), showticklabels=True, tickfont_size=TEXT, row=len(signals), col=1)
    return _sized(figure, bottom=26)


def gradient_norms(shares: Mapping[str, np.ndarray]) -> Figure:
    """For each kind of cell, the (T,) norms of the gradient relative to the last timestep, above 0, on a log axis."""
    figure = _lines((values, *theme.CELL_LINES[kind]) for kind, values in shares.items())
    return figure.update_yaxes(type="log", nticks=3, tickfont_size=TEXT - 1, exponentformat="power")


def cells(probabilities: Mapping[str, np.ndarray]) -> Figure:
    """For each kind of cell, the (T,) probabilities of one class after each token, 0…1."""
    figure = _lines((values, *theme.CELL_LINES[kind]) for kind, values in probabilities.items())
    return figure.update_yaxes(**_PROBABILITY)


def answers(labels: Sequence[str], probabilities: np.ndarray) -> Figure:
    """The (T, classes) probabilities of the labelled classes after each token."""
    names = [theme.class_name(label) for label in labels]
    lines = zip(probabilities.T, names, theme.class_colours(labels), theme.CLASS_DASHES, strict=False)
    figure = _lines(lines).update_yaxes(**_PROBABILITY)
    return figure.update_yaxes(ticklabelposition="inside")  # the names need the whole width


_PROBABILITY = {"range": [-0.05, 1.05], "tickvals": [0, 1], "tickformat": ".0%", "tickfont_size": TEXT - 1}


def two_sums(sums: Mapping[str, np.ndarray]) -> Figure:
    """For each of two names, (T,) values that grow from 0."""
    looks = zip(theme.CLASS_COLOURS, theme.CLASS_DASHES, strict=True)
    lines = ((values, name, *look) for (name, values), look in zip(sums.items(), looks, strict=False))
    return _lines(lines).update_yaxes(rangemode="tozero", nticks=3, tickfont_size=TEXT - 1)


def surprisals(text: str, nats: np.ndarray) -> Figure:
    """The (T,) surprisal of each character as a bar, with the character below it."""
    figure = Figure().add_bar(y=nats, marker_color=theme.SIGNALS["h"].colour)
    figure.update_xaxes(**_labels(["·" if each.isspace() else each for each in text]), tickfont_size=TEXT - 1)
    figure.update_yaxes(showticklabels=False, showgrid=False)
    figure.update_layout(bargap=0.15)
    return _sized(figure, bottom=24)


def _labels(texts: Sequence[str]) -> dict[str, Any]:
    """Properties of an x axis that shows these texts."""
    names = [escape(text, quote=False) for text in texts]
    return {"tickvals": list(range(len(names))), "ticktext": names, "tickangle": 0}


def _lines(lines: Iterable[tuple[np.ndarray, str, str, str]]) -> Figure:
    """A line for each (T,) values, name, colour and dash, with a legend."""
    figure = Figure()
    for values, name, colour, dash in lines:
        add_line(figure, None, values, name, colour, dash=dash, width=4)
    figure.update_xaxes(showticklabels=False, showgrid=False)
    # Across the whole figure, not the plot alone: a card has no room for a second line.
    place = {"xref": "container", "yref": "container", "x": 0, "y": 1, "xanchor": "left", "yanchor": "top"}
    figure.update_layout(legend={**place, "font_size": TEXT - 1, "itemwidth": 30})
    return _sized(figure, top=26, bottom=6)


def _sized(figure: Figure, *, bottom: int, top: int = 6) -> Figure:
    margin = {"l": 6, "r": 6, "t": top, "b": bottom}
    return figure.update_layout(height=HEIGHT, margin=margin, showlegend=top > 6)
