"""A question with a guess; its answer is read off the reader's own run and said beside the guess.

The questions of the stops on the path stand in `assets/tour.toml`. A lecturer can ask a class what a page offers here.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from ui.common import assets

_STOPS: dict[str, dict[str, Any]] = assets.table("tour.toml")["guesses"]
_OFFERS = "_guesses_offered"


@dataclass(frozen=True)
class Offer:
    """A question of the page on screen.

    Attributes:
        question: a sentence of Markdown.
        choices: the possible answers.
        result: gives the number of the correct choice in this visitor's run, from 0, or None as long as there is none,
            and what happened, in a sentence or two.
        kind: see `lesson_plans.GUESSES`.
        covers: keys of the page's elements that show the answer: a class doesn't see them while it votes.
    """

    question: str
    choices: tuple[str, ...]
    result: Callable[[], tuple[int | None, str]]
    kind: str = "page"
    covers: tuple[str, ...] = ()


def offers() -> dict[str, Offer]:
    """The questions of the page on screen by their keys."""
    return st.session_state.setdefault(_OFFERS, {})


def forget_offers() -> None:
    """Begin with another run of a page."""
    st.session_state[_OFFERS] = {}


def offer(key: str, offered: Offer) -> None:
    """Let a lecturer ask a question for which the page draws nothing."""
    offers()[key] = offered


def of_stop(stop: str, happened: int | None, measured: str, *covers: str) -> None:
    """Ask the question of a stop on the path.

    Args:
        stop: the page, as in `assets/tour.toml`.
        happened: the number of the correct choice in the reader's run, from 0; None as long as there is none.
        measured: what happened, in a sentence or two.
        *covers: see `Offer`.
    """
    ask(_STOPS[stop]["question"], _STOPS[stop]["choices"], happened, measured, *covers, key=f"guess_{stop}")


def ask(question: str, choices: Sequence[str], happened: int | None, measured: str, *covers: str, key: str) -> None:
    """Draw a question and its choices; after a guess also the answer.

    Args:
        question: a sentence of Markdown.
        choices: the possible answers.
        happened: see `of_stop`.
        measured: see `of_stop`; without `happened`, what the answer waits for.
        *covers: see `Offer`.
        key: of the choices.
    """
    offer(key, Offer(question, tuple(choices), lambda: (happened, measured), covers=(f"{key}_box", *covers)))
    with st.container(border=True, key=f"{key}_box"):
        guess = st.pills(
            f"**Guess first.** {question}", range(len(choices)), format_func=choices.__getitem__, key=key,
            persist_state="session",
        )  # fmt: skip
        if guess is None:
            return
        if happened is None:
            st.caption(measured)
        else:
            outcome(guess == happened, choices[happened], measured)


def ask_freely(question: str, answer: str, *, key: str) -> None:
    """Draw a question with a field for an answer in words; after one, also what the answer is.

    Args:
        question: a sentence of Markdown.
        answer: a sentence; empty if there is no single one.
        key: of the field.
    """
    with st.container(border=True, key=f"{key}_box"):
        guess = st.text_input(f"**Guess first.** {question}", key=key, max_chars=600, persist_state="session")
        if guess:
            st.markdown(f"**The answer:** {answer}" if answer else "There is no single answer to this: discuss it.")


def outcome(correct: bool, answer: str, measured: str) -> None:
    """Say whether a guess was correct, the answer, and what was measured."""
    icon, word = (":material/check_circle:", "Correct") if correct else (":material/cancel:", "Not this time")
    st.markdown(f"{icon} **{word}: {answer}.** {measured}")
