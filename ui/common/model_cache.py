"""The models that are loaded: once a process, in the background, shared by everybody.

Loaded models never change, so sharing them is safe. A model that fails to load is not kept: when
its folder has been mended, the next visitor gets it.
"""

from __future__ import annotations

import gc
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import streamlit as st

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.inference import BlankFiller, Forecaster, Rewriter, TextClassifier, TextGenerator, TreeReader, WordModel
from lstm_core.library import SHIPPED, own_folder

Model = TypeVar("Model")
_loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")
_loading: dict[str, Future[TextClassifier | TextGenerator]] = {}
_lock = threading.Lock()


# What the home page shows and most visitors open; the others follow by name.
FIRST = ("stackoverflow", "macbeth", "family_rnn", "family_gru", "family_lstm", "imdb")
WORDS: dict[type, str] = {
    TextClassifier: "classifier",
    TextGenerator: "character model",
    Forecaster: "forecaster",
    WordModel: "word model",
    BlankFiller: "filler of blanks",
    Rewriter: "encoder–decoder",
    TreeReader: "recursive network",
}


def warm_up() -> None:
    """Begin to load every shipped model, one after the other; returns at once.

    Each is put in line only when the one before is done, so that a model that somebody waits for comes first.
    """
    names = [card.name for card in lstm_core.list_models(SHIPPED)]
    _load_in_turn(sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)))


def _load_in_turn(names: list[str]) -> None:
    # Streamlit collects garbage after every run of a script, and Keras once more, while everybody waits. TensorFlow
    # and the models are half a million objects that never go; frozen, they aren't looked through: 0.3 s become none.
    gc.freeze()
    if names:
        with suppress(RuntimeError):  # the server is stopping: nobody needs the others any more
            _begin(names[0]).add_done_callback(lambda _: _load_in_turn(names[1:]))


def model(kind: type[Model], name: str) -> Model:
    """A shipped model that does what a page needs; shows that it is loading for as long as it is.

    Raises:
        ModelError: if it is missing or damaged, or does something else.
    """
    found: object = any_model(name)
    if not isinstance(found, kind):
        raise ModelError(f"The model '{name}' is no {WORDS[kind]}.")
    return found


def any_model(name: str) -> TextClassifier | TextGenerator:
    """A shipped model of any task; raises ModelError as the others."""
    future = _begin(name)
    if not future.done():
        with st.spinner(
            "Loading TensorFlow and the trained networks; only the first visit has to wait …", show_time=True
        ):
            return future.result()
    return future.result()


def ready(name: str) -> Any:
    """A shipped model if it is loaded by now; None if it isn't. Never waits and never begins to load.

    Raises:
        ModelError: if it could not be loaded.
    """
    with _lock:
        future = _loading.get(_key(name))
    return future.result() if future is not None and future.done() else None


def _begin(name: str) -> Future[TextClassifier | TextGenerator]:
    key = _key(name)
    with _lock:
        future = _loading.get(key)
        if future is None or (future.done() and future.exception() is not None):
            future = _loading[key] = _loader.submit(lstm_core.load, name)
        return future


def _key(name: str) -> str:
    """What a loaded model is kept under: its name, and for an own model, which can be replaced, when it was written."""
    folder = own_folder() / name
    if os.path.isdir(SHIPPED / name) or not os.path.isdir(folder):
        return name
    return f"{name}@{os.stat(folder).st_mtime_ns}"
