"""Figures as plain dictionaries, with the few methods of `plotly.graph_objects.Figure` that the charts use.

Plotly's own figures check every property against its schema while they are built, which takes longer than everything
else on a page; the tests check these instead. The names mean what they mean there: `tickfont_size=13` is
`{"tickfont": {"size": 13}}`.
"""

import base64
import copy
import importlib
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Self

import numpy as np
import plotly.graph_objects as graph_objects
import plotly.io
import streamlit  # noqa: F401  # registers its template
from plotly.basedatatypes import BaseFigure
from plotly.shapeannotation import axis_spanning_shape_annotation
from plotly.subplots import make_subplots

_WHOLE = ("paper_bgcolor", "plot_bgcolor", "error_x", "error_y")  # names that have an underscore themselves
# Plotly's names of the types of typed arrays.
_TYPES = {"f4": "f4", "f8": "f8", "i1": "i1", "i2": "i2", "i4": "i4", "u1": "u1", "u2": "u2", "u4": "u4"}
# The legend stands above the plot, where two rows of it still fit on a phone. A figure without one sets `margin_t`.
# Of Streamlit's own template only the colours are kept: it is nine tenths of what a small figure sends to the browser.
TEMPLATE = {
    "layout": {
        "colorway": list(plotly.io.templates["streamlit"].layout.colorway),
        "margin": {"t": 56, "b": 8},
        "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
    }
}
_Axes = tuple[str, str]  # of a subplot, such as ("x2", "y2")


class Figure(BaseFigure):
    """One figure; Streamlit takes it for one of Plotly's."""

    def __init__(self, rows: int = 1, cols: int = 1, **options: Any) -> None:
        """An empty figure with so many rows and columns; `options` are of `plotly.subplots.make_subplots`."""
        self._traces: list[dict[str, Any]] = []
        self._settings: dict[str, Any] = {"template": TEMPLATE}
        self._grid: dict[tuple[int, int], list[_Axes]] = {(1, 1): [("x", "y")]}
        if options or rows * cols > 1:
            layout, self._grid = _subplots(rows, cols, tuple(sorted((key, _frozen(options[key])) for key in options)))
            self._settings |= copy.deepcopy(layout)

    def to_dict(self) -> dict[str, Any]:
        """What is sent to the browser; arrays are typed buffers."""
        return {"data": _encoded(self._traces), "layout": _encoded(self._settings)}

    def checked(self) -> graph_objects.Figure:
        """Plotly's own figure of the same, which raises ValueError for a property that is not in the schema."""
        return graph_objects.Figure(data=self._traces, layout=self._settings)

    @property
    def data(self) -> Any:
        """The traces as Plotly's objects; slow, see `checked`."""
        return self.checked().data

    @property
    def layout(self) -> Any:
        """The layout as Plotly's object; slow, see `checked`."""
        return self.checked().layout

    @property
    def traces(self) -> list[dict[str, Any]]:
        """What was added, in its order."""
        return self._traces

    @property
    def settings(self) -> dict[str, Any]:
        """The layout: axes, annotations, shapes and the rest."""
        return self._settings

    @property
    def rows(self) -> int:
        """The number of rows of subplots."""
        return max(row for row, _ in self._grid)

    # --- Traces ---------------------------------------------------------------------------------

    def add_scatter(self, **options: Any) -> Self:
        """Lines or markers; `row` and `col` choose the subplot."""
        return self._add("scatter", options)

    def add_bar(self, **options: Any) -> Self:
        """Bars; see `add_scatter`."""
        return self._add("bar", options)

    def add_heatmap(self, **options: Any) -> Self:
        """A heat map; see `add_scatter`."""
        return self._add("heatmap", options)

    def add_histogram(self, **options: Any) -> Self:
        """A histogram; see `add_scatter`."""
        return self._add("histogram", options)

    def _add(self, kind: str, options: dict[str, Any]) -> Self:
        x, y = self._axes(
            *(options.pop(name, default) for name, default in (("row", 1), ("col", 1), ("secondary_y", 0)))
        )
        self._traces.append(_nested({"type": kind, "xaxis": x, "yaxis": y}, options))
        return self

    def update_traces(self, **options: Any) -> Self:
        """Change all traces."""
        for trace in self._traces:
            _nested(trace, options)
        return self

    # --- Layout ---------------------------------------------------------------------------------

    def update_layout(self, **options: Any) -> Self:
        """Change the layout."""
        _nested(self._settings, options)
        return self

    def set_defaults(self, **options: Any) -> Self:
        """Change the layout where nothing is set."""
        self._settings = _nested(_nested({}, options), self._settings)
        return self

    def update_xaxes(self, **options: Any) -> Self:
        """Change the x axes of all subplots, or of those in `row` and `col`."""
        for x, _ in self._chosen(options.pop("row", None), options.pop("col", None)):
            _nested(self._settings.setdefault(f"xaxis{x[1:]}", {}), options)
        return self

    def update_yaxes(self, **options: Any) -> Self:
        """As `update_xaxes`; `secondary_y` chooses the first or the second of two."""
        for _, y in self._chosen(*(options.pop(name, None) for name in ("row", "col", "secondary_y"))):
            _nested(self._settings.setdefault(f"yaxis{y[1:]}", {}), options)
        return self

    def update_annotations(self, **options: Any) -> Self:
        """Change all annotations that are there."""
        for annotation in self._settings.get("annotations", ()):
            _nested(annotation, options)
        return self

    def add_annotation(self, **options: Any) -> Self:
        """Add a text; `row` and `col` choose the subplot."""
        row, col = options.pop("row", None), options.pop("col", None)
        references = {}
        if row is not None and col is not None:
            x, y = self._axes(row, col)
            references = {"xref": x, "yref": y}
        self._settings.setdefault("annotations", []).append(_nested(references, options))
        return self

    def add_vline(self, x: Any, **options: Any) -> Self:
        """A vertical line through every subplot that has a trace, or through that of `row` and `col`."""
        return self._span("vline", {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1}, options)

    def add_hline(self, y: Any, **options: Any) -> Self:
        """A horizontal line; see `add_vline`."""
        return self._span("hline", {"type": "line", "x0": 0, "x1": 1, "y0": y, "y1": y}, options)

    def add_vrect(self, x0: Any, x1: Any, **options: Any) -> Self:
        """A rectangle from top to bottom; see `add_vline`."""
        return self._span("vrect", {"type": "rect", "x0": x0, "x1": x1, "y0": 0, "y1": 1}, options)

    def _span(self, kind: str, place: dict[str, Any], options: dict[str, Any]) -> Self:
        chosen = list(self._chosen(options.pop("row", None), options.pop("col", None), False))
        note = {key: options.pop(key) for key in list(options) if key.startswith("annotation_")}
        used = {(trace.get("xaxis", "x"), trace.get("yaxis", "y")) for trace in self._traces}
        for x, y in [axes for axes in chosen if axes in used] if len(self._grid) > 1 else chosen:
            references = {"xref": x, "yref": f"{y} domain"} if kind[0] == "v" else {"xref": f"{x} domain", "yref": y}
            self._settings.setdefault("shapes", []).append(_nested({**place, **references}, options))
            if text := axis_spanning_shape_annotation(None, kind, place, note):
                self._settings.setdefault("annotations", []).append(_nested({"showarrow": False, **references}, text))
        return self

    # --- Subplots -------------------------------------------------------------------------------

    def _axes(self, row: int, col: int, secondary_y: bool = False) -> _Axes:
        return self._grid[row, col][secondary_y]

    def _chosen(self, row: int | None, col: int | None, secondary_y: bool | None = None) -> Iterator[_Axes]:
        """The axes of the subplots in a row and a column; None for any."""
        for (own_row, own_col), pairs in self._grid.items():
            if row in (None, own_row) and col in (None, own_col):
                yield from pairs if secondary_y is None else pairs[int(secondary_y) : int(secondary_y) + 1]


@lru_cache(maxsize=64)
def _subplots(rows: int, cols: int, options: tuple[Any, ...]) -> tuple[dict[str, Any], dict[Any, list[_Axes]]]:
    """The layout of a grid of subplots, and the axes of each."""
    arguments = {key: _thawed(value) for key, value in options}
    try:
        figure = make_subplots(rows, cols, **arguments)
    except AttributeError:  # Plotly looks at pandas even while another thread imports it: wait until it is whole
        importlib.import_module("pandas")
        figure = make_subplots(rows, cols, **arguments)
    layout = figure.to_dict()["layout"]
    layout.pop("template", None)
    grid = {
        (row + 1, col + 1): [(axes[0].replace("axis", ""), axes[1].replace("axis", "")) for axes in _keys(subplot)]
        for row, own in enumerate(figure._grid_ref)
        for col, subplot in enumerate(own)
    }
    return layout, grid


def _keys(subplot: Any) -> list[tuple[str, str]]:
    return [reference.layout_keys for reference in subplot]


def _frozen(value: Any) -> Any:
    """An option of `make_subplots` as something hashable."""
    if isinstance(value, dict):
        return ("dict", *((key, _frozen(each)) for key, each in value.items()))
    return ("list", *map(_frozen, value)) if isinstance(value, list | tuple) else value


def _thawed(value: Any) -> Any:
    if not isinstance(value, tuple):
        return value
    kind, *rest = value
    return {key: _thawed(each) for key, each in rest} if kind == "dict" else [_thawed(each) for each in rest]


def _nested(target: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """Merge options into a part of a figure; names with underscores go into nested parts."""
    for name, value in options.items():
        head, _, rest = (name, "", "") if name in _WHOLE else name.partition("_")
        if rest:
            inner = target.get(head)
            target[head] = _nested(inner if isinstance(inner, dict) else {}, {rest: value})
        elif name == "title" and isinstance(value, str):
            _nested(target, {"title_text": value})
        elif isinstance(value, dict):
            inner = target.get(name)
            target[name] = _nested(dict(inner) if isinstance(inner, dict) else {}, value)
        else:
            target[name] = value
    return target


def _encoded(value: Any) -> Any:
    """A part of a figure for JSON: arrays of numbers as typed buffers, other arrays as lists, without None."""
    if isinstance(value, dict):
        return {key: _encoded(each) for key, each in value.items() if each is not None}
    if isinstance(value, list | tuple):
        return [_encoded(each) for each in value]
    if isinstance(value, np.generic):
        return value.item() if value.dtype.kind not in "Mm" else str(value)
    if not isinstance(value, np.ndarray):
        return value
    if value.dtype.kind in "iu":
        value = value.astype(np.min_scalar_type(int(np.abs(value).max(initial=0)) * -1 - 1), copy=False)
    name = value.dtype.str[1:]
    if name not in _TYPES or not value.size:
        return value.astype(str).tolist() if value.dtype.kind in "Mm" else value.tolist()
    buffer = {"dtype": name, "bdata": base64.b64encode(np.ascontiguousarray(value).data).decode("ascii")}
    return buffer if value.ndim == 1 else buffer | {"shape": ", ".join(map(str, value.shape))}
