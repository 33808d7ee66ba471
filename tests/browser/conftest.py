"""A real server and a real Chromium for the tests in this folder.

Without Chromium the tests are skipped; with LSTM_LAB_BROWSER_TESTS=required a skipped test fails.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, sync_playwright

from benchmarks.browser import FLAGS

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90_000  # ms: a cold server loads TensorFlow on a busy machine
REQUIRED = os.environ.get("LSTM_LAB_BROWSER_TESTS") == "required"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).parent == Path(__file__).parent:
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if REQUIRED and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"Browser tests are required, and this one was skipped: {report.longrepr}"
    return report


def downloaded(page: Page, button: Locator) -> bytes:
    """The file that a button gives; pressed again when the browser breaks the download off, as a busy one does."""
    for _ in range(3):
        with page.expect_download() as download:
            button.click()
        if not (failure := download.value.failure()):
            return Path(download.value.path()).read_bytes()
    raise AssertionError(f"the download failed: {failure}")


@contextmanager
def running_app(log: Path, **environment: str) -> Iterator[str]:
    """The app on a free port of this machine; yields its address and stops it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    command += [f"--server.port={port}", "--server.address=127.0.0.1"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, env={**os.environ, **environment}
        )
    address = f"http://127.0.0.1:{port}"
    try:
        _wait_until_healthy(address, process, log)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_healthy(address: str, process: subprocess.Popen, log: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise RuntimeError(f"The app did not start:\n{log.read_text(errors='replace')[-2000:]}")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    with running_app(folder / "log.txt", LSTM_LAB_MODELS=str(folder / "own"), LSTM_LAB_WORKERS="2") as found:
        yield found


@pytest.fixture
def page(chromium: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh visitor; `@pytest.mark.parametrize("page", [{…}], indirect=True)` sets context options."""
    options = {"viewport": {"width": 1400, "height": 900}, **getattr(request, "param", {})}
    context = chromium.new_context(accept_downloads=True, **options)
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.script_errors = []  # type: ignore[attr-defined]
    page.on("pageerror", lambda error: page.script_errors.append(str(error)))  # type: ignore[attr-defined]
    page.on("dialog", lambda dialog: (page.script_errors.append(f"dialog {dialog.message}"), dialog.dismiss()))  # type: ignore[attr-defined]
    yield page
    assert page.script_errors == []  # type: ignore[attr-defined]
    context.close()
