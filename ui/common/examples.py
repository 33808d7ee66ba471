"""Example texts, written for this project, from `assets/`; and the buttons that put one into a text area."""

import json
from dataclasses import dataclass
from typing import Self

import streamlit as st

from ui.common import assets


@dataclass(frozen=True)
class Pair:
    """Two texts that differ in one decisive place, and what to look at."""

    name: str
    first: str
    second: str
    lesson: str


@dataclass(frozen=True)
class Texts:
    """The example texts of a page."""

    examples: dict[str, str]  # name → text; the first one is shown on a first visit
    pairs: tuple[Pair, ...]  # minimal pairs
    moments: tuple[str, ...]  # many short texts, searched for similar activations

    @classmethod
    def load(cls, file_name: str) -> Self:
        """Read a file in `assets/`."""
        data = json.loads(assets.read(file_name))
        return cls(
            examples=data["examples"],
            pairs=tuple(Pair(**pair) for pair in data["pairs"]),
            moments=tuple(moment["text"] for moment in data["moments"]),
        )


def choose(key: str, texts: Texts) -> None:
    """Draw a button for each example, before the text area `{key}_text` that gets it."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Examples:")
        put = st.session_state.__setitem__
        for name, text in texts.examples.items():
            st.button(name, key=f"{key}_example_{name}", on_click=put, args=(f"{key}_text", text), type="tertiary")
