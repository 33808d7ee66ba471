"""Terms of the glossary in texts: the first occurrence on a page is a link with the definition, all else stays."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import streamlit as st

from tests.pages.test_every_page import PAGES, opened
from ui.common import explanations


@pytest.fixture(autouse=True)
def page() -> Iterator[None]:
    st.session_state["_terms_marked"] = {}
    yield
    del st.session_state["_terms_marked"]


def terms(text: str) -> list[str]:
    return re.findall(r"\[([^\]]*)\]\(#term-[\w–-]+ \"", text)


def test_the_first_occurrence_alone_is_marked_and_the_longest_term_counts() -> None:
    first = explanations.mark("A Forget gate is a gate; gates, a forget gate.")
    assert terms(first) == ["Forget gate", "gate"]
    assert first.endswith("; gates, a forget gate.")
    assert 'Forget gate](#term-forget-gate-f "The share of the old cell state' in first
    assert terms(explanations.mark("Gates again, and two tokens.")) == ["tokens"]


def test_a_line_break_and_other_forms_are_the_same_term() -> None:
    assert terms(explanations.mark("A vanishing\ngradient; it pools.")) == ["vanishing\ngradient", "pools"]
    assert terms(explanations.mark("Pooling and a vanishing gradient.")) == []


def test_a_text_that_is_drawn_again_keeps_its_marks() -> None:
    text = "A token and a unit."
    assert explanations.mark(text) == explanations.mark(text)
    explanations.begin_page()
    assert terms(explanations.mark("The unit.")) == ["unit"]


def test_code_formulas_links_and_parts_of_words_stay() -> None:
    text = "`gate` $gate$ [gate](x) delegate gate-like investigated"
    assert explanations.mark(text) == text


@pytest.mark.parametrize("path", [path for path in PAGES if path.stem != "own_classifier"], ids=lambda path: path.stem)
def test_a_page_marks_no_term_twice(path) -> None:
    found = [term.lower() for each in opened(path.stem).markdown for term in terms(each.value)]
    assert len(found) == len(set(found))
    assert found or path.stem in ("glossary", "check_yourself", "lessons", "operators")
