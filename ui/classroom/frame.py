"""A class around each page: who comes by its link, the bar above the page, and what follows the lecturer.

Whoever is in no class pays a look at the address for it: the rest is imported with the first class.
"""

from collections.abc import Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ui.common.url_state import CLASS
from ui.guide import guess


def here() -> bool:
    """Whether this visitor is in a class, or comes to one."""
    return bool(st.session_state.get(CLASS)) or CLASS in st.query_params


def before(page: StreamlitPage, pages: Mapping[str, StreamlitPage]) -> None:
    """Draw the bar, and open what the lecturer shows; call it before the page is drawn.

    Args:
        page: the current page.
        pages: all pages by their name in an address.
    """
    guess.forget_offers()
    if here():
        from ui.classroom import bar  # it brings in SQLAlchemy

        bar.before(page, pages)


def run(page: StreamlitPage) -> None:
    """Draw the page; who opens what the lecturer shows gets what another follower's run has drawn, if it fits."""
    if st.session_state.get(CLASS):
        from ui.classroom import bar

        bar.run(page)
    else:
        page.run()


def after() -> None:
    """Draw the lecturer's controls in their place above the page; call it after the page was drawn."""
    if st.session_state.get(CLASS):
        from ui.classroom import bar

        bar.after()
