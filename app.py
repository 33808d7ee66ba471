"""Starts LSTM Lab: `streamlit run app.py`.

An `st.App` over `pages/navigation.py` instead of a script, for two reasons: a deep link opens its page on a fresh
server, and the lifespan hook imports what the pages need before the first visit.
"""

from __future__ import annotations

import gc
import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st
from threadpoolctl import threadpool_limits

from ui.common import housekeeping, server

log = logging.getLogger("lstm_lab")


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Import in the background what the pages need, while the first browser is still fetching its scripts."""
    threading.Thread(target=_preload, name="preload", daemon=True).start()
    over = housekeeping.start()
    yield {}
    over.set()
    importlib.import_module("lstm_core.jobs.queue").shutdown()


def _preload() -> None:
    for module in ("ui.common.charts", "ui.common.model_cache"):
        importlib.import_module(module)
    # On one sequence at a time, the threads of a matrix product wait for each other longer than they compute.
    threadpool_limits(1, user_api="blas")
    gc.collect()
    gc.freeze()  # what is imported by now is never freed, so no later collection has to look at it


def report_error(error: Exception) -> bool:
    """Log an unexpected error in full; the visitor gets one sentence and keeps the text they typed."""
    log.error("a page failed", exc_info=error)
    st.error("An internal error occurred; your text is kept. Reload the page or try another text.")
    return True


housekeeping.bound_arenas()
app = st.App("pages/navigation.py", lifespan=lifespan, on_script_error=report_error, middleware=server.middleware())
