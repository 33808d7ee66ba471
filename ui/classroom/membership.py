"""This visitor's class: joining, leading and leaving one, and where students find it."""

import os
from urllib.parse import urlsplit, urlunsplit

import streamlit as st
from streamlit import config, net_util

from lstm_core import classroom
from lstm_core.classroom import Attempts, ClassError
from lstm_core.errors import LabError
from ui.classroom.connection import TOO_MANY, WRONG_CODES
from ui.classroom.hub import HUB
from ui.common.url_state import CLASS
from ui.common.visitor import address, owner
from ui.operations import metrics

LEADS, KEY, TROUBLE = "_class_leads", "_class_key", "_class_trouble"
OPENED = "_class_opened"  # the newest view of the lecturer that this session has opened
STARTS = Attempts(20, 3600.0)  # classes that are started from one network address
LOCAL = ("localhost", "127.0.0.1", "::1", "0.0.0.0", "")


def code() -> str:
    """The code of this visitor's class; "" for none."""
    return str(st.session_state.get(CLASS, ""))


def leads() -> bool:
    """Whether this visitor leads it."""
    return bool(code() and st.session_state.get(LEADS))


def lecturers_view() -> str:
    """What the lecturer of this class shows: a page and its settings; "" for nothing. DatabaseError."""
    room = HUB.rooms.get(code())
    state = room.state if room else classroom.find(code())
    return state.view if state else ""


def start() -> None:
    """Start a class, for a button's `on_click`; `trouble` says why it couldn't be started."""
    try:
        if not STARTS.left(address()):
            raise ClassError("Many classes were started from this network within an hour; try again later.")
        STARTS.note(address())
        found, key = classroom.start(owner())
    except LabError as error:
        metrics.refused("class")
        st.session_state[TROUBLE] = str(error)
    else:
        st.session_state.update({CLASS: found, LEADS: True, KEY: key})


def join(typed: str) -> None:
    """Join the class with a code; `trouble` says why that isn't possible."""
    wanted = classroom.plain_code(typed)
    try:
        if not WRONG_CODES.left(address()):
            raise ClassError(TOO_MANY)
        if classroom.find(wanted) is None:
            WRONG_CODES.note(address())
            raise ClassError(classroom.NOWHERE)
        leading = classroom.is_lecturer(wanted, owner())
    except LabError as error:
        metrics.refused("class")
        st.session_state[TROUBLE] = str(error)
        forget()
    else:
        if wanted != code():
            forget()
        st.session_state.update({CLASS: wanted, LEADS: leading})
        st.session_state.pop(TROUBLE, None)


def lead(key: str) -> None:
    """Lead the class whose key was typed; `trouble` says why that isn't possible."""
    try:
        if not WRONG_CODES.left(address()):
            raise ClassError(TOO_MANY)
        WRONG_CODES.note(address())
        classroom.admit_lecturer(code(), key, owner())
    except LabError as error:
        metrics.refused("class")
        st.session_state[TROUBLE] = str(error)
    else:
        st.session_state.update({LEADS: True, KEY: classroom.shown_code(classroom.plain_code(key))})
        HUB.nudge()


def forget() -> None:
    """Leave the class."""
    for name in (CLASS, LEADS, KEY, OPENED):
        st.session_state.pop(name, None)
    st.query_params.pop(CLASS, None)


def end() -> None:
    """End the class that this visitor leads, for a button's `on_click`."""
    try:
        classroom.end(code(), owner())
    except LabError as error:
        metrics.refused("class")
        st.session_state[TROUBLE] = str(error)
    else:
        HUB.nudge()
        forget()


def trouble() -> str:
    """Why the last thing that was asked for wasn't possible, once; "" if it was."""
    return str(st.session_state.pop(TROUBLE, ""))


def link() -> str:
    """The address that students can open to join; `only_here` says whether others can."""
    scheme, host, _, _, _ = urlsplit(st.context.url or "http://localhost")
    base = config.get_option("server.baseUrlPath").strip("/")
    if public := os.environ.get("LSTM_LAB_PUBLIC_URL", "").strip().rstrip("/"):
        root = public
    else:
        name, port = urlsplit(f"//{host}").hostname or "", urlsplit(f"//{host}").port
        if (
            name in LOCAL
            and config.get_option("server.address") not in LOCAL[:3]
            and (own := net_util.get_internal_ip())
        ):
            host = f"{own}:{port}" if port else own
        root = urlunsplit((scheme or "http", host, base, "", "")).rstrip("/")
    return f"{root}/classroom?{CLASS}={code()}"


def only_here(address: str) -> bool:
    """Whether an address can be opened on this computer alone."""
    return (urlsplit(address).hostname or "") in LOCAL
