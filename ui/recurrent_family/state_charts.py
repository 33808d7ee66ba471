"""The figures of the encoder–decoder, made from arrays. No Streamlit, no models, no sums: arrays in, a figure out."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ui.common import charts, theme

HEIGHT = 440  # of the diagram
GAP = "␣"  # how a space is shown
MOST_CHARACTERS = 36  # on an axis: as many as stay readable on a phone
MOST_BOXES = 8  # of a row of the diagram: as many as stay readable on a phone
RIGHT, WRONG = theme.CLASS_COLOURS[3], theme.CLASS_COLOURS[1]
EXACT, WORDS = theme.CLASS_COLOURS[0], theme.CLASS_COLOURS[3]


def diagram(digits: Sequence[str], h: np.ndarray, c: np.ndarray, characters: Sequence[str], reach: float) -> go.Figure:
    """Encoder, the state that is handed over, decoder: two rows of cells with the strip of h and c between them.

    Args:
        digits: what is read, length T.
        h: (units,) handed over.
        c: (units,) handed over.
        characters: what is written.
        reach: where the colour scale of c ends; that of h ends at 1.
    """
    figure = make_subplots(3, 1, row_heights=[0.28, 0.44, 0.28], vertical_spacing=0.17)
    read = list(digits) if len(digits) <= MOST_BOXES else ["…", *digits[-MOST_BOXES + 1 :]]
    written = list(characters) if len(characters) <= MOST_BOXES else [*characters[: MOST_BOXES - 1], "…"]
    _cells(figure, 1, read, theme.SIGNALS["i"].colour, first=MOST_BOXES - len(read))
    _cells(figure, 3, written, theme.SIGNALS["o"].colour, first=0)
    high, low = theme.diverging_colours()
    figure.add_heatmap(
        z=np.stack([c / reach, h]).clip(-1, 1).astype(np.float32),
        customdata=np.stack([c, h]).astype(np.float32),
        y=["c", "h"],
        colorscale=[(0.0, low), (0.5, theme.neutral_colour()), (1.0, high)],
        zmin=-1,
        zmax=1,
        showscale=False,
        hovertemplate="unit %{x}<br>%{y} = %{customdata:.3f}<extra></extra>",
        row=2,
        col=1,
    )
    figure.update_yaxes(tickfont_size=17, fixedrange=True, row=2, col=1)
    figure.update_xaxes(visible=False, fixedrange=True, row=2, col=1)
    figure.update_layout(height=HEIGHT, margin={"l": 8, "r": 8, "t": 30, "b": 8}, showlegend=False)
    _title(figure, "The encoder reads", figure.layout.yaxis.domain[1])
    _title(figure, f"State: {h.size + c.size} numbers", figure.layout.yaxis2.domain[1])
    _title(figure, "The decoder writes", figure.layout.yaxis3.domain[1])
    last, strip = figure.layout.yaxis.domain[0], figure.layout.yaxis2.domain
    ends = [(place + 0.6) / (MOST_BOXES + 0.2) for place in (MOST_BOXES - 1, 0)]  # under the last box, over the first
    _arrow(figure, ends[0], last + 0.05, strip[1] + 0.01)
    _arrow(figure, ends[1], strip[0] - 0.01, figure.layout.yaxis3.domain[1] - 0.05)
    return figure


def _cells(figure: go.Figure, row: int, names: Sequence[str], colour: str, first: int) -> None:
    """A row of boxes from place `first`, each with an arrow to the next."""
    places = np.arange(len(names)) + first
    figure.add_scatter(
        x=places,
        y=np.zeros(len(names)),
        mode="lines+markers+text",
        text=[f"<b>{escape(name, quote=False)}</b>" for name in names],
        textfont={"size": 18, "color": "#FFFFFF"},
        line={"color": colour, "width": 3},
        marker={"symbol": "square", "size": 30, "color": colour, "line": {"width": 0}},
        hoverinfo="skip",
        row=row,
        col=1,
    )
    figure.update_xaxes(visible=False, range=[-0.6, MOST_BOXES - 0.4], fixedrange=True, row=row, col=1)
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True, row=row, col=1)


def _title(figure: go.Figure, text: str, y: float) -> None:
    figure.add_annotation(
        text=text, x=0.5, y=y, xref="paper", yref="paper", yanchor="bottom", showarrow=False, font_size=16
    )


def _arrow(figure: go.Figure, x: float, start: float, end: float) -> None:
    """Downwards, from and to a share of the figure's height."""
    figure.add_annotation(
        text="", x=x, y=end, xref="paper", yref="paper", showarrow=True, arrowhead=2, arrowwidth=3,
        arrowcolor="#888888", ax=0, ay=-(start - end) * (HEIGHT - 38),
    )  # fmt: skip


def confidence(characters: Sequence[str], sure: np.ndarray, right: Sequence[bool]) -> go.Figure:
    """How probable each written character was to the network itself; the wrong ones are marked.

    Args:
        characters: n of them.
        sure: (n,) 0…1.
        right: for each whether it is the true one.
    """
    figure = go.Figure()
    figure.add_scatter(
        x=np.arange(len(sure)), y=sure, mode="lines", line={"color": "#888888", "width": 1.5}, showlegend=False,
        hoverinfo="skip",
    )  # fmt: skip
    chosen = np.asarray(right, bool)
    for name, places, colour, symbol in (
        ("right", np.flatnonzero(chosen), RIGHT, "circle"),
        ("wrong", np.flatnonzero(~chosen), WRONG, "x"),
    ):
        figure.add_scatter(
            x=places, y=sure[places], mode="markers", name=name,
            marker={"color": colour, "symbol": symbol, "size": 10},
            hovertemplate="%{x}: %{y:.1%}",
        )  # fmt: skip
    figure.update_layout(height=300, margin=charts.MARGIN | {"t": 48}, legend=charts.LEGEND)
    figure.update_yaxes(range=[-0.02, 1.06], tickformat=".0%", title="probability", fixedrange=True)
    character_axis(figure, characters)
    return figure


def character_axis(figure: go.Figure, characters: Sequence[str]) -> None:
    """Each character below its step, or where they are too many each word below its first character."""
    if len(characters) <= MOST_CHARACTERS:
        charts.token_axis(figure, characters)
        figure.update_xaxes(tickangle=0, dtick=1)
        return
    starts = [
        place for place, sign in enumerate(characters) if sign != GAP and characters[place - 1 : place] in ([], [GAP])
    ]
    words = "".join(characters).split(GAP)
    figure.update_xaxes(
        tickvals=starts, ticktext=[escape(word, quote=False) for word in words if word], tickangle=-90,
        tickfont_size=13, showgrid=False, range=[-0.5, len(characters) - 0.5],
    )  # fmt: skip


def by_size(
    sizes: Sequence[int],
    curves: dict[str, Sequence[float]],
    trained: tuple[int, int],
    title: str,
    now: int | None = None,
) -> go.Figure:
    """Shares that are right, against the size of what is read; the sizes that were trained on lie on a band.

    Args:
        sizes: digits of a number, or depth of a tree.
        curves: name → shares 0…1, at most three.
        trained: the first and the last size of training.
        title: of the axis of sizes.
        now: the size of what is on screen, if it is among the sizes.
    """
    figure = go.Figure()
    figure.add_vrect(
        x0=trained[0] - 0.5, x1=trained[1] + 0.5, fillcolor="#888888", opacity=0.16, line_width=0,
        annotation_text="trained on", annotation_position="bottom left",
    )  # fmt: skip
    looks = ((EXACT, "solid", "circle"), (WORDS, "dash", "diamond"), ("#888888", "dot", "square"))
    for (name, values), (colour, dash, symbol) in zip(curves.items(), looks, strict=False):
        figure.add_scatter(
            x=list(sizes), y=list(values), name=name, mode="lines+markers",
            line={"color": colour, "width": 3, "dash": dash}, marker={"symbol": symbol, "size": 9},
            hovertemplate="%{y:.1%}",
        )  # fmt: skip
    if now is not None and now in sizes:
        figure.add_vline(x=now, line={"color": "#888888", "dash": "dot", "width": 2})
        figure.add_annotation(
            x=now, y=1.02, yref="paper", text="here", showarrow=False, font={"size": 14}, yanchor="bottom"
        )
    figure.update_layout(
        height=360, margin=charts.MARGIN | {"t": 76}, hovermode="x unified", legend=charts.LEGEND | {"y": 1.06}
    )
    figure.update_xaxes(title=title, dtick=1, fixedrange=True)
    figure.update_yaxes(range=[-0.03, 1.05], tickformat=".0%", title="right", fixedrange=True)
    return figure
