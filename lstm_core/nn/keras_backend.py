"""What a process does before it trains: it chooses the Keras backend, and keeps the memory of each step for the next.

The backend is the fastest installed one, or the one in LSTM_LAB_TRAINING_BACKEND. Keras reads it from the environment
when it is imported, and can't change it later.
"""

from __future__ import annotations

import importlib.util
import os

from lstm_core import glibc
from lstm_core.errors import LabError

CHOICES = ("jax", "tensorflow", "torch")


def choose() -> str:
    """Set KERAS_BACKEND for a process that will train, before it imports Keras; returns the backend.

    Raises:
        LabError: if the variable's value isn't a backend, or isn't installed.
    """
    chosen = os.environ.get("LSTM_LAB_TRAINING_BACKEND", "")
    if not chosen:
        chosen = "jax" if importlib.util.find_spec("jax") else "tensorflow"
    if chosen not in CHOICES:
        raise LabError(
            f"LSTM_LAB_TRAINING_BACKEND is '{chosen}'; it can be {', '.join(CHOICES[:-1])} or {CHOICES[-1]}."
        )
    if importlib.util.find_spec(chosen) is None:
        raise LabError(
            f"LSTM_LAB_TRAINING_BACKEND is '{chosen}', which isn't installed; install it or unset the variable."
        )
    os.environ["KERAS_BACKEND"] = chosen
    keep_memory()
    return chosen


def keep_memory() -> None:
    """Keep what is freed: otherwise each training step asks the system for its pages again, a third of its time.

    Before the backend starts its threads: they then share one arena, the only one whose size isn't limited.
    """
    glibc.call("mallopt", glibc.M_MMAP_MAX, 0)
    glibc.call("mallopt", glibc.M_TRIM_THRESHOLD, 2**31 - 1)  # bytes, the largest
    glibc.call("mallopt", glibc.M_ARENA_MAX, 1)
