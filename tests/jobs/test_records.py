"""Runs in the database: they survive a restart of the web process; one that was under way is then interrupted."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from lstm_core import storage
from lstm_core.database import DatabaseError
from lstm_core.jobs import records
from lstm_core.jobs.job import FINISHED, INTERRUPTED, OWN_FINISHED_LIMIT, RUNNING, WAITING, Job
from lstm_core.jobs.queue import JobQueue
from lstm_core.jobs.records import Records

ROOT = Path(__file__).resolve().parents[2]
COUNT = "lstm_core.jobs.smoke_test:work"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LSTM_LAB_MODELS", str(tmp_path / "own"))
    return tmp_path / "own"


def job(identity: str = "one", owner: str = "a", state: str = FINISHED, submitted: float = 1.0, **more: object) -> Job:
    return Job(identity, owner, "Title", COUNT, {"steps": 3}, state, submitted=submitted, **more)  # type: ignore[arg-type]


def kept(*jobs: Job) -> Records:
    found = Records()
    for each in jobs:
        found.keep(each)
    found.flush()
    return found


def test_a_run_comes_back_as_it_was() -> None:
    result = {"model": b"\x00\xff", "curve": [1.5, None], "figure": np.float32(0.5), "rows": np.arange(3), 7: "seven"}
    before = job(events=[{"begun": 1.0}, {"step": 1}], result=result, begun=2.0, ended=3.0, restarts=1, last_seen=2.5)
    before.arguments["data"] = b"an upload"
    after = kept(before).find("one")
    assert after is not None
    for name in ("owner", "title", "work", "state", "events", "begun", "ended", "restarts", "submitted", "message"):
        assert getattr(after, name) == getattr(before, name), name
    assert after.result == {"model": b"\x00\xff", "curve": [1.5, None], "figure": 0.5, "rows": [0, 1, 2], 7: "seven"}
    assert after.arguments == {"steps": 3}  # an upload isn't kept
    assert after.done.is_set()
    assert Records().find("another") is None


def test_runs_are_listed_for_their_owner_alone_and_the_oldest_are_forgotten() -> None:
    many = [job(f"run-{number:02}", submitted=float(number)) for number in range(OWN_FINISHED_LIMIT + 3)]
    found = kept(*many, job("theirs", "b", submitted=0.5))
    assert [each.identity for each in found.of("b", ())] == ["theirs"]
    newest = [each.identity for each in reversed(many)][:OWN_FINISHED_LIMIT]
    assert [each.identity for each in found.of("a", ())] == newest
    assert [each.identity for each in found.of("a", newest[:5])] == newest[5:]


def test_events_are_thinned_and_those_of_epochs_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(records, "MOST_EVENTS", 20)
    steps = [{"step": number} for number in range(100)]
    epochs = [{"step": number, "validation_loss": 1.0} for number in range(5)]
    short = records.summary([*steps[:50], *epochs, *steps[50:]])
    assert len(short) <= 20
    assert [event for event in short if "validation_loss" in event] == epochs
    states = [{"cells": {}, "seconds": number} for number in range(5)]
    assert records.summary([{"begun": 1.0}, *states]) == [{"begun": 1.0}, states[-1]]


def test_a_run_under_way_is_interrupted_when_its_process_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = job(state=RUNNING, events=[{"begun": 1.0}, {"step": 7}], last_seen=5.0)
    assert kept(under_way).find("one").state == RUNNING  # type: ignore[union-attr]
    monkeypatch.setattr(records, "this_process", lambda: f"{records.socket.gethostname()}:999999999:1")
    after = kept(under_way).find("one")
    assert after is not None
    assert (after.state, after.over, after.ended) == (INTERRUPTED, True, 5.0)
    assert "restarted" in after.message
    assert after.events[-1] == {"step": 7}


def test_without_a_database_runs_go_on(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_core.database._refused", 0.0)
    home.mkdir()
    (home / "lstm_lab.db").write_bytes(b"no database " * 1000)
    found = kept(job())
    assert found.find("one") is None
    assert found.of("a", ()) == []
    (home / "lstm_lab.db").write_bytes(b"")
    monkeypatch.setattr("lstm_core.database._refused", 0.0)
    found.flush()  # what couldn't be written is written as soon as it can be
    assert found.find("one") is not None


def test_a_server_that_stops_marks_its_runs_as_interrupted() -> None:
    jobs = JobQueue(records=Records)
    going = jobs.submit(COUNT, {"steps": 100_000, "rest": 0.02}, "a", "Going on")
    jobs.close()
    after = Records().find(going.identity)
    assert after is not None
    assert after.state == INTERRUPTED


CHILD = """
import time
from lstm_core.jobs.queue import JobQueue
from lstm_core.jobs.records import Records
kept = Records()
jobs = JobQueue(records=lambda: kept)
done = jobs.submit("lstm_core.jobs.smoke_test:work", {"steps": 3}, "a", "Done")
assert done.done.wait(90)
going = jobs.submit("lstm_core.jobs.smoke_test:work", {"steps": 100000, "rest": 0.05}, "a", "Going on")
while len(going.events) < 5:
    time.sleep(0.05)
kept.keep(going)
kept.flush()
print(done.identity, going.identity, flush=True)
time.sleep(600)
"""


def test_runs_survive_kill_9_of_the_web_process() -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        done, going = child.stdout.readline().split()
    finally:
        os.kill(child.pid, signal.SIGKILL)
        child.wait()
        child.stdout.close()
    jobs = JobQueue(records=Records)
    finished, interrupted = jobs.find(done), jobs.find(going)
    assert finished is not None
    assert interrupted is not None
    assert (finished.state, finished.result and finished.result["counted"]) == (FINISHED, 3)
    assert interrupted.state == INTERRUPTED
    assert len(interrupted.events) >= 5
    assert [each.identity for each in jobs.of("a")] == [going, done]
    jobs.stop(interrupted)  # nothing happens
    assert interrupted.state == INTERRUPTED
    assert jobs.submit(COUNT, {"steps": 1}, "a", "Another").done.wait(90)
    jobs.close()


def be(process: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the test be a process of another machine."""
    monkeypatch.setattr(records, "this_process", lambda: process)


def test_runs_of_a_process_that_has_ended_go_on_in_one_other(monkeypatch: pytest.MonkeyPatch) -> None:
    storage.write("runs/two/data", b"an upload")
    be("machine-a:1:1", monkeypatch)
    uploaded = job("two", state=WAITING, owner="b", submitted=2.0)
    uploaded.arguments["data"] = b"an upload"
    kept(job(state=RUNNING, events=[{"begun": 1.0}, {"step": 7}], begun=1.0), uploaded, job("over"))
    records._note_alive()
    be("machine-b:1:1", monkeypatch)
    other, third = Records(take_over=True), Records(take_over=True)
    assert other.orphans() == []  # it is alive
    assert [each.identity for each in other.unfinished()] == ["one", "two"]
    assert Records().unfinished() == []  # its workers end with it
    assert other.find("one").state == RUNNING  # type: ignore[union-attr]
    monkeypatch.setattr(records, "DEAD", -1.0)
    found = {each.identity: each for each in other.orphans()}
    assert (sorted(found), third.orphans()) == (["one", "two"], [])
    assert (found["one"].state, found["one"].events[-1]) == (RUNNING, {"step": 7})
    assert found["two"].arguments == {"steps": 3, "data": b"an upload"}


def test_a_process_that_ends_as_asked_leaves_its_runs_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    be("machine-a:1:1", monkeypatch)
    uploaded = job(state=WAITING)
    uploaded.arguments["data"] = b"an upload that the store has lost"
    leaving = kept(uploaded)
    records._note_alive()
    leaving.release()
    leaving.keep(uploaded)
    leaving.flush()  # too late: it is another's
    be("machine-b:1:1", monkeypatch)
    (found,) = Records(take_over=True).orphans()
    assert (found.state, found.message) == (INTERRUPTED, records.LOST)


def test_nobody_takes_over_just_after_the_database_was_away(monkeypatch: pytest.MonkeyPatch) -> None:
    be("machine-a:1:1", monkeypatch)
    kept(job(state=RUNNING))
    be("machine-b:1:1", monkeypatch)
    other = Records(take_over=True)
    other._trouble = records.time.time()
    assert other.orphans() == []
    monkeypatch.setattr(records, "DEAD", -1.0)
    assert len(other.orphans()) == 1


def test_what_the_database_did_not_take_is_written_later(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[str] = []
    runs = [job(identity, submitted=1.0) for identity in ("one", "two", "three")]

    def write(run: Job) -> None:
        if not any(run is each for each in runs):
            return  # the thread of another test's records
        if run.identity == "two" and len(written) < 2:
            written.append("refused")
            raise DatabaseError("It is away.")
        written.append(run.identity)

    monkeypatch.setattr(records, "_write", write)
    found = kept(*runs)
    found.flush()
    assert written == ["one", "refused", "two", "three"]


def test_the_end_of_a_run_stays_its_end() -> None:
    done = job(state=FINISHED, ended=9.0)
    kept(done)
    kept(job(state=RUNNING))  # another process knew less
    assert Records().find("one").state == FINISHED  # type: ignore[union-attr]
