"""Walking through a lesson: the pages show the views of its stops, and the session and the address know the place.

The address says `walk`, the name of a lesson that ships or the lesson itself, `stop`, from 1, and `shown` once nothing
is hidden any more.
"""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl

import streamlit as st

from lstm_core.lesson_plans import Lesson, LessonError, Stop, read_lesson, shipped_lessons, write_lesson
from lstm_core.library import model_path
from lstm_core.nn import NETWORKS
from ui.common import hidden, url_state
from ui.home import path

WALK, STOP, SHOWN = "walk", "stop", "shown"  # the address's names
_WALK, _ERROR = "_walk", "_walk_error"
PAGES = {name.lower().replace(" ", "_"): name for names in path.SECTIONS.values() for name in names}


@dataclass(frozen=True)
class Walk:
    """A lesson under way."""

    lesson: Lesson
    name: str  # in the address; empty if the lesson is too long for one
    at: int  # the stop, from 0

    @property
    def stop(self) -> Stop:
        """Where it is."""
        return self.lesson.stops[self.at]


def current() -> Walk | None:
    """The lesson that this visitor walks through."""
    return st.session_state.get(_WALK)


def error() -> str:
    """Why the lesson of the address can't be walked through; empty if it can."""
    return st.session_state.get(_ERROR, "")


def arrive() -> bool:
    """Take lesson and stop out of the address; return whether it is another stop than the one that was shown last."""
    name, now = st.query_params.get(WALK, ""), current()
    if not name:  # a link between pages dropped it
        st.session_state[_ERROR] = ""
        return False
    at = url_state.number(STOP, 1, 1, 10**6) - 1
    if now is not None and (now.name, now.at) == (name, at):
        return False
    st.session_state[_ERROR] = ""
    try:
        lesson = now.lesson if now is not None and now.name == name else lesson_of(name)
    except LessonError as found:
        st.session_state[_ERROR] = str(found)
        return False
    st.session_state[_WALK] = Walk(lesson, name, min(at, len(lesson.stops) - 1))
    return True


def lesson_of(name: str) -> Lesson:
    """The lesson that an address names or brings; LessonError if there is none."""
    if not re.fullmatch(r"[a-z0-9_]{1,60}", name):
        return read_lesson(url_state.unpacked(name, ""))
    if name not in shipped_lessons():
        raise LessonError(f"There is no lesson “{name}”; there are {', '.join(shipped_lessons())}.")
    return shipped_lessons()[name]


def name_of(lesson: Lesson) -> str:
    """The lesson for an address: its name if it ships, or else all of it; empty if it is too long."""
    for name, known in shipped_lessons().items():
        if known == lesson:
            return name
    packed = url_state.packed(write_lesson(lesson))
    return packed if len(packed) < url_state.LONGEST else ""


def begin(lesson: Lesson, at: int = 0) -> None:
    """Open a lesson at a stop, from 0; this run of the page ends here."""
    name = name_of(lesson)
    st.session_state[_WALK], st.session_state[_ERROR] = Walk(lesson, name, -1), ""
    go(at)


def go(at: int) -> None:
    """Open a stop, from 0, of the lesson under way; this run of the page ends here."""
    now = current()
    assert now is not None
    stop = now.lesson.stops[at]
    st.session_state[_WALK] = Walk(now.lesson, now.name, at)
    url_state.open_anew()
    url_state.in_every_address(**{SHOWN: ""})
    place = {WALK: now.name, STOP: str(at + 1)} if now.name else {}
    st.switch_page(f"{page_of(stop)}.py", query_params=settings(stop) | place)


def reveal() -> None:
    """Show what the stop hides, here and to the class that follows."""
    hidden.reveal()
    url_state.in_every_address(**{SHOWN: "1"})


def end() -> None:
    """Leave the lesson."""
    st.session_state.pop(_WALK, None)
    st.session_state[_ERROR] = ""
    url_state.in_every_address(**{WALK: "", STOP: "", SHOWN: ""})


def page_of(stop: Stop) -> str:
    """The page of a stop; the page of lessons if there is no such page."""
    page = stop.link.partition("?")[0] or "home"
    return page if page in PAGES else "lessons"


def settings(stop: Stop) -> dict[str, str]:
    """What the address of a stop says."""
    return dict(parse_qsl(stop.link.partition("?")[2], keep_blank_values=True))


def hides(page: str) -> tuple[str, ...]:
    """What the stop hides if this is its page, until it is revealed."""
    now = current()
    if st.query_params.get(SHOWN) == "1":
        return ()
    return now.stop.hide if now is not None and page_of(now.stop) == (page or "home") else ()


def missing(stop: Stop) -> str:
    """A sentence on the page or the network of a stop if this server doesn't have it; or else empty."""
    page = stop.link.partition("?")[0] or "home"
    if page not in PAGES:
        return f"There is no page “{page}” here, so this stop shows none."
    model = settings(stop).get("model", "")
    if model and model not in NETWORKS and model_path(model) is None:
        return f"The network “{model[:60]}” of this stop isn't here any more; the page shows another one."
    return ""
