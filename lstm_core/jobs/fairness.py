"""Whose turn it is: visitors take turns, however many runs each of them has waiting."""

import math
from collections import Counter, defaultdict
from collections.abc import Container, Iterable

from lstm_core.jobs.job import RUNNING, WAITING, Job


def in_turn(jobs: Iterable[Job], handed: Container[str] = ()) -> list[Job]:
    """The waiting jobs in the order in which they get a worker.

    First comes who has the fewest runs under way or before this one, then whose last run began longest ago, and then
    who has waited longest.

    Args:
        jobs: all that are known, also those that run or are over.
        handed: the identities of those that have a worker, or are on their way to one.
    """
    ahead: Counter[str] = Counter()
    last: defaultdict[str, float] = defaultdict(float)
    jobs = sorted(jobs, key=lambda job: job.submitted)
    for job in jobs:
        last[job.owner] = max(last[job.owner], job.begun)
        ahead[job.owner] += job.state == RUNNING or (job.state == WAITING and job.identity in handed)
    places = []
    for job in jobs:
        if job.state == WAITING and job.identity not in handed:
            places.append((ahead[job.owner], last[job.owner], job.submitted, job))
            ahead[job.owner] += 1
            last[job.owner] = math.inf  # that one begins before all that come after it here
    return [place[-1] for place in sorted(places, key=lambda place: place[:-1])]
