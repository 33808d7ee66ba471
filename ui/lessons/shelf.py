"""The lessons that ship, as cards, and a lesson from a file."""

import streamlit as st

from lstm_core import LabError
from lstm_core.lesson_plans import Lesson, read_lesson
from ui.common import tokens, url_state
from ui.common.errors import show_error
from ui.lessons import editor, handout, walk

_OPENED = "_lesson_opened"  # the file that has been opened


def card(lesson: Lesson, name: str) -> None:
    """Draw a lesson with its stops and what can be done with it; `name` is unique on the page."""
    with st.container(border=True, key=f"lesson_{name}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            st.subheader(tokens.plain(lesson.title), anchor=False, width="content")
            st.badge(f"{lesson.minutes} min", color="blue")
        if lesson.about:
            st.markdown(lesson.about)
        with st.expander(f"{len(lesson.stops)} stops"):
            for number, stop in enumerate(lesson.stops, 1):
                lack = f" :orange[{tokens.plain(walk.missing(stop))}]" if walk.missing(stop) else ""
                st.markdown(f"{number}. **{tokens.plain(stop.title)}** · {stop.minutes} min{lack}")
        with st.container(horizontal=True):
            if st.button("Walk through it", type="primary", icon=":material/play_arrow:", key=f"lesson_walk_{name}"):
                walk.begin(lesson)
            if st.button("Write your own from it", icon=":material/edit:", key=f"lesson_copy_{name}"):
                editor.begin(lesson)
            handout.buttons(lesson, name)


def opened() -> Lesson | None:
    """Draw the field for a lesson's file; return its lesson in the run after it was dropped."""
    file = st.file_uploader("Open a lesson's file", type="toml", key="lesson_file", max_upload_size=1)
    if file is None:
        return None
    content = file.getvalue()
    mark = url_state.fingerprint(content.decode("latin-1"))
    if st.session_state.get(_OPENED) == mark:
        return None
    try:
        lesson = read_lesson(content)
    except LabError as error:
        show_error(error)
        return None
    st.session_state[_OPENED] = mark
    return lesson
