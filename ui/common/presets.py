"""Pills that set one or several controls of a page."""

from collections.abc import Mapping
from typing import Any

import streamlit as st

from ui.common.url_state import linked


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


def text_input(
    label: str, texts: Mapping[str, str], key: str, parameter: str, default: str, **options: Any
) -> tuple[str, str | None]:
    """A text input below pills that put a text into it.

    Args:
        label: of the input.
        texts: name of a preset → its text.
        key: of the input; that of the pills is `{key}_preset`.
        parameter: of the text in a link.
        default: the text at first.
        **options: of `st.text_input`.

    Returns:
        The text, and the name of its preset if it has one.
    """
    above = st.container()
    text = linked(st.text_input, label, key=key, parameter=parameter, default=default, **options)
    with above:
        chosen = pills("Presets", {name: {key: each} for name, each in texts.items()}, f"{key}_preset")
    return text, chosen
