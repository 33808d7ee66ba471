"""Starts LSTM Lab: `streamlit run app.py`.

An `st.App` over `pages/navigation.py` instead of a script, for two reasons: a deep link opens its page on a fresh
server, and the lifespan hook imports what the pages need before the first visit.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import logging
import os
import sys
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from streamlit.runtime import get_instance
from threadpoolctl import threadpool_limits

from lstm_core import glibc
from ui.classroom import route
from ui.common import server
from ui.common.shared_cache import CACHE
from ui.operations import drain, health, metrics, server_log, theme_message

log = logging.getLogger("lstm_lab")

TIDY_EVERY = 30.0  # seconds
FIRST, LATER = 2.5, 5.0  # seconds until the models are loaded, and then until the rest is imported: visitors come first
UNUSED = 120.0  # seconds after which a shared value is dropped, as long as Streamlit keeps a session without a browser


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Import what the first page needs, load the models in a thread, and tidy up regularly.

    Before the server listens: beside the imports, it would take a browser a second longer to fetch its scripts.
    """
    tour = importlib.import_module("ui.home.tour")
    threading.Thread(target=_preload, args=(tour,), name="preload", daemon=True).start()
    tidying = asyncio.create_task(_keep_tidy())
    server_log.setup()
    metrics.CACHE.set_function(lambda: CACHE.bytes)
    metrics.start()
    drain.watch()
    log.info("takes visitors")
    yield {}
    tidying.cancel()
    importlib.import_module("lstm_core.jobs.queue").shutdown()


def _preload(tour: Any) -> None:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)  # a browser fetches many small files meanwhile
    # On one sequence at a time, the threads of a matrix product wait for each other longer than they compute.
    threadpool_limits(1, user_api="blas")
    time.sleep(FIRST)
    tour.load_models()
    time.sleep(LATER)
    for module in ("pandas", "lstm_core.database"):
        importlib.import_module(module)
    if os.environ.get("LSTM_LAB_SCHEDULER"):  # another replica may have left runs
        importlib.import_module("lstm_core.jobs").shared_queue()
    sys.setswitchinterval(usual)
    gc.collect()
    gc.freeze()  # what is imported by now is never freed, so no later collection has to look at it


async def _keep_tidy() -> None:
    while True:
        await asyncio.sleep(TIDY_EVERY)
        forget_sessions(get_instance()._session_mgr)
        await asyncio.to_thread(tidy)


def forget_sessions(manager: Any) -> None:
    """Drop the sessions whose browser has been gone for two minutes; Streamlit itself waits until somebody comes."""
    manager._session_storage._cache.expire()


def tidy() -> None:
    """Give memory back: values that nobody has looked at for a while, what ended sessions have left, and free heap."""
    CACHE.forget(UNUSED)
    gc.collect()
    glibc.call("malloc_trim", 0)


def report_error(error: Exception) -> bool:
    """Log an unexpected error in full; the visitor gets one sentence and keeps the text they typed."""
    metrics.FAILED.inc()
    log.error("a page failed", exc_info=error)
    st.error("An internal error occurred; your text is kept. Reload the page or try another text.")
    return True


# What is larger, such as an uploaded file, is returned to the system at once and leaves no gap between small objects.
glibc.call("mallopt", glibc.M_MMAP_THRESHOLD, 2 << 20)
# `tidy` returns the rest; at once would slow the next reading down.
glibc.call("mallopt", glibc.M_TRIM_THRESHOLD, 64 << 20)
# By default, threads allocate from eight arenas a core, none of which ever shrinks.
glibc.call("mallopt", glibc.M_ARENA_MAX, 2)
server_log.setup()
theme_message.keep()
base = st.get_option("server.baseUrlPath")
app = st.App(
    "pages/navigation.py",
    lifespan=lifespan,
    routes=[*route.routes(base), *health.routes(base)],
    on_script_error=report_error,
    middleware=server.middleware(),
)
