"""A PostgreSQL server of the tests' own, from the binaries of the system, in a folder that is deleted afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

REQUIRED = os.environ.get("LSTM_LAB_POSTGRESQL_TESTS") == "required"  # a missing server fails


def _binaries() -> Path | None:
    """The newest folder that has `initdb`: Debian keeps it off the PATH."""
    found = [Path(each) for each in [shutil.which("initdb")] if each]
    found += sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda each: float(each.parts[-3]))
    return found[-1].parent if found else None


@dataclass
class Server:
    """A server: `address` is the value of LSTM_LAB_DATABASE."""

    address: str
    start: Callable[[], None]
    kill: Callable[[], None]


@contextmanager
def server() -> Iterator[str]:
    """A running server; yields the value of LSTM_LAB_DATABASE."""
    with restartable() as found:
        yield found.address


@contextmanager
def restartable() -> Iterator[Server]:
    """A running server that can be killed and started again."""
    binaries = _binaries()
    if binaries is None:
        (pytest.fail if REQUIRED else pytest.skip)("PostgreSQL isn't installed")
    folder = Path(tempfile.mkdtemp(prefix="lstm-lab-postgresql-"))
    as_user: list[str] = []
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "postgres")
        as_user = ["runuser", "-u", "postgres", "--"]
    port = free_port()

    def run(program: str, *arguments: str) -> None:
        command = [*as_user, str(binaries / program), "-D", str(folder / "data"), *arguments]
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, timeout=60)

    def start() -> None:
        options = f"-p {port} -k {folder} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-w", "-l", str(folder / "log"), "-o", options, "start")

    def kill() -> None:
        run("pg_ctl", "-w", "-m", "immediate", "stop")

    try:
        run("initdb", "-U", "lstm_lab", "-A", "trust", "--no-sync", "-E", "UTF8", "--locale=C.UTF-8")
        start()
        try:
            yield Server(f"postgresql+psycopg://lstm_lab@127.0.0.1:{port}/postgres", start, kill)
        finally:
            kill()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
