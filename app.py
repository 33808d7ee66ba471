"""Starts LSTM Lab: `streamlit run app.py`.

An `st.App` over `pages/navigation.py`, and not a script, for two reasons: a deep link on a cold
server finds its page, and the lifespan hook can begin to load TensorFlow and the shipped models
before the first visitor asks for them.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

# Seconds: importing TensorFlow at once made the first page take 1.8 times as long (benchmarks/startup.py).
HEAD_START = 4.0

log = logging.getLogger("lstm_lab")


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Make ready in the background what visitors will need: first the charts, then the models.

    The charts load while the first browser is still fetching its scripts. The models wait until
    the first page has had time to be painted; a page that needs them sooner loads them by itself.
    """
    stopped = threading.Event()
    threading.Thread(target=_make_ready, args=(stopped,), name="make-ready", daemon=True).start()
    yield {}
    stopped.set()
    importlib.import_module("lstm_core.jobs.queue").shutdown()


def _make_ready(stopped: threading.Event) -> None:
    importlib.import_module("ui.common.charts")
    if not stopped.wait(HEAD_START):
        importlib.import_module("ui.common.model_cache").warm_up()


def apologise(error: Exception) -> bool:
    """A fault of ours is logged in full; the visitor gets one sentence and keeps what they typed."""
    log.error("a page failed", exc_info=error)
    st.error("Something went wrong on our side; your text is kept. Reload the page or try another text.")
    return True


app = st.App("pages/navigation.py", lifespan=lifespan, on_script_error=apologise)
