"""Where the files that ship with the code are: trained models, and assets that the core reads.

In a checkout they stand beside the package; in an installed package, inside it.
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


MODELS, ASSETS = _shipped("models"), _shipped("assets")


def read_tables(name: str) -> dict[str, dict[str, Any]]:
    """The tables of a TOML file in `ASSETS`, with tuples in place of lists."""
    tables = tomllib.loads((ASSETS / name).read_text("utf-8"))
    for table in tables.values():
        table.update({key: tuple(value) for key, value in table.items() if isinstance(value, list)})
    return tables
