"""The cell microscope as a widget for notebooks: an anywidget with the scripts and styles of the page."""

from __future__ import annotations

from functools import cache
from typing import Any

from lstm_core.exhibit.payload import View, pack
from lstm_core.exhibit.scripts import script
from lstm_core.optional import library


def microscope(view: View) -> Any:
    """The widget of a view; `widget.payload = pack(other)` shows another one in its place.

    Raises:
        MissingLibraryError: if anywidget isn't installed.
    """
    return _widget_class()(payload=pack(view))


@cache
def _widget_class() -> Any:
    anywidget, traitlets = library("anywidget", "notebook"), library("traitlets", "notebook")

    class CellMicroscope(anywidget.AnyWidget):  # type: ignore[name-defined]
        """The cell microscope over one layer."""

        _esm = script("notebook")
        payload = traitlets.Bytes().tag(sync=True)  # see `payload.pack`

    return CellMicroscope
