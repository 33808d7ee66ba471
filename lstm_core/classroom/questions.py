"""Asking a class: a question, its votes in one or two rounds, and the answer."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sql

from lstm_core.classroom.classes import NOWHERE, change, running, seat
from lstm_core.classroom.schema import CLASSES, QUESTIONS, VOTES, ClassError
from lstm_core.database import transaction
from lstm_core.lesson_plans import Question

MOST_QUESTIONS = 200  # of a class
MOST_VOTES = 2_000  # of a round
MOST_ROUNDS = 9
LONGEST_TEXT = 200  # characters of an answer
LONGEST_MEASURED = 2_000  # characters of the sentence on what the network did
LATE = "This vote is closed; your answer before that counts."


def ask(code: str, lecturer: str, question: Question, spot: str = "") -> int:
    """Open the vote on a question.

    Args:
        code: of the class.
        lecturer: the visitor who asks.
        question: with at least two choices, or of kind "text". If it has an answer, this is what `reveal` shows.
        spot: the name of a question of the lecturer's page, and the keys of the elements that show its answer,
            separated by spaces; "" for none.

    Returns:
        The number of the question in this class, from 1.

    Raises:
        ClassError: if it can't be voted on, there is no such class, or the visitor doesn't lead it.
        DatabaseError: if the database can't be used.
    """
    if question.kind != "text" and not question.choices:
        raise ClassError("This view offers no answers to choose from yet; let its network run first, or add choices.")
    given = question.choices.index(question.answer) if question.answer in question.choices else -1
    with transaction() as rows:
        change(rows, code, lecturer)
        last = rows.scalar(sql.select(sql.func.max(QUESTIONS.c.number)).where(QUESTIONS.c.code == code)) or 0
        if last >= MOST_QUESTIONS:
            raise ClassError(f"A class can have {MOST_QUESTIONS} questions; start another class.")
        values: dict[str, Any] = {"kind": question.kind, "prompt": question.prompt, "choices": list(question.choices)}
        values |= {"spot": spot, "answer": given, "measured": question.answer if question.kind == "text" else ""}
        rows.execute(QUESTIONS.insert().values(code=code, number=last + 1, **values))
        now: dict[str, Any] = {"asked": last + 1, "round": 1, "open": True, "shown": False, "revealed": False}
        rows.execute(CLASSES.update().where(CLASSES.c.code == code).values(now))
    return last + 1


def vote(code: str, visitor: str, number: int, round: int, answer: int | str) -> None:
    """Count a visitor's answer to the question on screen; a later one replaces it until the vote is closed.

    Args:
        code: of the class.
        visitor: who votes.
        number: of the question.
        round: of the vote, from 1.
        answer: the number of a choice, from 0, or a text if that is what was asked for.

    Raises:
        ClassError: if the vote is closed, or this is no answer to the question.
        DatabaseError: if the database can't be used.
    """
    with transaction() as rows:
        now_open = (CLASSES.c.asked == number) & (CLASSES.c.round == round) & CLASSES.c.open
        counted = CLASSES.update().where(running(code) & now_open).values(news=CLASSES.c.news + 1)
        if not rows.execute(counted).rowcount:
            there = rows.scalar(sql.select(CLASSES.c.code).where(running(code)))
            raise ClassError(NOWHERE if there is None else LATE)
        asked = rows.execute(sql.select(QUESTIONS).where(_question(code, number))).one()
        values = {"choice": -1, "text": ""} | _answer(asked.kind, len(asked.choices), answer)
        this_round = (VOTES.c.code == code) & (VOTES.c.number == number) & (VOTES.c.round == round)
        mine = this_round & (VOTES.c.seat == seat(code, visitor))
        if not rows.execute(VOTES.update().where(mine).values(values)).rowcount:
            if (rows.scalar(sql.select(sql.func.count()).where(this_round)) or 0) >= MOST_VOTES:
                raise ClassError(f"{MOST_VOTES:,} have voted already; no more are counted.")
            where = {"code": code, "number": number, "round": round, "seat": seat(code, visitor)}
            rows.execute(VOTES.insert().values(where | values))


def _answer(kind: str, choices: int, answer: int | str) -> dict[str, Any]:
    """The columns of an answer."""
    if kind == "text" and isinstance(answer, str):
        text = " ".join("".join(each if each.isprintable() else " " for each in answer[: 4 * LONGEST_TEXT]).split())
        if not text:
            raise ClassError("Type an answer first.")
        return {"text": text[:LONGEST_TEXT]}
    if kind != "text" and isinstance(answer, int) and not isinstance(answer, bool) and 0 <= answer < choices:
        return {"choice": answer}
    raise ClassError("This is not one of the answers.")


def _question(code: str, number: int) -> sql.ColumnElement[bool]:
    return (QUESTIONS.c.code == code) & (QUESTIONS.c.number == number)


def vote_of(code: str, visitor: str, number: int, round: int) -> int | str | None:
    """What a visitor has answered in a round: the number of a choice, or a text; None for nothing. DatabaseError."""
    mine = (VOTES.c.code == code) & (VOTES.c.number == number) & (VOTES.c.round == round)
    with transaction() as rows:
        row = rows.execute(sql.select(VOTES).where(mine & (VOTES.c.seat == seat(code, visitor)))).one_or_none()
    return None if row is None else row.choice if row.choice >= 0 else row.text


def close(code: str, lecturer: str) -> None:
    """Count no more votes; ClassError or DatabaseError as `ask`."""
    with transaction() as rows:
        change(rows, code, lecturer, open=False)


def show_votes(code: str, lecturer: str, shown: bool = True) -> None:
    """Let the class see the votes, or hide them again; ClassError or DatabaseError as `ask`."""
    with transaction() as rows:
        change(rows, code, lecturer, shown=shown)


def reveal(code: str, lecturer: str, answer: int | None = None, measured: str = "") -> None:
    """Close the vote and show the answer.

    Args:
        code: of the class.
        lecturer: the visitor who reveals it.
        answer: the number of the choice that happened in the network's run, from 0; None for the question's own answer.
        measured: what the run has shown, in a sentence or two.

    Raises:
        ClassError: if there is no question, no such class, or the visitor doesn't lead it.
        DatabaseError: if the database can't be used.
    """
    with transaction() as rows:
        if not change(rows, code, lecturer, CLASSES.c.asked > 0, open=False, shown=True, revealed=True):
            raise ClassError("No question is open.")
        number = rows.scalar(sql.select(CLASSES.c.asked).where(CLASSES.c.code == code)) or 0
        if answer is not None:
            asked = rows.execute(sql.select(QUESTIONS).where(_question(code, number))).one()
            if not 0 <= answer < len(asked.choices):
                raise ClassError("This is not one of the answers.")
            values = {"answer": answer, "measured": measured[:LONGEST_MEASURED]}
            rows.execute(QUESTIONS.update().where(_question(code, number)).values(values))


def vote_again(code: str, lecturer: str) -> None:
    """Open the next round on the same question; the votes before stay. ClassError or DatabaseError as `ask`."""
    fits = (CLASSES.c.asked > 0) & (CLASSES.c.round < MOST_ROUNDS)
    with transaction() as rows:
        values: dict[str, Any] = {"round": CLASSES.c.round + 1, "open": True, "shown": False, "revealed": False}
        if not change(rows, code, lecturer, fits, **values):
            raise ClassError(f"No question is open, or it had {MOST_ROUNDS} rounds.")


def dismiss(code: str, lecturer: str) -> None:
    """Take the question off the screens; its votes stay in the results. ClassError or DatabaseError as `ask`."""
    with transaction() as rows:
        change(rows, code, lecturer, asked=0, round=1, open=False, shown=False, revealed=False)
