"""The results of a class as a table, without anything that names a person."""

from __future__ import annotations

import csv
import io
from collections import Counter

import sqlalchemy as sql

from lstm_core.classroom.classes import change
from lstm_core.classroom.schema import QUESTIONS, VOTES
from lstm_core.database import transaction

HEAD = ("question", "kind", "prompt", "round", "answer", "votes", "correct")


def results_csv(code: str, lecturer: str) -> str:
    """One row for each answer of each round of each question; texts in the order of the alphabet.

    Raises:
        ClassError: if there is no such class, or the visitor doesn't lead it.
        DatabaseError: if the database can't be used.
    """
    with transaction() as rows:
        change(rows, code, lecturer)
        asked = rows.execute(sql.select(QUESTIONS).where(QUESTIONS.c.code == code).order_by(QUESTIONS.c.number)).all()
        votes = rows.execute(sql.select(VOTES).where(VOTES.c.code == code)).all()
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(HEAD)
    for question in asked:
        cast = [vote for vote in votes if vote.number == question.number]
        for round in range(1, max((vote.round for vote in cast), default=1) + 1):
            counts = Counter(vote.choice if vote.choice >= 0 else vote.text for vote in cast if vote.round == round)
            answers: list[tuple[int | str, str]] = list(enumerate(question.choices))
            answers = answers or [(text, text) for text in sorted(map(str, counts))]
            for key, answer in answers:
                correct = "" if question.answer < 0 else "yes" if key == question.answer else "no"
                about = (question.number, question.kind, _cell(question.prompt), round, _cell(answer))
                writer.writerow((*about, counts[key], correct))
    return table.getvalue()


def _cell(text: str) -> str:
    """A text that a spreadsheet doesn't take for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text
