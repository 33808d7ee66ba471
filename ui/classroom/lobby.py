"""The panels of the page “Classroom”: join or start a class, and what its lecturer needs to begin and to end it."""

import io

import segno
import streamlit as st

from lstm_core import classroom
from lstm_core.errors import LabError
from ui.classroom import membership
from ui.common.url_state import CLASS
from ui.common.visitor import owner

TYPED, TYPED_KEY = "class_typed", "class_typed_key"


def join() -> None:
    """Draw the field for a code."""
    st.subheader("Join a class", anchor=False)
    with st.form("class_join", border=False):
        st.text_input("Code", key=TYPED, max_chars=20, placeholder="ABC-DEF", help="The lecturer shows it.")
        st.form_submit_button("Join", type="primary", icon=":material/login:", on_click=_join)
    st.caption("Without an account and without a name, on a phone or a laptop.")


def _join() -> None:
    membership.join(str(st.session_state.get(TYPED) or ""))


def start() -> None:
    """Draw the button that starts a class."""
    st.subheader("Teach a class", anchor=False)
    st.markdown("Students see your page on their screens and answer your questions. You get a code for them.")
    st.button("Start a class", key="class_start", icon=":material/co_present:", on_click=membership.start)
    st.caption("It ends after a day, and everything of it is deleted.")


def lead() -> None:
    """Draw what students need to join, and what the lecturer needs to come back and to end the class."""
    link, code = membership.link(), classroom.shown_code(membership.code())
    picture, words = st.columns([2, 3], gap="large", vertical_alignment="center")
    with picture:
        st.image(_qr_code(link), alt=f"QR code of {link}", width="stretch")
    with words:
        st.header(code, anchor=False)
        st.markdown("Students scan the code, open the address, or type the six letters on the page *Classroom*.")
        st.code(link, language=None, wrap_lines=True)
        if membership.only_here(link):
            st.warning(
                "Only this computer can open this address. Start LSTM Lab without `--server.address=localhost`, or "
                "name the address that others can open in LSTM_LAB_PUBLIC_URL.",
                icon=":material/computer:",
            )
        with st.container(horizontal=True):
            _key()
            _results()
            _end()
    st.markdown("Now open any page: those who follow see it, too. **Ask the class** is at the top of each page.")
    st.link_button(
        "Speaker's notes in a second window",
        f"lessons?speaker=1&{CLASS}={membership.code()}",
        icon=":material/open_in_new:",
        help="The class doesn't see it: a lesson's notes, its next stop, a clock, and the votes before they are shown.",
    )


def _key() -> None:
    with st.popover("Lecturer's key", icon=":material/key:"):
        key = st.session_state.get(membership.KEY)
        if key:
            st.markdown("With the code and this key you lead the class from another browser. It is shown here only.")
            st.code(key, language=None)
        else:
            st.markdown(
                "The key was shown when the class was started, and isn't stored. This browser leads the class without "
                "it."
            )


def _results() -> None:
    try:
        table = classroom.results_csv(membership.code(), owner())
    except LabError as error:
        st.error(str(error))
        return
    st.download_button(
        "Results", table, f"lstm-lab-class-{membership.code()}.csv", "text/csv", key="class_results",
        icon=":material/download:", on_click="ignore", help="All questions with their votes as CSV, without names.",
    )  # fmt: skip


def _end() -> None:
    with st.popover("End the class", icon=":material/stop_circle:"):
        st.markdown("Everything of it is deleted at once: download the results first.")
        st.button("End it now", key="class_end", type="primary", on_click=membership.end)


def wait() -> None:
    """Draw what somebody in a class can do here: lead it with the key."""
    st.markdown(
        f"You are in class **{classroom.shown_code(membership.code())}**. What the lecturer shows opens by itself; "
        "*Explore alone* and *Leave* are above."
    )
    with st.expander("I lead this class", icon=":material/key:"), st.form("class_lead", border=False):
        st.text_input("Lecturer's key", key=TYPED_KEY, type="password", max_chars=40)
        st.form_submit_button("Lead it", on_click=_lead)


def _lead() -> None:
    membership.lead(str(st.session_state.get(TYPED_KEY) or ""))


def _qr_code(link: str) -> bytes:
    """A PNG of a link, black on white in either theme: that is what every phone reads."""
    picture = io.BytesIO()
    segno.make(link, error="m", micro=False).save(picture, kind="png", scale=12, border=3)
    return picture.getvalue()
