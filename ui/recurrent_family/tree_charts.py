"""The figures of the recursive network, made from arrays. No Streamlit, no models, no sums: arrays in, a figure out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from ui.common import charts, theme

WRONG = "#D0021B"
SHORT = ("−−", "−", "0", "+", "++")  # in the circles: a word would not fit on a phone


def class_colours() -> list[str]:
    """From very bad to very good: the two sides of every scale, paler towards the middle."""
    high, low = theme.diverging_colours()
    return [low, _mixed(low, theme.neutral_colour(), 0.5), "#8A8F98", _mixed(high, theme.neutral_colour(), 0.5), high]


def _mixed(first: str, second: str, share: float) -> str:
    parts = [
        round(int(a, 16) * (1 - share) + int(b, 16) * share)
        for a, b in zip(*([text[place : place + 2] for place in (1, 3, 5)] for text in (first, second)), strict=True)
    ]
    return "#" + "".join(f"{part:02X}" for part in parts)


def tree(
    places: np.ndarray,
    children: Sequence[tuple[int, int]],
    words: Sequence[str],
    texts: Sequence[str],
    answers: Sequence[int | None],
    labels: Sequence[str],
    wrong: Sequence[int],
    chosen: int,
) -> go.Figure:
    """A tree with its words below; a circle a node, in the colour and with the sign of its answer.

    Args:
        places: (n, 2) x and y of each node.
        children: the two of each node; (-1, -1) for a word.
        words: of the leaves, empty elsewhere.
        texts: what each node stands for.
        answers: the class of each node; None where none is asked for.
        labels: the classes.
        wrong: nodes with a wrong answer; they get a ring.
        chosen: the node that is marked.
    """
    figure = go.Figure()
    _branches(figure, places, children)
    ink = "#E8ECF2" if theme.is_dark() else "#1A2029"
    if wrong:
        figure.add_scatter(
            x=places[list(wrong), 0], y=places[list(wrong), 1], mode="markers", name="wrong", hoverinfo="skip",
            marker={"size": 40, "color": "rgba(0,0,0,0)", "line": {"color": WRONG, "width": 4}},
        )  # fmt: skip
    size = 30 if sum(map(bool, words)) <= 12 else 20
    rows = [(label, sign, colour) for label, sign, colour in zip(labels, SHORT, class_colours(), strict=True)]
    for index, (label, sign, colour) in enumerate(rows):
        own = [place for place, answer in enumerate(answers) if answer == index]
        _nodes(figure, places, own, f"{sign} {label}", sign, colour, size, texts, label)
    silent = [place for place, answer in enumerate(answers) if answer is None]
    _nodes(figure, places, silent, "no answer asked", "", theme.neutral_colour(), size // 2, texts, "no answer asked")
    figure.add_scatter(
        x=places[[chosen], 0], y=places[[chosen], 1], mode="markers", hoverinfo="skip", showlegend=False,
        marker={"size": size + 12, "symbol": "square-open", "color": ink, "line": {"width": 3}},
    )  # fmt: skip
    leaves = [place for place, word in enumerate(words) if word]
    height = float(places[:, 1].max())
    figure.update_layout(
        height=int(200 + 62 * height), margin=charts.MARGIN | {"t": 70, "b": 60},
        legend=charts.LEGEND | {"font": {"size": 14}},
        clickmode="event+select", dragmode=False,
    )  # fmt: skip
    figure.update_xaxes(
        tickvals=[float(places[place, 0]) for place in leaves], ticktext=[words[place] for place in leaves],
        tickangle=0 if len(leaves) <= 5 else -90, tickfont={"size": 16, "color": ink}, showgrid=False, zeroline=False,
        range=[-0.6, len(leaves) - 0.4], fixedrange=True,
    )  # fmt: skip
    figure.update_yaxes(visible=False, range=[-0.6, height + 0.6], fixedrange=True)
    return figure


def _branches(figure: go.Figure, places: np.ndarray, children: Sequence[tuple[int, int]]) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    for place, pair in enumerate(children):
        for child in pair:
            if child >= 0:
                x += [float(places[place, 0]), float(places[child, 0]), None]
                y += [float(places[place, 1]), float(places[child, 1]), None]
    figure.add_scatter(
        x=x, y=y, mode="lines", line={"color": "#888888", "width": 2}, hoverinfo="skip", showlegend=False
    )


def _nodes(
    figure: go.Figure,
    places: np.ndarray,
    own: Sequence[int],
    name: str,
    sign: str,
    colour: str,
    size: int,
    texts: Sequence[str],
    answer: str,
) -> None:
    """The nodes of one class; an empty class keeps its entry in the legend, so that colours can be read."""
    dark_text = sign == "0" or (sign in ("−", "+")) != theme.is_dark()  # paler is darker in a dark theme
    figure.add_scatter(
        x=places[own, 0] if own else [None],
        y=places[own, 1] if own else [None],
        mode="markers+text",
        name=name,
        text=[sign] * max(len(own), 1),
        textfont={"size": 15 if size > 20 else 11, "color": "#10141C" if dark_text else "#FFFFFF"},
        marker={"size": size, "color": colour, "line": {"color": "#888888", "width": 1}, "opacity": 1},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=[[place] for place in own] or [[-1]],
        hovertext=[f"{texts[place]}: {answer}" for place in own] or [""],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def strips(rows: dict[str, np.ndarray]) -> go.Figure:
    """Vectors as strips, one above the other, on the two-sided scale from -1 to 1.

    Args:
        rows: name → (units,).
    """
    high, low = theme.diverging_colours()
    figure = go.Figure(
        go.Heatmap(
            z=np.stack(list(rows.values())).astype(np.float32),
            y=list(rows),
            colorscale=[(0.0, low), (0.5, theme.neutral_colour()), (1.0, high)],
            zmin=-1,
            zmax=1,
            ygap=6,
            colorbar={"thickness": 12, "tickvals": [-1, 0, 1]},
            hovertemplate="unit %{x}<br>%{z:.3f}<extra></extra>",
        )
    )
    figure.update_layout(height=60 + 54 * len(rows), margin=charts.MARGIN)
    figure.update_xaxes(visible=False, fixedrange=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont_size=14)
    return figure
