"""What one visitor is looking at: the reading on screen, and the link that brings it back.

Everything here lives in the visitor's own session or in their address bar; nothing is shared.
"""

from __future__ import annotations

import math
import zlib
from urllib.parse import urlencode

import streamlit as st

from lstm_core.inference import Reading, TextClassifier

# Longer texts are cut at the last token that was read; this bounds an address whatever the model.
LONGEST_IN_LINK = 6000


def reading_of(model: TextClassifier, text: str, mask_names: bool | None = None) -> Reading:
    """The model's reading of a text; the last one of each model is kept for this visitor.

    Raises:
        TextError: if there is nothing to read.
    """
    kept = st.session_state.setdefault("_readings", {})
    asked = (text, mask_names)
    if model.card.name not in kept or kept[model.card.name][0] != asked:
        kept[model.card.name] = asked, model.read(text, mask_names=mask_names)
    return kept[model.card.name][1]


def parameter(name: str, default: str, allowed: tuple[str, ...] | None = None) -> str:
    """A value from the address; the default where it is missing or not among those allowed."""
    value = st.query_params.get(name, default)
    return value if allowed is None or value in allowed else default


def number(name: str, default: int, lowest: int, highest: int) -> int:
    """A whole number from the address, moved into its range; the default where it is no number."""
    try:
        value = int(st.query_params.get(name, default))
    except ValueError:
        value = default
    return min(max(value, lowest), highest)


def decimal(name: str, default: float, lowest: float, highest: float) -> float:
    """A number from the address, moved into its range; the default where it is none, or not a finite one."""
    try:
        value = float(st.query_params.get(name, default))
    except ValueError:
        value = default
    return min(max(value, lowest), highest) if math.isfinite(value) else default


def remember(**values: str | int) -> None:
    """Put what is on screen into the address bar, so that a reload or a copied address brings it back."""
    wanted = {key: str(value) for key, value in values.items()}
    if wanted != st.query_params.to_dict():
        st.query_params.from_dict(wanted)


def link(**values: str | int) -> str:
    """The address that opens this page with these values."""
    page = (st.context.url or "").split("?")[0]
    return f"{page}?{urlencode(values)}"


def text_for_link(reading: Reading) -> str:
    """As much of the text as was read, and no more than an address can carry."""
    end = max((stop for _, stop in reading.encoded.spans), default=0)
    return reading.text[: min(end, LONGEST_IN_LINK)]


def fingerprint(text: str) -> str:
    """A short name for a text, for widget keys: another text gets another widget."""
    return f"{zlib.crc32(text.encode('utf-8', 'replace')):08x}"
