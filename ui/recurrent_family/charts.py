"""The figures that several views of the recurrent family share. No Streamlit, no models: arrays in, a figure out."""

from collections.abc import Mapping, Sequence

import numpy as np

from ui.common import charts, theme
from ui.common.figure import Figure
from ui.common.plotting import add_line

ROW = 116  # pixels of one signal
MAX_TOKENS = 18  # labels that stay readable in a third of a page


def signals(
    tokens: Sequence[str], rows: Mapping[str, tuple[str, np.ndarray]], limit: float = 1.0, mark: int | None = None
) -> Figure:
    """Heat maps of several signals on the same tokens, one below the other.

    Gates have a scale of 0…1, candidates and hidden states of -1…1, cell states of -`limit`…`limit`; so two figures
    with the same limit can be compared.

    Args:
        tokens: length T.
        rows: title → (letter, (T, units)).
        limit: where the scale of a cell state ends.
        mark: a timestep to frame.
    """
    figure = Figure(
        len(rows), 1, shared_xaxes=True, subplot_titles=list(rows), vertical_spacing=min(0.3 / len(rows), 0.1)
    )
    for row, (letter, values) in enumerate(rows.values(), start=1):
        signal, end = theme.SIGNALS[letter], limit if letter == "c" else 1.0
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
        line = {"color": theme.contrast_colour(), "width": 2}
        figure.add_vrect(x0=mark - 0.5, x1=mark + 0.5, line=line, fillcolor="rgba(0,0,0,0)")
    return figure.update_layout(height=110 + ROW * len(rows), margin_t=28)


def fewer_tokens(figure: Figure, length: int) -> None:
    """Label only as many tokens on the x axis as a narrow column has room for."""
    if length > MAX_TOKENS:
        figure.update_xaxes(nticks=MAX_TOKENS, dtick=None)


def accuracy_by_size(
    sizes: Sequence[int],
    curves: dict[str, Sequence[float]],
    trained: tuple[int, int],
    title: str,
    current: int | None = None,
) -> Figure:
    """Accuracies against the size of the input; the sizes of the training set are shaded.

    Args:
        sizes: digits of a number, or depth of a tree.
        curves: name → shares 0…1, at most two.
        trained: the smallest and the largest size of the training set.
        title: of the axis of sizes.
        current: the size of the input on screen, if it is among the sizes.
    """
    figure = Figure()
    figure.add_vrect(
        x0=trained[0] - 0.5, x1=trained[1] + 0.5, fillcolor="#888888", opacity=0.16, line_width=0,
        annotation_text="training set", annotation_position="bottom left",
    )  # fmt: skip
    looks = ((theme.CLASS_COLOURS[0], "solid", "circle"), (theme.CLASS_COLOURS[3], "dash", "diamond"))
    for (name, values), (colour, dash, symbol) in zip(curves.items(), looks, strict=False):
        add_line(
            figure, list(sizes), list(values), name, colour, dash=dash, mode="lines+markers",
            marker={"symbol": symbol, "size": 9}, hovertemplate="%{y:.1%}",
        )  # fmt: skip
    if current is not None and current in sizes:
        figure.add_vline(
            x=current, line={"color": "#888888", "dash": "dot", "width": 2}, annotation_text="here",
            annotation_position="top", annotation_font_size=14,
        )  # fmt: skip
    figure.update_layout(height=360, margin_t=76, hovermode="x unified", legend_y=1.06)
    figure.update_xaxes(title=title, dtick=1, fixedrange=True)
    return figure.update_yaxes(range=[-0.03, 1.05], tickformat=".0%", title="accuracy", fixedrange=True)
