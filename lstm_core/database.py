"""The SQL database of own models, runs and classes: SQLite beside the own models, or at LSTM_LAB_DATABASE."""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import sqlalchemy as sql

from lstm_core.errors import LabError
from lstm_core.paths import own_folder

log = logging.getLogger("lstm_lab.database")

SCHEMA = sql.MetaData()
MODELS = sql.Table(
    "models",
    SCHEMA,
    sql.Column("identity", sql.String(64), primary_key=True),  # of its file, and in links
    sql.Column("owner", sql.String(64), nullable=False, index=True),
    sql.Column("name", sql.String(80), nullable=False),
    sql.Column("size", sql.BigInteger, nullable=False),  # bytes of its file
    sql.Column("saved", sql.Float, nullable=False),  # seconds since the epoch, as all times here
    sql.UniqueConstraint("owner", "name"),
)
RUNS = sql.Table(
    "runs",
    SCHEMA,
    sql.Column("identity", sql.String(64), primary_key=True),
    sql.Column("owner", sql.String(64), nullable=False, index=True),
    sql.Column("title", sql.String(200), nullable=False),
    sql.Column("work", sql.String(200), nullable=False),
    sql.Column("state", sql.String(20), nullable=False),
    sql.Column("message", sql.Text, nullable=False),
    sql.Column("restarts", sql.Integer, nullable=False),
    sql.Column("submitted", sql.Float, nullable=False, index=True),
    sql.Column("begun", sql.Float, nullable=False),
    sql.Column("ended", sql.Float, nullable=False),
    sql.Column("last_seen", sql.Float, nullable=False),
    sql.Column("process", sql.String(200), nullable=False),  # the web process that started it
    sql.Column("content", sql.LargeBinary, nullable=False),  # its events and its result, by msgpack
)
PROCESSES = sql.Table(  # web processes that have runs; one that hasn't been seen for long has ended
    "processes",
    SCHEMA,
    sql.Column("process", sql.String(200), primary_key=True),
    sql.Column("seen", sql.Float, nullable=False),
)
WAIT = 5  # seconds for another writer of an SQLite file, or for a connection
REFUSED = 10.0  # seconds after a failed connection in which nobody waits for another one
_refused = 0.0
_engines: dict[str, sql.Engine] = {}
_made: dict[str, int] = {}  # address → how many of the tables were made there
_lock = threading.Lock()


class DatabaseError(LabError):
    """The database can't be reached, read or written."""


class ConflictError(LabError):
    """What should be saved conflicts with what is there, such as a second model of one name."""


@contextmanager
def transaction() -> Iterator[sql.Connection]:
    """A connection whose changes are all made at the end, or none of them.

    Raises:
        DatabaseError: if the database can't be used.
        ConflictError: if a change breaks a constraint.
    """
    global _refused
    if time.monotonic() < _refused:
        raise DatabaseError("The server's database can't be reached; nothing was saved. Try again in a minute.")
    try:
        connection = _engine().connect()
    except (sql.exc.SQLAlchemyError, ImportError) as error:  # ImportError: the address needs a package
        _refused = time.monotonic() + REFUSED
        raise _unusable(error) from error
    try:
        with connection, connection.begin():
            yield connection
    except sql.exc.IntegrityError as error:
        raise ConflictError("Something of that name is there already.") from error
    except sql.exc.SQLAlchemyError as error:
        raise _unusable(error) from error


def _unusable(error: Exception) -> DatabaseError:
    words = " ".join(str(getattr(error, "orig", None) or error).split())[:120]
    log.error("the database can't be used: %s", words)
    return DatabaseError(f"The server's database can't be used ({words}); nothing was saved. Try again later.")


def _engine() -> sql.Engine:
    """The connections to the database of now; its tables are made when it is used for the first time."""
    given = os.environ.get("LSTM_LAB_DATABASE") or f"sqlite:///{own_folder() / 'lstm_lab.db'}"
    with _lock:
        if given not in _engines:
            url = sql.make_url(given)
            options: dict[str, Any] = {"pool_pre_ping": True, "connect_args": {"connect_timeout": WAIT}}
            if url.get_backend_name() == "sqlite":
                options = {"connect_args": {"timeout": WAIT}}
                with suppress(OSError):  # the first statement will say what is wrong with it
                    Path(url.database or "").parent.mkdir(parents=True, exist_ok=True)
            _engines[given] = sql.create_engine(url, **options)
        if _made.get(given) != len(SCHEMA.tables):  # a package that is imported later brings tables, too
            try:
                SCHEMA.create_all(_engines[given])
            except sql.exc.DatabaseError:  # another process has just made them, too
                SCHEMA.create_all(_engines[given])
            _made[given] = len(SCHEMA.tables)
        return _engines[given]
