"""The path through the lab: the order of the pages in the menu, and what stands at the foot of those on the path."""

from copy import copy
from functools import cache

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from ui.common import assets

_TOUR = assets.table("tour.toml")
SECTIONS: dict[str, list[str]] = _TOUR["sections"]  # section of the menu → names of its pages
_STOPS = {stop["file"]: stop for stop in _TOUR["stops"]}
_TAKE_HOME = {each["file"]: each["take_home"] for each in (*_TOUR["stops"], *_TOUR["more"]) if "take_home" in each}
# The pages in the order of the path → the question that each answers.
PATH = {
    "home.py": "the beginning",
    **{file: stop["question"] for file, stop in _STOPS.items()},
    "training_studio.py": "What does a network learn first?",
    "check_yourself.py": "Can you explain each gate?",
}
SEEN = "_path_seen"


@cache
def _pages() -> dict[str, list[StreamlitPage]]:
    return {section: [_page(name) for name in names] for section, names in SECTIONS.items()}


def _page(name: str) -> StreamlitPage:
    file = name.lower().replace(" ", "_")
    return st.Page(f"{file}.py", title=name, url_path=file, default=name == "Home")


@cache
def _page_of(file: str) -> StreamlitPage:
    """Handed the name of a file, Streamlit would look for the file in each run."""
    return next(page for pages in _pages().values() for page in pages if f"{page.url_path or 'home'}.py" == file)


def menu() -> dict[str, list[StreamlitPage]]:
    """The pages by the sections of the menu, for one run: looking for the files once is enough."""
    return {section: [copy(page) for page in pages] for section, pages in _pages().items()}


def foot(file: str) -> None:
    """Draw what a stop of the path leaves one with, and the links to the stops before and after it."""
    if file not in PATH:
        return
    places, seen = list(PATH), st.session_state.setdefault(SEEN, set())
    seen.add(file)
    place = places.index(file)
    with st.container(key="path", gap="xsmall"):
        st.divider()
        if file in _TAKE_HOME:
            st.markdown(f"**To take home.** {_TAKE_HOME[file]}")
        with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
            if place > 0:
                _link("Back", places[place - 1], ":material/arrow_back:")
            st.caption(f"The path: {len(seen)} of {len(places)} pages seen")
            if place + 1 < len(places):
                _link("Next", places[place + 1], ":material/arrow_forward:")


def _link(word: str, file: str, icon: str) -> None:
    st.page_link(_page_of(file), label=f"**{word}:** {PATH[file]}", icon=icon)
