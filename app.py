"""Starts LSTM Lab: `streamlit run app.py`.

An `st.App` over `pages/navigation.py`, and not a script, for two reasons: a deep link on a cold
server finds its page, and the lifespan hook can begin to load TensorFlow and the shipped models
before the first visitor asks for them.
"""

from __future__ import annotations

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
    """Load the models in the background, once the first page has had time to be painted.

    A page that needs them sooner begins to load them by itself.
    """
    from ui import shelf

    timer = threading.Timer(HEAD_START, shelf.warm_up)
    timer.daemon = True
    timer.start()
    yield {}
    timer.cancel()


def apologise(error: Exception) -> bool:
    """A fault of ours is logged in full; the visitor gets one sentence and keeps what they typed."""
    log.error("a page failed", exc_info=error)
    st.error("Something went wrong on our side; your text is kept. Reload the page or try another text.")
    return True


app = st.App("pages/navigation.py", lifespan=lifespan, on_script_error=apologise)
