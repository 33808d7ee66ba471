"""A queue of jobs that run in worker processes, on Dask: submitted, followed, stopped, and their errors explained.

By default a local cluster starts with the first job; with LSTM_LAB_SCHEDULER the same code uses workers elsewhere.
Jobs have an identity that can't be guessed. `jobs/worker.py` runs their functions, `jobs/records.py` writes them to the
database.
"""

import asyncio
import functools
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lstm_core.errors import LabError
from lstm_core.jobs.job import (
    FAILED,
    FINISHED,
    FINISHED_LIMIT,
    INTERRUPTED,
    OWN_FINISHED_LIMIT,
    RUNNING,
    STOPPED,
    WAITING,
    Job,
)
from lstm_core.jobs.limits import LIMIT, OWN_LIMIT, longest_run, runs_of_an_address
from lstm_core.jobs.local_cluster import LocalWorkers
from lstm_core.jobs.worker import LESS, certificate_files, run_job, stop_of, topic_of

if TYPE_CHECKING:
    from distributed import Client, Future

    from lstm_core.jobs.records import Records

log = logging.getLogger("lstm_lab.jobs")

MEMORY = "3 GiB"  # of a local worker; one that uses more is terminated
TIMEOUT = 30.0  # seconds to wait for the local workers to start
CONNECT = 4.0  # seconds to wait for a scheduler elsewhere
REFUSED = 10.0  # seconds after a failed attempt in which nobody waits for another one


class JobError(LabError):
    """A job that can't be accepted, or doesn't exist."""


class JobQueue:
    """All jobs of this process, and its connection to the workers; thread-safe."""

    def __init__(
        self, scheduler: str | None = None, memory: str = MEMORY, records: "Callable[[], Records] | None" = None
    ) -> None:
        """Workers start with the first job, unless the address of a scheduler is given.

        Args:
            scheduler: its address.
            memory: the limit of each local worker.
            records: gives where jobs are written when it is called; None to keep them in this process alone.
        """
        self.scheduler, self.memory = scheduler, memory
        self._records = functools.cache(records or (lambda: None))
        self._lock, self._starting = threading.Lock(), threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._futures: dict[str, Future] = {}
        self._client: Client | None = None
        self._cluster: LocalWorkers | None = None
        self._refusal: tuple[float, str] = (0.0, "")  # until when no attempt is made to connect, and why

    def submit(self, work: str, arguments: dict[str, Any], owner: str, title: str, address: str = "") -> Job:
        """Put a job into the queue.

        Args:
            work: the function, "lstm_core.module:function".
            arguments: of the function.
            owner: who submits it.
            title: as displayed.
            address: of the network, from which it is submitted.

        Raises:
            JobError: if its owner, the address or the queue has too many unfinished jobs, or no worker can be reached.
        """
        client, longest = self._connected(), longest_run()
        job = Job(secrets.token_urlsafe(12), owner, title, work, arguments, address=address)
        with self._lock:
            self._check_limits(job)
            self._jobs[job.identity] = job
            self._forget_old()
        try:
            client.subscribe_topic(topic_of(job.identity), lambda event: self.receive(job, event[1]))
            key = f"lstm-lab-job-{job.identity}"
            future = client.submit(run_job, job.identity, work, arguments, longest, key=key, pure=False)
        except Exception as error:  # Tornado, Dask and the operating system each have their own
            self._end(job, FAILED, f"The run could not be handed to a worker ({_first_line(error)}); try again.")
            raise JobError(job.message) from error
        self._futures[job.identity] = future
        self._keep(job)
        future.add_done_callback(lambda each: self._settle(job, each))
        return job

    def _check_limits(self, job: Job) -> None:
        """JobError if there are too many unfinished jobs for another one; the caller holds the lock."""
        unfinished = [each for each in self._jobs.values() if not each.over]
        if sum(each.owner == job.owner for each in unfinished) >= OWN_LIMIT:
            raise JobError(f"You have {OWN_LIMIT} runs under way already; wait for one, or stop one.")
        if sum(each.address == job.address for each in unfinished) >= runs_of_an_address():
            raise JobError("Too many runs from your network are under way already; come back in a few minutes.")
        if len(unfinished) >= LIMIT:
            raise JobError(f"{LIMIT} runs are waiting already; come back in a few minutes.")

    def find(self, identity: str) -> Job | None:
        """The job of that identity, or None."""
        with self._lock:
            found = self._jobs.get(identity)
        records = self._records()
        return self._remember([records.find(identity)])[0] if found is None and records is not None else found

    def of(self, owner: str) -> list[Job]:
        """An owner's jobs, newest first."""
        with self._lock:
            found = [job for job in reversed(self._jobs.values()) if job.owner == owner]
        records = self._records()
        earlier = records.of(owner, [job.identity for job in found]) if records is not None else []
        return sorted([*found, *self._remember(earlier)], key=lambda job: job.submitted, reverse=True)

    def _remember(self, jobs: Sequence[Job | None]) -> list[Any]:
        """Keep jobs of an earlier process here, too; returns them."""
        with self._lock:
            kept = [self._jobs.setdefault(job.identity, job) if job and job.over else job for job in jobs]
            self._forget_old()
        return kept

    def _keep(self, job: Job) -> None:
        records = self._records()
        if records is not None:
            records.keep(job)

    def position(self, job: Job) -> int:
        """How many jobs wait before this one; 0 if it is the next, or doesn't wait."""
        with self._lock:
            before = [each for each in self._jobs.values() if each.state == WAITING and each.submitted < job.submitted]
        return len(before) if job.state == WAITING else 0

    def stop(self, job: Job) -> None:
        """Request a job to end with what it has so far; a waiting one ends at once. Doesn't block."""
        if job.over:
            return
        from distributed import Event

        job.stop_requested = True
        future, waiting, client = self._futures.get(job.identity), job.state == WAITING, self._client
        # Without a connection the job is lost, and ends so.
        loop = client.loop if client is not None and client.status == "running" else None
        if loop is not None:
            # Also while it waits: it may be starting just now. In the client's thread nobody waits for the answer.
            loop.add_callback(lambda: Event(stop_of(job.identity), client=client).set())
        if waiting and future is not None:
            self._end(job, STOPPED)
            future.cancel()

    def count(self, state: str) -> int:
        """How many jobs of this process are in a state."""
        with self._lock:
            return sum(job.state == state for job in self._jobs.values())

    @property
    def address(self) -> str:
        """Where the scheduler of the local workers listens; empty before the first job."""
        return self._cluster.address if self._cluster is not None else ""

    def workers(self) -> int:
        """The number of workers, as the scheduler said in the last two seconds; 0 without a connection. Never waits."""
        client = self._client
        if client is None or client.status != "running":
            return 0
        return int(client._scheduler_identity.get("n_workers", 0))  # `scheduler_info` would ask, and wait for it

    def close(self) -> None:
        """End all jobs, the connection and the local workers. Another job would start them again."""
        with self._starting:
            client, cluster, self._client, self._cluster = self._client, self._cluster, None, None
        for job in list(self._jobs.values()):
            self._end(job, INTERRUPTED, "The server was stopped while this run was under way.")
        if client is not None:
            with suppress(Exception):  # the connection may be lost already
                client.close(timeout=5)
        if cluster is not None:
            cluster.close()
        records = self._records()
        if records is not None:
            records.flush()

    def _connected(self) -> "Client":
        """The connection to the workers, made anew if it was lost; whoever comes just after a failure is told at once.

        Raises:
            JobError: if there is none, and none can be made.
        """
        with self._starting:
            if self._client is not None and self._client.status == "running":
                return self._client
            until, why = self._refusal
            if time.monotonic() < until:
                raise JobError(why)
            try:
                self._client = self._connect()
            except Exception as error:  # timeouts, refused connections, bad addresses, no memory for a process
                where = f"at {self.scheduler} " if self.scheduler else ""
                log.exception("no workers")
                why = f"No training worker can be reached {where}({_first_line(error)})."
                self._refusal = time.monotonic() + REFUSED, why
                raise JobError(why) from error
            return self._client

    def _connect(self) -> "Client":
        from distributed import Client
        from distributed.security import Security

        address, certificates = self.scheduler, certificate_files()
        if self._client is not None:  # it may be trying to connect again, too
            with suppress(Exception):
                self._client.close(timeout=1)
        if not address:
            if self._cluster is not None:  # it can't be reached any more
                self._cluster.close()
            self._cluster = LocalWorkers(_own_workers(), self.memory, TIMEOUT)
            address, certificates = self._cluster.address, self._cluster.certificates
        security = Security(require_encryption=True, **certificates) if certificates else None
        timeout = CONNECT if self.scheduler else TIMEOUT
        asyncio.run(_greeted(address, timeout, (security or Security()).get_connection_args("client")))
        return Client(address, timeout=timeout, set_as_default=False, name="lstm-lab", security=security)

    def receive(self, job: Job, event: dict[str, Any]) -> None:
        """Add an event to a job; one with `begun` marks it as running, or restarted."""
        job.last_seen = time.time()
        if "begun" in event:
            if job.begun:
                job.restarts += 1
                job.events = []
            job.begun = job.last_seen
            if not job.over:
                job.state = RUNNING
        if "longest" in event:
            job.stop_requested = True
            job.message = (
                f"Stopped after {event['longest'] / 60:.0f} minutes, the longest time for a run on this server."
            )
        job.events.append(event)
        self._keep(job)

    def _settle(self, job: Job, future: "Future") -> None:
        """Keep the result of a future that is done, or explain why there is none."""
        if future.status == "finished":
            try:
                job.result = future.result(timeout=TIMEOUT)
            except Exception as error:  # the result was lost with its worker, or can't be read
                self._end(job, FAILED, f"The run ended, but its result was lost ({_first_line(error)}); run it again.")
            else:
                self._end(job, STOPPED if job.stop_requested else FINISHED)
        elif future.status == "error":
            self._end(job, FAILED, _why(future.exception(timeout=TIMEOUT)))
        else:
            self._end(job, FAILED, "The connection to the training workers was lost; run it again.")

    def _end(self, job: Job, state: str, message: str = "") -> None:
        if job.over:
            return
        job.state, job.message, job.ended = state, message or job.message, time.time()
        self._futures.pop(job.identity, None)
        client = self._client
        if client is not None:
            with suppress(Exception):  # it was not subscribed, or the connection is lost
                client.unsubscribe_topic(topic_of(job.identity))
        job.done.set()
        self._keep(job)

    def _forget_old(self) -> None:
        """Delete the oldest finished jobs; the caller holds the lock."""
        ended = sorted((job for job in self._jobs.values() if job.over), key=lambda job: job.submitted)
        counts: dict[str, int] = {}
        for place, job in enumerate(reversed(ended)):
            counts[job.owner] = counts.get(job.owner, 0) + 1
            if counts[job.owner] > OWN_FINISHED_LIMIT or place >= FINISHED_LIMIT:
                del self._jobs[job.identity]


async def _greeted(address: str, timeout: float, arguments: dict[str, Any]) -> None:
    """Connect to a scheduler and leave: `Client` would wait without end for one that never greets.

    Raises:
        OSError: if there is none, or it doesn't greet in time.
    """
    from distributed.comm import connect

    try:
        comm = await asyncio.wait_for(connect(address, timeout=timeout, **arguments), timeout)
    except TimeoutError as error:
        raise TimeoutError(f"no answer within {timeout:.0f} seconds") from error
    except MemoryError as error:  # the first bytes of another protocol, read as a number of bytes to come
        raise OSError("another program listens there, no Dask scheduler") from error
    await comm.close()


def _own_workers() -> int:
    """LSTM_LAB_WORKERS; 1 by default, so that another core is left for the web process."""
    wanted = os.environ.get("LSTM_LAB_WORKERS", "1")
    if not (wanted.isdecimal() and 1 <= int(wanted) <= 64):
        raise JobError(f"LSTM_LAB_WORKERS is '{wanted}'; it can be a whole number from 1 to 64.")
    return int(wanted)


def _why(error: BaseException | None) -> str:
    """Why a job failed, in one sentence for its owner."""
    if isinstance(error, LabError):
        return str(error)
    if type(error).__name__ == "KilledWorker":  # by a scheduler with Dask's own limit, which counts waiting jobs, too
        return "Several training workers were lost while this run was waiting or running; run it again."
    if isinstance(error, MemoryError):
        return f"The run needs more memory than a worker is allowed: {LESS}"
    log.error("a job failed", exc_info=error)
    return f"The run failed ({_first_line(error)})."


def _first_line(error: BaseException | None) -> str:
    lines = str(error).strip().splitlines()
    return (lines[0] if lines else type(error).__name__)[:200]


_shared: JobQueue | None = None
_sharing = threading.Lock()


def shared_queue() -> JobQueue:
    """The queue of this process, with local workers or those at LSTM_LAB_SCHEDULER."""
    global _shared
    with _sharing:
        _shared = _shared or JobQueue(os.environ.get("LSTM_LAB_SCHEDULER") or None, records=_database)
        return _shared


def _database() -> "Records":
    from lstm_core.jobs.records import Records  # imported when it is used: it brings in SQLAlchemy

    return Records()


def shutdown() -> None:
    """Close the shared queue, if there is one."""
    if _shared is not None:
        _shared.close()
