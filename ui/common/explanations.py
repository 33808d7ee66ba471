"""The explanations on the pages, from `assets/explanations.toml`; a term's first occurrence on a page has a tooltip."""

import re
from collections.abc import Callable

import streamlit as st

from ui.common import assets

_SECTIONS = assets.table("explanations.toml")
_GLOSSARY = assets.table("glossary.toml")["terms"]
_NAMES = {
    re.sub(r" \w$", "", form).lower(): term  # "forget gate f" stands in texts as "forget gate"
    for term, entry in _GLOSSARY.items()
    for form in (term, *entry.get("forms", ()))
}
# Code, formulas and links stay as they are; of several terms at one place, the longest counts; a plural counts, too.
_SKIPPED = r"`[^`]*`|\$[^$]*\$|\[[^\]]*\]\([^)]*\)|\[[^\]]*\]"
_FORMS = "|".join(re.escape(form).replace(r"\ ", r"\s+") for form in sorted(_NAMES, key=len, reverse=True))
_PATTERN = re.compile(rf"{_SKIPPED}|(?<![\w-])(?P<term>{_FORMS})s?(?![\w-])", re.IGNORECASE)
_MARKED = "_terms_marked"  # term → the text that it is marked in


def begin_page() -> None:
    """Forget which terms the page before has marked."""
    st.session_state[_MARKED] = {}


def mark(text: str) -> str:
    """A text of Markdown in which each term that the page has not marked yet is a link with its definition as title."""
    marked: dict[str, str] = st.session_state.setdefault(_MARKED, {})
    here: set[str] = set()

    def link(match: re.Match[str]) -> str:
        term = _NAMES.get(" ".join((match["term"] or "").lower().split()), "")
        # A fragment draws its texts again: what it has marked before, it marks again.
        if not term or term in here or marked.setdefault(term, text) != text:
            return match[0]
        here.add(term)
        title = _GLOSSARY[term]["text"].replace('"', r"\"")
        return f'[{match[0]}](#term-{term.replace(" ", "-")} "{title}")'

    return _PATTERN.sub(link, text)


def say(text: str) -> None:
    """Draw a paragraph of Markdown with its terms marked."""
    st.markdown(mark(text))


_DRAW: dict[str, Callable[[str], object]] = {"paragraphs": say, "formulas": st.latex, "captions": st.caption}


def explain(section: str) -> None:
    """Draw the parts of a section in the order of the file: paragraphs, formulas, exercises, captions."""
    for kind, content in _SECTIONS[section].items():
        if kind == "exercises":
            for title, text in content.items():
                with st.expander(f"Try this: {title}"):
                    say(text)
        else:
            for part in content.strip().split("\n\n"):
                _DRAW[kind](part)
