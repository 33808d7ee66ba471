"""Language names: hidden as the data set hid them, and put back into its questions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.text.language_names import NAMES, mask_names, restore_names


@pytest.mark.parametrize(
    ("pasted", "masked"),
    [
        ("How in C#?", "How in blank?"),
        ("csharp and CSharp", "blank and blank"),
        ("c#8 (c#)", "blank8 (blank)"),
        ("Java 8, java.util", "blank 8, blank.util"),
        ("import javax.swing", "import blankx.swing"),
        ("JavaScript, javascript's", "blank, blank's"),
        ("Python", "blank"),
        ("python3 python2.7", "blank3 blank2.7"),
        ("java_home = _java", "blank_home = _blank"),
        ("java/javascript", "blank/blank"),
    ],
)
def test_names_become_blank(pasted: str, masked: str) -> None:
    assert mask_names(pasted) == masked


@pytest.mark.parametrize("text", ["ajava", "lavajava", "javanese", "bpython", "abc#", "c #", "c", "script", "", "\0"])
def test_what_only_looks_like_a_name_stays(text: str) -> None:
    assert mask_names(text) == text


@pytest.mark.parametrize(
    ("label", "question", "restored"),
    [
        ("csharp", "blank list to array", "c# list to array"),
        ("java", "import blankx.swing in blank", "import javax.swing in java"),
        ("javascript", "a blank closure", "a javascript closure"),
        ("python", "blank3 or blank 2", "python3 or python 2"),
        ("java", "unlike python, blank has types", "unlike python, java has types"),
    ],
)
def test_blank_becomes_the_name_of_the_questions_own_language(label: str, question: str, restored: str) -> None:
    assert restore_names(question, label) == restored


@pytest.mark.parametrize("text", ["blanket", "blanks", "pointblank", "blankscript"])
def test_words_that_merely_contain_blank_stay(text: str) -> None:
    assert restore_names(text, "java") == text


@pytest.mark.parametrize("label", NAMES)
def test_hiding_undoes_restoring(label: str) -> None:
    question = "in blank: how do i (blank) sort? import blankx, blank3"
    restored = restore_names(question, label)
    assert NAMES[label] in restored
    if label == "java":  # only there is an x behind the name a word
        assert mask_names(restored) == question


@given(st.text())
@settings(deadline=None, max_examples=100, derandomize=True, database=None)
def test_after_hiding_there_is_nothing_left_to_hide(text: str) -> None:
    masked = mask_names(text)
    assert mask_names(masked) == masked
