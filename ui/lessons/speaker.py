"""The speaker's window: notes, what comes next and a clock, in a second tab of the browser that walks through a lesson.

In a class the window shows the stop that the class sees, and the bar above it the votes, on any server process. Without
one, the tabs of a browser share the visitor's cookie; by it the second finds the place of the first, on this process.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from urllib.parse import parse_qsl

import streamlit as st

from lstm_core.errors import LabError
from lstm_core.lesson_plans import Lesson, Stop
from ui.common import gate, tokens, url_state
from ui.common.visitor import owner
from ui.lessons import walk

SPEAKER = "speaker"  # the address's name of the window
MOST = 500  # places that are kept
_SEEN = "_speaker_seen"
_lock = threading.Lock()


@dataclass
class Place:
    """Where somebody is in a lesson, and since when, in seconds."""

    lesson: Lesson
    at: int
    began: float
    since: float


_places: OrderedDict[str, Place] = OrderedDict()  # whose it is → the place


def note(lesson: Lesson, at: int) -> None:
    """Remember where this visitor is, for the other window."""
    with _lock:
        _places[owner()] = _moved(_places.pop(owner(), None), lesson, at)
        while len(_places) > MOST:
            _places.popitem(last=False)


def _moved(known: Place | None, lesson: Lesson, at: int) -> Place:
    """The place after that one, now."""
    now = time.time()
    if known is None or known.lesson != lesson:
        return Place(lesson, at, now, now)
    return known if known.at == at else Place(lesson, at, known.began, now)


def link() -> str:
    """The address of the window, in the class of this one if there is one."""
    code = st.session_state.get(url_state.CLASS, "")
    return f"lessons?{SPEAKER}=1" + (f"&{url_state.CLASS}={code}" if code else "")


def show() -> None:
    """Draw the window."""
    gate.fragment(_draw, run_every=1.0)()


def _draw() -> None:
    try:
        place = _of_class() if st.session_state.get(url_state.CLASS) else _own()
    except LabError as error:
        st.error(tokens.plain(str(error)))
        return
    if place is None:
        st.info("Walk through a lesson in another tab of this browser; its notes appear here.")
        return
    stops, now = place.lesson.stops, time.time()
    stop = stops[place.at]
    planned = sum(each.minutes for each in stops[: place.at + 1])
    total, here, plan = st.columns(3)
    total.metric("Since the start", _clock(now - place.began))
    here.metric(
        "At this stop", _clock(now - place.since), f"{stop.minutes} min planned", delta_color="off", delta_arrow="off"
    )
    plan.metric("Planned by its end", f"{planned} / {place.lesson.minutes} min")
    st.subheader(f"{place.at + 1} of {len(stops)} · {tokens.plain(stop.title)}", anchor=False)
    _asked(stop)
    st.markdown(stop.notes or "*No notes for this stop.*")
    st.divider()
    if place.at + 1 < len(stops):
        after = stops[place.at + 1]
        st.markdown(f"**Next: {tokens.plain(after.title)}** · {after.minutes} min")
        _asked(after)
    else:
        st.markdown("**This is the last stop.**")


def _own() -> Place | None:
    with _lock:
        return _places.get(owner())


def _of_class() -> Place | None:
    """The stop that the class of this lecturer sees, and since when this window has seen it; None if it sees none."""
    from ui.classroom import membership  # it brings in SQLAlchemy

    said = dict(parse_qsl(membership.lecturers_view().partition("?")[2]))
    if not membership.leads() or not said.get(walk.WALK):
        return None
    lesson = walk.lesson_of(said[walk.WALK])
    stop = said.get(walk.STOP, "")
    at = min(max(int(stop) if stop.isdecimal() else 1, 1), len(lesson.stops)) - 1
    st.session_state[_SEEN] = place = _moved(st.session_state.get(_SEEN), lesson, at)
    return place


def _asked(stop: Stop) -> None:
    if stop.question is not None:
        answer = f" → **{tokens.plain(stop.question.answer)}**" if stop.question.answer else ""
        st.caption(f"{stop.question.prompt}{answer}")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
