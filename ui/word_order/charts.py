"""The figures of the page about word order, made from arrays. No Streamlit and no models."""

from collections.abc import Sequence
from html import escape

import numpy as np

from lstm_core.inference import WordScore
from ui.common import charts, theme
from ui.common.figure import Figure
from ui.word_order.word_chips import SURPRISAL_COLOUR

BAG, BAG_NAME = theme.CLASS_COLOURS[5], "bag of words"
LSTM_NAME, LSTM, _ = theme.CELL_LINES["lstm"]
MAX_NUMBERED = 16  # bars that have room for their number on a phone


def surprisals(score: WordScore) -> Figure:
    """A bar for each word and one for the sentence's end; words outside the vocabulary are hatched."""
    names = [*score.words, "(end)"]
    figure = Figure().add_bar(
        x=np.arange(len(names)),
        y=score.surprisal,
        marker={
            "color": SURPRISAL_COLOUR,
            "pattern": {"shape": ["" if known else "/" for known in score.known] + [""], "fillmode": "replace"},
        },
        text=[f"{value:.1f}" for value in score.surprisal] if len(names) <= MAX_NUMBERED else None,
        textposition="outside",
        textfont_size=15,
        cliponaxis=False,
        customdata=np.column_stack(
            [
                [escape(name, quote=False) for name in names],
                [f"{share:.2%}" if share < 0.1 else f"{share:.0%}" for share in np.exp(-score.surprisal)],
                [escape(word, quote=False) for word in score.expected],
                [f"{share:.0%}" for share in score.confidence],
            ]
        ),
        hovertemplate="<b>%{customdata[0]}</b><br>surprisal %{y:.2f} nats, probability %{customdata[1]}<br>"
        "most probable: %{customdata[2]}, %{customdata[3]}<extra></extra>",
    )
    figure.update_layout(height=320, margin_t=28, bargap=0.25, showlegend=False)
    charts.token_axis(figure, names)
    figure.update_xaxes(tickfont_size=15, fixedrange=True, autotickangles=[0, -45, -90])
    figure.update_xaxes(tickangle=None)  # as flat as there is room for
    return figure.update_yaxes(title="surprisal in nats", fixedrange=True, rangemode="tozero")


def spread(nats: np.ndarray, original: float, now: float) -> Figure:
    """Histogram of (n,) nats per word of the tried orders, with that of the typed order and of the one now marked."""
    figure = Figure().add_histogram(
        x=nats,
        nbinsx=60,
        marker_color=SURPRISAL_COLOUR,
        opacity=0.75,
        hovertemplate="%{x} nats per word: %{y} orders<extra></extra>",
    )
    marks = [("as typed", original, 1.0)] + ([("now", now, 0.85)] if abs(now - original) > 1e-6 else [])
    middle = (float(nats.min()) + float(nats.max())) / 2
    for name, place, height in marks:
        left = place > middle
        figure.add_vline(
            x=place, line={"color": theme.contrast_colour(), "width": 3, "dash": "dot" if name == "now" else "solid"}
        )
        side = {"xanchor": "right", "xshift": -6} if left else {"xanchor": "left", "xshift": 6}
        figure.add_annotation(
            x=place, y=height, yref="paper", text=f"<b>{name}</b>", showarrow=False, font_size=16, **side
        )
    figure.update_layout(height=280, margin_t=28, bargap=0.03, showlegend=False)
    figure.update_xaxes(title="nats per word", fixedrange=True)
    return figure.update_yaxes(title="orders", fixedrange=True)


def positive(names: Sequence[str], bag: np.ndarray, lstm: np.ndarray) -> Figure:
    """The (n,) probabilities of "positive" by two classifiers: a row for each order, its words above two marks."""
    figure = Figure()
    rows = np.arange(len(names))
    for label, values, colour, symbol in ((BAG_NAME, bag, BAG, "square"), (LSTM_NAME, lstm, LSTM, "circle")):
        figure.add_scatter(
            x=values,
            y=rows,
            name=label,
            mode="markers",
            marker={"size": 16, "symbol": symbol, "color": colour},
            customdata=[escape(name, quote=False) for name in names],
            hovertemplate="%{customdata}<br>" + label + ": %{x:.2%}<extra></extra>",
            cliponaxis=False,
        )
    figure.add_vline(x=float(bag[0]), line={"color": BAG, "width": 2, "dash": "dot"}, layer="below")
    for row, name in enumerate(names):
        figure.add_annotation(
            x=0, y=row, xref="paper", text=escape(name if len(name) <= 46 else name[:45] + "…", quote=False),
            showarrow=False, xanchor="left", yanchor="bottom", yshift=11,
            bgcolor=theme.background(), font_size=15,
        )  # fmt: skip
    figure.update_layout(height=120 + 62 * len(names))
    figure.update_xaxes(range=[-0.04, 1.04], tickformat=".0%", tickvals=[0, 0.25, 0.5, 0.75, 1])
    figure.update_xaxes(title="probability of “positive”", fixedrange=True)
    rows_range = [len(names) - 0.5, -0.9]
    return figure.update_yaxes(range=rows_range, showticklabels=False, showgrid=False, zeroline=False, fixedrange=True)
