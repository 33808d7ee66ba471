"""The microscope's component: the scripts of `assets/microscope/`, joined in this order into one JavaScript module."""

import streamlit as st

from ui.common import assets

SCRIPTS = ("data", "cells", "plans", "diagram", "equations", "strip", "bars", "life", "controls", "microscope")

_microscope = st.components.v2.component(
    "lstm_lab_microscope",
    css=assets.read("microscope/microscope.css"),
    js="\n".join(assets.read(f"microscope/{name}.js") for name in SCRIPTS),
)


def draw(payload: bytes, key: str) -> None:
    """Draw the trace packed by `payload.pack`."""
    _microscope(key=key, data=payload)
