"""The microscope's component: the scripts of `assets/microscope/`, joined in this order into one JavaScript module."""

from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).resolve().parents[2] / "assets" / "microscope"
SCRIPTS = ("data", "cells", "plans", "diagram", "equations", "strip", "bars", "life", "controls", "microscope")

_microscope = st.components.v2.component(
    "lstm_lab_microscope",
    css=(_ASSETS / "microscope.css").read_text(encoding="utf-8"),
    js="\n".join((_ASSETS / f"{name}.js").read_text(encoding="utf-8") for name in SCRIPTS),
)


def draw(payload: bytes, key: str) -> None:
    """Draw the trace packed by `payload.pack`."""
    _microscope(key=key, data=payload)
