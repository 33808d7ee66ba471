"""The database of one test, in a file."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import QueuePool

from lstm_core import database

PATIENCE = 10.0  # seconds for threads that a test has left to give their connections back


@contextmanager
def temporary_database(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Use a new database in this folder, and close all of its connections in the end; gives its address."""
    address = f"sqlite:///{folder / 'lab.db'}"
    monkeypatch.setenv("LSTM_LAB_DATABASE", address)
    yield address
    database._made.pop(address, None)
    if engine := database._engines.pop(address, None):
        assert isinstance(engine.pool, QueuePool)
        until = time.monotonic() + PATIENCE
        while engine.pool.checkedout() and time.monotonic() < until:
            time.sleep(0.01)
        engine.dispose()
