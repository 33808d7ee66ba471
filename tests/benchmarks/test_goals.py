"""The table of goals: what counts as met, and that a part which fails hides no other."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from benchmarks.goals import __main__ as goals
from benchmarks.goals.__main__ import Goal, Run


@pytest.mark.parametrize(
    ("goal", "met"),
    [
        (Goal("p95", 0.99, "s", 1), True),
        (Goal("p95", 1.01, "s", 1), False),
        (Goal("throughput", 0.81, "×", 0.8, at_least=True), True),
        (Goal("throughput", 0.79, "×", 0.8, at_least=True), False),
        (Goal("nobody answered", float("nan"), "s", 1), False),
        (Goal("nobody answered", float("nan"), "×", 0.8, at_least=True), False),
    ],
)
def test_a_goal_is_met_by_a_figure_on_the_right_side_of_its_limit(goal: Goal, met: bool) -> None:
    assert goal.met is met
    assert goals.line(goal).endswith("yes" if met else "NO")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A part that reaches its goal, one that fails after its first goal, and one that misses its goal."""

    def reading(run: Run) -> Iterator[Goal]:
        yield Goal("reading", 2.0, "×", 3)

    def cold(run: Run) -> Iterator[Goal]:
        yield Goal("first page", 1.0, "×", 1.1)
        raise RuntimeError("the server\ndid not start")

    def memory(run: Run) -> Iterator[Goal]:
        yield Goal("memory", 500, "MiB", 400)

    for part in (reading, cold, memory):
        monkeypatch.setattr(Run, part.__name__, part)


@pytest.mark.usefixtures("parts")
def test_a_part_that_fails_says_why_and_the_others_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert goals.main(["--parts", "cold", "memory", "reading", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert found["failures"] == {"cold": "RuntimeError: the server did not start"}
    assert [(goal["what"], goal["met"]) for goal in found["goals"]] == [
        ("first page", True),
        ("memory", False),
        ("reading", True),
    ]


@pytest.mark.usefixtures("parts")
@pytest.mark.parametrize(("part", "status"), [("reading", 0), ("memory", 1), ("cold", 1)])
def test_the_exit_status_says_whether_all_goals_are_met(part: str, status: int) -> None:
    assert goals.main(["--parts", part]) == status


def test_two_hundred_visitors_are_compared_with_the_best_crowd(monkeypatch: pytest.MonkeyPatch) -> None:
    per_second = {100: 20.0, 200: 15.0, 300: 12.0}
    monkeypatch.setattr(
        Run, "crowd", lambda run, visitors, seconds, *more: {"per_second": per_second[visitors], "p95": 1.0}
    )
    found = list(Run(1.0, 0.0, 1, {50: 10.0}).more())
    assert [(goal.figure, goal.met) for goal in found] == [(1.0, True), (0.75, False)]
