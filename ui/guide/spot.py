"""Links to a spot on a page: `?spot=KEY` scrolls to the element that has this key, and marks it."""

import streamlit as st

from ui.common import assets

_scroll = st.components.v2.component("lstm_lab_spot", js=assets.read("spot.js"))
_VISIT, _WANTED = "_spot_visit", "_spot_wanted"


def arrive() -> None:
    """Take the spot out of the address; call it before the page is drawn."""
    spot = st.query_params.get("spot", "")
    if spot:
        del st.query_params["spot"]
        st.session_state[_VISIT] = st.session_state.get(_VISIT, 0) + 1
    st.session_state[_WANTED] = spot


def show() -> None:
    """Scroll to the spot that the link named, if any; call it after the page was drawn."""
    if spot := st.session_state.pop(_WANTED, ""):
        _scroll(key="spot", data={"spot": spot, "visit": st.session_state[_VISIT]})
