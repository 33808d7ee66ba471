"""The presenter view of every page: without the menu, in large type, for a room. A link holds it; Escape leaves it."""

import streamlit as st

from ui.common import assets, theme


def frame() -> None:
    """Draw the switch, and in the presenter view its style, and put that into the address; not if it is embedded."""
    if theme.embedded():
        st.html("<style>[data-testid='stMainBlockContainer'] { padding: 0.7rem 1.6rem 2rem; }</style>")
        return
    if not theme.presenting():
        st.sidebar.button(
            "Presenter view", icon=":material/present_to_all:", key="present", on_click=_show, args=(True,),
            help="Without this menu and in large type. Escape leaves it.",
        )  # fmt: skip
        return
    st.html(f"<style>{assets.read('presenter.css')}</style>")
    st.button(
        "Leave the presenter view", shortcut="esc", icon=":material/close_fullscreen:", key="present_leave",
        type="tertiary", on_click=_show, args=(False,),
    )  # fmt: skip
    if st.query_params.get(theme.PRESENT) != "1":  # a link between pages drops it
        st.query_params[theme.PRESENT] = "1"


def _show(present: bool) -> None:
    st.session_state["_present"] = present
    st.query_params.pop(theme.PRESENT, None)
