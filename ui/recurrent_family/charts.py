"""The recurrent family's own figures: all signals of a layer over a text, and guesses at a blank."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import charts, theme

ROW = 116  # pixels of one signal
NARROW = 18  # tokens that stay readable in a third of a page


def signals(
    tokens: Sequence[str], rows: Mapping[str, tuple[str, np.ndarray]], reach: float = 1.0, mark: int | None = None
) -> go.Figure:
    """Heat maps one below the other, a row a signal, on the same tokens.

    Gates have a scale of 0…1, candidates and hidden states of -1…1, cell states of -`reach`…`reach`; so two figures
    that are given the same reach can be compared.

    Args:
        tokens: length T.
        rows: title → (letter, (T, units)).
        reach: where the scale of a cell state ends.
        mark: a timestep to frame.
    """
    figure = make_subplots(
        len(rows), 1, shared_xaxes=True, subplot_titles=list(rows), vertical_spacing=min(0.3 / len(rows), 0.1)
    )
    for row, (letter, values) in enumerate(rows.values(), start=1):
        signal, end = theme.SIGNALS[letter], reach if letter == "c" else 1.0
        figure.add_heatmap(
            z=np.ascontiguousarray(values.T, dtype=np.float32),
            colorscale=theme.colour_scale(letter),
            zmin=0.0 if signal.gate else -end,
            zmax=end,
            showscale=False,
            hovertemplate=f"%{{x}}<br>{signal.name} %{{z:.2f}}<extra></extra>",
            row=row,
            col=1,
        )
    charts.token_axis(figure, tokens)
    fewer_tokens(figure, len(tokens))
    figure.update_yaxes(showticklabels=False, fixedrange=True)
    figure.update_annotations(font_size=14, x=0, xanchor="left")
    if mark is not None:
        edge = "#FFFFFF" if theme.is_dark() else "#000000"
        figure.add_vrect(x0=mark - 0.5, x1=mark + 0.5, line={"color": edge, "width": 2}, fillcolor="rgba(0,0,0,0)")
    figure.update_layout(height=110 + ROW * len(rows), margin=charts.MARGIN)
    return figure


def fewer_tokens(figure: go.Figure, length: int) -> None:
    """As many tokens on the x axis as a narrow column has room for."""
    if length > NARROW:
        figure.update_xaxes(nticks=NARROW, dtick=None)


def guesses(ranked: Sequence[tuple[str, float]], colour: str) -> go.Figure:
    """The most probable words at a blank: one bar a word."""
    words = [escape(word, quote=False) for word, _ in ranked]
    return charts.answer_bars(words, np.array([share for _, share in ranked]), [colour] * len(words))
