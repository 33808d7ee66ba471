"""Lessons: views of the lab in order, each with a question; those that ship, those of a file, and one's own."""

import streamlit as st

from lstm_core.lesson_plans import shipped_lessons
from ui.common.explanations import explain
from ui.lessons import editor, shelf, speaker

st.title("Lessons", anchor=False)
if st.query_params.get(speaker.SPEAKER) == "1":
    speaker.show()
else:
    explain("lessons_intro")
    for name, lesson in shipped_lessons().items():
        shelf.card(lesson, name)
    st.header("Your own lesson", anchor=False)
    explain("lessons_own")
    opened = shelf.opened()
    if opened is not None:
        editor.begin(opened)
    editor.show()
