"""The explanations on the pages, from `assets/explanations.toml`."""

import streamlit as st

from ui.common import assets

_SECTIONS = assets.table("explanations.toml")
_DRAW = {"paragraphs": st.markdown, "formulas": st.latex, "captions": st.caption}


def explain(section: str) -> None:
    """Draw the parts of a section in the order of the file: paragraphs, formulas, exercises, captions."""
    for kind, content in _SECTIONS[section].items():
        if kind == "exercises":
            for title, text in content.items():
                with st.expander(f"Try this: {title}"):
                    st.markdown(text)
        else:
            for part in content.strip().split("\n\n"):
                _DRAW[kind](part)
