"""Controls and panels that a link hides: `?hide=tags_signal,path`. They are drawn as ever, so that they keep the link's
values, and a style takes them off the page, for eyes, keyboard and screen readers alike.

A name is the key of an element, or one of `PARTS`. It counts until the visitor goes to another page.
"""

import re

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

HIDE = "hide"  # the address's name
MOST, NAME = 40, re.compile(r"[a-z][a-z0-9_]{0,59}")
# What every page has, or many have: name → how it is called, and what a style finds it by.
PARTS = {
    "menu": ("The menu", '[data-testid="stSidebar"], [data-testid="stExpandSidebarButton"]'),
    "path": ("The foot of the page, with the links along the path", ".st-key-path"),
    "guess": ("The questions that the page asks itself", '[class*="st-key-guess_"]'),
}
_NAMES, _CONTROLS = "_hidden", "_controls"


def parse(text: str) -> tuple[str, ...]:
    """The names in a text of an address, each once; what can't be a name is left out."""
    return tuple(dict.fromkeys(name for name in text.split(",") if NAME.fullmatch(name)))[:MOST]


def arrive(more: tuple[str, ...] = ()) -> None:
    """Take over what the address hides, and `more`; call it when a visitor has come to a page."""
    st.session_state[_NAMES] = tuple(dict.fromkeys((*parse(st.query_params.get(HIDE, "")), *more)))
    st.session_state[_CONTROLS] = {}


def names() -> tuple[str, ...]:
    """What is hidden on this visitor's page."""
    return st.session_state.get(_NAMES, ())


def reveal() -> None:
    """Show everything again, until the visitor comes to another view."""
    st.session_state[_NAMES] = ()


def frame() -> None:
    """Draw the style that hides it."""
    if names():
        found = ", ".join(PARTS[name][1] if name in PARTS else f".st-key-{name}" for name in names())
        st.html(f"<style>{found} {{ display: none !important; }}</style>")


def note(key: str, label: str) -> None:
    """Remember that the page has a control, so that a link to it can hide it."""
    st.session_state.setdefault(_CONTROLS, {})[key] = label


def part(key: str, label: str) -> DeltaGenerator:
    """A container for a part of the page that a link can hide."""
    note(key, label)
    return st.container(key=key)


def choices() -> dict[str, str]:
    """What a link to this visitor's page can hide: name → how it is called."""
    parts = {name: label for name, (label, _) in PARTS.items()}
    return {**st.session_state.get(_CONTROLS, {}), **parts}
