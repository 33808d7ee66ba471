"""Loaded models: each is loaded once per process, when it is first needed, and shared by all visitors.

Loaded models never change, so sharing them is safe. A failed load is not cached: once the model's folder has been
repaired, the next visitor gets the model.
"""

import os
import threading
from collections import defaultdict
from typing import Any, TypeVar

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.inference import TASKS, TextClassifier, TextGenerator
from lstm_core.library import SHIPPED, own_folder

Model = TypeVar("Model")
_loaded: dict[str, Any] = {}
_locks: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)  # one for each model


def model(kind: type[Model], name: str) -> Model:
    """A model of one class.

    Raises:
        ModelError: if the model is missing, damaged or of another class.
    """
    found: Any = any_model(name)
    if not isinstance(found, kind):
        raise ModelError(f"The model '{name}' is a {TASKS[found.card.task].noun}, which this page has no use for.")
    return found


def any_model(name: str) -> TextClassifier | TextGenerator:
    """A model of any class; raises ModelError as `model` does."""
    key = identity(name)
    with _locks[key]:
        if key not in _loaded:
            _loaded[key] = lstm_core.load(name)
        return _loaded[key]


def identity(name: str) -> str:
    """What identifies a model and its weights: its name; for a user's model, which can be replaced, also its time."""
    folder = own_folder() / name
    if os.path.isdir(SHIPPED / name) or not os.path.isdir(folder):
        return name
    return f"{name}@{os.stat(folder).st_mtime_ns}"
