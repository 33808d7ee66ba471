"""Long work in worker processes, through Dask: queued, followed, stopped, and honestly failed.

By default a cluster of this machine's own starts with the first job; with LSTM_LAB_SCHEDULER the
same code uses workers elsewhere. Jobs are kept in this process, by an identity that nobody can
guess; what they do is in other modules, and runs by `job_worker.carry_out`.
"""

from __future__ import annotations

import logging
import os
import secrets
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from lstm_core.errors import LabError
from lstm_core.jobs.local_cluster import OwnCluster
from lstm_core.jobs.worker import carry_out, stop_of, topic_of

if TYPE_CHECKING:
    from distributed import Client, Future

log = logging.getLogger("lstm_lab.jobs")

OWN_LIMIT = 2  # unfinished jobs of one owner
LIMIT = 40  # unfinished jobs of everybody
KEPT = 12  # finished jobs of one owner whose results are kept
MOST_KEPT = 120  # finished jobs of everybody
MEMORY = "3 GiB"  # of a worker on this machine; beyond, it is ended
PATIENCE = 30.0  # seconds to wait for a scheduler

WAITING, RUNNING, FINISHED, STOPPED, FAILED = "waiting", "running", "finished", "stopped", "failed"


class JobError(LabError):
    """A job that can't be taken on, or isn't there."""


@dataclass
class Job:
    """One piece of long work. Pages read it and never write to it.

    Attributes:
        identity: what its link carries; whoever has it may see and stop the job.
        owner: whose it is.
        title: for people.
        work: the function that does it, "lstm_core.module:function".
        arguments: what the function was given.
        state: "waiting", "running", "finished", "stopped" or "failed".
        events: what it told, oldest first; begun anew if it had to start again.
        restarts: how often it had to start again because its worker was lost.
        message: why it failed, in one sentence.
        result: what it returned, once it has ended.
        submitted, begun, ended, heard: seconds since the epoch; 0 for not yet. `heard` is the last sign of life.
    """

    identity: str
    owner: str
    title: str
    work: str
    arguments: dict[str, Any]
    state: str = WAITING
    events: list[dict[str, Any]] = field(default_factory=list)
    restarts: int = 0
    message: str = ""
    result: dict[str, Any] | None = None
    asked_to_stop: bool = False
    submitted: float = field(default_factory=time.time)
    begun: float = 0.0
    ended: float = 0.0
    heard: float = 0.0
    done: threading.Event = field(default_factory=threading.Event, repr=False)

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it."""
        return self.state in (FINISHED, STOPPED, FAILED)


class JobQueue:
    """All jobs of this process, and its connection to the workers. Safe to share between sessions."""

    def __init__(self, scheduler: str | None = None, memory: str = MEMORY) -> None:
        """Nothing is started yet.

        Args:
            scheduler: "tcp://…" of one that runs already; None for workers of this machine's own.
            memory: of each own worker.
        """
        self.scheduler, self.memory = scheduler, memory
        self._lock, self._starting = threading.Lock(), threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._futures: dict[str, Future] = {}
        self._client: Client | None = None
        self._cluster: OwnCluster | None = None

    def submit(self, work: str, arguments: dict[str, Any], owner: str, title: str) -> Job:
        """Put a job into the queue.

        Raises:
            JobError: if its owner has as many as one may have, or no worker can be reached.
        """
        client = self._connected()
        job = Job(secrets.token_urlsafe(12), owner, title, work, arguments)
        with self._lock:
            unfinished = [each for each in self._jobs.values() if not each.over]
            if sum(each.owner == owner for each in unfinished) >= OWN_LIMIT:
                raise JobError(f"You have {OWN_LIMIT} runs under way already; wait for one, or stop one.")
            if len(unfinished) >= LIMIT:
                raise JobError(f"{LIMIT} runs are waiting already; come back in a few minutes.")
            self._jobs[job.identity] = job
            self._forget_old()
        try:
            client.subscribe_topic(topic_of(job.identity), lambda event: self._hear(job, event[1]))
            future = client.submit(
                carry_out, job.identity, work, arguments, key=f"lstm-lab-job-{job.identity}", pure=False
            )
        except Exception as error:  # Tornado, Dask and the operating system each have their own
            self._end(job, FAILED, f"The run could not be handed to a worker ({_first_line(error)}); try again.")
            raise JobError(job.message) from error
        self._futures[job.identity] = future
        future.add_done_callback(lambda each: self._settle(job, each))
        return job

    def find(self, identity: str) -> Job | None:
        """The job of that identity, if this process knows it."""
        with self._lock:
            return self._jobs.get(identity)

    def of(self, owner: str) -> list[Job]:
        """An owner's jobs, newest first."""
        with self._lock:
            return [job for job in reversed(self._jobs.values()) if job.owner == owner]

    def position(self, job: Job) -> int:
        """How many jobs wait before this one; 0 if it is the next, or doesn't wait."""
        with self._lock:
            before = [each for each in self._jobs.values() if each.state == WAITING and each.submitted < job.submitted]
        return len(before) if job.state == WAITING else 0

    def stop(self, job: Job) -> None:
        """Ask a job to end and to keep what there is; one that has not begun ends at once. Returns at once."""
        if job.over:
            return
        from distributed import Event

        job.asked_to_stop = True
        future, waiting = self._futures.get(job.identity), job.state == WAITING
        Event(stop_of(job.identity), client=self._connected()).set()  # even if it waits: it may be beginning just now
        if waiting and future is not None:
            self._end(job, STOPPED)
            future.cancel()

    def workers(self) -> int:
        """How many workers there are now; 0 before the first job."""
        client = self._client
        return len(client.scheduler_info(n_workers=-1)["workers"]) if client is not None else 0

    def close(self) -> None:
        """End all jobs, the connection and the own workers. Another job would start them again."""
        with self._starting:
            client, cluster, self._client, self._cluster = self._client, self._cluster, None, None
        for job in list(self._jobs.values()):
            self._end(job, FAILED, "The server is stopping; this run ended with it.")
        if client is not None:
            with suppress(Exception):  # closing what is gone already
                client.close(timeout=5)
        if cluster is not None:
            cluster.close()

    # --- The connection ---

    def _connected(self) -> Client:
        with self._starting:
            if self._client is not None and self._client.status == "running":
                return self._client
            try:
                self._client = self._connect()
            except Exception as error:  # timeouts, refused connections, bad addresses, no memory for a process
                where = f"at {self.scheduler} " if self.scheduler else ""
                log.exception("no workers")
                raise JobError(f"No training worker can be reached {where}({_first_line(error)}).") from error
            return self._client

    def _connect(self) -> Client:
        from distributed import Client

        address = self.scheduler
        if not address:
            if self._cluster is not None:  # one that can't be reached any more
                self._cluster.close()
            self._cluster = OwnCluster(_own_workers(), self.memory, PATIENCE)
            address = self._cluster.address
        return Client(address, timeout=PATIENCE, set_as_default=False, name="lstm-lab")

    # --- What comes back; called on Dask's threads ---

    def _hear(self, job: Job, event: dict[str, Any]) -> None:
        job.heard = time.time()
        if "begun" in event:
            if job.begun:
                job.restarts += 1
                job.events = []
            job.begun = job.heard
            if not job.over:
                job.state = RUNNING
        job.events.append(event)

    def _settle(self, job: Job, future: Future) -> None:
        """A future is done: keep its result, or say why there is none."""
        if future.status == "finished":
            try:
                job.result = future.result(timeout=PATIENCE)
            except Exception as error:  # the result was lost with its worker, or can't be read
                self._end(job, FAILED, f"The run ended, but its result was lost ({_first_line(error)}); run it again.")
            else:
                self._end(job, STOPPED if job.asked_to_stop else FINISHED)
        elif future.status == "error":
            self._end(job, FAILED, _why(future.exception(timeout=PATIENCE)))
        else:
            self._end(job, FAILED, "The connection to the training workers was lost; run it again.")

    def _end(self, job: Job, state: str, message: str = "") -> None:
        if job.over:
            return
        job.state, job.message, job.ended = state, message, time.time()
        self._futures.pop(job.identity, None)
        client = self._client
        if client is not None:
            with suppress(ValueError):  # it was never subscribed
                client.unsubscribe_topic(topic_of(job.identity))
        job.done.set()

    def _forget_old(self) -> None:
        """Let go of the oldest finished jobs; the lock is held."""
        ended = [job for job in self._jobs.values() if job.over]
        counts: dict[str, int] = {}
        for place, job in enumerate(reversed(ended)):
            counts[job.owner] = counts.get(job.owner, 0) + 1
            if counts[job.owner] > KEPT or place >= MOST_KEPT:
                del self._jobs[job.identity]


def _own_workers() -> int:
    """LSTM_LAB_WORKERS, or one: training takes a core, and somebody has to serve the pages."""
    wanted = os.environ.get("LSTM_LAB_WORKERS", "1")
    if not (wanted.isdecimal() and 1 <= int(wanted) <= 64):
        raise JobError(f"LSTM_LAB_WORKERS is '{wanted}'; it can be a whole number from 1 to 64.")
    return int(wanted)


def _why(error: BaseException | None) -> str:
    """Why a job failed, for the person whose job it was."""
    if isinstance(error, LabError):
        return str(error)
    if type(error).__name__ == "KilledWorker":
        return (
            "The worker that trained was ended from outside, perhaps because it needed more memory than it may have. "
            "Try fewer units, a smaller batch or shorter texts."
        )
    if isinstance(error, MemoryError):
        return "The run needs more memory than a worker may have: try fewer units, a smaller batch or shorter texts."
    log.error("a job failed", exc_info=error)
    return f"The run failed ({_first_line(error)})."


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


_shared: JobQueue | None = None
_sharing = threading.Lock()


def shared_queue() -> JobQueue:
    """The jobs of this process: its own workers, or those at LSTM_LAB_SCHEDULER."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = JobQueue(os.environ.get("LSTM_LAB_SCHEDULER") or None)
        return _shared


def shutdown() -> None:
    """End the jobs of this process, if it ever had any."""
    if _shared is not None:
        _shared.close()
