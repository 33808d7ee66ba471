"""The topology of deploy/ without containers: each part is killed once in mid-lesson and mid-training; nothing is lost.

A class votes while a part is away, visitors save models, and trainings go on; at the end votes, models and runs are
counted. The parts are real: nginx, two web processes, PostgreSQL, an S3 server, a Dask scheduler with two workers.
"""

from __future__ import annotations

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Iterator
from contextlib import suppress
from typing import Any

import pytest
import sqlalchemy as sql

from benchmarks.browser import ROOT
from lstm_core import classroom, database
from lstm_core.jobs import FAILED, FINISHED, INTERRUPTED, RUNNING, STOPPED
from lstm_core.lesson_plans import Question
from lstm_core.library import models_of
from lstm_core.library.bundle import bundle_folder
from tests.topology.parts import Part, Topology, running, wait_for
from tests.topology.visitors import BROKEN, at, cookie, owner, vote

pytestmark = pytest.mark.timeout(400)
QUESTION = Question("choice", "Which gate forgets?", ("f", "i", "o"), "f")
LESSON, EPOCHS = "lesson=negation_15s", 40
VOTERS, FIRST, LECTURER = 10, 100, 1
OVER = (FINISHED, STOPPED, FAILED, INTERRUPTED)
PARTS = ("web 1", "worker 1", "proxy", "database", "scheduler", "store", "web 2", "worker 2")


@pytest.fixture  # a test that is run once more begins anew
def topology() -> Iterator[Topology]:
    with running() as found, pytest.MonkeyPatch.context() as patch:
        for name, value in found.env.items():
            patch.setenv(name, value)
        yield found
        database._engines.pop(found.env["LSTM_LAB_DATABASE"]).dispose()


def replica_of(topology: Topology, number: int) -> str:
    """The web process that the proxy chooses for a visitor."""
    request = urllib.request.Request(f"{topology.url}/ask/{number}", headers={"Cookie": cookie(number)})
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(request, timeout=10).close()
    lines = wait_for(
        lambda: [line for line in topology.parts["proxy"].log.read_text().splitlines() if f"/ask/{number}" in line],
        "the log of the proxy",
    )
    return json.loads(lines[-1])["replica"].split(",")[0]


def visitors_of(topology: Topology, replica: str, count: int, first: int) -> list[int]:
    """Numbers of visitors for whom the proxy chooses this web process."""
    found = [number for number in range(first, first + 40) if replica_of(topology, number) == replica]
    assert len(found) >= count
    return found[:count]


async def train(topology: Topology, number: int) -> str:
    """Start a run; returns its identity."""
    async with at(topology.url, number, "training_studio", LESSON) as student:
        await student.type("Epochs", EPOCHS)
        assert await student.press("Train")
        assert student.job, student.errors
        return student.job


async def save(topology: Topology, number: int, name: str) -> list[str]:
    """Upload a model and save it, anew where the connection breaks; returns the errors that the page shows."""
    bundle = bundle_folder(ROOT / "models" / "family_rnn")
    async with asyncio.timeout(100):
        while True:
            with suppress(*BROKEN):
                async with at(topology.url, number, "training_studio", LESSON) as student:
                    await student.upload("A model (.zip)", f"{name}.zip", bundle)
                    assert await student.press("Save to the library"), student.errors
                    return student.errors
            await asyncio.sleep(0.5)


def runs(*columns: str) -> list[Any]:
    """What the database says of all runs."""
    with database.transaction() as rows:
        return list(
            rows.execute(sql.select(*(database.RUNS.c[name] for name in columns)).order_by(database.RUNS.c.submitted))
        )


def begun(count: int) -> None:
    """Wait until so many runs are under way."""
    wait_for(
        lambda: Counter(row.state for row in runs("state"))[RUNNING] >= count, f"{count} runs to be under way", 100
    )


async def ballot(topology: Topology, code: str, round: int, part: str, meanwhile: Awaitable[Any]) -> None:
    """Let half of the class vote, kill a part, let the others vote while it is away and is started again."""
    votes = [vote(topology.url, code, FIRST + number, (1, round), number % 3) for number in range(VOTERS)]
    await asyncio.gather(*votes[: VOTERS // 2])
    with topology.without(part):
        others = asyncio.gather(*votes[VOTERS // 2 :])
        await meanwhile
    await others


async def goes_on(topology: Topology, number: int, job: str) -> None:
    """The link to a run that another replica has started says that it is there, for whoever reloads."""
    async with at(topology.url, number, "training_studio", f"job={job}") as student:
        assert any(word in line for line in student.words for word in ("Running", "Waiting")), student.words


async def refused(topology: Topology, number: int) -> None:
    """A model can't be saved without the store, and the page says so."""
    (error,) = await save(topology, number, "lost")
    assert "store of models can't be" in error


def test_each_part_is_killed_once_and_nothing_is_lost(topology: Topology) -> None:
    try:
        asyncio.run(lesson(topology))
    except BaseException:
        for name, part in topology.parts.items():
            if isinstance(part, Part):
                print(f"--- {name}", part.log.read_text("utf-8", "replace")[-3000:], sep="\n")
        raise


async def lesson(topology: Topology) -> None:
    """Eight rounds of votes, in each of which another part is lost, while three runs train."""
    first, second = topology.replicas
    one, two = visitors_of(topology, first, 2, 1000), visitors_of(topology, second, 2, 2000)
    code, _ = classroom.start(owner(LECTURER))
    classroom.ask(code, owner(LECTURER), QUESTION)
    jobs = [await train(topology, number) for number in (one[0], two[0], one[1])]
    assert await save(topology, one[0], "first") == []
    await asyncio.to_thread(begun, 2)
    meanwhile = {"web 1": goes_on(topology, one[0], jobs[0]), "store": refused(topology, two[0])}
    for round, part in enumerate(PARTS, 1):
        if part.startswith(("web", "worker", "scheduler")):
            await asyncio.to_thread(begun, 1)
        began = time.monotonic()
        if round > 1:
            classroom.vote_again(code, owner(LECTURER))
        await ballot(topology, code, round, part, meanwhile.get(part) or asyncio.sleep(1))
        print(f"{part}: {time.monotonic() - began:.1f} s", [tuple(row) for row in runs("state", "restarts")])
    for number, name in ((one[1], "second"), (two[0], "third")):
        async with asyncio.timeout(100):
            while await save(topology, number, name):  # nobody asks the store for a while after it was away
                await asyncio.sleep(1)
    over = lambda: all(row.state in OVER for row in runs("state"))  # noqa: E731
    await asyncio.to_thread(wait_for, over, "the end of the runs", 200.0)

    assert [(row.identity, row.state) for row in runs("identity", "state")] == [(job, FINISHED) for job in jobs]
    assert sum(row.restarts for row in runs("restarts")) >= 2  # the worker's and the scheduler's
    state = classroom.find(code)
    assert state is not None
    assert state.asked is not None
    assert state.asked.voters == (VOTERS,) * len(PARTS)
    models = {number: models_of(owner(number)) for number in (one[0], one[1], two[0])}
    assert [[card.title for card in cards] for cards in models.values()] == [["first"], ["second"], ["third"]]
    for replica in topology.replicas:
        for job, (card,) in zip(jobs, models.values(), strict=True):
            async with at(f"http://{replica}", 1, "training_studio", f"job={job}") as student:
                assert any("Finished" in line for line in student.words), student.words
            async with at(f"http://{replica}", 1, "own_classifier", f"model={card.name}") as student:
                assert not student.errors
                assert any(card.title in line for line in student.words), student.words
