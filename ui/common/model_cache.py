"""Loaded models: each is loaded once per process, when it is first needed, and shared by all visitors.

Loaded models never change, so sharing them is safe. A failed load is not cached: once the model's folder has been
repaired, the next visitor gets the model. Of the users' own models, those used last are kept.
"""

import threading
from collections import OrderedDict, defaultdict
from typing import Any, TypeVar

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.inference import TASKS, TextClassifier, TextGenerator
from lstm_core.library import SHIPPED, model_path

Model = TypeVar("Model")
MOST_OWN = 16
_loaded: dict[str, Any] = {}  # shipped ones
_own: OrderedDict[str, Any] = OrderedDict()
_locks: defaultdict[int, threading.Lock] = defaultdict(threading.Lock)  # for models by the hash of their identity


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
    kept = _loaded if key == name else _own
    with _locks[hash(key) % 64]:
        if key not in kept:
            found = model_path(name)
            if found is None:
                raise ModelError(f"There is no model '{name[:60]}'; it was deleted, or the link to it is wrong.")
            kept[key] = lstm_core.load(found)
            while len(_own) > MOST_OWN:
                _own.popitem(last=False)
        return kept[key]


def is_own(name: str) -> bool:
    """Whether a model is a visitor's, and none of those that ship with LSTM Lab."""
    return identity(name) != name


def identity(name: str) -> str:
    """What identifies a model and its weights: its name; for a user's model, which can be replaced, also its time."""
    found = model_path(name)
    return name if found is None or found.parent == SHIPPED else f"{name}@{found.stat().st_mtime_ns}"
