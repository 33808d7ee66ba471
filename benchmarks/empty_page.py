"""The emptiest Streamlit page that does something: a button, and a text that it changes. Peer of `page.py`."""

import streamlit as st

st.session_state.setdefault("clicks", 0)
if st.button("Count"):
    st.session_state["clicks"] += 1
st.write(f"Clicked {st.session_state['clicks']} times")
