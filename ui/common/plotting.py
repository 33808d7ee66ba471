"""How every figure is shown: the chart on the page, its lines and bars.

The template is in `figure.py`; Streamlit's theme supplies fonts, grid and background in the browser, for the light and
the dark mode.
"""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from ui.common.figure import Figure

# The camera saves what is shown as PNG, in the browser; nothing is sent anywhere.
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "filename": "lstm-lab", "scale": 2},
}
NO_TOOLBAR = {"displayModeBar": False}
STATIC = {"staticPlot": True} | NO_TOOLBAR  # does not react to the pointer


def show(figure: Figure, key: str | None, alt: str, *, toolbar: bool = True) -> None:
    """Draw a figure on the page.

    Args:
        figure: to be drawn.
        key: of the chart; None if the page has no other chart like it.
        alt: what the figure shows, for screen readers.
        toolbar: whether Plotly's toolbar (zoom, save as PNG) appears while the pointer is over the figure.
    """
    # In a template Streamlit's theme would replace these: the legend gets small, and the last tick label is cut off.
    figure.set_defaults(legend_font_size=15, margin_l=8, margin_r=8)
    st.plotly_chart(figure, config=CONFIG if toolbar else NO_TOOLBAR, key=key, alt=alt)


def add_line(
    figure: Figure,
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
    figure: Figure, values: Any, places: Sequence[Any], colours: Any, texts: Sequence[str], **options: Any
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
