"""Every test in this folder runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lstm_core import database
from tests import sqlite
from tests.postgresql import server


@pytest.fixture(scope="session")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL database."""
    with server() as address:
        yield address
        if engine := database._engines.pop(address, None):
            engine.dispose()


@pytest.fixture(autouse=True, params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Where the classes are."""
    if request.param == "postgresql":
        address = request.getfixturevalue("postgresql")
        monkeypatch.setenv("LSTM_LAB_DATABASE", address)
        yield address
    else:
        with sqlite.temporary_database(tmp_path, monkeypatch) as address:
            yield address
