"""Keras beside a loaded model that a test made in memory."""

from __future__ import annotations

from typing import Any, TypeVar

Loaded = TypeVar("Loaded")


def with_keras(loaded: Loaded, model: Any) -> Loaded:
    """The loaded model, whose `keras()` gives the Keras model that it was made from."""
    object.__setattr__(loaded, "keras", lambda: model)
    return loaded
