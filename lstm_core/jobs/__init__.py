"""Jobs in worker processes, on Dask: a queue that submits, follows and stops them."""

from lstm_core.jobs.limits import shared_server
from lstm_core.jobs.queue import FAILED, FINISHED, RUNNING, STOPPED, WAITING, Job, shared_queue

__all__ = [
    "FAILED",
    "FINISHED",
    "RUNNING",
    "STOPPED",
    "WAITING",
    "Job",
    "shared_queue",
    "shared_server",
]
