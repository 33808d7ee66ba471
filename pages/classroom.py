"""Start a class, join one, and what belongs to it: code, link, lecturer's key, results."""

import streamlit as st

from ui.classroom import lobby, membership
from ui.common.explanations import explain

st.title("Classroom", anchor=False)
if words := membership.trouble():
    st.error(words)
if membership.leads():
    lobby.lead()
elif membership.code():
    lobby.wait()
else:
    join, start = st.columns(2, border=True, gap="medium")
    with join:
        lobby.join()
    with start:
        lobby.start()
st.header("How a class works", anchor=False)
explain("classroom")
