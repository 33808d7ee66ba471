"""The page “Check yourself” by AppTest: each question is answered by its experiment, and the score counts."""

from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from ui.check_yourself import sheet
from ui.check_yourself.experiments import EXPERIMENTS, Result
from ui.check_yourself.questions import QUESTIONS, score
from ui.home import path as lab

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def page() -> AppTest:
    found = AppTest.from_file(str(ROOT / "pages" / "navigation.py"), default_timeout=120)
    found._page_hash = calc_hash("check_yourself")
    return found.run()


def test_there_are_twelve_questions_each_with_an_experiment_and_a_page() -> None:
    assert [each.name for each in QUESTIONS] == list(EXPERIMENTS)
    assert len(QUESTIONS) == 12
    in_menu = {f"{name.lower().replace(' ', '_')}.py" for names in lab.SECTIONS.values() for name in names}
    assert {each.file for each in QUESTIONS} <= in_menu


@pytest.mark.parametrize(
    ("name", "correct"),
    [
        ("forget", "1"),
        ("write", "2"),
        ("candidate", "1"),
        ("output", "c = 2 and h = 0"),
        ("gates_see_h", "1: the closing bracket is not counted"),
        ("pooling", "Only that of the network that uses its last state"),
        ("vanishing", "Only the LSTM"),
        ("half_forgotten", "Less than a billionth"),
        ("exploding", "It grows by more than 1,000"),
        ("clipping", "Only the run without clipping"),
        ("temperature", "It rises"),
        ("word_order", "Only the LSTM"),
    ],
)
def test_an_experiment_computes_one_of_the_choices(name: str, correct: str) -> None:
    result = EXPERIMENTS[name]()
    choices = next(each.choices for each in QUESTIONS if each.name == name)
    assert choices[result.choice] == correct
    assert any(character.isdigit() for character in result.measured)


def test_every_question_is_run_and_the_score_counts(page: AppTest) -> None:
    assert not page.exception
    assert len(page.radio) == len(QUESTIONS)
    assert not any("Correct" in each.value or "Not this time" in each.value for each in page.markdown)
    assert all(each.disabled for each in page.button if each.label == "Run it")
    for question in QUESTIONS:
        page.radio(key=f"check_{question.name}_0").set_value(0).run()
        page.button(key=f"check_{question.name}_0_run").click().run()
        assert not page.exception
        assert not page.error
    given = page.session_state["_check_answered"]
    assert set(given) == set(EXPERIMENTS)
    said = [each.value for each in page.markdown]
    assert sum("**Correct" in each for each in said) == score(given) == 1  # “It rises” alone is a first choice
    assert sum("**Not this time" in each for each in said) == len(QUESTIONS) - 1
    assert any(f"1 of {len(QUESTIONS)} correct" in each for each in said)
    assert not page.radio  # the score stays what it is
    assert sum("Your guess" in each for each in said) == len(QUESTIONS)
    page.button(key="check_again").click().run()
    assert page.session_state["_check_answered"] == {}
    assert [each.value for each in page.radio] == [None] * len(QUESTIONS)


def test_the_sheet_holds_guesses_and_answers_and_nothing_that_runs() -> None:
    given = {"forget": (0, Result(1, "`<b>` 1 < 2")), "write": (1, Result(1, "2"))}
    found = sheet.html(given)
    tags: list[str] = []
    reader = HTMLParser()
    reader.handle_starttag = lambda tag, attributes: tags.append(tag)  # type: ignore[method-assign]
    reader.feed(found)
    assert tags.count("li") == len(QUESTIONS)
    assert not {"script", "b", "a", "img", "link"} & set(tags)
    assert "1 of 2 correct; 2 of 12 answered" in found
    assert "Guess: 3, as before (✗" in found
    assert "<code>&lt;b&gt;</code> 1 &lt; 2" in found
    assert found.count("Not answered.") == len(QUESTIONS) - 2
