"""Runs in the database, so that they survive a restart of the web process: written by a thread, read when asked for."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import socket
import threading
from collections.abc import Sequence
from typing import Any

import msgpack
import psutil
import sqlalchemy as sql

from lstm_core.database import RUNS, DatabaseError, transaction
from lstm_core.jobs.job import FINISHED_LIMIT, INTERRUPTED, OWN_FINISHED_LIMIT, RUNNING, WAITING, Job
from lstm_core.jobs.worker import plain

log = logging.getLogger("lstm_lab.jobs")

WRITE_EVERY = 5.0  # seconds between two notes on a run under way
MOST_EVENTS = 1000  # that are kept of a run
COLUMNS = (
    *("identity", "owner", "title", "work", "state", "message", "restarts"),
    *("submitted", "begun", "ended", "last_seen"),
)
LOST = "The server was restarted while this run was under way. Below is what it had reported by then."


class Records:
    """Writes runs soon after they have changed. Without a database, runs are known to this process only."""

    def __init__(self) -> None:
        """A thread starts with the first run."""
        self._changed: dict[str, Job] = {}
        self._lock, self._writing, self._wake = threading.Lock(), threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None

    def keep(self, job: Job) -> None:
        """Write the run as it is soon; at once if it is over or new."""
        with self._lock:
            self._changed[job.identity] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_always, name="run-records", daemon=True)
                self._thread.start()
                atexit.register(self.flush)
        if job.over or not job.begun:
            self._wake.set()

    def flush(self) -> None:
        """Write all changes now."""
        with self._writing:
            with self._lock:
                jobs, self._changed = list(self._changed.values()), {}
            for job in jobs:
                try:
                    _write(job)
                except DatabaseError:
                    return  # it is in the log
                except (TypeError, ValueError):
                    log.exception("the run '%s' has a result that can't be written", job.title)

    def _write_always(self) -> None:
        while True:
            self._wake.wait(WRITE_EVERY)
            self._wake.clear()
            self.flush()

    def find(self, identity: str) -> Job | None:
        """The run of that identity."""
        return next(iter(_read(RUNS.c.identity == identity)), None)

    def of(self, owner: str, without: Sequence[str]) -> list[Job]:
        """The runs of an owner, newest first, but for some identities."""
        return _read((RUNS.c.owner == owner) & RUNS.c.identity.not_in(list(without)))


def _write(job: Job) -> None:
    content = msgpack.packb(
        {"arguments": _without_bytes(job.arguments), "events": summary(list(job.events)), "result": job.result},
        default=plain,
    )
    values = {name: getattr(job, name) for name in COLUMNS} | {"content": content, "process": this_process()}
    with transaction() as rows:
        if not rows.execute(RUNS.update().where(RUNS.c.identity == job.identity).values(values)).rowcount:
            rows.execute(RUNS.insert().values(values))
        if job.over:
            for kept, limit in ((RUNS.c.owner == job.owner, OWN_FINISHED_LIMIT), (sql.true(), FINISHED_LIMIT)):
                newest = sql.select(RUNS.c.identity).where(kept).order_by(RUNS.c.submitted.desc())
                old = [row.identity for row in rows.execute(newest.offset(limit))]
                rows.execute(RUNS.delete().where(RUNS.c.identity.in_(old)))


def _read(condition: Any) -> list[Job]:
    try:
        with transaction() as rows:
            found = list(rows.execute(RUNS.select().where(condition).order_by(RUNS.c.submitted.desc())))
    except DatabaseError:
        return []  # it is in the log
    return [_job(row) for row in found]


def _job(row: Any) -> Job:
    job = Job(**{name: getattr(row, name) for name in COLUMNS}, **msgpack.unpackb(row.content, strict_map_key=False))
    if job.state in (WAITING, RUNNING) and not _alive(row.process):
        job.state, job.message, job.ended = INTERRUPTED, LOST, job.last_seen or job.submitted
    if job.over:
        job.done.set()
    return job


def _without_bytes(arguments: dict[str, Any]) -> dict[str, Any]:
    """The arguments without uploaded files, which nobody needs after the run."""
    return {name: value for name, value in arguments.items() if not isinstance(value, bytes)}


def summary(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """At most `MOST_EVENTS` of the events.

    Of those that hold the whole state (of a race), the last; of those that report a step, every second, third …
    """
    whole = [event for event in events if "cells" in event]
    events = [event for event in events if "cells" not in event or event is whole[-1]]
    steps = [number for number, event in enumerate(events) if "step" in event and "validation_loss" not in event]
    excess = len(events) - MOST_EVENTS
    if excess <= 0:
        return list(events)
    every = -(-len(steps) // max(1, len(steps) - excess))
    dropped = {number for place, number in enumerate(steps) if place % every}
    return [event for number, event in enumerate(events) if number not in dropped][-MOST_EVENTS:]


@functools.cache
def this_process() -> str:
    """This process among all of all machines: host, number and start."""
    return f"{socket.gethostname()}:{os.getpid()}:{psutil.Process().create_time():.0f}"


def _alive(process: str) -> bool:
    """Whether the web process of a run still runs; True if it is on another machine, where nobody can look."""
    host, number, started = process.rsplit(":", 2)
    if host != socket.gethostname():
        return True
    try:
        return f"{psutil.Process(int(number)).create_time():.0f}" == started
    except (psutil.Error, ValueError):
        return False
