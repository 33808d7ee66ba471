"""Loaded models: each is loaded once per process, in the background, and shared by all visitors.

Loaded models never change, so sharing them is safe. A failed load is not cached: once the model's folder has been
repaired, the next visitor gets the model.
"""

import gc
import os
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

import streamlit as st

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.inference import TASKS, TextClassifier, TextGenerator
from lstm_core.library import SHIPPED, own_folder

Model = TypeVar("Model")
_loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="models")
_loading: dict[str, Future[TextClassifier | TextGenerator]] = {}
_lock = threading.Lock()

# The models of the home page and of the pages opened most; the others follow by name.
FIRST = ("stackoverflow", "macbeth", "family_rnn", "family_gru", "family_lstm", "imdb")


def warm_up() -> None:
    """Start to load every shipped model, one after the other; return at once.

    Each is queued only when the one before is loaded, so that a model that a visitor waits for comes first.
    """
    names = [card.name for card in lstm_core.list_models(SHIPPED)]
    _load_in_turn(sorted(names, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name)))


def _load_in_turn(names: list[str]) -> None:
    # Streamlit and Keras collect garbage after every run of a script. TensorFlow and the models are half a million
    # objects that are never freed; frozen, they aren't traversed, which saves 0.3 s each time.
    gc.freeze()
    if names:
        with suppress(RuntimeError):  # the server is stopping
            _begin(names[0]).add_done_callback(lambda _: _load_in_turn(names[1:]))


def model(kind: type[Model], name: str) -> Model:
    """A model of one class; shows a spinner while it is loading.

    Raises:
        ModelError: if the model is missing, damaged or of another class.
    """
    found: Any = any_model(name)
    if not isinstance(found, kind):
        raise ModelError(f"The model '{name}' is a {TASKS[found.card.task].noun}, which this page has no use for.")
    return found


def any_model(name: str) -> TextClassifier | TextGenerator:
    """A model of any class; raises ModelError as `model` does."""
    future = _begin(name)
    if not future.done():
        with st.spinner(
            "Loading TensorFlow and the trained networks; only the first visit waits for it …", show_time=True
        ):
            return future.result()
    return future.result()


def ready(name: str) -> Any:
    """A model if it has been loaded, else None; never waits and never starts to load.

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
    """The cache key of a model: its name; for a user's model, which can be replaced, also its modification time."""
    folder = own_folder() / name
    if os.path.isdir(SHIPPED / name) or not os.path.isdir(folder):
        return name
    return f"{name}@{os.stat(folder).st_mtime_ns}"
