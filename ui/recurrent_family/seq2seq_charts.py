"""The figures of the encoder–decoder, made from arrays. No Streamlit, no models: arrays in, a figure out."""

from collections.abc import Sequence
from html import escape

import numpy as np

from ui.common import charts, theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

HEIGHT = 440  # of the diagram
SPACE = "␣"  # how a space is shown
MAX_CHARACTERS = 36  # on an axis: as many as stay readable on a phone
MAX_BOXES = 8  # in a row of the diagram: as many as stay readable on a phone


def diagram(digits: Sequence[str], h: np.ndarray, c: np.ndarray, characters: Sequence[str], limit: float) -> Figure:
    """Encoder and decoder as two rows of cells, with h and c between them as a heat map.

    Args:
        digits: the input, length T.
        h: (units,) final hidden state of the encoder.
        c: (units,) final cell state of the encoder.
        characters: the output.
        limit: where the colour scale of c ends; that of h ends at 1.
    """
    figure = Figure(3, 1, row_heights=[0.28, 0.44, 0.28], vertical_spacing=0.17)
    read = list(digits) if len(digits) <= MAX_BOXES else ["…", *digits[-MAX_BOXES + 1 :]]
    written = list(characters) if len(characters) <= MAX_BOXES else [*characters[: MAX_BOXES - 1], "…"]
    _cells(figure, 1, read, theme.SIGNALS["i"].colour, first=MAX_BOXES - len(read))
    _cells(figure, 3, written, theme.SIGNALS["o"].colour, first=0)
    figure.add_heatmap(
        z=np.stack([c / limit, h]).clip(-1, 1).astype(np.float32), customdata=np.stack([c, h]).astype(np.float32),
        y=["c", "h"], colorscale=theme.colour_scale("h"), zmin=-1, zmax=1, showscale=False,
        hovertemplate="unit %{x}<br>%{y} = %{customdata:.3f}<extra></extra>", row=2, col=1,
    )  # fmt: skip
    figure.update_yaxes(tickfont_size=17, fixedrange=True, row=2, col=1)
    figure.update_xaxes(visible=False, fixedrange=True, row=2, col=1)
    figure.update_layout(height=HEIGHT, margin_t=30, showlegend=False)
    rows = [figure.settings[name]["domain"] for name in ("yaxis", "yaxis2", "yaxis3")]
    titles = ("The encoder reads", f"State: {h.size + c.size} numbers", "The decoder writes")
    for text, (_, top) in zip(titles, rows, strict=True):
        figure.add_annotation(
            text=text, x=0.5, y=top, xref="paper", yref="paper", yanchor="bottom", showarrow=False, font_size=16
        )
    last, first = ((place + 0.6) / (MAX_BOXES + 0.2) for place in (MAX_BOXES - 1, 0))  # boxes: of the input, the output
    _arrow(figure, last, rows[0][0] + 0.05, rows[1][1] + 0.01)
    _arrow(figure, first, rows[1][0] - 0.01, rows[2][1] - 0.05)
    return figure


def _cells(figure: Figure, row: int, names: Sequence[str], colour: str, first: int) -> None:
    """A row of boxes from place `first`, each connected to the next."""
    add_line(
        figure, np.arange(len(names)) + first, np.zeros(len(names)), "", colour, mode="lines+markers+text",
        text=[f"<b>{escape(name, quote=False)}</b>" for name in names], textfont={"size": 18, "color": "#FFFFFF"},
        marker={"symbol": "square", "size": 30, "color": colour, "line": {"width": 0}}, hoverinfo="skip",
        row=row, col=1,
    )  # fmt: skip
    figure.update_xaxes(visible=False, range=[-0.6, MAX_BOXES - 0.4], fixedrange=True, row=row, col=1)
    figure.update_yaxes(visible=False, range=[-1, 1], fixedrange=True, row=row, col=1)


def _arrow(figure: Figure, x: float, start: float, end: float) -> None:
    """An arrow downwards; all places are shares of the figure's width and height."""
    figure.add_annotation(
        text="", x=x, y=end, xref="paper", yref="paper", showarrow=True, arrowhead=2, arrowwidth=3,
        arrowcolor="#888888", ax=0, ay=-(start - end) * (HEIGHT - 38),
    )  # fmt: skip


def confidence(characters: Sequence[str], probabilities: np.ndarray, right: Sequence[bool]) -> Figure:
    """The (n,) probabilities that the network gave its n written characters; those that aren't `right` are marked."""
    figure = Figure()
    steps, correct = np.arange(len(probabilities)), np.asarray(right, bool)
    add_line(figure, steps, probabilities, "", "#888888", width=1.5, showlegend=False, hoverinfo="skip")
    for name, mask, colour, symbol in (
        ("right", correct, theme.CLASS_COLOURS[3], "circle"),
        ("wrong", ~correct, theme.CLASS_COLOURS[1], "x"),
    ):
        figure.add_scatter(
            x=steps[mask], y=probabilities[mask], mode="markers", name=name,
            marker={"color": colour, "symbol": symbol, "size": 10}, hovertemplate="%{x}: %{y:.1%}",
        )  # fmt: skip
    figure.update_layout(height=300, margin_t=48)
    figure.update_yaxes(range=[-0.02, 1.06], tickformat=".0%", title="probability", fixedrange=True)
    character_axis(figure, characters)
    return figure


def character_axis(figure: Figure, characters: Sequence[str]) -> None:
    """Label each step with its character, or, if they are too many, each word at its first character."""
    if len(characters) <= MAX_CHARACTERS:
        charts.token_axis(figure, characters)
        figure.update_xaxes(tickangle=0, dtick=1)
        return
    starts = [
        place
        for place, character in enumerate(characters)
        if character != SPACE and (place == 0 or characters[place - 1] == SPACE)
    ]
    words = [escape(word, quote=False) for word in "".join(characters).split(SPACE) if word]
    figure.update_xaxes(
        tickvals=starts, ticktext=words, tickangle=-90, tickfont_size=14, showgrid=False,
        range=[-0.5, len(characters) - 0.5],
    )  # fmt: skip
