"""The microscope's scripts and styles in `assets/microscope/`, joined into one JavaScript module for each host.

A host is what the microscope lives in: a page of the app, a notebook, or a file. They differ in the last script alone.
"""

from __future__ import annotations

import json
from functools import cache

from lstm_core.paths import ASSETS

SHARED = (
    *("data", "cells", "plans", "diagram", "equations", "answer"),
    *("strip", "bars", "life", "sound", "controls", "microscope"),
)
# The scripts of each host, and its styles besides those of the microscope.
HOSTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "page": (("on_page",), ()),
    "notebook": (("alone", "in_notebook"), ("alone",)),
    "file": (("alone", "maps", "in_file"), ("alone",)),
}


@cache
def script(host: str) -> str:
    """The module of a host; outside the app it holds the styles too, as the constant STYLE.

    Args:
        host: "page", "notebook" or "file".
    """
    own, styles = HOSTS[host]
    parts = [_asset(f"{name}.js") for name in (*SHARED, *own)]
    if styles:
        text = json.dumps("\n".join(_asset(f"{name}.css") for name in (*styles, "microscope")))
        parts.insert(0, f"const STYLE = {text};")
    return "\n".join(parts)


@cache
def style(name: str = "microscope") -> str:
    """One of the style sheets: "microscope", or "file" for the page around it in a file."""
    return _asset(f"{name}.css")


def _asset(name: str) -> str:
    return (ASSETS / "microscope" / name).read_text(encoding="utf-8")
