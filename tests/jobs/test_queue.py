"""Jobs in worker processes: queued, followed, stopped, killed, and on workers elsewhere. Nothing is trained here."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import psutil
import pytest
from distributed import Client
from distributed.security import Security

from lstm_core.datasets import download_job, registry
from lstm_core.errors import LabError
from lstm_core.jobs import greet
from lstm_core.jobs import worker as job_worker
from lstm_core.jobs.job import FAILED, FINISHED, RUNNING, STOPPED, WAITING, Job
from lstm_core.jobs.limits import LIMIT, OWN_LIMIT, longest_run
from lstm_core.jobs.queue import JobError, JobQueue
from lstm_core.jobs.worker import GROUP_NICE, certificate_files
from lstm_core.paths import own_folder
from tests.ports import free_port

COUNT = "lstm_core.jobs.smoke_test:work"
ROOT = Path(__file__).resolve().parents[2]
TIMEOUT = 90.0


@pytest.fixture(scope="module")
def jobs() -> Iterator[JobQueue]:
    found = JobQueue()
    yield found
    found.close()


def wait_for(condition: Callable[[], Any], what: str) -> None:
    deadline = time.monotonic() + TIMEOUT
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.02)


def ended(job: Job) -> Job:
    assert job.done.wait(TIMEOUT), f"the job is still {job.state}"
    return job


def long_job(jobs: JobQueue, owner: str, address: str = "") -> Job:
    return jobs.submit(COUNT, {"steps": 100_000, "rest": 0.02}, owner, "Count", address)


def test_a_job_runs_in_another_process_and_reports_every_step(jobs: JobQueue) -> None:
    job = ended(jobs.submit(COUNT, {"steps": 5}, "a", "Count to five"))
    assert (job.state, job.result and job.result["counted"]) == (FINISHED, 5)
    wait_for(lambda: [event.get("step") for event in job.events] == [None, 1, 2, 3, 4, 5], "all events")
    assert job.result["process"] != os.getpid()  # type: ignore[index]
    group = Path(f"/proc/{job.result['process']}/autogroup")  # type: ignore[index]
    if os.access(group, os.W_OK):
        assert group.read_text().split()[-1] == str(GROUP_NICE), "others come first, whatever session they are in"
    assert job.submitted <= job.begun <= job.ended
    assert jobs.find(job.identity) is job
    assert jobs.find("no such") is None
    wait_for(lambda: jobs.workers() == 1, "the worker to be counted")


def test_stop_keeps_what_there_is(jobs: JobQueue) -> None:
    job = long_job(jobs, "b")
    wait_for(lambda: len(job.events) > 3, "the job to move")
    jobs.stop(job)
    ended(job)
    assert job.state == STOPPED
    assert 3 <= job.result["counted"] < 100_000  # type: ignore[index]
    jobs.stop(job)  # once more does no harm
    assert job.state == STOPPED


@pytest.mark.parametrize("keys", ["none", "others"])
def test_nobody_else_on_the_machine_can_connect_to_the_workers(jobs: JobQueue, keys: str) -> None:
    assert ended(jobs.submit(COUNT, {"steps": 1}, "b", "Count")).state == FINISHED
    host = jobs.connection.address.removeprefix("tls://")
    assert host != jobs.connection.address
    address, security = (f"tcp://{host}", None) if keys == "none" else (f"tls://{host}", Security.temporary())
    with pytest.raises((OSError, TimeoutError)):
        Client(address, timeout=3, security=security, set_as_default=False)
    assert ended(jobs.submit(COUNT, {"steps": 1}, "b", "Count")).state == FINISHED


def test_keys_for_remote_workers_have_to_be_there(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("LSTM_LAB_DASK_CERTS", str(tmp_path))
    with pytest.raises(LabError, match=r"ca\.pem is missing"):
        certificate_files()
    for name in ("ca.pem", "cert.pem", "key.pem"):
        (tmp_path / name).touch()
    assert set(certificate_files()) == {"tls_ca_file", "tls_client_cert", "tls_client_key"}


def test_more_jobs_than_workers_wait_in_line_and_can_be_cancelled(jobs: JobQueue) -> None:
    first = long_job(jobs, "c")
    second, third = long_job(jobs, "c"), long_job(jobs, "d")
    wait_for(lambda: first.state == RUNNING, "the first job")
    assert (second.state, third.state) == (WAITING, WAITING)
    assert [jobs.position(job) for job in (first, second, third)] == [0, 1, 0]  # visitors take turns
    jobs.stop(second)
    assert (second.state, second.result) == (STOPPED, None)
    assert jobs.position(third) == 0
    jobs.stop(first)
    wait_for(lambda: third.state == RUNNING, "the third job to move up")
    jobs.stop(third)
    ended(third)


def test_an_owner_has_a_limit_and_sees_only_own_jobs(jobs: JobQueue) -> None:
    own = [long_job(jobs, "e") for _ in range(OWN_LIMIT)]
    with pytest.raises(JobError, match=f"You have {OWN_LIMIT} runs under way"):
        long_job(jobs, "e")
    assert jobs.of("e") == own[::-1]
    assert jobs.of("nobody") == []
    for job in own:
        jobs.stop(job)
        ended(job)


def test_everybody_together_has_a_limit(jobs: JobQueue) -> None:
    many = [long_job(jobs, f"owner {number}", f"10.0.0.{number % 4}") for number in range(LIMIT)]
    with pytest.raises(JobError, match=f"{LIMIT} runs are waiting"):
        long_job(jobs, "one more", "10.0.0.9")
    for job in reversed(many):
        jobs.stop(job)
        ended(job)


def test_one_network_address_leaves_places_for_the_others(jobs: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_RUNS_PER_ADDRESS", "3")
    many = [long_job(jobs, f"cookie {number}", "10.0.0.1") for number in range(3)]
    with pytest.raises(JobError, match="from your network"):
        long_job(jobs, "another cookie", "10.0.0.1")
    many.append(long_job(jobs, "somebody else", "10.0.0.2"))
    for job in reversed(many):
        jobs.stop(job)
        ended(job)
    monkeypatch.setenv("LSTM_LAB_RUNS_PER_ADDRESS", "0")
    with pytest.raises(LabError, match="LSTM_LAB_RUNS_PER_ADDRESS"):
        long_job(jobs, "setting")


def test_a_job_that_takes_too_long_is_stopped_and_keeps_what_there_is(
    jobs: JobQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstm_core.jobs.queue.longest_run", lambda: 1.0)
    job = ended(long_job(jobs, "slow"))
    assert job.state == STOPPED
    steps = [event["step"] for event in job.events if "step" in event]
    assert job.result["counted"] == len(steps) + 1 < 100_000  # type: ignore[index]  # it ends before the next one
    assert "the longest time" in job.message


def test_a_job_that_does_not_stop_in_time_is_ended(jobs: JobQueue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_core.jobs.queue.longest_run", lambda: 0.2)
    job = ended(jobs.submit(COUNT, {"steps": 2, "rest": 10 * TIMEOUT}, "deaf", "Count slowly"))
    assert job.state == FAILED
    assert "longer than this server allows" in job.message


@pytest.mark.parametrize(
    ("settings", "seconds"),
    [({}, 720 * 60), ({"LSTM_LAB_SHARED": "1"}, 15 * 60), ({"LSTM_LAB_LONGEST_RUN": "3", "LSTM_LAB_SHARED": "1"}, 180)],
)
def test_the_longest_time_is_a_setting(
    settings: dict[str, str], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert longest_run() == seconds
    monkeypatch.setenv("LSTM_LAB_LONGEST_RUN", "for ever")
    with pytest.raises(LabError, match="LSTM_LAB_LONGEST_RUN"):
        longest_run()


def test_a_users_mistake_comes_back_as_its_sentence(jobs: JobQueue) -> None:
    job = ended(jobs.submit(COUNT, {"steps": 5, "fail_at": 3}, "f", "Fail"))
    assert (job.state, job.message) == (FAILED, "Counting failed at 3, as requested.")


def test_errors_of_packages_that_the_web_process_lacks_arrive_as_sentences(jobs: JobQueue) -> None:
    def caused(error: Exception) -> Exception:
        try:
            try:
                raise tomllib.TOMLDecodeError("of another package")
            except ValueError as cause:
                raise error from cause
        except Exception as raised:
            return raised

    exhausted = type("JaxRuntimeError", (RuntimeError,), {"__module__": "jax.errors"})
    for given, kind, words in (
        (tomllib.TOMLDecodeError("no such op"), RuntimeError, "TOMLDecodeError: no such op"),
        (exhausted("RESOURCE_EXHAUSTED: Out of memory allocating 9 bytes."), MemoryError, ""),
        (LabError("Choose fewer units."), LabError, "Choose fewer units."),
        (ValueError("a shape"), ValueError, "a shape"),
    ):
        found = job_worker._readable(caused(given))
        assert type(found) is kind
        assert str(found).startswith(words)
        assert found.__cause__ is found.__context__ is None
        assert b"tomllib" not in pickle.dumps(found)


@pytest.mark.parametrize("work", ["os:system", "lstm_core.jobs.smoke_test:no_such", "lstm_core.no_such:work"])
def test_only_work_of_ours_is_done(jobs: JobQueue, work: str) -> None:
    job = ended(jobs.submit(work, {}, "g", "Other"))
    assert job.state == FAILED
    assert "lstm_core" in job.message


def test_a_killed_worker_begins_again_and_a_second_time_fails_honestly(jobs: JobQueue) -> None:
    job = long_job(jobs, "h")
    for restarts in range(2):
        wait_for(lambda: job.restarts == restarts and len(job.events) > 2, f"start {restarts + 1}")  # noqa: B023
        os.kill(job.events[-1]["process"], signal.SIGKILL)
    ended(job)
    assert job.state == FAILED
    assert "terminated from outside" in job.message
    after = ended(jobs.submit(COUNT, {"steps": 2}, "h", "After"))
    assert after.state == FINISHED


def test_a_run_that_keeps_how_far_it_is_goes_on_there(jobs: JobQueue) -> None:
    job = jobs.submit(COUNT, {"steps": 100_000, "rest": 0.02, "save_every": 5}, "p", "Count")
    for restarts in range(3):
        wait_for(lambda: job.restarts == restarts and len(job.events) > 12, f"start {restarts + 1}")  # noqa: B023
        before = job.events
        os.kill(before[-1]["process"], signal.SIGKILL)
        wait_for(lambda: job.restarts > restarts and len(job.events) > 3, "the next start")  # noqa: B023
        assert ["begun" in job.events[0], "resumed" in job.events[1]] == [True, True]
        kept = job.events[2]["step"] - 1
        assert kept % 5 == 0
        assert kept >= before[-1]["step"] - 5
    jobs.stop(job)
    assert ended(job).state == STOPPED
    assert (job.result and job.result["counted"] > kept, job.restarts) == (True, 3)
    assert not (own_folder() / "runs" / job.identity).exists()


def test_runs_that_wait_are_not_blamed_for_a_worker_that_another_run_has_lost(jobs: JobQueue) -> None:
    first, waiting = long_job(jobs, "n"), jobs.submit(COUNT, {"steps": 2}, "o", "Wait")
    for restarts in range(2):
        wait_for(lambda: first.restarts == restarts and len(first.events) > 2, f"start {restarts + 1}")  # noqa: B023
        os.kill(first.events[-1]["process"], signal.SIGKILL)
    assert (ended(first).state, ended(waiting).state, waiting.restarts) == (FAILED, FINISHED, 0)
    assert "terminated from outside" in first.message


def test_a_worker_that_was_told_to_close_is_replaced(jobs: JobQueue) -> None:
    assert ended(jobs.submit(COUNT, {"steps": 1}, "k", "Count")).state == FINISHED
    jobs.connection.client().run_on_scheduler(
        lambda dask_scheduler: [dask_scheduler.close_worker(each) for each in dask_scheduler.workers]
    )
    assert ended(jobs.submit(COUNT, {"steps": 1}, "k", "Count")).state == FINISHED


def test_no_worker_runs_the_page_that_streamlit_calls_the_main_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = ModuleType("__main__")
    page.__file__ = str(tmp_path / "page.py")
    (tmp_path / "page.py").write_text(f"open({str(tmp_path / 'drawn')!r}, 'w').close()\n")
    monkeypatch.setitem(sys.modules, "__main__", page)
    monkeypatch.setenv("LSTM_LAB_NICE", "0")
    fresh = JobQueue()
    job = ended(fresh.submit(COUNT, {"steps": 2}, "page", "Count"))
    assert job.state == FINISHED
    group = Path(f"/proc/{job.result['process']}/autogroup")  # type: ignore[index]
    if group.exists():  # it is empty in the group of all that have no session of their own
        assert group.read_text().split()[-1:] != [str(GROUP_NICE)], "by the setting it doesn't yield"
    fresh.close()
    assert not (tmp_path / "drawn").exists()


def test_workers_end_with_a_web_process_that_is_killed() -> None:
    submit = f"JobQueue().submit({COUNT!r}, {{'steps': 9, 'rest': 9}}, 'x', 'x')"
    code = f"from lstm_core.jobs.queue import JobQueue; {submit}; input()"
    with psutil.Popen([sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE) as web:
        wait_for(lambda: len(web.children(recursive=True)) >= 3, "the cluster, its worker and their helper")
        below = web.children(recursive=True)
        web.kill()
    assert psutil.wait_procs(below, timeout=TIMEOUT)[1] == []


def test_a_scheduler_can_be_greeted_where_an_event_loop_runs() -> None:
    async def greeted() -> None:
        greet(f"tcp://127.0.0.1:{free_port()}", 0.5, {})

    with ThreadPoolExecutor(1) as thread, pytest.raises(OSError, match=r"no answer|Timed out|refused"):
        thread.submit(lambda: asyncio.run(greeted())).result()


def test_nobody_at_the_scheduler_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_core.jobs.connection.CONNECT", 0.5)
    lonely = JobQueue(f"tcp://127.0.0.1:{free_port()}")
    with pytest.raises(JobError, match="No training worker can be reached at tcp"):
        lonely.submit(COUNT, {"steps": 1}, "i", "Count")
    assert lonely.of("i") == []
    lonely.close()


@pytest.mark.parametrize(("remembered", "expected"), [(600.0, 1), (0.0, 2)])
def test_a_scheduler_that_never_answers_is_not_asked_again_at_once(
    remembered: float, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lstm_core.jobs.connection.CONNECT", 0.5)
    monkeypatch.setattr("lstm_core.jobs.connection.REFUSED", remembered)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # connections are accepted, and nothing is ever said
        lonely = JobQueue(f"tcp://127.0.0.1:{silent.getsockname()[1]}")
        attempts, connect = [], lonely.connection._connect

        def counted() -> Client:
            attempts.append(1)
            return connect()

        monkeypatch.setattr(lonely.connection, "_connect", counted)
        for owner in ("one", "another"):
            with pytest.raises(JobError, match="No training worker can be reached at tcp"):
                lonely.submit(COUNT, {"steps": 1}, owner, "Count")
        assert len(attempts) == expected


def test_another_program_at_the_address_is_one_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as web:

        def answer() -> None:
            with web.accept()[0] as visitor:
                visitor.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
                visitor.recv(1000)

        threading.Thread(target=answer, daemon=True).start()
        with pytest.raises(JobError, match="another program listens there"):
            JobQueue(f"tcp://127.0.0.1:{web.getsockname()[1]}").submit(COUNT, {"steps": 1}, "i", "Count")


def test_looking_and_stopping_never_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    unconnected = JobQueue("tcp://127.0.0.1:1")
    monkeypatch.setattr(unconnected.connection, "_connect", lambda: pytest.fail("it tried to connect"))
    job = Job("x", "i", "Count", COUNT, {})
    unconnected._jobs["x"] = job
    assert (unconnected.workers(), unconnected.position(job), unconnected.of("i")) == (0, 0, [job])
    unconnected.stop(job)
    assert job.stop_requested


@pytest.mark.parametrize("wanted", ["0", "-1", "many", "65"])
def test_a_number_of_workers_that_makes_no_sense(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LSTM_LAB_WORKERS", wanted)
    with pytest.raises(JobError, match="whole number from 1 to 64"):
        JobQueue().submit(COUNT, {"steps": 1}, "j", "Count")


@pytest.fixture
def elsewhere() -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts processes as they would run on other machines, and ends them."""
    processes = []

    def start(*module: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", *module]
        processes.append(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return processes[-1]

    yield start
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(30)


def test_scheduler_worker_and_web_process_apart(elsewhere: Callable[..., subprocess.Popen[bytes]]) -> None:
    address = f"tcp://127.0.0.1:{free_port()}"
    scheduler = ("distributed.cli.dask_scheduler", "--host", address, "--no-dashboard")
    first, web = elsewhere(*scheduler), JobQueue(address)
    wait_for(lambda: accepted(web), "the scheduler")
    greet(address, TIMEOUT, {})
    job = web.of("first")[0]
    assert (web.workers(), job.state) == (0, WAITING)  # there is nobody yet
    worker = elsewhere("lstm_core.jobs.worker", address, "--memory", "2GiB")
    assert ended(job).state == FINISHED
    wait_for(lambda: web.workers() == 1, "the worker to be counted")
    slow = long_job(web, "k")
    wait_for(lambda: len(slow.events) > 2, "steps from elsewhere")
    web.stop(slow)
    assert ended(slow).state == STOPPED

    lost, waiting = long_job(web, "k"), long_job(web, "k")
    wait_for(lambda: len(lost.events) > 2, "steps before the scheduler is lost")
    first.kill()
    wait_for(lambda: lost.state == WAITING, "the run to wait for another scheduler")
    assert web.workers() == 0
    elsewhere(*scheduler)
    wait_for(lambda: accepted(web), "the new scheduler")
    wait_for(lambda: lost.state == RUNNING and lost.restarts == 1, "the run to go on")  # on the same worker, again
    for each in (lost, waiting):
        web.stop(each)
        assert ended(each).state == STOPPED
    assert ended(web.of("first")[0]).state == FINISHED
    children = psutil.Process(worker.pid).children(recursive=True)
    assert children
    worker.terminate()
    assert worker.wait(30) == 0
    assert psutil.wait_procs(children, timeout=TIMEOUT)[1] == []
    web.close()


def accepted(web: JobQueue) -> bool:
    web.connection._refusal = 0.0, ""  # the next attempt is made at once
    try:
        web.submit(COUNT, {"steps": 1}, "first", "Count")
    except JobError:
        return False
    return True


def test_a_download_reports_its_progress_and_stops_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(name: str, progress: Callable[[int, int | None], None]) -> None:
        for done in (2**20, 2**21):
            progress(done, 2**22)

    monkeypatch.setattr(registry, "download_dataset", fetch)
    monkeypatch.setattr(download_job, "REPORT_EVERY", -1.0)
    events: list[dict[str, Any]] = []
    assert download_job.work({"dataset": "macbeth"}, events.append, lambda: False)["ended"] == "finished"
    assert events == [{"mebibytes": 1.0, "share": 0.25}, {"mebibytes": 2.0, "share": 0.5}]
    assert download_job.work({"dataset": "macbeth"}, events.append, lambda: True)["ended"] == "stopped"
    assert len(events) == 2


def test_events_can_be_serialized() -> None:
    event = {"loss": np.float32(0.5), "curve": np.arange(3), "text": "x", "deep": {1: (np.int64(2),)}}
    assert job_worker.plain(event) == {"loss": 0.5, "curve": [0, 1, 2], "text": "x", "deep": {"1": [2]}}
