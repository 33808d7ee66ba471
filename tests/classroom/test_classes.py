"""Classes in the database: who may do what, votes that count once, and nothing left after the end."""

from __future__ import annotations

import csv
import io
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sql

from lstm_core import classroom, database
from lstm_core.classroom import Asked, ClassError, ClassState, classes, codes, schema
from lstm_core.database import DatabaseError, transaction
from lstm_core.lesson_plans import Question

LECTURER = "the lecturer's cookie"
CHOICES = Question("choice", "Which gate forgets?", ("f", "i", "o"), "f")


@pytest.fixture
def code() -> str:
    return classroom.start(LECTURER)[0]


def state(code: str) -> ClassState:
    found = classroom.find(code)
    assert found is not None
    return found


def asked(code: str) -> Asked:
    found = state(code).asked
    assert found is not None
    return found


def rows(code: str) -> int:
    with transaction() as connection:
        counts = [sql.select(sql.func.count()).where(each.c.code == code) for each in schema.PARTS]
        return sum(connection.scalar(count) or 0 for count in counts)


class TestLeading:
    def test_a_class_has_a_code_and_a_key_and_whoever_starts_it_leads_it(self) -> None:
        code, key = classroom.start(LECTURER)
        assert set(code) <= set(codes.LETTERS)
        assert len(code) == codes.LENGTH
        assert classroom.is_lecturer(code, LECTURER)
        assert not classroom.is_lecturer(code, "a student")
        with transaction() as connection:
            stored = str(connection.execute(sql.select(schema.CLASSES)).all() + connection.execute(
                sql.select(schema.LECTURERS)).all())  # fmt: skip
        assert LECTURER not in stored
        assert classroom.plain_code(key) not in stored

    def test_the_key_lets_somebody_lead_from_another_browser_and_nothing_else_does(self) -> None:
        code, key = classroom.start(LECTURER)
        for wrong in ("", code, key[:-1], key[::-1], "x" * 1000):
            with pytest.raises(ClassError, match="not the key"):
                classroom.admit_lecturer(code, wrong, "another browser")
        classroom.admit_lecturer(code, f" {key.lower().replace('-', ' ')} ", "another browser")
        classroom.admit_lecturer(code, key, "another browser")
        assert classroom.is_lecturer(code, "another browser")
        assert state(code).lecturers == 2
        with pytest.raises(ClassError, match="no class"):
            classroom.admit_lecturer("NOSUCH", key, "another browser")

    def test_a_student_steers_nothing(self, code: str) -> None:
        before = state(code)
        for forbidden in (
            lambda: classroom.write_view(code, "a student", "question_tags"),
            lambda: classroom.ask(code, "a student", CHOICES),
            lambda: classroom.close(code, "a student"),
            lambda: classroom.show_votes(code, "a student"),
            lambda: classroom.reveal(code, "a student"),
            lambda: classroom.vote_again(code, "a student"),
            lambda: classroom.dismiss(code, "a student"),
            lambda: classroom.results_csv(code, "a student"),
            lambda: classroom.end(code, "a student"),
        ):
            with pytest.raises(ClassError, match="Only the lecturer"):
                forbidden()
        assert state(code) == before

    def test_the_view_is_an_address_of_the_lab_and_the_same_one_is_no_news(self, code: str) -> None:
        view = "question_tags?text=def+f%28x%29&signal=f"
        classroom.write_view(code, LECTURER, view)
        one = state(code)
        assert (one.view, one.step) == (view, 1)
        classroom.write_view(code, LECTURER, view)
        assert state(code).news == one.news
        for wrong in ("https://elsewhere.example", "//elsewhere", "a b", "../etc", "x?" + "y" * 60_000, "a#b"):
            with pytest.raises(ClassError, match="not the address"):
                classroom.write_view(code, LECTURER, wrong)
        assert state(code).view == view


class TestTheEnd:
    def test_everything_of_a_class_is_deleted_and_other_classes_stay(self, code: str) -> None:
        other, _ = classroom.start("another lecturer")
        for each, lecturer in ((code, LECTURER), (other, "another lecturer")):
            number = classroom.ask(each, lecturer, CHOICES)
            classroom.vote(each, "a student", number, 1, 0)
            classroom.write_presence("process", {each: (1, 1)})
        assert rows(code) == rows(other) == 5
        classroom.end(code, LECTURER)
        assert rows(code) == 0
        assert rows(other) == 5
        assert classroom.find(code) is None
        with pytest.raises(ClassError, match="no class"):
            classroom.vote(code, "a student", 1, 1, 0)

    def test_after_a_day_it_is_over_and_deleted(self, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
        now = time.time()
        monkeypatch.setattr(time, "time", lambda: now + classes.DAY + 1)
        assert classroom.find(code) is None
        assert classroom.news([code]) == {}
        with pytest.raises(ClassError, match="no class"):
            classroom.ask(code, LECTURER, CHOICES)
        assert rows(code) == 2
        classroom.forget_ended()
        assert rows(code) == 0


class TestVoting:
    def test_votes_count_once_and_may_be_changed_until_the_vote_is_closed(self, code: str) -> None:
        number = classroom.ask(code, LECTURER, CHOICES)
        for choice in (0, 1, 1):
            classroom.vote(code, "a student", number, 1, choice)
        classroom.vote(code, "another one", number, 1, 0)
        assert asked(code).votes == ((1, 1, 0),)
        assert asked(code).voters == (2,)
        assert classroom.vote_of(code, "a student", number, 1) == 1
        assert classroom.vote_of(code, "nobody", number, 1) is None
        classroom.close(code, LECTURER)
        with pytest.raises(ClassError, match="closed"):
            classroom.vote(code, "a student", number, 1, 2)
        assert asked(code).votes == ((1, 1, 0),)

    def test_what_isnt_an_answer_isnt_counted(self, code: str) -> None:
        number = classroom.ask(code, LECTURER, CHOICES)
        for wrong in (-1, 3, True, "f", 10**9):
            with pytest.raises(ClassError, match="not one of the answers"):
                classroom.vote(code, "a student", number, 1, wrong)
        for question, round in ((number + 1, 1), (number, 2), (0, 1), (-1, -1)):
            with pytest.raises(ClassError, match="closed"):
                classroom.vote(code, "a student", question, round, 0)
        assert asked(code).voters == (0,)
        with pytest.raises(ClassError, match="offers no answers"):
            classroom.ask(code, LECTURER, Question("winner", "Which answer will win?"))

    def test_sixty_votes_at_once_are_all_counted(self, code: str) -> None:
        number = classroom.ask(code, LECTURER, CHOICES)
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda each: classroom.vote(code, f"{each}", number, 1, each % 3), range(60)))
        assert asked(code).votes == ((20, 20, 20),)

    def test_the_answer_is_the_questions_own_or_what_the_network_did(self, code: str) -> None:
        classroom.ask(code, LECTURER, CHOICES)
        assert not asked(code).revealed
        classroom.reveal(code, LECTURER)
        assert (asked(code).answer, asked(code).open, asked(code).shown) == (0, False, True)
        page = Question("page", "Which one is largest?", ("RNN", "GRU", "LSTM"))
        classroom.ask(code, LECTURER, page, spot="guess_gradient_lab")
        assert asked(code).answer is None
        classroom.reveal(code, LECTURER, 2, "The LSTM's is 0.5.")
        assert (asked(code).answer, asked(code).measured) == (2, "The LSTM's is 0.5.")
        with pytest.raises(ClassError, match="not one of the answers"):
            classroom.reveal(code, LECTURER, 3)
        classroom.dismiss(code, LECTURER)
        assert state(code).asked is None
        with pytest.raises(ClassError, match="No question"):
            classroom.reveal(code, LECTURER)

    def test_a_second_round_stands_beside_the_first(self, code: str) -> None:
        number = classroom.ask(code, LECTURER, CHOICES)
        classroom.vote(code, "a student", number, 1, 1)
        classroom.vote_again(code, LECTURER)
        with pytest.raises(ClassError, match="closed"):
            classroom.vote(code, "a student", number, 1, 0)
        classroom.vote(code, "a student", number, 2, 0)
        assert asked(code).votes == ((0, 1, 0), (1, 0, 0))
        table = list(csv.DictReader(io.StringIO(classroom.results_csv(code, LECTURER))))
        cast = [(row["round"], row["answer"], row["correct"]) for row in table if row["votes"] == "1"]
        assert cast == [("1", "i", "no"), ("2", "f", "yes")]

    def test_free_texts_are_kept_plain_and_the_table_holds_no_formula_and_nobody(self, code: str) -> None:
        number = classroom.ask(code, LECTURER, Question("text", "What does a gate do?"))
        for visitor, text in (("a", "=1+1"), ("b", "  **opens**\x00\n and\tcloses "), ("c", "x" * 5000)):
            classroom.vote(code, visitor, number, 1, text)
        with pytest.raises(ClassError, match="Type an answer"):
            classroom.vote(code, "d", number, 1, " \x00\n")
        with pytest.raises(ClassError, match="not one"):
            classroom.vote(code, "d", number, 1, 0)
        assert asked(code).texts == ("**opens** and closes", "=1+1", "x" * 200)
        assert asked(code).voters == (3,)
        table = classroom.results_csv(code, LECTURER)
        assert ",'=1+1," in table
        with transaction() as connection:
            seats = list(connection.scalars(sql.select(schema.VOTES.c.seat).where(schema.VOTES.c.code == code)))
        assert not any(seat in table for seat in seats)


def test_who_is_here_is_the_sum_over_the_web_processes_that_still_say_so(
    code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    classroom.write_presence("one", {code: (3, 2), "NOSUCH": (1, 1)})
    classroom.write_presence("other", {code: (4, 4)})
    classroom.write_presence("one", {code: (2, 1)})
    assert (state(code).here, state(code).following) == (6, 5)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + classes.FRESH + 1)
    classroom.write_presence("one", {code: (1, 1)})
    assert (state(code).here, state(code).following) == (1, 1)


def test_news_are_one_number_a_class(code: str) -> None:
    other, _ = classroom.start(LECTURER)
    before = classroom.news([code, other, "NOSUCH"])
    classroom.write_view(code, LECTURER, "word_order")
    after = classroom.news([code, other, "NOSUCH"])
    assert set(before) == set(after) == {code, other}
    assert after[code] > before[code]
    assert after[other] == before[other]


def test_a_database_that_is_down_is_one_sentence(code: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "_refused", 0.0)
    (tmp_path / "file").touch()
    monkeypatch.setenv("LSTM_LAB_DATABASE", f"sqlite:///{tmp_path / 'file' / 'lab.db'}")
    with pytest.raises(DatabaseError, match="can't be used"):
        classroom.find(code)
    monkeypatch.setattr(database, "_refused", 0.0)


class TestCodes:
    def test_what_is_typed_becomes_a_code(self) -> None:
        assert classroom.plain_code(" abc-def\n") == "ABCDEF"
        assert classroom.shown_code("ABCDEF") == "ABC-DEF"
        assert classroom.plain_code("<script>'; drop table") == "SCRIPTDROPTABLE"

    def test_attempts_are_limited_by_address_for_a_time(self, monkeypatch: pytest.MonkeyPatch) -> None:
        attempts = classroom.Attempts(3, 60.0)
        for _ in range(3):
            assert attempts.left("1.2.3.4")
            attempts.note("1.2.3.4")
        assert not attempts.left("1.2.3.4")
        assert attempts.left("5.6.7.8")
        now = time.monotonic()
        monkeypatch.setattr(time, "monotonic", lambda: now + 61)
        assert attempts.left("1.2.3.4")
