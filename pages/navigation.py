"""The frame of every page: its title, the menu and the sidebar."""

import os

import streamlit as st

from ui.classroom import frame as classroom
from ui.common import assets, explanations, gate, plotting, theme, url_state
from ui.guide import spot
from ui.home import path, presenter
from ui.lessons import bar, walk
from ui.replay import in_pieces

ICON = assets.image("icon.png")
KEY = "LSTM_LAB_OPERATOR_KEY"  # with it there is a page for the operator, which the menu doesn't list

with in_pieces():
    sections = path.menu()
    operators = [st.Page("operators.py", title="Operators", visibility="hidden")] if os.environ.get(KEY) else []
    menu = not (theme.presenting() or theme.embedded())
    page = st.navigation(
        {**sections, "Operators": operators} if operators else sections,
        expanded=True,
        position="sidebar" if menu else "hidden",
    )
    st.set_page_config(
        page_title="LSTM Lab" if page.url_path == "" else f"{page.title} · LSTM Lab", page_icon=ICON, layout="wide"
    )
    st.html(f"<style>{assets.read('frame.css')}</style>")
    plotting.frame()
    if not theme.embedded():
        st.logo(ICON, size="large")
    if menu:
        with st.sidebar:
            st.caption("LSTM Lab shows long short-term memory networks while they read. All figures are computed live.")
    presenter.frame()
    classroom.before(page, {each.url_path: each for pages in sections.values() for each in pages})
    with gate.turn():
        explanations.begin_page()
        spot.arrive()
        anew = walk.arrive()
        with url_state.arrival(page.url_path, anew, walk.hides(page.url_path)):
            bar.show(page.url_path, anew)
            classroom.run(page)
        if not theme.embedded() and walk.current() is None:
            path.foot(f"{page.url_path or 'home'}.py")
        spot.show()
    classroom.after()
