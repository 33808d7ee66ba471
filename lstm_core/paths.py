"""Where files are: those that ship with the code, and the user's own models; and settings that are numbers.

Shipped models, assets and lessons stand beside the package in a checkout; in an installed package, inside it.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tomllib
from pathlib import Path
from typing import Any, Literal

from lstm_core.errors import LabError

_PACKAGE = Path(__file__).resolve().parent


def _shipped(name: str) -> Path:
    inside = _PACKAGE / f"_{name}"
    return inside if inside.is_dir() else _PACKAGE.parent / name


MODELS, ASSETS, LESSONS = _shipped("models"), _shipped("assets"), _shipped("lessons")


def read_tables(name: str) -> dict[str, dict[str, Any]]:
    """The tables of a TOML file in `ASSETS`, with tuples in place of lists."""
    tables = tomllib.loads((ASSETS / name).read_text("utf-8"))
    for table in tables.values():
        table.update({key: tuple(value) for key, value in table.items() if isinstance(value, list)})
    return tables


def own_folder() -> Path:
    """The folder of the user's models: LSTM_LAB_MODELS, or in the user's data folder; it may not exist yet."""
    if chosen := os.environ.get("LSTM_LAB_MODELS", ""):
        return Path(chosen).expanduser()
    return user_folder("data") / "models"


def user_folder(kind: Literal["data", "cache"]) -> Path:
    """This program's folder for a user's data, or for what can be fetched again; it may not exist yet.

    platformdirs knows where an operating system keeps them; without it the usual places are taken, which are the same.
    """
    if importlib.util.find_spec("platformdirs"):
        import platformdirs

        find = platformdirs.user_data_path if kind == "data" else platformdirs.user_cache_path
        return find("lstm-lab", appauthor=False)
    return _usual_folder(kind, sys.platform)


def _usual_folder(kind: Literal["data", "cache"], system: str) -> Path:
    home, data = Path.home(), kind == "data"
    if system == "win32":
        own = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "lstm-lab"
        return own if data else own / "Cache"
    usual = (".local/share", ".cache") if system != "darwin" else ("Library/Application Support", "Library/Caches")
    chosen = os.environ.get("XDG_DATA_HOME" if data else "XDG_CACHE_HOME", "").strip()
    return Path(chosen or home / usual[not data]) / "lstm-lab"


def number_setting(name: str, default: float, most: int) -> float:
    """The whole number in an environment variable, from 1 to `most`, or the default; LabError if it is none."""
    given = os.environ.get(name)
    if given is None:
        return default
    if not (given.isdecimal() and 1 <= int(given) <= most):
        raise LabError(f"{name} is '{given[:40]}'; it can be a whole number from 1 to {most:,}.")
    return float(given)
