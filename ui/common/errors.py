"""Errors that a visitor can cause, as one sentence on the page."""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

import streamlit as st

from lstm_core import LabError
from ui.common import tokens
from ui.operations import metrics

Value = TypeVar("Value")


@contextmanager
def show_errors() -> Iterator[None]:
    """Show an error raised in the body of the `with` statement, and go on after it."""
    try:
        yield
    except LabError as error:
        show_error(error)


def show_error(error: LabError) -> None:
    """Show an error. Its sentence may quote an upload, so it is shown as plain text."""
    st.error(tokens.plain(str(error)))


def once(key: str, inputs: Hashable, compute: Callable[[], Value]) -> Value:
    """What `compute` makes of an upload, or the mistake that it raises, kept in the session until the inputs change.

    The inputs say everything that the value depends on, such as the identity of the uploaded file.

    Raises:
        LabError: what `compute` raised, at each run of the page.
    """
    kept = st.session_state.get(key)
    if kept is None or kept[0] != inputs:
        try:
            kept = inputs, compute(), None
        except LabError as mistake:
            metrics.refused("upload")
            kept = inputs, None, mistake
        st.session_state[key] = kept
    if kept[2] is not None:
        raise kept[2].with_traceback(None)
    return cast(Value, kept[1])
