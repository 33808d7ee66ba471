"""The questions of the page “Check yourself”: a guess, the experiment that answers it, and the score."""

from itertools import groupby

import streamlit as st

from ui.check_yourself import sheet
from ui.check_yourself.experiments import EXPERIMENTS, Result
from ui.check_yourself.questions import QUESTIONS, Answered, Question, score
from ui.common import gate
from ui.common.errors import show_errors
from ui.common.shared_cache import CACHE
from ui.guide.guess import outcome as outcome_of

_ANSWERED, _ASKED, _ROUND = "_check_answered", "_check_asked", "_check_round"


def answered() -> Answered:
    """The questions that this visitor has answered; they are kept in the session alone."""
    return st.session_state.setdefault(_ANSWERED, {})


@gate.fragment
def show() -> None:
    """Draw all questions, and above them the score; a fragment that reruns on its own."""
    above, given = st.container(), answered()
    _run_what_was_asked(given)
    number = 0
    for part, questions in groupby(QUESTIONS, key=lambda each: each.part):
        st.header(part, anchor=False)
        for question in questions:
            number += 1
            with st.container(border=True):
                _draw(number, question, given.get(question.name))
    with above:
        _result(given)


def _run_what_was_asked(given: Answered) -> None:
    """Run the experiment whose button was pressed; what one visitor has run, others get from the shared cache."""
    asked = st.session_state.pop(_ASKED, None)
    guess = st.session_state.get(_key(asked)) if asked else None
    if guess is not None and asked not in given:
        with show_errors(), st.spinner("Running …"):
            given[asked] = guess, CACHE.get(("check_yourself", asked), EXPERIMENTS[asked])


def _key(name: str) -> str:
    return f"check_{name}_{st.session_state.setdefault(_ROUND, 0)}"


def _draw(number: int, question: Question, outcome: tuple[int, Result] | None) -> None:
    key, asked = _key(question.name), f"**{number}.** {question.question}"
    if outcome is None:
        guess = st.radio(
            asked, range(len(question.choices)), index=None, key=key, format_func=question.choices.__getitem__
        )
        st.button(
            "Run it", key=f"{key}_run", icon=":material/play_arrow:", disabled=guess is None,
            on_click=st.session_state.__setitem__, args=(_ASKED, question.name),
        )  # fmt: skip
        return
    guess, result = outcome
    st.markdown(f"{asked}  \nYour guess: {question.choices[guess]}.")
    outcome_of(guess == result.choice, question.choices[result.choice], result.measured)
    st.markdown(question.why)
    st.page_link(question.file, label=question.link, icon=":material/visibility:", query_params=question.settings)


def _result(given: Answered) -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        correct = f"**{score(given)} of {len(given)} correct** · " if given else ""
        st.markdown(f"{correct}{len(given)} of {len(QUESTIONS)} answered")
        st.download_button(
            "Download the result", data=lambda: sheet.html(given), file_name="lstm-lab-check-yourself.html",
            mime="text/html", key="check_download", icon=":material/download:", on_click="ignore", disabled=not given,
            help="Your guesses and the computed answers as a page to print. They are stored nowhere else.",
        )  # fmt: skip
        st.button("Start again", key="check_again", icon=":material/restart_alt:", on_click=_again, disabled=not given)


def _again() -> None:
    st.session_state[_ANSWERED] = {}
    st.session_state[_ROUND] += 1  # other keys: empty radio buttons
