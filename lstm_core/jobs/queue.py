"""A queue of jobs that run in worker processes, on Dask: submitted, followed, stopped, and their errors explained.

By default a local cluster starts with the first job; with LSTM_LAB_SCHEDULER the same code uses workers elsewhere.
Jobs have an identity that can't be guessed. They wait here, and the workers get no more than they have places for, so
that visitors take turns, and a worker that joins late has something to do. `jobs/worker.py` runs their functions,
`jobs/records.py` writes them to the database, from where another web process takes over those of one that has ended.
"""

import functools
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from lstm_core import storage
from lstm_core.errors import LabError
from lstm_core.jobs.checkpoint import Checkpoint, folder_of
from lstm_core.jobs.connection import TIMEOUT, Connection, JobError, first_line
from lstm_core.jobs.fairness import in_turn
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
    uploads_of,
)
from lstm_core.jobs.limits import LIMIT, OWN_LIMIT, longest_run, runs_of_an_address
from lstm_core.jobs.worker import LESS, run_job, stop_of, topic_of

if TYPE_CHECKING:
    from distributed import Client, Future

    from lstm_core.jobs.records import Records

log = logging.getLogger("lstm_lab.jobs")

MEMORY = "3 GiB"  # of a local worker; one that uses more is terminated
LOOK_EVERY = 1.0  # seconds between two looks for places and for jobs of other web processes
MOST_ELSEWHERE = 100  # jobs of other processes that are kept
SEEN = 1.0  # seconds for which a job of another process is as it was read
MOST_LOST = 10  # times that a job goes on after its scheduler was lost


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
        self.scheduler, self.connection = scheduler, Connection(scheduler, memory)
        self._records = functools.cache(records or (lambda: None))
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._futures: dict[str, Future] = {}
        self._elsewhere: dict[str, tuple[float, Job]] = {}  # jobs of other processes, and when they were read
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

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
        self.connection.client()
        longest_run()  # a wrong setting is said at once
        job = Job(secrets.token_urlsafe(12), owner, title, work, arguments, address=address)
        others = self._others()
        with self._lock:
            self._check_limits(job, others)
            self._jobs[job.identity] = job
            self._forget_old()
        if self.scheduler:
            for name, upload in uploads_of(job).items():
                with suppress(storage.StoreError, OSError):  # it is in the log; this process has the file
                    storage.write(f"{folder_of(job.identity)}/{name}", upload)
        self._keep(job)
        self.start()
        self._wake.set()
        return job

    def _check_limits(self, job: Job, others: Sequence[Job]) -> None:
        """JobError if there are too many unfinished jobs for another one; the caller holds the lock."""
        own = [each for each in self._jobs.values() if not each.over]
        unfinished = [*others, *own]
        if sum(each.owner == job.owner for each in unfinished) >= OWN_LIMIT:
            raise JobError(f"You have {OWN_LIMIT} runs under way already; wait for one, or stop one.")
        if sum(each.address == job.address for each in own) >= runs_of_an_address():
            raise JobError("Too many runs from your network are under way already; come back in a few minutes.")
        if len(unfinished) >= LIMIT:
            raise JobError(f"{LIMIT} runs are waiting already; come back in a few minutes.")

    def _others(self) -> list[Job]:
        """The unfinished jobs of other web processes."""
        records = self._records()
        return records.unfinished() if records is not None else []

    def start(self) -> None:
        """Start the thread that hands jobs to free workers and takes over those of web processes that have ended."""
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._work_always, name="job-queue", daemon=True)
                self._thread.start()

    def _work_always(self) -> None:
        while self._thread is threading.current_thread():
            waiting = True
            try:
                with suppress(JobError):  # it is in the log
                    self._take_over()
                    waiting = self._hand_over()
            except Exception:  # the queue goes on, whatever Dask, Tornado or the operating system raise
                log.warning("jobs can't be handed to the workers now", exc_info=True)
            self._wake.wait(LOOK_EVERY if waiting or self.scheduler else None)
            self._wake.clear()

    def _take_over(self) -> None:
        """Go on with the jobs of web processes that have ended."""
        records = self._records() if self.scheduler else None
        if records is None:
            return
        records.start()
        for job in records.orphans():
            if not job.over:
                job.state = WAITING
            with self._lock:
                self._jobs[job.identity] = job
            self._keep(job)
        self.connection.client()  # so that a page can say how many workers there are

    def _hand_over(self) -> bool:
        """Give the workers as many jobs as they have places; returns whether some wait.

        Those that had a place before come first, and then those whose turn it is.
        """
        with self._lock:
            jobs, handed = list(self._jobs.values()), set(self._futures)
        waiting = [job for job in jobs if job.state == WAITING and job.identity not in handed]
        if not waiting:
            return False
        client = self.connection.client()
        busy = client.processing()
        free = len(busy) - len({key for keys in busy.values() for key in keys} | {key_of(each) for each in handed})
        turns = in_turn([*jobs, *self._others()], handed)
        for job in waiting:
            if job.begun or job in turns[: max(free, 0)]:
                self._hand(client, job)
        return True

    def _hand(self, client: "Client", job: Job) -> None:
        """Give a job to a worker; the same worker goes on if it has it already, for a process that has ended."""
        key, topic = key_of(job.identity), topic_of(job.identity)
        try:
            client.subscribe_topic(topic, lambda event: self.receive(job, event[1]))
            arguments = job.identity, job.work, job.arguments, longest_run()
            future = client.submit(run_job, *arguments, key=key, pure=False)
            if self.scheduler:
                client.publish_dataset(future, name=key, override=True)  # so that it outlives this process
        except Exception as error:  # Tornado, Dask and the operating system each have their own
            if isinstance(error, OSError) or self.connection.current is not client:
                raise  # the job waits for a connection
            self._end(job, FAILED, f"The run could not be handed to a worker ({first_line(error)}); try again.")
            return
        self._futures[job.identity] = future
        if job.stop_requested:
            self._request_stop(client, job)
        future.add_done_callback(lambda each: self._settle(job, each))

    def find(self, identity: str) -> Job | None:
        """The job of that identity, or None. One of another process is as it was a few seconds ago: find it again."""
        with self._lock:
            found = self._jobs.get(identity)
        records = self._records()
        if found is not None or records is None:
            return found
        read, before = self._elsewhere.pop(identity, (0.0, None))
        if before is None or time.monotonic() - read > SEEN:
            read, found = time.monotonic(), self._remember([records.find(identity)])[0]
        else:
            found = before
        if found is not None and not found.over:
            found.stop_requested = before is not None and before.stop_requested
            self._elsewhere = dict(list(self._elsewhere.items())[-MOST_ELSEWHERE:]) | {identity: (read, found)}
        return found

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
            turns = in_turn(self._jobs.values(), self._futures)
        return turns.index(job) if job in turns else 0

    def stop(self, job: Job) -> None:
        """Request a job to end with what it has so far; a waiting one ends at once. Doesn't block."""
        if job.over:
            return
        job.stop_requested = True
        future, client = self._futures.get(job.identity), self.connection.current
        if client is not None:  # without a connection the job waits for one, and ends then
            self._request_stop(client, job)
        if job.state == WAITING and not job.begun and job.identity in self._jobs:
            self._end(job, STOPPED)
            if future is not None:
                future.cancel()

    def _request_stop(self, client: "Client", job: Job) -> None:
        """Also for a job that may be starting just now. In the client's thread nobody waits for the answer."""
        from distributed import Event

        if client.loop is not None:
            client.loop.add_callback(lambda: Event(stop_of(job.identity), client=client).set())

    def count(self, state: str) -> int:
        """How many jobs of this process are in a state."""
        with self._lock:
            return sum(job.state == state for job in self._jobs.values())

    def workers(self) -> int:
        """The number of workers, as the scheduler said in the last two seconds; 0 without a connection. Never waits."""
        return self.connection.workers()

    def close(self) -> None:
        """End all jobs, the connection and the local workers. Another job would start them again.

        Jobs on workers elsewhere go on there, if they are recorded: another web process takes them over.
        """
        thread, self._thread = self._thread, None
        self._wake.set()
        if thread is not None:
            thread.join(TIMEOUT)
        records = self._records()
        if records is not None and records.take_over:
            records.release()
            with self._lock:
                self._futures, self._jobs = {}, {}
        for job in list(self._jobs.values()):
            self._end(job, INTERRUPTED, "The server was stopped while this run was under way.")
        self.connection.close()
        if records is not None:
            records.flush()

    def receive(self, job: Job, event: dict[str, Any]) -> None:
        """Add an event to a job; one with `begun` marks it as running, or restarted."""
        job.last_seen = time.time()
        if "begun" in event:
            if job.begun:
                job.restarts += 1
                job.events = []
            job.begun = job.last_seen
        if job.state == WAITING:  # also where it went on for a process that has ended
            job.state, job.begun = RUNNING, job.begun or job.last_seen
        if "stop" in event or "longest" in event:
            job.stop_requested = True  # by another process, or by the clock
        if "longest" in event:
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
                self._lose(job, f"The run ended, but its result was lost ({first_line(error)}); run it again.")
            else:
                self._end(job, STOPPED if job.stop_requested else FINISHED)
        elif future.status == "error":
            self._end(job, FAILED, _why(future.exception(timeout=TIMEOUT)))
        else:
            self._lose(job, "The connection to the training workers was lost; run it again.")

    def _lose(self, job: Job, message: str) -> None:
        """Without a connection to the scheduler, a job goes on when there is one; else it has failed."""
        if self.connection.current is not None or job.restarts >= MOST_LOST:
            self._end(job, FAILED, message)
            return
        with self._lock:
            if self._futures.pop(job.identity, None) is not None and not job.over:
                job.state = WAITING
                self._keep(job)
        self._wake.set()

    def _end(self, job: Job, state: str, message: str = "") -> None:
        if job.over:
            return
        job.state, job.message, job.ended = state, message or job.message, time.time()
        future, client = self._futures.pop(job.identity, None), self.connection.current
        if client is not None:
            with suppress(Exception):  # it was not subscribed, or the connection is lost
                client.unsubscribe_topic(topic_of(job.identity))
                if self.scheduler and future is not None:
                    client.unpublish_dataset(key_of(job.identity))
        job.done.set()
        self._keep(job)
        self._wake.set()
        Checkpoint(job.identity).forget()  # and its uploads

    def _forget_old(self) -> None:
        """Delete the oldest finished jobs; the caller holds the lock."""
        ended = sorted((job for job in self._jobs.values() if job.over), key=lambda job: job.submitted)
        counts: dict[str, int] = {}
        for place, job in enumerate(reversed(ended)):
            counts[job.owner] = counts.get(job.owner, 0) + 1
            if counts[job.owner] > OWN_FINISHED_LIMIT or place >= FINISHED_LIMIT:
                del self._jobs[job.identity]


def key_of(identity: str) -> str:
    """What Dask calls a job."""
    return f"lstm-lab-job-{identity}"


def _why(error: BaseException | None) -> str:
    """Why a job failed, in one sentence for its owner."""
    if isinstance(error, LabError):
        return str(error)
    if type(error).__name__ == "KilledWorker":  # by a scheduler with Dask's own limit, which counts waiting jobs, too
        return "Several training workers were lost while this run was waiting or running; run it again."
    if isinstance(error, MemoryError):
        return f"The run needs more memory than a worker is allowed: {LESS}"
    log.error("a job failed", exc_info=error)
    return f"The run failed ({first_line(error)})."


_shared: JobQueue | None = None
_sharing = threading.Lock()


def shared_queue() -> JobQueue:
    """The queue of this process, with local workers or those at LSTM_LAB_SCHEDULER."""
    global _shared
    with _sharing:
        if _shared is None:
            _shared = JobQueue(os.environ.get("LSTM_LAB_SCHEDULER") or None, records=_database)
            if _shared.scheduler:
                _shared.start()  # other processes may have left jobs
        return _shared


def _database() -> "Records":
    from lstm_core.jobs.records import Records  # imported when it is used: it brings in SQLAlchemy

    return Records(take_over=bool(os.environ.get("LSTM_LAB_SCHEDULER")))


def shutdown() -> None:
    """Close the shared queue, if there is one."""
    if _shared is not None:
        _shared.close()
