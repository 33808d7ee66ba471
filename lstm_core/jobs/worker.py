"""What runs in a worker process: one job's function, its reports on the way, and whether it is asked to stop.

Nothing here knows what a job does. `jobs/queue.py` is the other side, in the web process.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from lstm_core.errors import LabError
from lstm_core.nn import keras_backend

# Set in a worker before it imports NumPy: one thread each, so that a job leaves the other cores to the web process;
# and large buffers kept between training steps, which glibc would give back and ask for again.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "0",
    "MALLOC_MMAP_MAX_": "0",
    "MALLOC_TRIM_THRESHOLD_": "17179869184",
    "MALLOC_TOP_PAD_": "67108864",
}
ASKED = 0.4  # seconds between two questions whether to stop
Work = Callable[[dict[str, Any], Callable[[dict[str, Any]], None], Callable[[], bool]], dict[str, Any]]


def topic_of(identity: str) -> str:
    """Where a job's events are published."""
    return f"lstm-lab-{identity}"


def stop_of(identity: str) -> str:
    """The name of the event that asks a job to stop."""
    return f"lstm-lab-stop-{identity}"


def carry_out(identity: str, work: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Run a job's function in this process.

    Args:
        identity: of the job.
        work: "lstm_core.module:function"; see `Work`.
        arguments: what it is given.

    Raises:
        LabError: what the function raises for a user's mistake, or if no such function is there.
    """
    from distributed import Event, get_worker

    be_modest()
    worker, stop = get_worker(), Event(stop_of(identity))
    asked, asked_to_stop = time.monotonic(), False

    def tell(event: dict[str, Any]) -> None:
        worker.log_event(topic_of(identity), plain(event))

    def stopped() -> bool:
        nonlocal asked, asked_to_stop
        if not asked_to_stop and time.monotonic() - asked > ASKED:
            asked_to_stop, asked = stop.is_set(), time.monotonic()
        return asked_to_stop

    tell({"begun": time.time(), "worker": worker.address})
    if "keras" not in sys.modules:
        keras_backend.choose()  # before the work's module brings Keras in
    function = find(work)
    try:
        return function(arguments, tell, stopped)
    finally:
        _forget()


def find(work: str) -> Work:
    """The function of that name; LabError if it isn't one of the core's."""
    module, _, name = work.partition(":")
    if not module.startswith("lstm_core."):
        raise LabError(f"'{work}' is no work of LSTM Lab's; it has to be in lstm_core.")
    try:
        return getattr(import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise LabError(f"This worker has no '{work}' ({error}); give it the same version of LSTM Lab.") from error


def plain(value: Any) -> Any:
    """NumPy's numbers and arrays as Python's, which is what an event can carry; all else as it is."""
    if isinstance(value, dict):
        return {str(key): plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value.tolist() if hasattr(value, "tolist") else value


def _forget() -> None:
    """Let go of the models of a job, so that the next one finds the memory as this one did."""
    if "keras" in sys.modules:
        sys.modules["keras"].utils.clear_session()


def be_modest() -> None:
    """Let this process run after everybody else on its machine, where the system knows how."""
    if hasattr(os, "nice"):
        os.nice(max(0, 5 - os.nice(0)))


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve a scheduler on another machine: one process, one thread, bounded memory; see the README."""
    parser = argparse.ArgumentParser(prog="python -m lstm_core.jobs.worker", description=main.__doc__)
    parser.add_argument("scheduler", help="its address, such as tcp://10.0.0.1:8786")
    parser.add_argument("--workers", default="1", help="processes, each with one thread (default %(default)s)")
    parser.add_argument("--memory", default="3GiB", help="of each process (default %(default)s)")
    options = parser.parse_args(arguments)
    os.environ.update(ONE_THREAD)
    from distributed.cli.dask_worker import main as serve

    size = ["--nworkers", options.workers, "--nthreads", "1", "--memory-limit", options.memory]
    serve([options.scheduler, *size, "--no-dashboard", "--death-timeout", "60"])


if __name__ == "__main__":
    main()
