"""Downloading a data set as a job, so that the web process neither waits nor writes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from lstm_core.datasets import registry
from lstm_core.errors import LabError

TELL_EVERY = 0.3  # seconds


class _StoppedError(LabError):
    """Somebody stopped it."""


def work(
    arguments: dict[str, Any], tell: Callable[[dict[str, Any]], None], stopped: Callable[[], bool]
) -> dict[str, Any]:
    """Fetch `arguments["dataset"]`; tells `mebibytes` and, where the server says, `share` from time to time.

    Returns:
        `ended`: "finished" or "stopped"; `dataset`.

    Raises:
        DatasetError: if there is no such data set, no network, or no room for it.
    """
    name, told = arguments["dataset"], 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal told
        if stopped():
            raise _StoppedError("The download was stopped.")
        if time.monotonic() - told > TELL_EVERY:
            told = time.monotonic()
            tell({"mebibytes": round(done / 2**20, 1), **({"share": done / total} if total else {})})

    try:
        registry.download_dataset(name, progress)
    except _StoppedError:
        return {"ended": "stopped", "dataset": name}
    return {"ended": "finished", "dataset": name}
