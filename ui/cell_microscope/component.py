"""The microscope's component: the scripts of `assets/microscope/`, joined in this order into one JavaScript module."""

from collections.abc import Callable

import streamlit as st

from ui.common import assets

SCRIPTS = (
    *("data", "cells", "plans", "diagram", "equations", "answer"),
    *("strip", "bars", "life", "controls", "microscope"),
)

_microscope = st.components.v2.component(
    "lstm_lab_microscope",
    css=assets.read("microscope/microscope.css"),
    js="\n".join(assets.read(f"microscope/{name}.js") for name in SCRIPTS),
)


def draw(payload: bytes, key: str, on_clamp: Callable[[str, float | None], None]) -> None:
    """Draw the trace packed by `payload.pack`.

    Args:
        payload: see `payload.pack`.
        key: of the component.
        on_clamp: called with a signal's letter and the value to which its button clamps it; None frees the signal.
    """

    def clamped() -> None:
        sent = st.session_state[key].get("clamp")
        if isinstance(sent, dict) and sent.get("value") in (None, 0, 1):
            on_clamp(str(sent.get("letter")), sent["value"])

    _microscope(key=key, data=payload, on_clamp_change=clamped)
