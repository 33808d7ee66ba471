"""Pills that set several controls of a page at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st


def pills(label: str, presets: Mapping[str, Mapping[str, Any]], key: str, **options: Any) -> str | None:
    """Draw a pill for each preset; the one whose values the controls have now is selected.

    The controls must be drawn first, so that they have values: put the pills into a container above them.

    Args:
        label: of the pills.
        presets: name → key of a control → value.
        key: of the pills.
        **options: of `st.pills`.

    Returns:
        The name of the selected preset; None if the controls have other values.
    """

    def choose() -> None:
        if st.session_state[key] is not None:
            st.session_state.update(presets[st.session_state[key]])

    state = st.session_state
    state[key] = next(
        (name for name, values in presets.items() if all(state[control] == values[control] for control in values)), None
    )
    return st.pills(label, list(presets), key=key, on_change=choose, **options)
