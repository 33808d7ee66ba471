"""The download of a data set as a job in a worker process."""

import time
from collections.abc import Callable
from typing import Any

from lstm_core.datasets import registry
from lstm_core.errors import LabError

REPORT_EVERY = 0.3  # seconds


class _StoppedError(LabError):
    """The download was stopped on request."""


def work(
    arguments: dict[str, Any], report: Callable[[dict[str, Any]], None], should_stop: Callable[[], bool]
) -> dict[str, Any]:
    """Download `arguments["dataset"]`, reporting `mebibytes` and, where the total is known, `share`.

    Returns:
        `ended`: "finished" or "stopped"; `dataset`.

    Raises:
        DatasetError: if there is no such data set, no network, or no room for it.
    """
    name, reported = arguments["dataset"], 0.0

    def progress(done: int, total: int | None) -> None:
        nonlocal reported
        if should_stop():
            raise _StoppedError("The download was stopped.")
        if time.monotonic() - reported > REPORT_EVERY:
            reported = time.monotonic()
            report({"mebibytes": round(done / 2**20, 1), **({"share": done / total} if total else {})})

    try:
        registry.download_dataset(name, progress)
    except _StoppedError:
        return {"ended": "stopped", "dataset": name}
    return {"ended": "finished", "dataset": name}
