"""The Plotly figures that several pages share, made from arrays. No Streamlit widgets and no models."""

import hashlib
from collections.abc import Iterable, Sequence
from html import escape

import numpy as np

from lstm_core import exhibit
from lstm_core.exhibit import colour_limit, is_share
from ui.common import theme
from ui.common.figure import Figure
from ui.common.plotting import add_bars, add_line, signed
from ui.common.shared_cache import CACHE

MAX_LABELS = 60  # as many tokens as a wide figure has room for; in a narrow one `frame.css` hides some


def answer_bars(labels: Sequence[str], probabilities: np.ndarray, colours: Sequence[str]) -> Figure:
    """A horizontal bar for each class in its colour, with its probability beside it, from (classes,) probabilities."""
    figure = Figure()
    names, texts = [_class_name(label) for label in labels], [f"{value:.1%}" for value in probabilities]
    hover = "%{y}: %{x:.2%}<extra></extra>"
    add_bars(figure, probabilities, names, list(colours), texts, textfont_size=16, hovertemplate=hover)
    figure.update_layout(height=84 + 40 * len(labels), margin={"t": 8, "r": 64}, bargap=0.3)
    figure.update_xaxes(range=[0, 1], tickformat=".0%", tickvals=[0, 0.5, 1], title="probability", fixedrange=True)
    return figure.update_yaxes(autorange="reversed", tickfont_size=16, fixedrange=True)


def answer_so_far(
    tokens: Sequence[str], labels: Sequence[str], probabilities: np.ndarray, colours: Sequence[str]
) -> Figure:
    """The probability of each class after each of T tokens, as lines in their colours, from (T, classes) of them."""
    names = [_class_name(label) for label in labels]
    lines = zip(names, probabilities.T, colours, theme.CLASS_DASHES, strict=False)
    return _probabilities(tokens, lines, "probability so far", height=400)


def two_curves(
    tokens: Sequence[str],
    name: str,
    curves: Sequence[np.ndarray],
    divergence: int | None,
    names: tuple[str, str] = ("first text", "second text"),
) -> Figure:
    """The probability of one class in two aligned texts, or in one text that was read twice.

    Args:
        tokens: length A, one for each row of the alignment.
        name: of the class.
        curves: two of (A,), NaN where a text has not begun.
        divergence: the row at which the answers diverge, if they do.
        names: of the two curves.
    """
    lines = zip(names, curves, ("#0072B2", "#D55E00"), ("solid", "dash"), strict=True)
    figure = _probabilities(tokens, lines, f"{name} so far", height=360)
    if divergence is not None:
        figure.add_vline(x=divergence, line={"color": "#888888", "dash": "dot", "width": 2})
    return figure


def _probabilities(
    tokens: Sequence[str], lines: Iterable[tuple[str, np.ndarray, str, str]], title: str, height: int
) -> Figure:
    """Probabilities over tokens: a line for each name, (T,) values, colour and dash."""
    figure = Figure()
    mode = "lines+markers" if len(tokens) <= 60 else "lines"
    for name, values, colour, dash in lines:
        add_line(figure, np.arange(len(tokens)), values, name, colour, dash=dash, mode=mode, hovertemplate="%{y:.1%}")
    figure.update_layout(height=height, hovermode="x unified")
    figure.update_yaxes(range=[-0.02, 1.02], tickformat=".0%", title=title)
    token_axis(figure, tokens)
    return figure


def heatmap(
    tokens: Sequence[str],
    letter: str,
    values: np.ndarray,
    order: np.ndarray,
    chosen: int | None,
    limit: float | None = None,
) -> Figure:
    """One signal of all units over all tokens, with the chosen token marked.

    Args:
        tokens: length T.
        letter: the signal.
        values: (T, units).
        order: the unit in each row, from the top; all units or some of them.
        chosen: the marked timestep, if any.
        limit: where the colour scale of a state ends, so that two maps can share it; see `colour_limit`.
    """
    signal = theme.SIGNALS[letter]
    share = is_share(letter, values)
    limit = 1.0 if share else limit or colour_limit(values)
    figure = Figure().add_heatmap(
        z=np.ascontiguousarray(values.T[order], dtype=np.float32),
        customdata=np.broadcast_to(order[:, None].astype(np.int16), (len(order), len(tokens))),
        colorscale=theme.colour_scale(letter, share=share),
        zmin=0.0 if share else -limit,
        zmax=limit,
        colorbar={"title": {"text": letter, "side": "top"}, "thickness": 12, "len": 0.9},
        hovertemplate=f"unit %{{customdata}}<br>token %{{x}}<br>{signal.name} %{{z:.3f}}<extra></extra>",
    )
    if chosen is not None:
        line = {"color": theme.contrast_colour(), "width": 2}
        figure.add_vrect(x0=chosen - 0.5, x1=chosen + 0.5, line=line, fillcolor="rgba(0,0,0,0)")
    figure.update_layout(height=460, margin_t=28)
    figure.update_yaxes(autorange="reversed", title=rows_in_words(order, values), showticklabels=False)
    token_axis(figure, tokens)
    return figure


def rows_in_words(order: np.ndarray, values: np.ndarray) -> str:
    """How many of the units of (T, units) values the rows of a `heatmap` show: "128 units", or "64 of 128 units"."""
    shown, units = len(order), values.shape[1]
    return f"{units} units" if shown == units else f"{shown} of {units} units"


def signed_bars(names: Sequence[str], values: np.ndarray, title: str, colours: tuple[str, str]) -> Figure:
    """Named (n,) changes of a probability, -1…1, in the order given; `colours` of those above and below zero."""
    limit = max(float(np.abs(values).max(initial=0.0)) * 1.25, 1e-4)
    figure, places = Figure(), list(range(len(values)))
    bar_colours = [colours[0] if value > 0 else colours[1] for value in values]
    texts = [signed(value, ".1%" if limit > 0.05 else ".2%") for value in values]
    escaped, hover = [escape(name, quote=False) for name in names], "%{customdata}: %{x:+.2%}<extra></extra>"
    add_bars(figure, values, places, bar_colours, texts, customdata=escaped, hovertemplate=hover)
    figure.update_xaxes(
        range=[-limit, limit], tickformat="+.0%" if limit > 0.05 else "+.2%", title=title, fixedrange=True
    )
    ticks = {"tickvals": list(range(len(names))), "ticktext": [escape(name[:24], quote=False) for name in names]}
    figure.update_yaxes(autorange="reversed", fixedrange=True, **ticks)
    return figure.update_layout(height=90 + 24 * len(names), margin={"t": 8, "r": 48})


def one_unit(tokens: Sequence[str], signals: dict[str, np.ndarray]) -> Figure:
    """The cell state c and the gates i and f of one unit, each (T,), over a short text of T tokens, as steps."""
    figure = Figure(2, 1, shared_xaxes=True, row_heights=[0.62, 0.38], vertical_spacing=0.08)
    for letter, row in (("c", 1), ("i", 2), ("f", 2)):
        signal = theme.SIGNALS[letter]
        figure.add_scatter(
            x=np.arange(len(tokens)),
            y=signals[letter],
            name=f"{signal.name} {letter}",
            mode="lines+markers",
            line={"color": signal.colour, "width": 3, "shape": "hvh"},
            fill="tozeroy" if letter == "c" else None,
            hovertemplate="%{y:.3f}",
            row=row,
            col=1,
        )
    figure.update_layout(height=380, hovermode="x unified")
    figure.update_yaxes(fixedrange=True, nticks=5, title="cell state", row=1, col=1)
    figure.update_yaxes(fixedrange=True, range=[-0.1, 1.1], tickvals=[0, 1], title="gates", row=2, col=1)
    token_axis(figure, tokens)
    return figure.update_xaxes(fixedrange=True)


def timestep(signals: dict[str, np.ndarray], units: np.ndarray) -> Figure:
    """Up to six signals at one timestep, each (units,): a bar chart of the chosen units for each, in its colour."""
    names = [f"{theme.SIGNALS[letter].name} {letter}" for letter in signals]
    figure = Figure(2, 3, shared_yaxes=True, subplot_titles=names, horizontal_spacing=0.04, vertical_spacing=0.16)
    for index, (letter, values) in enumerate(signals.items()):
        signal, row, column = theme.SIGNALS[letter], index // 3 + 1, index % 3 + 1
        share = is_share(letter, values)
        limit = 1.0 if share else max(1.0, float(np.abs(values).max()))
        figure.add_bar(
            x=values[units],
            y=[f"unit {unit}" for unit in units],
            orientation="h",
            name=names[index],
            marker_color=signal.colour,
            hovertemplate=f"%{{y}}<br>{signal.name} %{{x:.3f}}<extra></extra>",
            row=row,
            col=column,
        )
        ends = {"range": [0, 1.1], "tickvals": [0, 1]} if share else {"range": [-1.2 * limit, 1.2 * limit], "nticks": 3}
        figure.update_xaxes(**ends, row=row, col=column)
    figure.update_xaxes(fixedrange=True, zeroline=True)
    figure.update_yaxes(autorange="reversed", fixedrange=True)
    return figure.update_layout(height=520, margin_t=36, showlegend=False)


def token_axis(figure: Figure, tokens: Sequence[str]) -> None:
    """Label the x axis with tokens: as many as fit, more of them after zooming in."""
    # Plotly takes tags in a label as formatting; a token is shown as it is.
    names = {str(index): escape(token[:14], quote=False) for index, token in enumerate(tokens)}
    figure.update_xaxes(
        labelalias=names,
        tickformat="d",
        separatethousands=False,
        **({"dtick": 1} if len(tokens) <= MAX_LABELS else {"nticks": MAX_LABELS}),
        tickangle=-90 if max(map(len, tokens), default=0) > 2 else 0,
        ticklabeloverflow="allow",
        range=[-0.5, max(len(tokens) - 0.5, 0.5)],
        showgrid=False,
    )
    figure.update_xaxes(title="token", row=figure.rows)


def similarity_order(values: np.ndarray) -> np.ndarray:
    """`exhibit.similarity_order` of (T, units) values, computed once for all visitors."""
    key = "order", values.shape, hashlib.blake2b(np.ascontiguousarray(values).data).digest()
    return CACHE.get(key, lambda: exhibit.similarity_order(values))


def _class_name(label: str) -> str:
    """The display name of a label, in which Plotly finds no markup."""
    return escape(theme.class_name(label), quote=False)
