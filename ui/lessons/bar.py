"""The bar of a lesson on every page: the stop, its question, and the way back and on."""

import streamlit as st

from lstm_core.lesson_plans import Question
from ui.classroom import frame
from ui.common import hidden, tokens, url_state
from ui.guide import guess
from ui.lessons import speaker, walk


def show(page: str, arrived: bool) -> None:
    """Draw the bar if a lesson is under way.

    Args:
        page: its name in the address.
        arrived: whether the address has just named this stop.
    """
    if walk.error():
        st.error(
            f"The lesson of this link can't be walked through. {tokens.plain(walk.error())}", icon=":material/error:"
        )
        return
    now = walk.current()
    if now is None:
        return
    if _follows() and walk.WALK not in st.query_params:  # the lecturer has left the lesson
        walk.end()
        return
    if page == "lessons" and arrived and not walk.missing(now.stop):
        walk.go(now.at)  # a short link, as the handout has it
    if page != "lessons":
        place = str(now.at + 1) if now.name else ""
        shown = st.query_params.get(walk.SHOWN, "")
        url_state.in_every_address(**{walk.WALK: now.name, walk.STOP: place, walk.SHOWN: shown})
    with st.container(key="lesson_bar"):
        _steps(now)
        if lack := walk.missing(now.stop):
            st.warning(tokens.plain(lack), icon=":material/visibility_off:")
        elif walk.page_of(now.stop) != (page or "home"):
            if st.button("Return to the stop", icon=":material/undo:", key="lesson_return"):
                walk.go(now.at)
            return
        if now.stop.question is not None:
            _ask(now.stop.question, f"lesson_{url_state.fingerprint(now.lesson.title)}_{now.at}")
        if hidden.names() and not _follows():
            st.button(
                "Show the whole page", icon=":material/visibility:", key="lesson_reveal", on_click=walk.reveal,
                type="tertiary", help="This stop hides some of it, so that you can guess first.",
            )  # fmt: skip


def _follows() -> bool:
    """Whether this visitor follows a lecturer, who leads on."""
    if not frame.here():
        return False
    from ui.classroom import membership  # it brings in SQLAlchemy

    return not membership.leads()


def _steps(now: walk.Walk) -> None:
    count = len(now.lesson.stops)
    if _follows():
        st.markdown(f"**{tokens.plain(now.stop.title)}** · stop {now.at + 1} of {count}")
        return
    speaker.note(now.lesson, now.at)
    with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"):
        back = st.button(
            "Back", icon=":material/arrow_back:", key="lesson_back", disabled=now.at == 0, shortcut="pageup"
        )
        minutes = f" · {now.stop.minutes} min" if now.stop.minutes else ""
        st.markdown(
            f"**{tokens.plain(now.stop.title)}**  \n:small[{tokens.plain(now.lesson.title)} · stop {now.at + 1} of "
            f"{count}{minutes}]",
            width="content",
        )
        with st.container(horizontal=True, width="content"):
            on = st.button(
                "Next", icon=":material/arrow_forward:", icon_position="right", key="lesson_next",
                disabled=now.at + 1 == count, shortcut="pagedown",
            )  # fmt: skip
            st.link_button("Notes", speaker.link(), type="tertiary", help="Opens the speaker's window in another tab.")
            end = st.button("End", key="lesson_end", type="tertiary", help="Leave the lesson; this page stays.")
    if back or on:
        walk.go(now.at + (1 if on else -1))
    if end:
        walk.end()
        st.rerun()


def _ask(question: Question, key: str) -> None:
    """Draw a question with its choices, or with a field where there are none; the answer comes after the guess."""
    if _follows():  # the class votes, and the lecturer reveals the answer
        st.markdown(f"**{question.prompt}**")
    elif question.kind == "page":
        st.markdown(f"**{question.prompt}** The page asks it below: guess there.")
    elif question.choices:
        happened = question.choices.index(question.answer) if question.answer else None
        measured = "" if question.answer else "There is no single answer to this: discuss it."
        guess.ask(question.prompt, [tokens.plain(each) for each in question.choices], happened, measured, key=key)
    else:
        guess.ask_freely(question.prompt, tokens.plain(question.answer), key=key)
