"""The bar above each page of a class: a component that hears of news by itself and asks for a run to follow a view."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

import streamlit as st
from streamlit import config
from streamlit.navigation.page import StreamlitPage

from lstm_core import classroom
from lstm_core.errors import LabError
from ui import replay
from ui.classroom import controls, membership, route, turns
from ui.classroom.hub import HUB
from ui.common import assets, theme, url_state
from ui.common.gate import GATE
from ui.common.url_state import CLASS
from ui.common.visitor import owner
from ui.guide import guess

KEY = "classbar"
PRIVATE = ("classroom", "lessons")  # pages of the lecturer that nobody follows to
_WANTED, _PLACE = "_class_wanted", "_class_controls"
_OPENS = "_class_opens"  # this run opens the lecturer's view
_OWN = (CLASS, theme.PRESENT, "embed", "embed_options", "spot")  # of the visitor, not of a view
NAMES = {"own": _OWN, "microscope": turns.MICROSCOPE, "cursor": turns.CURSOR}

_component = st.components.v2.component(
    "lstm_lab_class",
    html='<section class="classbar" aria-label="Class"></section>',
    css=assets.read("classroom/bar.css"),
    js=f"""
      let script;
      const load = () => import(new URL("{route.script()}", window.location.origin));
      export default function (component) {{
        script ??= load().catch((error) => {{ script = undefined; throw error; }});
        script.then((bar) => bar.default(component));
      }}
    """,  # the component's script is part of every run's message: it is short, and browsers keep what it loads
)


def before(page: StreamlitPage, pages: Mapping[str, StreamlitPage]) -> None:
    """See `ui.classroom.frame.before`."""
    named = classroom.plain_code(st.query_params.get(CLASS, ""))
    if named and named != membership.code():
        membership.join(named)
    if not membership.code():
        st.query_params.pop(CLASS, None)
        if words := membership.trouble():
            st.warning(words)
        return
    if wanted := st.session_state.pop(_WANTED, None):
        step, view = wanted
        _open(step, view, page, pages)
    if st.query_params.get(CLASS) != membership.code():  # a link between pages drops it
        st.query_params[CLASS] = membership.code()
    base = config.get_option("server.baseUrlPath").strip("/")
    data = {
        "code": membership.code(), "shown": classroom.shown_code(membership.code()), "leads": membership.leads(),
        "base": f"/{base}" if base else "", "private": PRIVATE, "opened": st.session_state.get(membership.OPENED, 0),
        "projected": theme.presenting(), "names": NAMES,
    }  # fmt: skip
    with st.container(horizontal=True, key="class_row"):
        _component(key=KEY, data=data, on_view_change=_follow, on_reveal_change=_reveal, on_leave_change=_leave)
        if membership.leads():
            st.session_state[_PLACE] = st.container(width="content")


def run(page: StreamlitPage) -> None:
    """See `ui.classroom.frame.run`."""
    if st.session_state.get(_OPENS):
        replay.run(page.url_path, page.run)
    else:
        page.run()


def after() -> None:
    """See `ui.classroom.frame.after`."""
    if st.session_state.pop(_OPENS, False):
        HUB.opened(membership.code(), owner())
    place = st.session_state.pop(_PLACE, None)
    if place is not None and membership.leads():
        with place:
            controls.show()


def _open(step: int, view: str, page: StreamlitPage, pages: Mapping[str, StreamlitPage]) -> None:
    """Open the lecturer's view: what its link says comes before what this session holds."""
    name, _, search = view.partition("?")
    goal = pages.get("" if name == "home" else name)
    st.session_state[membership.OPENED] = step
    st.session_state[_OPENS] = True
    if goal is None or name in PRIVATE:
        return
    settings = {key: value for key, value in parse_qsl(search, keep_blank_values=True) if key not in _OWN}
    settings |= {CLASS: membership.code()} | ({theme.PRESENT: "1"} if theme.presenting() else {})
    url_state.open_anew()
    if goal.url_path == page.url_path:
        st.query_params.from_dict(settings)
    else:
        st.switch_page(goal, query_params=settings)


def _follow() -> None:
    sent = st.session_state[KEY].get("view")
    if isinstance(sent, dict) and isinstance(sent.get("step"), int) and isinstance(sent.get("view"), str):
        st.session_state[_WANTED] = sent["step"], sent["view"]


def _leave() -> None:
    membership.forget()


def _reveal() -> None:
    """Reveal the answer: to a page's own question what its network has just done on this page."""
    try:
        state = classroom.find(membership.code())
        asked = state.asked if state else None
        if asked is None or not asked.spot:
            classroom.reveal(membership.code(), owner())
        else:
            offer = guess.offers().get(asked.spot.split()[0])
            with GATE.place():
                happened, measured = offer.result() if offer else (None, "")
            if happened is None or offer is None or offer.choices != asked.choices:
                st.toast("Open the view of this question and let its network run; then its answer can be revealed.")
                return
            classroom.reveal(membership.code(), owner(), happened, measured)
    except LabError as error:
        st.toast(str(error))
    HUB.nudge()
