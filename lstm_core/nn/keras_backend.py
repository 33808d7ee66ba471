"""The Keras backend for training: the fastest installed one, or the one in LSTM_LAB_TRAINING_BACKEND.

Keras reads its backend from the environment when it is imported, and can't change it later.
"""

from __future__ import annotations

import importlib.util
import os

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
    return chosen
