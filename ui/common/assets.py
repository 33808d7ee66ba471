"""The files in `assets/`."""

import base64
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_ASSETS = Path(__file__).resolve().parents[2] / "assets"


@cache
def read(name: str) -> str:
    """The text of a file."""
    return (_ASSETS / name).read_text(encoding="utf-8")


@cache
def image(name: str) -> str:
    """The address of a PNG image that holds the image itself.

    Of a file Streamlit would read, check and hash every byte in each run, and a named icon comes from the internet.
    """
    return f"data:image/png;base64,{base64.b64encode((_ASSETS / name).read_bytes()).decode()}"


def table(name: str) -> dict[str, Any]:
    """The content of a TOML file."""
    return tomllib.loads(read(name))
