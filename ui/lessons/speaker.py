"""The speaker's window: notes, what comes next and a clock, in a second tab of the browser that walks through a lesson.

The tabs of a browser share the visitor's cookie; by it the second one finds the place of the first, on this server
process. In a class, the bar above the page shows the votes to the lecturer.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

import streamlit as st

from lstm_core.lesson_plans import Lesson, Stop
from ui.common import gate, tokens, url_state
from ui.common.visitor import owner

SPEAKER = "speaker"  # the address's name of the window
MOST = 500  # places that are kept
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
    now = time.time()
    with _lock:
        known = _places.pop(owner(), None)
        if known is None or known.lesson != lesson:
            known = Place(lesson, at, now, now)
        elif known.at != at:
            known = Place(lesson, at, known.began, now)
        _places[owner()] = known
        while len(_places) > MOST:
            _places.popitem(last=False)


def link() -> str:
    """The address of the window, in the class of this one if there is one."""
    code = st.session_state.get(url_state.CLASS, "")
    return f"lessons?{SPEAKER}=1" + (f"&{url_state.CLASS}={code}" if code else "")


def show() -> None:
    """Draw the window."""
    gate.fragment(_draw, run_every=1.0)()


def _draw() -> None:
    with _lock:
        place = _places.get(owner())
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


def _asked(stop: Stop) -> None:
    if stop.question is not None:
        answer = f" → **{tokens.plain(stop.question.answer)}**" if stop.question.answer else ""
        st.caption(f"{stop.question.prompt}{answer}")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02d}"
