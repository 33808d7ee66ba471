"""A scheduler and its workers on this machine, in a subprocess that ends with the web process.

The web process can't start them itself: a worker first imports the main module of its parent, which under Streamlit is
the page of the current run, so every worker would run the page.
"""

import argparse
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lstm_core.jobs.worker import ONE_THREAD

CLIENT = ("tls_ca_file", "tls_client_cert", "tls_client_key")  # what a client of the scheduler needs


class LocalWorkers:
    """A subprocess that runs `main`; `certificates` are the arguments of `distributed.Security` for a client."""

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
            line = self._process.stdout.readline().strip() if selector.select(timeout) else ""
        if not line:
            self.close()
            raise TimeoutError("the training workers don't start")
        self.address, self.certificates = json.loads(line)

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
    """Print the address and the keys of a scheduler with local workers, and serve until standard input ends.

    The keys are made for this run and are known to the parent alone, through the pipe: without them, nobody else on the
    machine can connect and run code here.
    """
    parser = argparse.ArgumentParser(
        prog="python -m lstm_core.jobs.local_cluster", description=(main.__doc__ or "").splitlines()[0]
    )
    parser.add_argument("workers", type=int)
    parser.add_argument("memory")
    options = parser.parse_args(arguments)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in a terminal reaches every process; the parent decides
    import dask
    from distributed import LocalCluster
    from distributed.security import Security

    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": 1000,  # the worker counts; Dask blames waiting jobs, too
            "distributed.admin.low-level-log-length": 10,  # events of each job that the scheduler keeps for ever
            "distributed.scheduler.work-stealing": False,
            "distributed.worker.profile.enabled": False,
            **{f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in ONE_THREAD.items()},
        }
    )
    security = Security.temporary()
    with LocalCluster(
        n_workers=options.workers,
        threads_per_worker=1,
        processes=True,
        memory_limit=options.memory,
        dashboard_address="127.0.0.1:0",  # any free port: several servers may run on one machine
        host="127.0.0.1",
        silence_logs=logging.ERROR,
        security=security,
    ) as cluster:
        print(json.dumps([cluster.scheduler_address, {name: getattr(security, name) for name in CLIENT}]), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
