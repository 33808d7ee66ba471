"""Streamlit servers and Chromium for the benchmarks of pages.

Whatever is started here is ended here, also when the benchmark fails or is interrupted.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TIMEOUT = 120.0  # seconds to wait for a server or a page
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Server:
    """A running Streamlit server: its address, and the clock when its process was started."""

    url: str
    started: float
    process: psutil.Process


@contextmanager
def server(*command: str) -> Iterator[Server]:
    """Run `streamlit COMMAND` from the project's root, in a process group of its own, until the block ends.

    All servers get the project's `.streamlit/config.toml`, ours and its peers, and may write bytecode, as a user's do.

    Raises:
        RuntimeError: with the end of its log, if it dies or doesn't answer.
    """
    port = _free_port()
    options = ("--server.headless=true", "--server.address=127.0.0.1", f"--server.port={port}")
    with tempfile.TemporaryFile("w+") as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", *command, *options],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            if not _answers(port, process):
                log.seek(0)
                raise RuntimeError(f"`streamlit {' '.join(command)}` doesn't answer. {log.read()[-2000:]}")
            yield Server(f"http://127.0.0.1:{port}", started, psutil.Process(process.pid))
        finally:
            _end(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until the port accepts a connection; False if the process has ended or after the timeout."""
    deadline = time.monotonic() + TIMEOUT
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
        time.sleep(0.01)
    return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """Terminate the process group, and kill it if it doesn't end."""
    for how, seconds in ((signal.SIGTERM, 5), (signal.SIGKILL, 30)):
        with suppress(ProcessLookupError):
            os.killpg(process.pid, how)
        with suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return


@contextmanager
def chromium() -> Iterator[Browser]:
    """One headless Chromium; the system's where there is one, else Playwright's.

    While it runs, SIGTERM unwinds the stack as Ctrl+C does, so that servers don't outlive us.
    """
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
            with browser:
                yield browser
    finally:
        signal.signal(signal.SIGTERM, before)


@contextmanager
def tab(browser: Browser, url: str) -> Iterator[Page]:
    """A page that is loading this address, with an empty cache."""
    with browser.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.set_default_timeout(1000 * TIMEOUT)
        page = context.new_page()
        page.goto(url, wait_until="commit")
        yield page
