"""The files in `assets/`."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_ASSETS = Path(__file__).resolve().parents[2] / "assets"


@cache
def read(name: str) -> str:
    """The text of a file."""
    return (_ASSETS / name).read_text(encoding="utf-8")


def table(name: str) -> dict[str, Any]:
    """The content of a TOML file."""
    return tomllib.loads(read(name))
