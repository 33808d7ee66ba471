"""The frame of every page: its title, the menu and the sidebar."""

from pathlib import Path

import streamlit as st

from ui.common import gate

# A local file: Streamlit loads named icons of the browser tab from the internet.
ICON = Path(__file__).parent.parent / "assets" / "icon.png"

PAGES = (
    "Question tags", "Movie reviews", "Cell microscope", "Gradient lab", "Recurrent family", "Word order",
    "Forecasting", "Text generation", "Training studio", "Memory gym",
)  # fmt: skip

paths = {title: title.lower().replace(" ", "_") for title in PAGES}
page = st.navigation(
    [
        st.Page("home.py", title="Home", default=True),
        *(st.Page(f"{path}.py", title=title, url_path=path) for title, path in paths.items()),
    ]
)
st.set_page_config(
    page_title="LSTM Lab" if page.url_path == "" else f"{page.title} · LSTM Lab", page_icon=str(ICON), layout="wide"
)
st.logo(str(ICON), size="large")
with st.sidebar:
    st.caption("LSTM Lab shows long short-term memory networks while they read. All figures are computed live.")
with gate.turn():
    page.run()
