"""Jobs in worker processes, on Dask: a queue that submits, follows and stops them."""

from lstm_core.jobs.job import FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED, WAITING, Job
from lstm_core.jobs.limits import shared_server
from lstm_core.jobs.queue import shared_queue

__all__ = [
    "FAILED",
    "FINISHED",
    "INTERRUPTED",
    "RUNNING",
    "STOPPED",
    "WAITING",
    "Job",
    "shared_queue",
    "shared_server",
]
