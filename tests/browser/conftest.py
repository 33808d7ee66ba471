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
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, sync_playwright

from benchmarks.browser import FLAGS
from tests.browser.expecting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]

# Streamlit's signs of waiting move sixty times a second, and drawing them takes half of a page's processor time.
# Tests that ask for reduced motion see what moves nevertheless.
STILL = """
const still = new CSSStyleSheet();
still.replaceSync("@media not (prefers-reduced-motion) { *, ::before, ::after { animation: none !important } }");
document.adoptedStyleSheets.push(still);
"""
FORGET = "location.protocol.startsWith('http') && [localStorage, sessionStorage].forEach(one => one.clear())"
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


def look(page: Page, width: int = 1400, height: int = 900, **media: Any) -> None:
    """Give an open page another look: its window, and what Playwright's `emulate_media` takes."""
    page.set_viewport_size({"width": width, "height": height})
    defaults = {"color_scheme": "light", "forced_colors": "none", "reduced_motion": "no-preference"}
    page.emulate_media(**{**defaults, **media})


@contextmanager
def scaled(page: Page, scale: float) -> Iterator[None]:
    """So many pixels per point, until the block ends; the next look needs another size of the window."""
    session = page.context.new_cdp_session(page)
    metrics = {**(page.viewport_size or {}), "deviceScaleFactor": scale, "mobile": False}
    session.send("Emulation.setDeviceMetricsOverride", metrics)
    try:
        yield
    finally:
        session.detach()


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


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    """A browser for the tests of this package; Playwright's event loop would be in the way of others'."""
    executable = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if executable is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def address(tmp_path_factory: pytest.TempPathFactory, chromium: Browser) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    # Two runs at once; they don't wait until nobody else on the machine wants to compute.
    settings = {"LSTM_LAB_MODELS": str(folder / "own"), "LSTM_LAB_WORKERS": "2", "LSTM_LAB_NICE": "0"}
    with running_app(folder / "log.txt", **settings) as found:
        yield found


@pytest.fixture(scope="package")
def visitors(chromium: Browser) -> Iterator[tuple[BrowserContext, BrowserContext]]:
    """Where all tests open their pages."""
    with chromium.new_context() as one, chromium.new_context() as other:
        for context in (one, other):
            context.set_default_timeout(PATIENCE)
            context.add_init_script(STILL)
        yield one, other


@pytest.fixture
def page(visitors: tuple[BrowserContext, BrowserContext], request: pytest.FixtureRequest) -> Iterator[Page]:
    """A fresh visitor; `@pytest.mark.parametrize("page", [PHONE], indirect=True)` gives the page a look."""
    with visit(visitors[0]) as page:
        look(page, **getattr(request, "param", {}))
        yield page


@pytest.fixture
def stranger(visitors: tuple[BrowserContext, BrowserContext]) -> Iterator[Page]:
    """Another fresh visitor, who shares no cookie with `page`."""
    with visit(visitors[1]) as page:
        look(page)
        yield page


@contextmanager
def visit(context: BrowserContext) -> Iterator[Page]:
    """A page of somebody of whom the server and the browser know nothing.

    All visits of a context are in one tab: in a new one Chromium takes twice as long to load the app.
    """
    page = context.pages[0] if context.pages else context.new_page()
    errors: list[str] = []
    listeners = {
        "pageerror": lambda error: errors.append(str(error)),
        "dialog": lambda dialog: (errors.append(f"dialog {dialog.message}"), dialog.dismiss()),
    }
    for event, listener in listeners.items():
        page.on(event, listener)  # type: ignore[call-overload]
    try:
        yield page
    finally:
        page.evaluate(FORGET)
        page.goto("about:blank")
        page.mouse.move(0, 0)
        for event, listener in listeners.items():
            page.remove_listener(event, listener)
        for each in context.pages:
            if each is not page:
                each.close()
        context.clear_cookies()
    assert errors == []
