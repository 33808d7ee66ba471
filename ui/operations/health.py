"""`/health` looks at each part that this process needs, `/ready` says whether it takes visitors.

Whether the process lives is Streamlit's `/_stcore/health`. The three differ on purpose: a lost database is for an
operator to mend (`/health`), but most pages need none, so visitors still come (`/ready`), and a restart would not help.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from lstm_core import jobs, paths, storage
from ui.operations import drain, metrics

log = logging.getLogger("lstm_lab.operations")

DATABASE = "lstm_core.database"  # brings in SQLAlchemy, so it is imported when it is used
PATIENCE = 2.0  # seconds for each part
FRESH = 1.0  # seconds in which a look is not repeated, however many ask


def _models() -> None:
    if not any(paths.MODELS.glob("*/model.keras")):
        raise OSError("no shipped model can be read")


def _database() -> None:
    database = importlib.import_module(DATABASE)
    with database.transaction() as connection:
        connection.exec_driver_sql("SELECT 1")


def _store() -> None:
    if storage.is_shared():
        storage.read("health", 100)  # there is no such file: what counts is that the store says so
        return
    folder = paths.own_folder()
    folder.mkdir(parents=True, exist_ok=True)
    if not os.access(folder, os.W_OK):
        raise OSError("the folder of the own models can't be written")


def _scheduler() -> None:
    jobs.greet(os.environ["LSTM_LAB_SCHEDULER"], PATIENCE, jobs.certificate_files())  # an open port may hang


class Health:
    """Looks at the parts, all at once and each for a bounded time."""

    def __init__(self, parts: dict[str, Callable[[], object]]) -> None:
        """`parts` are functions, or coroutine functions, that raise if their part doesn't answer."""
        self.parts = parts
        self._seen: tuple[float, dict[str, Any]] = (0.0, {})
        self._lock = asyncio.Lock()
        self._threads = ThreadPoolExecutor(len(parts), thread_name_prefix="health")
        self._running: dict[str, Future[object]] = {}

    async def look(self) -> dict[str, Any]:
        """Whether each part answers, and after how many seconds."""
        async with self._lock:
            when, found = self._seen
            if not found or time.monotonic() - when > FRESH:
                answers = await asyncio.gather(*map(self._ask, self.parts))
                self._seen = time.monotonic(), dict(zip(self.parts, answers, strict=True))
            return self._seen[1]

    async def _ask(self, part: str) -> dict[str, Any]:
        began, up = time.perf_counter(), True
        try:
            await asyncio.wait_for(self._answer(part), PATIENCE)
        except Exception as error:  # whatever it is, the part can't be used
            up = False
            if self._seen[1].get(part, {}).get("up", True):
                log.warning("the part %s doesn't answer, %s", part, type(error).__name__)
        metrics.PART.labels(part).set(up)
        return {"up": up, "seconds": round(time.perf_counter() - began, 3)}

    def _answer(self, part: str) -> Awaitable[object]:
        ask = self.parts[part]
        if asyncio.iscoroutinefunction(ask):
            return ask()
        # One that hangs keeps its thread; it is waited for again, and no second one is started.
        if part not in self._running or self._running[part].done():
            self._running[part] = self._threads.submit(ask)
        return asyncio.shield(asyncio.wrap_future(self._running[part]))


def routes(base: str = "") -> list[Route]:
    """The routes of the app; `base` is Streamlit's `server.baseUrlPath`."""
    parts: dict[str, Callable[[], object]] = {"models": _models, "database": _database, "store": _store}
    if os.environ.get("LSTM_LAB_SCHEDULER"):
        parts["scheduler"] = _scheduler
    seen, prefix = Health(parts), f"/{base.strip('/')}" if base.strip("/") else ""

    async def health(request: Request) -> JSONResponse:
        await asyncio.to_thread(importlib.import_module, DATABASE)  # which takes seconds on a busy machine, once
        found = await seen.look()
        well = all(part["up"] for part in found.values()) and not drain.ending()
        status = "ending" if drain.ending() else "up" if well else "failing"
        return JSONResponse({"status": status, "parts": found}, 200 if well else 503)

    async def ready(request: Request) -> JSONResponse:
        return JSONResponse({"ready": not drain.ending()}, 503 if drain.ending() else 200)

    return [Route(f"{prefix}/health", health), Route(f"{prefix}/ready", ready)]
