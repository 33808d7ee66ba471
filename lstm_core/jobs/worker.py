"""What runs in a worker process: the function of one job, its reports, and the requests to stop it.

Nothing here knows what a job does. `jobs/queue.py` is the other side, in the web process.
"""

import argparse
import asyncio
import inspect
import logging
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from importlib import import_module
from typing import Any

from lstm_core import logs, storage
from lstm_core.errors import LabError
from lstm_core.jobs import tls
from lstm_core.jobs.checkpoint import Checkpoint
from lstm_core.jobs.job import plain
from lstm_core.nn import keras_backend

log = logging.getLogger("lstm_lab.worker")
tls.install()  # in the web process, the scheduler of local workers and each worker: all of them import this module

# With the number of threads of each library. NPROC is the number of cores that XLA sees: its flags for threads don't
# keep it from taking the others.
THREADS = (
    "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS",
    "NPROC",
)  # fmt: skip
# Set in a worker before it imports NumPy: one thread each, so that a job leaves the other cores to the web process.
ONE_THREAD = dict.fromkeys(THREADS, "1") | {"TF_CPP_MIN_LOG_LEVEL": "3", "TF_ENABLE_ONEDNN_OPTS": "0"}
AUTOGROUP = "/proc/self/autogroup"  # the group of this process's session, see sched(7); nothing where Linux has none
GROUP_NICE = 10  # a tenth of the time of a core that others want as well
RECONNECT = 2.0  # seconds after a lost scheduler before the next attempt
DEATH_TIMEOUT = 60  # seconds for a worker process to start
MOST_STARTS = 2  # of a job whose worker was lost, without a checkpoint in between
LESS = "try fewer units, a smaller batch or shorter texts."
TERMINATED = f"The worker was terminated from outside, perhaps because it used more memory than allowed: {LESS}"
OVERDUE = "It took longer than this server allows and didn't stop when asked, so it was ended: train less."
GRACE = 60.0  # seconds after the longest time in which a job can stop by itself
POLL_EVERY = 0.4  # seconds between two checks whether the job should stop
# A job's function: (arguments, report, should_stop) → result; with a fourth argument, `checkpoint`, it can go on
# where a lost worker has left it.
Work = Callable[..., dict[str, Any]]


def topic_of(identity: str) -> str:
    """Where a job's events are published."""
    return f"lstm-lab-{identity}"


def stop_of(identity: str) -> str:
    """The name of the event that requests a job to stop."""
    return f"lstm-lab-stop-{identity}"


def run_job(identity: str, work: str, arguments: dict[str, Any], longest: float = math.inf) -> dict[str, Any]:
    """Run the function of a job in this process.

    Args:
        identity: of the job.
        work: "lstm_core.module:function"; see `Work`.
        arguments: of the function.
        longest: seconds after which it is asked to stop; some time later its process is ended.

    Raises:
        LabError: what the function raises for a user's mistake, if there is no such function, or if the job has lost
            too many workers.
    """
    from distributed import Event, get_worker

    _yield_to_others()
    worker, stop = get_worker(), Event(stop_of(identity))
    checked, requested = time.monotonic(), False
    deadline = checked + longest

    def report(event: dict[str, Any]) -> None:
        worker.log_event(topic_of(identity), plain(event))

    def should_stop() -> bool:
        nonlocal checked, requested
        if not requested and time.monotonic() - checked > POLL_EVERY:
            requested, checked = stop.is_set(), time.monotonic()
            if requested:
                report({"stop": True})
            elif checked > deadline:
                requested = True
                report({"longest": longest})
        return requested

    begun, saved = f"{topic_of(identity)}-begun", f"{topic_of(identity)}-saved"
    _check_starts(begun, saved, longest)
    worker.log_event([topic_of(identity), begun], {"begun": time.time(), "worker": worker.address})
    checkpoint = Checkpoint(
        identity, lambda what: worker.log_event(saved, time.time()) if what == "written" else report({"resumed": True})
    )
    end = threading.Timer(min(longest + min(5 * longest, GRACE), threading.TIMEOUT_MAX), os._exit, [1])
    end.daemon = True
    end.start()
    try:
        if "keras" not in sys.modules:
            keras_backend.choose()  # before the module of the function imports Keras
        function = find(work)
        more = {"checkpoint": checkpoint} if "checkpoint" in inspect.signature(function).parameters else {}
        result = function(arguments, report, should_stop, **more)
        if not storage.is_shared():
            checkpoint.forget()  # in a shared store, whoever receives the result does
        return result
    except Exception as error:
        failure = _readable(error)
    finally:
        end.cancel()
        if "keras" in sys.modules:  # free the models of this job before the next one
            sys.modules["keras"].utils.clear_session()
    raise failure  # out here, where it gets no context


def _readable(error: Exception) -> Exception:
    """The error for the web process, which may lack what this process trains with: of Python, of Dask or of ours."""
    if "RESOURCE_EXHAUSTED" in str(error) or type(error).__name__ == "ResourceExhaustedError":  # of XLA; of TensorFlow
        found: Exception = MemoryError()
    elif type(error).__module__.partition(".")[0] in ("builtins", "lstm_core", "distributed"):
        found = error
    else:
        log.error("a job failed", exc_info=error)
        found = RuntimeError(f"{type(error).__name__}: {error}")
    found.__cause__ = found.__context__ = None  # they are sent, too
    return found


def _check_starts(begun: str, saved: str, longest: float) -> None:
    """LabError if a job has taken too long, or lost too many workers since it was kept last.

    Counted here: Dask counts a lost worker against the jobs that waited for it, too.
    """
    from distributed import get_client

    starts, saves = get_client().get_events(begun), get_client().get_events(saved)
    if starts and time.time() - starts[0][1]["begun"] > longest:
        raise LabError(OVERDUE)
    if sum(not saves or each["begun"] > saves[-1][1] for _, each in starts) >= MOST_STARTS:
        raise LabError(TERMINATED)


def _yield_to_others() -> None:
    """Lower the priority of this process: readers come first, and an idle machine trains as fast as before.

    Where Linux groups processes by session, a lower priority counts within the session alone, so that a run would take
    as much as all of the web process, or of a browser on the same machine: it gets a session of its own and the lower
    priority for that. LSTM_LAB_NICE=0 leaves the priority as it is.
    """
    if os.environ.get("LSTM_LAB_NICE") == "0":
        return
    if hasattr(os, "nice"):
        os.nice(max(0, 15 - os.nice(0)))
    if os.path.exists(AUTOGROUP) and os.getsid(0) != os.getpid():
        with suppress(OSError):
            os.setsid()
            with open(AUTOGROUP, "w") as group:
                group.write(str(GROUP_NICE))


def find(work: str) -> Work:
    """The function of that name; LabError if it isn't in `lstm_core`."""
    module, _, name = work.partition(":")
    if not module.startswith("lstm_core."):
        raise LabError(f"'{work}' is no job of LSTM Lab: it has to be in lstm_core.")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise LabError(f"This worker has no '{work}' ({error}); give it the same version of LSTM Lab.") from error


def certificate_files() -> dict[str, str]:
    """The arguments of `distributed.Security` for ca.pem, cert.pem and key.pem in the folder LSTM_LAB_DASK_CERTS.

    Raises:
        LabError: if one of them is missing.
    """
    folder = os.environ.get("LSTM_LAB_DASK_CERTS")
    if not folder:
        return {}
    files = {"tls_ca_file": "ca.pem", "tls_client_cert": "cert.pem", "tls_client_key": "key.pem"}
    found = {name: os.path.join(folder, file) for name, file in files.items()}
    if missing := next((path for path in found.values() if not os.path.isfile(path)), ""):
        raise LabError(f"LSTM_LAB_DASK_CERTS needs ca.pem, cert.pem and key.pem; {missing} is missing.")
    return found


async def serve(scheduler: str, workers: int, memory: str) -> None:
    """Keep workers for a scheduler until SIGTERM or SIGINT: whenever it is back, they connect again.

    Args:
        scheduler: its address.
        workers: processes, each with one thread.
        memory: limit of each, such as "3GiB".
    """
    keys = {name.replace("client", "worker"): path for name, path in certificate_files().items()}
    options = {"security": _security(keys)} if keys else {}
    loop = asyncio.get_running_loop()
    keeping = asyncio.gather(*(keep_worker(scheduler, memory_limit=memory, **options) for _ in range(workers)))
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda *_: loop.call_soon_threadsafe(keeping.cancel))
    with suppress(asyncio.CancelledError):
        await keeping


def _security(keys: dict[str, str]) -> Any:
    from distributed.security import Security

    return Security(require_encryption=True, **keys)


async def keep_worker(scheduler: str, **options: Any) -> None:
    """Start a worker process, and another one whenever it has ended for good, until the task is cancelled.

    Args:
        scheduler: its address.
        **options: of `distributed.Nanny`, which restarts a process that was killed, but not one that was told to close
            because the scheduler was lost or had not heard of it for minutes.
    """
    from distributed import Nanny

    while True:
        log.info("connecting to the scheduler at %s", scheduler)
        try:
            async with Nanny(
                scheduler, nthreads=1, dashboard=False, death_timeout=DEATH_TIMEOUT, **options
            ) as nanny:  # fmt: skip
                await nanny.finished()
        except (OSError, RuntimeError) as error:  # RuntimeError: the nanny's own, whatever happened at its start
            log.warning("no connection (%s)", error.__cause__ or error)
        await asyncio.sleep(RECONNECT)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run workers for a scheduler on another machine, one thread and limited memory each; see the README."""
    parser = argparse.ArgumentParser(prog="python -m lstm_core.jobs.worker", description=main.__doc__)
    parser.add_argument("scheduler", help="its address, such as tcp://10.0.0.1:8786")
    parser.add_argument("--workers", type=int, default=1, help="processes, each with one thread (default %(default)s)")
    parser.add_argument("--memory", default="3GiB", help="of each process (default %(default)s)")
    options = parser.parse_args(arguments)
    os.environ.update(ONE_THREAD)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logs.setup()  # an error of a job quotes what a visitor has typed
    asyncio.run(serve(options.scheduler, options.workers, options.memory))


if __name__ == "__main__":
    main()
