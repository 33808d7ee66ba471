"""The figures of the recursive network, made from arrays. No Streamlit, no models: arrays in, a figure out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ui.common import theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

WRONG = "#D0021B"
SYMBOLS = ("−−", "−", "0", "+", "++")  # of the classes, in the nodes: a word would not fit on a phone
NO_ANSWER = "no target in training"


@dataclass(frozen=True)
class Node:
    """A node of a tree as it is drawn."""

    x: float  # its place from left to right; leaves have whole numbers
    y: float  # its height above the leaves
    children: tuple[int, ...]  # the indices of its two children; empty for a leaf
    word: str  # of a leaf; else empty
    text: str  # the part of the sentence that it stands for
    answer: int | None  # its class; None if it has no target


def class_colours() -> list[str]:
    """From very bad to very good: the diverging colours, paler towards the middle."""
    high, low = theme.diverging_colours()
    return [low, _mixed(low, theme.neutral_colour()), "#8A8F98", _mixed(high, theme.neutral_colour()), high]


def _mixed(first: str, second: str) -> str:
    """The colour half way between two."""
    pairs = ((int(first[place : place + 2], 16), int(second[place : place + 2], 16)) for place in (1, 3, 5))
    return "#" + "".join(f"{round((a + b) / 2):02X}" for a, b in pairs)


def tree(nodes: Sequence[Node], labels: Sequence[str], wrong: Sequence[int], chosen: int) -> Figure:
    """A tree with its words below; each node is a circle with the colour and the symbol of its answer.

    Args:
        nodes: children before their parents.
        labels: the classes.
        wrong: nodes with a wrong answer; they get a ring.
        chosen: the node that is marked.
    """
    figure = Figure()
    x: list[float | None] = []
    y: list[float | None] = []
    for node in nodes:
        for child in node.children:
            x += [node.x, nodes[child].x, None]
            y += [node.y, nodes[child].y, None]
    add_line(figure, x, y, "", "#888888", width=2, hoverinfo="skip", showlegend=False)
    ink = theme.contrast_colour()
    if wrong:
        figure.add_scatter(
            x=[nodes[place].x for place in wrong], y=[nodes[place].y for place in wrong], mode="markers", name="wrong",
            marker={"size": 40, "color": "rgba(0,0,0,0)", "line": {"color": WRONG, "width": 4}}, hoverinfo="skip",
        )  # fmt: skip
    leaves = [node for node in nodes if node.word]
    size = 30 if len(leaves) <= 12 else 20
    for answer, (label, symbol, colour) in enumerate(zip(labels, SYMBOLS, class_colours(), strict=True)):
        _circles(figure, nodes, answer, label, symbol, colour, size)
    _circles(figure, nodes, None, NO_ANSWER, "", theme.neutral_colour(), size // 2)
    figure.add_scatter(
        x=[nodes[chosen].x], y=[nodes[chosen].y], mode="markers", hoverinfo="skip", showlegend=False,
        marker={"size": size + 12, "symbol": "square-open", "color": ink, "line": {"width": 3}},
    )  # fmt: skip
    height = max(node.y for node in nodes)
    figure.update_layout(
        height=int(200 + 62 * height),
        margin={"t": 70, "b": 60},
        legend_font_size=14,
        clickmode="event+select",
        dragmode=False,
    )
    figure.update_xaxes(
        tickvals=[node.x for node in leaves], ticktext=[node.word for node in leaves],
        tickangle=0 if len(leaves) <= 5 else -90, tickfont={"size": 16, "color": ink}, showgrid=False, zeroline=False,
        range=[-0.6, len(leaves) - 0.4], fixedrange=True,
    )  # fmt: skip
    return figure.update_yaxes(visible=False, range=[-0.6, height + 0.6], fixedrange=True)


def _circles(
    figure: Figure, nodes: Sequence[Node], answer: int | None, label: str, symbol: str, colour: str, size: int
) -> None:
    """The nodes with one answer; a class without nodes keeps its entry in the legend."""
    own = [place for place, node in enumerate(nodes) if node.answer == answer]
    dark_text = symbol == "0" or (symbol in ("−", "+")) != theme.is_dark()  # a paler colour is darker in a dark theme
    figure.add_scatter(
        x=[nodes[place].x for place in own] or [np.nan],
        y=[nodes[place].y for place in own] or [np.nan],
        mode="markers+text",
        name=f"{symbol} {label}".strip(),
        text=[symbol] * max(len(own), 1),
        textfont={"size": 15 if size > 20 else 11, "color": "#10141C" if dark_text else "#FFFFFF"},
        marker={"size": size, "color": colour, "line": {"color": "#888888", "width": 1}, "opacity": 1},
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=[[place] for place in own] or [[-1]],
        hovertext=[f"{nodes[place].text}: {label}" for place in own] or [""],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def vectors(rows: dict[str, np.ndarray]) -> Figure:
    """Vectors, each (units,), as rows of a heat map with a diverging scale from −1 to 1."""
    figure = Figure().add_heatmap(
        z=np.stack(list(rows.values())).astype(np.float32), y=list(rows), colorscale=theme.colour_scale("h"),
        zmin=-1, zmax=1, ygap=6, colorbar={"thickness": 12, "tickvals": [-1, 0, 1]},
        hovertemplate="unit %{x}<br>%{z:.3f}<extra></extra>",
    )  # fmt: skip
    figure.update_layout(height=60 + 54 * len(rows), margin_t=28)
    figure.update_xaxes(visible=False, fixedrange=True)
    return figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont_size=14)
