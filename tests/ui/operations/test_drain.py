"""A web process that is asked to end, behind the real nginx: who is here finishes, who comes goes on at another one."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import InvalidStatus

from benchmarks.crowd import Visitor, browser
from deploy import local_proxy
from tests.deploy.test_nginx import ask, of, replica

ROOT = Path(__file__).resolve().parents[3]
SECRET = "print('what a visitor has typed')"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[tuple[str, str, subprocess.Popen[bytes], Path]]:
    """A web process under a path prefix: its address, that of its numbers, itself and its log."""
    port, numbers, log = free_port(), free_port(), tmp_path / "log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "app.py", f"--server.port={port}", "--server.headless=true",
             "--server.address=127.0.0.1", "--server.baseUrlPath=lab"],
            cwd=ROOT,
            env=os.environ | {
                "LSTM_LAB_LOG": "json", "STREAMLIT_LOGGER_HIDE_WELCOME_MESSAGE": "true",
                "LSTM_LAB_GRACE": "60", "LSTM_LAB_METRICS_PORT": str(numbers),
                "LSTM_LAB_MODELS": str(tmp_path / "models"),
            },
            stdout=out,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}/lab"
        deadline = time.monotonic() + 60
        while status(f"{url}/ready") != 200:
            assert process.poll() is None, log.read_text("utf-8")
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield url, f"http://127.0.0.1:{numbers}/metrics", process, log
    finally:
        process.kill()
        process.wait()


def status(url: str) -> int:
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def numbers_at(url: str) -> Counter[str]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
    found: Counter[str] = Counter()
    for sample in (each for family in families for each in family.samples):
        found[sample.name] += sample.value
    return found


@pytest.mark.skipif(not local_proxy.program(), reason="nginx isn't installed")
def test_visitors_may_finish_and_new_ones_go_to_the_other_replica(lab: tuple) -> None:
    url, numbers, process, log = lab

    async def story(proxied: str, present: int, late: int) -> None:
        async with browser(proxied, present) as socket:
            visitor = Visitor(socket, "question_tags")
            await visitor.open()
            await visitor.send(SECRET)
            before = numbers_at(numbers)
            assert (before["lstm_lab_visitors"], before["lstm_lab_open_pages"]) == (1, 1)
            assert before["lstm_lab_page_run_seconds_count"] >= 2
            assert before["lstm_lab_ending"] == 0
            process.send_signal(signal.SIGTERM)
            while status(f"{url}/ready") != 503:
                await asyncio.sleep(0.02)
            with pytest.raises(InvalidStatus) as refused:
                await browser(url, late)
            assert refused.value.response.status_code == 403
            with pytest.raises(InvalidStatus) as elsewhere:  # which is no real replica: it answers without a websocket
                await browser(proxied, late)
            assert json.loads(elsewhere.value.response.body or b"{}")["name"] == "other"
            await visitor.send("x = 1")  # who is here goes on
            after = numbers_at(numbers)
            assert (after["lstm_lab_ending"], after["lstm_lab_refused_total"]) == (1, 2)
            assert process.poll() is None

    with replica("other") as other:
        place = url.removeprefix("http://").removesuffix("/lab")
        with local_proxy.nginx([place, other], "/lab") as proxy:
            here = [n for n in range(30) if "ready" in ask(proxy.url, "/lab/ready", **of(f"{n:032x}"))[1]]
            asyncio.run(story(proxy.url, *here[:2]))
            process.wait(20)
    written = log.read_text("utf-8")
    assert SECRET not in written
    events = [json.loads(line)["event"] for line in written.splitlines()]
    assert "takes visitors" in events
    assert any(event.startswith("asked to end; 1 pages") for event in events)
    assert "ends; 0 pages were still open" in events
