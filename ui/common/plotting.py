"""How every figure looks, and how it is shown: the Plotly template, the line of a plot, and the chart on the page.

Streamlit's theme supplies fonts, grid and background in the browser, for the light and the dark mode. Our template is
laid over it and holds what Streamlit leaves open: margins and legend. A figure sets only what is particular to it.
"""

from collections.abc import Sequence
from typing import Any

import pandas  # noqa: F401  # whole before the first figure: Plotly looks at it even while another thread imports it
import plotly.graph_objects as go
import plotly.io as pio
import streamlit as st

# The camera saves what is shown as PNG, in the browser; nothing is sent anywhere.
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "filename": "lstm-lab", "scale": 2},
}
NO_TOOLBAR = {"displayModeBar": False}
STATIC = {"staticPlot": True} | NO_TOOLBAR  # does not react to the pointer

# The legend stands above the plot, where two rows of it still fit on a phone. A figure without one sets `margin_t`.
# Of Streamlit's own template only the colours are kept: it is nine tenths of what a small figure sends to the browser.
pio.templates["lstm_lab"] = go.layout.Template(
    layout={
        "colorway": pio.templates["streamlit"].layout.colorway,
        "margin": {"t": 56, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    }
)
pio.templates.default = "lstm_lab"


def show(figure: go.Figure, key: str | None, alt: str, *, toolbar: bool = True) -> None:
    """Draw a figure on the page.

    Args:
        figure: to be drawn.
        key: of the chart; None if the page has no other chart like it.
        alt: what the figure shows, for screen readers.
        toolbar: whether Plotly's toolbar (zoom, save as PNG) appears while the pointer is over the figure.
    """
    # In a template Streamlit's theme would replace these: the legend gets small, and the last tick label is cut off.
    legend, margin = figure.layout.legend, figure.layout.margin
    legend.font.size = legend.font.size or 15
    margin.l, margin.r = (8 if side is None else side for side in (margin.l, margin.r))
    st.plotly_chart(figure, config=CONFIG if toolbar else NO_TOOLBAR, key=key, alt=alt)


def add_line(
    figure: go.Figure,
    x: Sequence[Any] | Any,
    y: Sequence[Any] | Any,
    name: str,
    colour: str,
    *,
    dash: str = "solid",
    width: float = 3,
    **options: Any,
) -> None:
    """Add a line to a figure.

    Args:
        figure: changed in place.
        x: positions, length n; None for 0, 1, …, n-1.
        y: values, length n.
        name: in the legend.
        colour: of the line.
        dash: Plotly's name of the dash.
        width: in pixels.
        **options: of Plotly's scatter trace; `row` and `col` of a subplot.
    """
    line = {"color": colour, "width": width, "dash": dash}
    figure.add_scatter(**({"x": x, "y": y, "name": name, "mode": "lines", "line": line} | options))


def add_bars(
    figure: go.Figure, values: Any, places: Sequence[Any], colours: Any, texts: Sequence[str], **options: Any
) -> None:
    """Add horizontal bars, each with a text beside it.

    Args:
        figure: changed in place.
        values: lengths of the bars, length n.
        places: names or numbers on the y axis, length n.
        colours: one for all, or one for each bar.
        texts: beside the bars, length n.
        **options: of Plotly's bar trace.
    """
    bars = {"x": values, "y": places, "orientation": "h", "marker_color": colours, "text": texts}
    figure.add_bar(**bars, textposition="outside", cliponaxis=False, **options)
