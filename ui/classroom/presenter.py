"""The lecturer's second window: a clock, the speaker's notes of the stop on screen, and the next stop."""

import time
from datetime import datetime
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo, available_timezones

import streamlit as st

from lstm_core import classroom
from lstm_core.errors import LabError
from lstm_core.lesson_plans import Lesson, LessonError, Stop, read_lesson, shipped_lessons
from ui.classroom import membership
from ui.classroom.hub import HUB
from ui.common import gate, tokens, url_state
from ui.common.shared_cache import CACHE

BEAT = 1.0  # seconds between two drawings
WALK, STOP = "walk", "stop"  # what the address of a page says of the lesson that is walked through
_SINCE = "_presenter_since"  # the stop, when it began, and when the lesson did


def draw() -> None:
    """Draw it, and again every second."""
    gate.fragment(_draw, run_every=BEAT)()


def _draw() -> None:
    room = HUB.rooms.get(membership.code())
    try:
        state = room.state if room else classroom.find(membership.code())
        found = _lesson(state.view) if state else None
    except LabError as error:
        st.error(tokens.plain(str(error)))
        return
    if found is None:
        st.markdown(
            f"## {_clock()}\n\nWalk through a lesson from the page *Lessons*: its notes and its next stop appear here. "
            "Votes are above, before the class sees them."
        )
        return
    lesson, at = found
    begun, arrived = _since(lesson.title, at)
    st.markdown(f"## {_clock()} · {_minutes(time.time() - begun)} in, {plan(lesson, at)}")
    st.markdown(f"**{tokens.plain(lesson.stops[at].title)}** · {_minutes(time.time() - arrived)} on this stop")
    st.markdown(lesson.stops[at].notes or "*This stop has no notes.*")
    if at + 1 < len(lesson.stops):
        st.markdown(_next(lesson.stops[at + 1]))


def _clock() -> str:
    """The time where the browser is."""
    zone = st.context.timezone
    return datetime.now(ZoneInfo(zone) if zone in available_timezones() else None).strftime("%H:%M")


def _next(stop: Stop) -> str:
    words = f"**Next:** {tokens.plain(stop.title)}"
    return words + (f"  \nIt asks: {stop.question.prompt}" if stop.question else "")


def plan(lesson: Lesson, at: int) -> str:
    """When a stop, from 0, should be over, in words; "" for a lesson without a plan."""
    planned = [stop.minutes for stop in lesson.stops]
    place = f"stop {at + 1} of {len(planned)}"
    return f"{place}, until minute {sum(planned[: at + 1])} of {sum(planned)}" if sum(planned) else place


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"


def _since(title: str, at: int) -> tuple[float, float]:
    """When the lesson and its stop came on screen, as this window has seen it."""
    now = time.time()
    lesson, stop, begun, arrived = st.session_state.get(_SINCE, ("", -1, now, now))
    if lesson != title:
        begun = arrived = now
    elif stop != at:
        arrived = now
    st.session_state[_SINCE] = title, at, begun, arrived
    return begun, arrived


def _lesson(view: str) -> tuple[Lesson, int] | None:
    """The lesson that a view is a stop of, and the stop from 0; None if it is of none."""
    said = dict(parse_qsl(view.partition("?")[2]))
    name, place = said.get(WALK, ""), said.get(STOP, "")
    if not name or not place.isdecimal():
        return None
    try:
        lesson = shipped_lessons().get(name) or CACHE.get(
            ("lesson", name), lambda: read_lesson(url_state.unpacked(name, ""))
        )
    except LessonError:
        return None
    return lesson, min(max(int(place), 1), len(lesson.stops)) - 1
