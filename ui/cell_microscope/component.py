"""The microscope's component, made of the scripts that `lstm_core.exhibit` joins."""

from collections.abc import Callable

import streamlit as st

from lstm_core import exhibit

_microscope = st.components.v2.component(
    "lstm_lab_microscope",
    css=exhibit.style(),
    js=exhibit.script("page"),
)


def draw(payload: bytes, key: str, on_clamp: Callable[[str, float | None], None]) -> None:
    """Draw the trace packed by `exhibit.pack`.

    Args:
        payload: see `exhibit.pack`.
        key: of the component.
        on_clamp: called with a signal's letter and the value to which its button clamps it; None frees the signal.
    """

    def clamped() -> None:
        sent = st.session_state[key].get("clamp")
        if isinstance(sent, dict) and sent.get("value") in (None, 0, 1):
            on_clamp(str(sent.get("letter")), sent["value"])

    _microscope(key=key, data=payload, on_clamp_change=clamped)
