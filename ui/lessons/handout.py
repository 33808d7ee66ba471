"""The buttons that give a lesson's handout: made when one is pressed, in a place of the gate."""

from collections.abc import Callable
from functools import partial

import streamlit as st

from lstm_core.handout import handout
from lstm_core.lesson_plans import Lesson, shipped_lessons
from ui.classroom import membership
from ui.common import gate, model_cache
from ui.lessons import walk


def buttons(lesson: Lesson, name: str) -> None:
    """Draw the buttons of a lesson's handout, for students and with answers; `name` is unique on the page."""
    link = partial(_link, membership.link().partition("/classroom?")[0], lesson)
    for label, answers, about in (
        ("Handout", False, "A PDF: each stop's picture and question, room for an answer, a code that opens the view."),
        ("With answers", True, "The same PDF with the answers, what the networks compute, and the speaker's notes."),
    ):
        st.download_button(
            label, _in_turn(lesson, answers, link), f"{'answers' if answers else 'handout'}.pdf", "application/pdf",
            key=f"lesson_handout_{name}_{answers}", on_click="ignore", icon=":material/picture_as_pdf:", help=about,
        )  # fmt: skip


def _in_turn(lesson: Lesson, answers: bool, link: Callable[[int], str]) -> Callable[[], bytes]:
    def make() -> bytes:
        with gate.GATE.place():
            return handout(lesson, answers=answers, link=link, load=model_cache.any_model)

    return make


def _link(root: str, lesson: Lesson, at: int) -> str:
    """The address of a stop: short if the lesson ships, so that its code is easy to read."""
    for name, known in shipped_lessons().items():
        if known == lesson:
            return f"{root}/lessons?{walk.WALK}={name}&{walk.STOP}={at + 1}"
    return f"{root}/{lesson.stops[at].link}"
