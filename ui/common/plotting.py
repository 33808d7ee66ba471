"""How every figure is shown: the chart on the page, its lines and bars.

The template is in `figure.py`; Streamlit's theme supplies fonts, grid and background in the browser, for the light and
the dark mode.
"""

from collections.abc import Mapping, Sequence
from html import unescape
from typing import Any

import numpy as np
import streamlit as st

from ui.common import assets, theme
from ui.common.figure import Figure

# The camera saves what is shown as PNG, in the browser; nothing is sent anywhere.
CONFIG = {
    "displaylogo": False,
    "modeBarButtonsToRemove": ["select2d", "lasso2d", "autoScale2d"],
    "toImageButtonOptions": {"format": "png", "filename": "lstm-lab", "scale": 2},
}
NO_TOOLBAR = {"displayModeBar": False}
STATIC = {"staticPlot": True} | NO_TOOLBAR  # does not react to the pointer
TEXT = 14  # pixels, of the smallest text in a figure: it is read from the back of a room
MAX_DESCRIBED = 6  # traces whose values are part of a figure's description
ROOM_TEXT, ROOM_HEIGHT = 18, 800  # pixels: the smallest text and the largest height in the presenter view
ROOM_INDEXED = 20  # pixels, of a text with an index, which has 70% of its size
_chart_swap = st.components.v2.component("chart_swap", js=assets.read("chart_swap.js"))


def frame() -> None:
    """Draw the style of every chart, and keep a chart's picture on the page until the next one is drawn."""
    style = assets.read("chart.css")
    st.html(f"<style>{style}</style>")
    _chart_swap(key="chart_swap", data={"css": style})


def show(figure: Figure, key: str | None, alt: str, *, toolbar: bool = True) -> None:
    """Draw a figure on the page.

    Args:
        figure: to be drawn.
        key: of the chart; None if the page has no other chart like it.
        alt: what the figure shows, for screen readers; the range of its values is added.
        toolbar: whether Plotly's toolbar (zoom, save as PNG) appears while the pointer is over the figure.
    """
    # In a template Streamlit's theme would replace these: text gets small, and the last tick label is cut off.
    figure.set_defaults(font_size=TEXT, legend_font_size=15, margin_l=8, margin_r=8)
    for axis in [name for name in figure.settings if name[1:5] == "axis"] + ["xaxis", "yaxis"]:
        figure.set_defaults(**{axis: {"tickfont": {"size": TEXT}, "title": {"font": {"size": TEXT + 1}}}})
    st.plotly_chart(fitted(figure), config=CONFIG if toolbar else NO_TOOLBAR, key=key, alt=described(figure, alt))


def fitted(figure: Figure) -> Figure:
    """The figure; in the presenter view with texts of at least `ROOM_TEXT` pixels and more height, for a room."""
    if not theme.presenting():
        return figure
    settings = figure.settings
    if any("<sub>" in trace.get("name", "") for trace in figure.traces):
        settings["legend"] = settings.get("legend", {}) | {"font": {"size": ROOM_INDEXED}}
    for axis in [name for name in settings if name.startswith(("xaxis", "yaxis"))] or ["xaxis", "yaxis"]:
        own = settings.setdefault(axis, {})
        own["tickfont"] = {"size": ROOM_TEXT} | own.get("tickfont", {})
        if axis.startswith("y") and "tickvals" not in own:
            own.setdefault("nticks", 5)
        if title := own.get("title"):
            title = {"font": {"size": ROOM_TEXT}} | (title if isinstance(title, dict) else {"text": title})
            own["title"] = title | ({"font": {"size": ROOM_INDEXED}} if "<sub>" in title.get("text", "") else {})
    settings["font"] = {"size": ROOM_TEXT} | settings.get("font", {})
    height = settings.get("height", 450)
    settings["height"] = max(height, min(ROOM_HEIGHT, round(1.4 * height)))
    if top := settings.get("margin", {}).get("t"):
        settings["margin"]["t"] = round(1.4 * top)
    for part in (settings, figure.traces):
        _enlarge_text(part)
    return figure


def _enlarge_text(part: Any) -> None:
    """Enlarge each font in a part of a figure."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part):
        if isinstance(name, str) and name.endswith("font") and isinstance(value, dict):
            value["size"] = max(ROOM_TEXT, value.get("size", 0))
        elif isinstance(value, dict | list):
            _enlarge_text(value)


def signed(value: float, spec: str) -> str:
    """A number with its sign, a true minus; never −0."""
    text = f"{value:+{spec}}"
    return (text if any(digit in text for digit in "123456789") else text.replace("-", "+")).replace("-", "−")


def described(figure: Figure, alt: str) -> str:
    """A description of a figure for screen readers, with the values of its first traces."""
    found = [words for trace in figure.traces if (words := _values_of(figure, trace))]
    more = f" And {len(found) - MAX_DESCRIBED} more." if len(found) > MAX_DESCRIBED else ""
    return " ".join([alt, *found[:MAX_DESCRIBED]]) + more


def _values_of(figure: Figure, trace: Mapping[str, Any]) -> str:
    """The name of a trace and its lowest and highest values; "" for one without numbers, such as a mere outline."""
    along, across = ("y", "x") if trace.get("orientation") == "h" else ("x", "y")
    data = trace.get("z" if trace["type"] == "heatmap" else "x" if trace["type"] == "histogram" else across)
    try:
        values = np.asarray(data, dtype=float)
    except (TypeError, ValueError):  # names, dates
        return ""
    if not np.isfinite(values).any() or trace.get("hoverinfo") == "skip" or trace.get("mode") == "text":
        return ""
    name = f"{unescape(str(trace['name']))}: " if trace.get("name") else "Values "
    low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
    places = trace.get(along) if values.ndim == 1 and trace["type"] != "histogram" else None

    def axis(letter: str) -> str:
        return trace.get(f"{letter}axis", letter).replace(letter, f"{letter}axis")

    def at(place: int) -> str:
        if places is None:
            return ""
        names = figure.settings.get(axis(along), {}).get("labelalias", {})
        return f" at {unescape(str(names.get(str(places[place]), places[place])))}"

    linear = figure.settings.get(axis(across), {}).get("type") != "log"
    floor = 1e-4 * float(np.nanmax(np.abs(values))) if linear else 0.0
    lowest, highest = (_number(float(values.flat[place]), floor) for place in (low, high))
    if lowest == highest:
        return f"{name}{lowest}."
    return f"{name}from {lowest}{at(low)} to {highest}{at(high)}."


def _number(value: float, floor: float) -> str:
    """Three digits; 0 for what lies below the floor."""
    return "0" if abs(value) <= floor else f"{value:.3g}".replace("-", "−")


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
    """Add a line through n points to a figure; `x` is None for 0, 1, …, n - 1.

    `options` are those of Plotly's scatter trace, and `row` and `col` of a subplot.
    """
    line = {"color": colour, "width": width, "dash": dash}
    figure.add_scatter(**({"x": x, "y": y, "name": name, "mode": "lines", "line": line} | options))


def add_bars(
    figure: Figure, values: Any, places: Sequence[Any], colours: Any, texts: Sequence[str], **options: Any
) -> None:
    """Add n horizontal bars at places on the y axis, each with a text beside it; `colours` is one for all, or one each.

    `options` are those of Plotly's bar trace.
    """
    bars = {"x": values, "y": places, "orientation": "h", "marker_color": colours, "text": texts}
    figure.add_bar(**bars, textposition="outside", cliponaxis=False, **options)
