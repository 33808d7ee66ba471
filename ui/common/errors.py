"""Errors that a visitor can cause, as one sentence on the page."""

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from lstm_core import LabError


@contextmanager
def show_errors() -> Iterator[None]:
    """Show an error raised in the body of the `with` statement, and go on after it."""
    try:
        yield
    except LabError as error:
        st.error(str(error))
