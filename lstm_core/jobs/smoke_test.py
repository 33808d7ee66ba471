"""A job that only counts: it tests a set of workers without training anything.

`python -m lstm_core.jobs.smoke_test` runs it on the configured workers and prints the result.
"""

import os
import time
from collections.abc import Callable
from typing import Any

from lstm_core.errors import LabError
from lstm_core.jobs.checkpoint import Checkpoint

PART = "count"


def work(
    arguments: dict[str, Any],
    report: Callable[[dict[str, Any]], None],
    should_stop: Callable[[], bool],
    checkpoint: Checkpoint,
) -> dict[str, Any]:
    """Count to `steps`, sleeping `rest` seconds after each, and report every number; LabError at `fail_at`.

    After every `save_every` steps, if that is given, it keeps its number, from which another worker goes on.
    """
    kept, every = checkpoint.read(PART), arguments.get("save_every", 0)
    step = before = kept[0]["step"] if kept else 0
    for step in range(before + 1, int(arguments["steps"]) + 1):
        if step == arguments.get("fail_at"):
            raise LabError(f"Counting failed at {step}, as requested.")
        if should_stop():
            break
        report({"step": step, "process": os.getpid()})
        if every and not step % every:
            checkpoint.write(PART, {"step": step})
        time.sleep(float(arguments.get("rest", 0.0)))
    return {"counted": step, "process": os.getpid()}


def main() -> None:
    """Count to ten on the workers, and print the result."""
    from lstm_core.jobs import queue

    shared = queue.shared_queue()
    job = shared.submit("lstm_core.jobs.smoke_test:work", {"steps": 10, "rest": 0.1}, "smoke test", "Count to ten")
    job.done.wait(120)
    print(f"{job.state}: {len(job.events)} events, {job.result or job.message} on {shared.workers()} workers")
    shared.close()


if __name__ == "__main__":
    main()
