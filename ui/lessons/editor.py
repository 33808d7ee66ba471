"""Writing a lesson: stops from the view one comes from or a pasted link, in any order; the session keeps the draft."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st

from lstm_core import LabError
from lstm_core.lesson_plans import KINDS, MAX_STOPS, Lesson, LessonError, Question, Stop, relative_link, write_lesson
from ui.common import hidden, theme, tokens, url_state
from ui.common.errors import show_error
from ui.lessons import handout, walk

_DRAFT, _PROBLEM = "_lesson_draft", "_lesson_problem"
NONE = "none"
ASKED = {NONE: "No question", **KINDS}
NOT_OF_A_VIEW = {
    hidden.HIDE,
    theme.PRESENT,
    walk.WALK,
    walk.STOP,
    walk.SHOWN,
    url_state.CLASS,
    "spot",
    "embed",
    "embed_options",
}
_numbers = count(1)  # of the stops of all drafts: their widgets have keys of their own


@dataclass
class DraftStop:
    """What the fields of a stop hold, whether it is a stop already or not."""

    title: str = ""
    link: str = ""
    minutes: int = 2
    kind: str = NONE
    prompt: str = ""
    choices: str = ""  # one a line
    answer: str = ""
    notes: str = ""
    hide: list[str] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # of what the page can hide: name → how it is called
    number: int = field(default_factory=lambda: next(_numbers))

    @classmethod
    def of(cls, stop: Stop) -> "DraftStop":
        """The fields of a stop."""
        of = cls(stop.title, stop.link, stop.minutes, notes=stop.notes, hide=list(stop.hide))
        if stop.question is not None:
            of.kind, of.prompt, of.answer = stop.question.kind, stop.question.prompt, stop.question.answer
            of.choices = "\n".join(stop.question.choices)
        return of

    def stop(self) -> Stop:
        """The stop; LessonError if a field can't be used."""
        choices = tuple(line.strip() for line in self.choices.splitlines() if line.strip())
        asked = None if self.kind == NONE else Question(self.kind, self.prompt, choices, self.answer)
        return Stop(self.title, self.link, asked, self.notes, tuple(self.hide), self.minutes)


@dataclass
class Draft:
    """A lesson that is being written; it belongs to one visitor's session."""

    title: str = "My lesson"
    about: str = ""
    stops: list[DraftStop] = field(default_factory=list)
    number: int = field(default_factory=lambda: next(_numbers))


def begin(lesson: Lesson) -> None:
    """Take a lesson as the draft."""
    st.session_state[_DRAFT] = Draft(lesson.title, lesson.about, [DraftStop.of(stop) for stop in lesson.stops])


def show() -> None:
    """Draw the draft: its fields and stops, what adds a stop, and what can be done with it."""
    draft: Draft = st.session_state.setdefault(_DRAFT, Draft())
    left, right = st.columns([2, 3])
    with left:
        _field(draft, "title", st.text_input, "Title", max_chars=120)
    with right:
        _field(draft, "about", st.text_input, "What it is for", max_chars=600)
    problems = [_stop(draft, at) for at in range(len(draft.stops))]
    _add(draft)
    if not draft.stops:
        st.caption("No stop yet.")
        return
    wrong = [f"stop {at + 1}" for at, problem in enumerate(problems) if problem]
    if wrong:
        st.warning(f"Correct {', '.join(wrong)} before you walk through the lesson or download it.")
        return
    try:
        stops = tuple(each.stop() for each in draft.stops)
        lesson = Lesson(draft.title, min(sum(stop.minutes for stop in stops), 600), stops, draft.about)
    except LessonError as error:
        show_error(error)
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.badge(f"{lesson.minutes} min", color="blue")
        if st.button("Walk through it", type="primary", icon=":material/play_arrow:", key="draft_walk"):
            walk.begin(lesson)
        st.download_button(
            "Download the lesson", write_lesson(lesson), "lesson.toml", "application/toml", key="draft_download",
            icon=":material/download:", on_click="ignore",
        )  # fmt: skip
        handout.buttons(lesson, "draft")


def _field(of: Any, name: str, widget: Callable[..., Any], label: str, *arguments: Any, **options: Any) -> None:
    """Draw a widget over a field of the draft."""
    key = f"draft_{of.number}_{name}"
    st.session_state.setdefault(key, getattr(of, name))
    setattr(of, name, widget(label, *arguments, key=key, **options))


def _stop(draft: Draft, at: int) -> bool:
    """Draw a stop; return whether a field can't be used. Its fields are drawn while "Edit" is on."""
    of = draft.stops[at]
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            heading = st.empty()
            with st.container(horizontal=True, vertical_alignment="center", width="content"):
                edit = st.toggle("Edit", key=f"draft_{of.number}_edit", persist_state="session")
                _order(draft, at)
        if edit:
            _fields(of)
        heading.markdown(f"**{at + 1} · {tokens.plain(of.title) or 'without a title'}** · {of.minutes} min")
        problem = _problem(of)
        if problem:
            st.error(tokens.plain(problem))
        elif lack := walk.missing(of.stop()):
            st.warning(tokens.plain(lack))
    return bool(problem)


def _problem(of: DraftStop) -> str:
    try:
        of.stop()
    except LessonError as error:
        return str(error)
    return ""


def _fields(of: DraftStop) -> None:
    with st.container(horizontal=True):
        _field(of, "title", st.text_input, "Title", max_chars=120)
        _field(of, "minutes", st.number_input, "Minutes", 0, 120, width=130)
    _field(of, "link", st.text_input, "Page and settings", max_chars=50_000)
    names = {name: label for name, (label, _) in hidden.PARTS.items()} | of.names
    _field(
        of, "hide", st.multiselect, "Hide on the page", [*dict.fromkeys((*names, *of.hide))], accept_new_options=True,
        format_func=lambda name: names.get(name, name), help="They keep the link's values. A name that isn't listed "
        "can be typed: the key of any control or panel.",
    )  # fmt: skip
    _field(of, "kind", st.selectbox, "Question", list(ASKED), format_func=ASKED.__getitem__)
    if of.kind != NONE:
        _field(of, "prompt", st.text_input, "What is asked", max_chars=600)
        if of.kind != "text":
            _field(of, "choices", st.text_area, "Choices, one a line", height=110)
        _field(of, "answer", st.text_input, "Answer", max_chars=600, help="One of the choices, if there are any.")
    _field(of, "notes", st.text_area, "Speaker's notes", max_chars=6_000, height=110)


def _order(draft: Draft, at: int) -> None:
    """Draw the buttons that move a stop or remove it."""

    def move(by: int) -> None:
        draft.stops.insert(at + by, draft.stops.pop(at))

    key, last = f"draft_{draft.stops[at].number}", at + 1 == len(draft.stops)
    for label, by, stays in (("Earlier", -1, at == 0), ("Later", 1, last)):
        st.button(label, key=f"{key}_{label}", type="tertiary", on_click=move, args=(by,), disabled=stays)
    st.button("Remove", key=f"{key}_remove", type="tertiary", on_click=draft.stops.remove, args=(draft.stops[at],))


def _add(draft: Draft) -> None:
    """Draw what adds a stop: the view that the visitor comes from, or a pasted link."""
    page, view, names = st.session_state.get(url_state.LAST, ("", {}, {}))
    full = len(draft.stops) >= MAX_STOPS
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name, address = walk.PAGES.get(page, ""), f"{page}?{urlencode(view)}"
        st.button(
            f"Add the view I come from: {name}" if name else "Add the view I come from", icon=":material/add:",
            key="draft_from", disabled=not name or full, on_click=_add_link, args=(draft, address, names),
            help="Set a view up on its page and come back.",
        )  # fmt: skip
        st.text_input(
            "Or paste a link and press Enter", key="draft_link", disabled=full, max_chars=60_000,
            on_change=lambda: _add_link(draft, st.session_state["draft_link"]),
        )  # fmt: skip
    if problem := st.session_state.pop(_PROBLEM, ""):
        st.error(tokens.plain(problem))


def _add_link(draft: Draft, address: str, names: dict[str, str] | None = None) -> None:
    """Add a stop with the view of an address; what isn't part of a view is taken out of it. `names` can be hidden."""
    if not address.strip():
        return
    try:
        page, _, query = relative_link(address).partition("?")
        if (page or "home") not in walk.PAGES:
            raise LessonError(f"There is no page “{page}” here.", "link")
    except LabError as error:
        st.session_state[_PROBLEM] = str(error)
        return
    said = dict(parse_qsl(query, keep_blank_values=True))
    view = {name: url_state.unpacked(value) for name, value in said.items() if name not in NOT_OF_A_VIEW}
    link = page + (f"?{urlencode(view)}" if view else "")
    hide = list(hidden.parse(said.get(hidden.HIDE, "")))
    draft.stops.append(DraftStop(walk.PAGES[page or "home"], link, hide=hide, names=names or {}))
    st.session_state["draft_link"] = ""
