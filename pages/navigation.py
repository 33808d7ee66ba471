"""The frame of every page: its title, the menu, and what stands in the sidebar."""

import streamlit as st

page = st.navigation(
    [
        st.Page("home.py", title="Home", icon=":material/home:", default=True),
        st.Page("question_tags.py", title="Question tags", icon=":material/sell:", url_path="question_tags"),
    ]
)
st.set_page_config(
    page_title="LSTM Lab" if page.url_path == "" else f"{page.title} · LSTM Lab",
    page_icon=":material/memory:",
    layout="wide",
)
with st.sidebar:
    st.caption("LSTM Lab shows a long short-term memory network while it reads. Everything is computed here and now.")
page.run()
