"""The frame of every page: its title, the menu, and what stands in the sidebar."""

from pathlib import Path

import streamlit as st

# A file of ours: Streamlit fetches named icons for the browser tab from a network.
ICON = Path(__file__).parent.parent / "assets" / "icon.png"

page = st.navigation(
    [
        st.Page("home.py", title="Home", default=True),
        st.Page("question_tags.py", title="Question tags", url_path="question_tags"),
        st.Page("movie_reviews.py", title="Movie reviews", url_path="movie_reviews"),
        st.Page("cell_microscope.py", title="Cell microscope", url_path="cell_microscope"),
        st.Page("gradient_lab.py", title="Gradient lab", url_path="gradient_lab"),
        st.Page("recurrent_family.py", title="Recurrent family", url_path="recurrent_family"),
        st.Page("word_order.py", title="Word order", url_path="word_order"),
        st.Page("forecasting.py", title="Forecasting", url_path="forecasting"),
        st.Page("text_generation.py", title="Text generation", url_path="text_generation"),
        st.Page("training_studio.py", title="Training studio", url_path="training_studio"),
        st.Page("memory_gym.py", title="Memory gym", url_path="memory_gym"),
    ]
)
st.set_page_config(
    page_title="LSTM Lab" if page.url_path == "" else f"{page.title} · LSTM Lab",
    page_icon=str(ICON),
    layout="wide",
)
st.logo(str(ICON), size="large")
with st.sidebar:
    st.caption("LSTM Lab shows a long short-term memory network while it reads. Everything is computed here and now.")
page.run()
