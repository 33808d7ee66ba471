"""What a lecturer asks with, above each page: the page's own questions, multiple choice, free text."""

from collections.abc import Mapping

import streamlit as st

from lstm_core import classroom
from lstm_core.errors import LabError
from lstm_core.lesson_plans import Question
from ui.classroom import membership
from ui.classroom.hub import HUB
from ui.common import gate, tokens
from ui.common.visitor import owner
from ui.guide import guess
from ui.guide.guess import Offer

CHOICE, TEXT = "choice", "text"
_TROUBLE = "_ask_trouble"


@gate.fragment
def show() -> None:
    """Draw the button that opens the form; a fragment that reruns on its own."""
    offers = guess.offers()
    with st.popover("Ask the class", icon=":material/how_to_vote:", key="class_ask"):
        kinds = {**{key: f"This page: {offer.question}" for key, offer in offers.items()},
                 CHOICE: "Multiple choice", TEXT: "Free text"}  # fmt: skip
        kind = st.radio("Question", list(kinds), format_func=kinds.__getitem__, key="class_kind")
        if kind in offers:
            offer = offers[kind]
            st.caption("Answers: " + " · ".join(map(tokens.plain, offer.choices)))
            st.caption("What shows the answer on this page is covered until you reveal it.")
        else:
            st.text_input("Prompt", key="class_prompt", max_chars=600, placeholder="What do you expect?")
            if kind == CHOICE:
                st.text_area("Answers, one a line", key="class_choices", height=120, max_chars=2000)
                st.text_input(
                    "Correct answer", key="class_answer", max_chars=300,
                    help="One of the lines above; empty for an opinion.",
                )  # fmt: skip
        st.button(
            "Open the vote", key="class_open", type="primary", icon=":material/play_arrow:", on_click=_ask,
            args=(str(kind), dict(offers)),
        )  # fmt: skip
        if words := st.session_state.pop(_TROUBLE, ""):
            st.error(words)


def _ask(kind: str, offers: Mapping[str, Offer]) -> None:
    try:
        if kind in offers:
            offer = offers[kind]
            question = Question(offer.kind, offer.question, offer.choices)
            classroom.ask(membership.code(), owner(), question, " ".join((kind, *offer.covers)))
        else:
            classroom.ask(membership.code(), owner(), _written(kind))
    except LabError as error:
        st.session_state[_TROUBLE] = str(error)
    HUB.nudge()


def _written(kind: str) -> Question:
    prompt = str(st.session_state.get("class_prompt") or "").strip()
    if kind == TEXT:
        return Question(TEXT, prompt)
    lines = (line.strip() for line in str(st.session_state.get("class_choices") or "").splitlines())
    return Question(
        CHOICE, prompt, tuple(line for line in lines if line), str(st.session_state.get("class_answer") or "").strip()
    )
