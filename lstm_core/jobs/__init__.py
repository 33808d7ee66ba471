"""Jobs in worker processes, on Dask: a queue that submits, follows and stops them."""

from lstm_core.jobs.connection import greet
from lstm_core.jobs.job import FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED, WAITING, Job
from lstm_core.jobs.limits import shared_server
from lstm_core.jobs.queue import shared_queue
from lstm_core.jobs.worker import certificate_files

__all__ = [
    "FAILED",
    "FINISHED",
    "INTERRUPTED",
    "RUNNING",
    "STOPPED",
    "WAITING",
    "Job",
    "certificate_files",
    "greet",
    "shared_queue",
    "shared_server",
]
