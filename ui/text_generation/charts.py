"""The figures of the generation page, made from arrays. No Streamlit and no models."""

from collections.abc import Sequence
from html import escape

import numpy as np

from lstm_core.inference import Branch
from ui.common.figure import Figure
from ui.common.plotting import add_bars

_INVISIBLE = {"\n": "↵ line end", " ": "␣ space"}
MAX_FREQUENCIES = 40  # characters whose shares are shown
MODEL, SAMPLING, WRITTEN = "#8A8A8A", "#0072B2", "#D55E00"


def name_of(character: str) -> str:
    """A character on an axis; invisible ones by name."""
    return _INVISIBLE.get(character, escape(character, quote=False))


def visible(text: str) -> list[str]:
    """Each character as a tick label; spaces and line ends as symbols."""
    return [_INVISIBLE.get(character, character)[0] for character in text]


def chance(probability: float) -> str:
    """A probability as text; very small ones as "1 in n"."""
    return f"{probability:.1%}" if probability >= 0.001 else f"1 in {1 / max(probability, 1e-30):,.0f}"


def candidates(characters: Sequence[str], network: np.ndarray, sampling: np.ndarray, written: str, most: int) -> Figure:
    """The most probable next characters: probabilities of the model and of the sampling distribution.

    Args:
        characters: the alphabet.
        network: (alphabet,) probabilities at temperature 1.
        sampling: (alphabet,) after temperature and truncation.
        written: the character that was written; highlighted, and shown even if it was improbable.
        most: number of characters shown.
    """
    order = list(np.argsort(-network, kind="stable")[:most])
    place = characters.index(written)
    if place not in order:
        order[-1] = place
    names = [
        f"<b>{name_of(characters[index])}</b>" if index == place else name_of(characters[index]) for index in order
    ]
    figure = Figure()
    look = {"textfont_size": 14, "constraintext": "none"}  # else Plotly shrinks the text with the bars
    for label, values, colours in (
        ("model (temperature 1)", network, MODEL),
        ("sampling distribution", sampling, [WRITTEN if index == place else SAMPLING for index in order]),
    ):
        texts = [f"{value:.1%}" for value in values[order]]
        hover = "%{y}: %{x:.2%}<extra>" + label + "</extra>"
        add_bars(figure, values[order], names, colours, texts, name=label, hovertemplate=hover, **look)
    figure.update_layout(height=540, margin_r=64, bargap=0.15, bargroupgap=0.05, legend_traceorder="normal")
    figure.update_xaxes(range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], fixedrange=True)
    return figure.update_yaxes(autorange="reversed", fixedrange=True, tickfont_size=16)


def continuations(branches: Sequence[Branch], prompt_end: str) -> Figure:
    """The tree of continuations after the prompt's end; the width of a line is the probability of the step."""
    heights, depth = _heights(branches), max(len(branch.text) for branch in branches)
    figure = Figure()
    for branch, height in zip(branches[1:], heights[1:], strict=True):
        parent = branches[branch.parent]
        figure.add_scatter(
            x=[len(parent.text), len(branch.text)],
            y=[heights[branch.parent], height],
            mode="lines",
            line={"color": SAMPLING, "width": 1 + 11 * branch.probability / parent.probability, "shape": "spline"},
            opacity=0.45,
            hoverinfo="skip",
        )
    whole = [(branch, height) for branch, height in zip(branches, heights, strict=True) if branch.whole]
    figure.add_scatter(
        x=[len(branch.text) for branch in branches[1:]],
        y=heights[1:],
        mode="markers+text",
        marker={"size": 26, "color": "#DCEBF5", "line": {"color": SAMPLING, "width": 1}},
        text=[escape(visible(branch.text[-1])[0], quote=False) for branch in branches[1:]],
        textfont={"size": 17, "color": "#111111"},
        customdata=[
            (escape(branch.text, quote=False).replace("\n", "↵"), branch.probability) for branch in branches[1:]
        ],
        hovertemplate="“%{customdata[0]}”<br>probability %{customdata[1]:.3%}<extra></extra>",
    )
    figure.add_annotation(
        x=0, y=heights[0], text=f"…{escape(prompt_end, quote=False)}", showarrow=False, xanchor="right"
    )
    for branch, height in whole:
        label = chance(branch.probability)
        figure.add_annotation(x=depth, y=height, text=label, showarrow=False, xanchor="left", xshift=18)
    figure.update_layout(
        height=90 + 44 * len(whole), margin={"l": 8 + 9 * len(prompt_end), "r": 64, "t": 28}, showlegend=False
    )
    figure.update_xaxes(visible=False, range=[-0.1, depth + 0.2], fixedrange=True)
    return figure.update_yaxes(visible=False, autorange="reversed", fixedrange=True)


def _heights(branches: Sequence[Branch]) -> list[float]:
    """The vertical position of each node: leaves one below the other, parents in the middle of their children."""
    children: dict[int, list[int]] = {}
    for index, branch in enumerate(branches[1:], 1):
        children.setdefault(branch.parent, []).append(index)
    heights, leaf = [0.0] * len(branches), 0

    def place(node: int) -> float:
        nonlocal leaf
        below = sorted(children.get(node, []), key=lambda child: -branches[child].probability)
        if below:
            heights[node] = sum(place(child) for child in below) / len(below)
        else:
            heights[node] = leaf
            leaf += 1
        return heights[node]

    place(0)
    return heights


def frequencies(counts: Sequence[tuple[str, int]], total: int) -> Figure:
    """The shares of the most frequent characters in a text of `total` characters; `counts` begins with them."""
    shown = counts[:MAX_FREQUENCIES]
    figure = Figure().add_bar(
        x=[escape(visible(character)[0], quote=False) for character, _ in shown],
        y=[count / total for _, count in shown],
        customdata=[count for _, count in shown],
        marker_color=SAMPLING,
        hovertemplate="%{x}: %{customdata:,} times, %{y:.2%}<extra></extra>",
    )
    figure.update_layout(height=260, margin_t=28)
    figure.update_yaxes(tickformat=".0%", fixedrange=True)
    return figure.update_xaxes(type="category", fixedrange=True, tickfont_size=14, tickangle=0)
