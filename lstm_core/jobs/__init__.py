"""Long work in worker processes, on Dask: a queue that hands jobs out, follows them and stops them."""

from lstm_core.jobs.queue import FAILED, FINISHED, RUNNING, STOPPED, WAITING, Job, shared_queue

__all__ = [
    "FAILED",
    "FINISHED",
    "RUNNING",
    "STOPPED",
    "WAITING",
    "Job",
    "shared_queue",
]
