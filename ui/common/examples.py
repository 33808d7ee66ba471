"""The texts that we wrote ourselves, from `assets/`, and the buttons that put one into a text area."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import streamlit as st

_ASSETS = Path(__file__).resolve().parents[2] / "assets"


@dataclass(frozen=True)
class Pair:
    """Two texts that differ in one telling place, and what to look at."""

    name: str
    first: str
    second: str
    lesson: str


@dataclass(frozen=True)
class Texts:
    """What a page offers to read.

    Attributes:
        examples: name → text; the first is read on a first visit.
        pairs: minimal pairs.
        moments: many short texts, to find moments in.
    """

    examples: dict[str, str]
    pairs: tuple[Pair, ...]
    moments: tuple[str, ...]

    @classmethod
    def load(cls, file_name: str) -> Texts:
        """From a file in `assets/`."""
        data = json.loads((_ASSETS / file_name).read_text(encoding="utf-8"))
        return cls(
            examples=data["examples"],
            pairs=tuple(Pair(**pair) for pair in data["pairs"]),
            moments=tuple(moment["text"] for moment in data["moments"]),
        )


def choose(key: str, texts: Texts, text_key: str) -> None:
    """Buttons that put an example into the text area of `text_key`; must stand before it in the script."""

    def put(text: str) -> None:
        st.session_state[text_key] = text

    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown("Try one:")
        for name, text in texts.examples.items():
            st.button(name, key=f"{key}_example_{name}", on_click=put, args=(text,), type="tertiary")
