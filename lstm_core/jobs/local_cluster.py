"""A scheduler and its workers on this machine, in a subprocess that ends with the web process.

The web process can't start them itself: a worker first imports the main module of its parent, which under Streamlit is
the page of the current run, so every worker would run the page.
"""

import argparse
import asyncio
import json
import logging
import os
import selectors
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from lstm_core.jobs.worker import ONE_THREAD, keep_worker

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

    dask.config.set(
        {
            "distributed.scheduler.allowed-failures": 1000,  # the worker counts; Dask blames waiting jobs, too
            "distributed.admin.low-level-log-length": 10,  # events of each job that the scheduler keeps for ever
            "distributed.scheduler.work-stealing": False,
            "distributed.worker.profile.enabled": False,
            **{f"distributed.nanny.pre-spawn-environ.{name}": value for name, value in ONE_THREAD.items()},
        }
    )
    asyncio.run(_serve(options.workers, options.memory))


async def _serve(workers: int, memory: str) -> None:
    from distributed import LocalCluster
    from distributed.security import Security

    security, quiet = Security.temporary(), {"host": "127.0.0.1", "silence_logs": logging.ERROR}
    # Any free port for the dashboard: several servers may run on one machine.
    async with LocalCluster(
        n_workers=0, dashboard_address="127.0.0.1:0", asynchronous=True, security=security, **quiet
    ) as cluster:
        address = cluster.scheduler_address
        kept = [
            asyncio.create_task(keep_worker(address, memory_limit=memory, security=security, **quiet))
            for _ in range(workers)
        ]
        await cluster.wait_for_workers(workers)
        print(json.dumps([address, {name: getattr(security, name) for name in CLIENT}]), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        for each in kept:
            each.cancel()
        await asyncio.gather(*kept, return_exceptions=True)


if __name__ == "__main__":
    main()
