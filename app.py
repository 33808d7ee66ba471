"""Starts LSTM Lab: `streamlit run app.py`.

An `st.App` over `pages/navigation.py` instead of a script, for two reasons: a deep link opens its page on a fresh
server, and the lifespan hook starts to load TensorFlow and the shipped models before the first visit.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

HEAD_START = 4.0  # seconds; importing TensorFlow at once delays the first page (benchmarks/startup.py)

log = logging.getLogger("lstm_lab")


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Load in the background what visitors will need: first the charts, then the models.

    The charts load while the first browser is still fetching its scripts. The models wait until the first page has had
    time to be painted; a page that needs them earlier loads them itself.
    """
    stopped = threading.Event()
    threading.Thread(target=_preload, args=(stopped,), name="preload", daemon=True).start()
    yield {}
    stopped.set()
    importlib.import_module("lstm_core.jobs.queue").shutdown()


def _preload(stopped: threading.Event) -> None:
    importlib.import_module("ui.common.charts")
    if not stopped.wait(HEAD_START):
        importlib.import_module("ui.common.model_cache").warm_up()


def report_error(error: Exception) -> bool:
    """Log an unexpected error in full; the visitor gets one sentence and keeps the text they typed."""
    log.error("a page failed", exc_info=error)
    st.error("An internal error occurred; your text is kept. Reload the page or try another text.")
    return True


app = st.App("pages/navigation.py", lifespan=lifespan, on_script_error=report_error)
