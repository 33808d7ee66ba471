"""A scheduler and its workers on this machine, in a subprocess that ends with the web process.

The web process can't start them itself: a worker first imports the main module of its parent, which under Streamlit is
the page of the current run, so every worker would run the page.
"""

import argparse
import logging
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lstm_core.jobs.worker import ONE_THREAD


class LocalWorkers:
    """A subprocess that runs `main`."""

    def __init__(self, workers: int, memory: str, timeout: float) -> None:
        """Start it and wait for its address.

        Args:
            workers: the number of processes, each with one thread.
            memory: limit of each worker.
            timeout: seconds to wait; raises TimeoutError after them.
        """
        # So that lstm_core is found from any working directory.
        root, path = str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "lstm_core.jobs.local_cluster", str(workers), memory],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([root, *filter(None, [path])])},
        )
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            self.address = self._process.stdout.readline().strip() if selector.select(timeout) else ""
        if not self.address:
            self.close()
            raise TimeoutError("the training workers don't start")

    def close(self) -> None:
        """End the subprocess and its workers."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the address of a scheduler with local workers, and serve until standard input ends with the parent."""
    parser = argparse.ArgumentParser(prog="python -m lstm_core.jobs.local_cluster", description=main.__doc__)
    parser.add_argument("workers", type=int)
    parser.add_argument("memory")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal reaches every process; the parent decides
    import dask
    from distributed import LocalCluster

    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": 1,  # one more try after a lost worker
            "distributed.scheduler.work-stealing": False,
            "distributed.worker.profile.enabled": False,
            **{f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in ONE_THREAD.items()},
        }
    )
    with LocalCluster(
        n_workers=options.workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=options.memory,
        dashboard_address="127.0.0.1:0",  # any free port: several servers may run on one machine
        host="127.0.0.1",
        silence_logs=logging.ERROR,
    ) as cluster:
        print(cluster.scheduler_address, flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
