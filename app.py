"""Starts LSTM Lab: `streamlit run app.py`.

An `st.App` over `pages/navigation.py`, and not a script, for two reasons: a deep link on a cold
server finds its page, and the lifespan hook can begin to load TensorFlow and the shipped models
before the first visitor asks for them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import streamlit as st

log = logging.getLogger("lstm_lab")


@asynccontextmanager
async def lifespan(app: st.App) -> AsyncIterator[dict[str, Any]]:
    """Load the models in the background while the first page is painted."""
    from ui import shelf

    shelf.warm_up()
    yield {}


def apologise(error: Exception) -> bool:
    """A fault of ours is logged in full; the visitor gets one sentence and keeps what they typed."""
    log.error("a page failed", exc_info=error)
    st.error("Something went wrong on our side; your text is kept. Reload the page or try another text.")
    return True


app = st.App("pages/navigation.py", lifespan=lifespan, on_script_error=apologise)
