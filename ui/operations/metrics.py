"""The numbers of this process, kept by prometheus_client; LSTM_LAB_METRICS_PORT serves them on a port of their own.

They count, and name nobody. Beside them prometheus_client tells memory and processor time of the process.
"""

from __future__ import annotations

import os
from collections import Counter as Counts
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import prometheus_client
from prometheus_client import Counter, Gauge, Histogram

from lstm_core import jobs
from lstm_core.paths import number_setting

SECONDS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0)

VISITORS = Gauge("lstm_lab_visitors", "Visitors who have a page open, by their cookie.")
PAGES = Gauge("lstm_lab_open_pages", "Open pages; a visitor may have several.")
WAITING = Gauge("lstm_lab_gate_waiting", "Runs of pages that wait for their turn.")
WAIT = Histogram("lstm_lab_gate_wait_seconds", "How long a run of a page waited for its turn.", buckets=SECONDS)
RUN = Histogram(
    "lstm_lab_page_run_seconds", "How long a run of a page computed, once it was its turn.", buckets=SECONDS
)
FAILED = Counter("lstm_lab_page_failures", "Runs of pages that ended with an unexpected error.")
TRAINING = Gauge("lstm_lab_training_runs", "Training runs that this process has handed in.", ["state"])
WORKERS = Gauge("lstm_lab_training_workers", "Workers of the scheduler, as this process knows.")
CACHE = Gauge("lstm_lab_cache_bytes", "What readings and other shared values take.")
REFUSED = Counter("lstm_lab_refused", "What was refused.", ["what"])
KINDS = ("websocket", "file of a session elsewhere", "operator key", "training run", "upload", "class")
PART = Gauge("lstm_lab_part_up", "Whether a part answered at the last look at it.", ["part"])
ENDING = Gauge("lstm_lab_ending", "Whether this process takes no new visitors and waits for the last to leave.")

_open: Counts[str] = Counts()  # visitor → pages
for _each in KINDS:
    REFUSED.labels(_each)  # a count of 0 is told, too


def refused(what: str) -> None:
    """Count a refusal; `what` is one of `KINDS`."""
    REFUSED.labels(what).inc()


@contextmanager
def page(visitor: str) -> Iterator[None]:
    """Count a page that a visitor has open, within the block; call it in the event loop alone."""
    _open[visitor] += 1
    try:
        yield
    finally:
        _open.subtract([visitor])
        if not _open[visitor]:
            del _open[visitor]


def open_pages() -> int:
    """How many pages are open in this process."""
    return sum(list(_open.values()))


def start() -> None:
    """Serve the numbers at LSTM_LAB_METRICS_PORT, to this machine alone unless LSTM_LAB_METRICS_ADDRESS says otherwise.

    Raises:
        LabError: if the setting is no port.
        OSError: if the port is taken.
    """
    VISITORS.set_function(lambda: len(_open))
    PAGES.set_function(open_pages)
    for state in (jobs.WAITING, jobs.RUNNING):
        TRAINING.labels(state).set_function(partial(_training, state))
    WORKERS.set_function(lambda: jobs.shared_queue().workers())
    if port := int(number_setting("LSTM_LAB_METRICS_PORT", 0, 65535)):
        prometheus_client.start_http_server(port, os.environ.get("LSTM_LAB_METRICS_ADDRESS", "127.0.0.1"))


def _training(state: str) -> int:
    return jobs.shared_queue().count(state)
