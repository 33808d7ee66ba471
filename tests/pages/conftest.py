"""Short runs of training, each run once for all tests of pages that look at what comes of it."""

from __future__ import annotations

import time
from typing import Any

import pytest

from lstm_core.errors import LabError
from lstm_core.jobs import queue, worker
from lstm_core.jobs.job import FAILED, FINISHED, Job
from lstm_core.training.lessons.presets import PRESETS

LESSON = "lstm_core.training.job:work"
RACE = "lstm_core.training.race_job:work"


class AtOnce(queue.JobQueue):
    """Jobs that are done in this process before `submit` returns."""

    def submit(self, work: str, arguments: dict[str, Any], owner: str, title: str, address: str = "") -> Job:
        job = Job(f"job{len(self._jobs)}", owner, title, work, arguments)
        self._jobs[job.identity] = job
        self.receive(job, {"begun": time.time()})
        try:
            report = lambda event: self.receive(job, worker.plain(event))  # noqa: E731
            job.result = worker.find(work)(arguments, report, lambda: False)
            self._end(job, FINISHED)
        except LabError as error:
            self._end(job, FAILED, str(error))
        return job


def short_lesson() -> dict[str, Any]:
    return PRESETS["negation_15s"].recipe.to_json() | {"epochs": 2, "units": 4, "embedding": 4, "examples": 320}


@pytest.fixture(scope="session")
def trained() -> Job:
    """A lesson of the studio."""
    return AtOnce().submit(LESSON, {"lesson": short_lesson()}, "somebody", "Short")


def short_race(task: str, length: int) -> Job:
    arguments = {"units": 4, "seed": 1, "keep_bias": 1.0, "rate": 0.03, "steps": 50}
    return AtOnce().submit(RACE, {"task": task, "length": length, **arguments}, "somebody", "A race")


@pytest.fixture(scope="session")
def counted() -> Job:
    """A race of the gym that counts."""
    return short_race("counting", 3)


@pytest.fixture(scope="session")
def added() -> Job:
    """A race of the gym with one answer at the end."""
    return short_race("adding", 10)
