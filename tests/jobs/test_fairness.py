"""Whose turn it is, by count. No worker is started here."""

from collections import Counter

import pytest

from lstm_core.jobs.fairness import in_turn
from lstm_core.jobs.job import FINISHED, RUNNING, Job


def queue(owners: str) -> list[Job]:
    """A job a letter, submitted one after the other."""
    return [Job(f"{place}", owner, "", "", {}, submitted=float(place)) for place, owner in enumerate(owners)]


def served(jobs: list[Job], workers: int) -> str:
    """The owners in the order in which their jobs begin, where every job takes as long."""
    order = ""
    while waiting := in_turn(jobs):
        for job in (each for each in jobs if each.state == RUNNING):
            job.state = FINISHED
        for job in waiting[:workers]:
            order += job.owner
            job.state, job.begun = RUNNING, float(len(order))
    return order


@pytest.mark.parametrize(
    ("owners", "order"),
    [("a", "a"), ("aab", "aba"), ("aaabbc", "abcaba"), ("aaaaaab", "abaaaaa"), ("abab", "abab"), ("baa", "baa")],
)
def test_visitors_take_turns(owners: str, order: str) -> None:
    assert served(queue(owners), 1) == order


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_nobody_waits_for_more_than_one_run_of_each_other(workers: int) -> None:
    order = served(queue("a" * 20 + "b" * 10 + "c" * 5 + "d"), workers)
    assert Counter(order) == {"a": 20, "b": 10, "c": 5, "d": 1}
    assert order.index("d") < 4
    for place in range(4, 16):  # a, b and c have runs waiting all the time
        counts = Counter(order[:place])
        assert max(counts[each] for each in "abc") - min(counts[each] for each in "abc") <= 1 + workers // 3, order


def test_who_comes_later_goes_before_the_second_run_of_another() -> None:
    first, second, later = queue("aab")
    first.state, first.begun = RUNNING, 5.0
    assert in_turn([first, second, later]) == [later, second]
    assert in_turn([first, second, later], {later.identity}) == [second]
