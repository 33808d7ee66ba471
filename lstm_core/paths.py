"""Where the files that ship with the code are: trained models, and assets that the core reads.

In a checkout they stand beside the package; in an installed package, inside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


MODELS, ASSETS = _shipped("models"), _shipped("assets")
