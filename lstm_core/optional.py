"""Libraries that an installation may lack, imported when they are needed."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from lstm_core.errors import MissingLibraryError


def library(name: str, extra: str) -> Any:
    """A module of an optional library.

    Args:
        name: of the module, such as "plotly.graph_objects".
        extra: of this project, which installs it.

    Raises:
        MissingLibraryError: if the library isn't installed; the sentence names the extra.
    """
    package = name.partition(".")[0]
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if str(error.name).partition(".")[0] != package:
            raise
        raise MissingLibraryError(
            f"This needs {package}, which isn't installed: pip install 'lstm-lab[{extra}]' brings it."
        ) from error
