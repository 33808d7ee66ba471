"""Runs in the database, so that they survive a restart of the web process: written by a thread, read when asked for."""

from __future__ import annotations

import atexit
import functools
import logging
import os
import socket
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgpack
import psutil
import sqlalchemy as sql

from lstm_core import storage
from lstm_core.database import PROCESSES, RUNS, ConflictError, DatabaseError, transaction
from lstm_core.jobs.checkpoint import folder_of
from lstm_core.jobs.job import FINISHED_LIMIT, INTERRUPTED, OWN_FINISHED_LIMIT, RUNNING, WAITING, Job, plain, uploads_of

log = logging.getLogger("lstm_lab.jobs")

WRITE_EVERY = 5.0  # seconds between two notes on a run under way, and on this process
DEAD = 20.0  # seconds without such a note after which a process on another machine has ended
LARGEST_UPLOAD = 256 * 2**20  # bytes
MOST_EVENTS = 1000  # that are kept of a run
COLUMNS = (
    *("identity", "owner", "title", "work", "state", "message", "restarts"),
    *("submitted", "begun", "ended", "last_seen"),
)
LOST = "The server was restarted while this run was under way. Below is what it had reported by then."
UPLOADS = "uploads"
UNFINISHED = RUNS.c.state.in_((WAITING, RUNNING))


class Records:
    """Writes runs soon after they have changed. Without a database, runs are known to this process only."""

    def __init__(self, take_over: bool = False) -> None:
        """A thread starts with the first run.

        Args:
            take_over: whether the workers outlive a web process, so that another one goes on with its runs.
        """
        self.take_over = take_over
        self._changed: dict[str, Job] = {}
        self._lock, self._writing, self._wake = threading.Lock(), threading.Lock(), threading.Event()
        self._thread: threading.Thread | None = None
        self._going: set[str] = set()  # unfinished runs
        self._trouble = 0.0  # when the database failed last
        self._released = False

    def start(self) -> None:
        """Start the thread, which also notes that this process is alive."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._write_always, name="run-records", daemon=True)
                self._thread.start()
                atexit.register(self.flush)

    def keep(self, job: Job) -> None:
        """Write the run as it is soon; at once if it is new, has begun or is over."""
        if self._released:
            return
        with self._lock:
            self._changed[job.identity] = job
            (self._going.discard if job.over else self._going.add)(job.identity)
        self.start()
        if job.over or len(job.events) < 2:
            self._wake.set()

    def flush(self) -> None:
        """Write all changes now; what can't be written now is kept for the next time."""
        with self._writing:
            with self._lock:
                jobs, self._changed = self._changed, {}
            for number, job in enumerate(jobs.values()):
                try:
                    with suppress(ConflictError):  # another process has ended it
                        _write(job)
                except DatabaseError:  # it is in the log
                    self._trouble = time.time()
                    with self._lock:
                        self._changed = dict(list(jobs.items())[number:]) | self._changed
                    return
                except (TypeError, ValueError):
                    log.exception("the run '%s' has a result that can't be written", job.title)

    def _write_always(self) -> None:
        noted = 0.0
        while True:
            self._wake.wait(WRITE_EVERY)
            self._wake.clear()
            due = time.time() - noted > WRITE_EVERY - 1
            if due and (self.take_over or self._going):  # before its first run is written
                noted = time.time()
                try:
                    _note_alive()
                except DatabaseError:
                    self._trouble = noted
            self.flush()

    def unfinished(self) -> list[Job]:
        """The waiting and running runs of other processes, without their events and results."""
        if not self.take_over:
            return []
        columns = [RUNS.c[name] for name in COLUMNS]
        try:
            with transaction() as rows:
                found = list(rows.execute(sql.select(*columns).where(UNFINISHED & (RUNS.c.process != this_process()))))
        except DatabaseError:
            return []  # it is in the log
        return [Job(**row._asdict(), arguments={}) for row in found]

    def orphans(self) -> list[Job]:
        """Take over the unfinished runs of web processes that have ended; of each run, one process does.

        Not within `DEAD` seconds of a failure of the database, when nobody could note that they are alive.
        """
        if not self.take_over or time.time() - self._trouble < DEAD:
            return []
        others = sql.select(RUNS.c.identity, RUNS.c.process).where(UNFINISHED & (RUNS.c.process != this_process()))
        try:
            with transaction() as rows:
                found = list(rows.execute(others))
            return [job for row in found if not _alive(row.process) for job in self._claim(row.identity, row.process)]
        except DatabaseError:
            self._trouble = time.time()
            return []

    def _claim(self, identity: str, process: str) -> list[Job]:
        theirs = (RUNS.c.identity == identity) & (RUNS.c.process == process) & UNFINISHED
        with transaction() as rows:
            if not rows.execute(RUNS.update().where(theirs).values(process=this_process())).rowcount:
                return []  # another process was faster
            row = rows.execute(RUNS.select().where(RUNS.c.identity == identity)).one()
        job = _job(row, True)
        log.warning("the run '%s' of a web process that has ended goes on here", job.title)
        for name in _content(row)[UPLOADS]:
            try:
                job.arguments[name] = storage.read(f"{folder_of(identity)}/{name}", LARGEST_UPLOAD)
            except storage.StoreError:
                job.arguments[name] = None
            if job.arguments[name] is None:
                job.state, job.message, job.ended = INTERRUPTED, LOST, time.time()
        return [job]

    def release(self) -> None:
        """Leave the unfinished runs of this process to the others."""
        self._released = True
        self.flush()
        mine = UNFINISHED & (RUNS.c.process == this_process())
        with suppress(DatabaseError), transaction() as rows:  # else the others will find that this process has ended
            rows.execute(RUNS.update().where(mine).values(process=""))

    def find(self, identity: str) -> Job | None:
        """The run of that identity."""
        return next(iter(_read(RUNS.c.identity == identity, self.take_over)), None)

    def of(self, owner: str, without: Sequence[str]) -> list[Job]:
        """The runs of an owner, newest first, but for some identities."""
        return _read((RUNS.c.owner == owner) & RUNS.c.identity.not_in(list(without)), self.take_over)


def _write(job: Job) -> None:
    uploads = uploads_of(job)
    content = msgpack.packb(
        {
            "arguments": {name: value for name, value in job.arguments.items() if name not in uploads},
            UPLOADS: list(uploads),
            "events": summary(list(job.events)),
            "result": job.result,
        },
        default=plain,
    )
    mine = RUNS.c.identity == job.identity
    if not job.over:
        mine &= UNFINISHED  # another process may have seen its end
    values = {name: getattr(job, name) for name in COLUMNS} | {"content": content, "process": this_process()}
    with transaction() as rows:
        if not rows.execute(RUNS.update().where(mine).values(values)).rowcount:
            rows.execute(RUNS.insert().values(values))
        if job.over:
            for kept, limit in ((RUNS.c.owner == job.owner, OWN_FINISHED_LIMIT), (sql.true(), FINISHED_LIMIT)):
                newest = sql.select(RUNS.c.identity).where(kept).order_by(RUNS.c.submitted.desc())
                old = [row.identity for row in rows.execute(newest.offset(limit))]
                rows.execute(RUNS.delete().where(RUNS.c.identity.in_(old)))


def _note_alive() -> None:
    """Write that this process is alive now, and forget those that have not been for a day."""
    now = time.time()
    with transaction() as rows:
        mine = PROCESSES.c.process == this_process()
        if not rows.execute(PROCESSES.update().where(mine).values(seen=now)).rowcount:
            rows.execute(PROCESSES.insert().values(process=this_process(), seen=now))
            rows.execute(PROCESSES.delete().where(PROCESSES.c.seen < now - 24 * 3600))


def _read(condition: Any, take_over: bool) -> list[Job]:
    try:
        with transaction() as rows:
            found = list(rows.execute(RUNS.select().where(condition).order_by(RUNS.c.submitted.desc())))
        return [_job(row, take_over) for row in found]
    except DatabaseError:
        return []  # it is in the log


def _content(row: Any) -> dict[str, Any]:
    return {UPLOADS: []} | msgpack.unpackb(row.content, strict_map_key=False)


def _job(row: Any, take_over: bool) -> Job:
    content = _content(row)
    content.pop(UPLOADS)
    job = Job(**{name: getattr(row, name) for name in COLUMNS}, **content)
    if not job.over and not take_over and not _alive(row.process):
        job.state, job.message, job.ended = INTERRUPTED, LOST, job.last_seen or job.submitted
    if job.over:
        job.done.set()
    return job


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
    """Whether a web process still runs; one on another machine has to have noted it. DatabaseError."""
    if not process:
        return False  # it has left its runs to the others
    host, number, started = process.rsplit(":", 2)
    if host != socket.gethostname():
        with transaction() as rows:
            seen = rows.scalar(sql.select(PROCESSES.c.seen).where(PROCESSES.c.process == process))
        return seen is not None and time.time() - seen < DEAD
    try:
        return f"{psutil.Process(int(number)).create_time():.0f}" == started
    except (psutil.Error, ValueError):
        return False
