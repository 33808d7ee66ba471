"""What a class is like now: what followers are told, and the votes as numbers."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sql

from lstm_core.classroom.classes import FRESH, running
from lstm_core.classroom.schema import CLASSES, LECTURERS, PRESENCE, QUESTIONS, VOTES
from lstm_core.database import transaction


@dataclass(frozen=True)
class Asked:
    """The question on screen.

    Attributes:
        number: of the question in its class, from 1.
        kind: see `lesson_plans.KINDS`.
        prompt: what is asked, in Markdown.
        choices: the possible answers; none for a free text.
        spot: see `ask`.
        round: of the vote, from 1.
        open: whether votes are counted.
        shown: whether the class sees the votes.
        revealed: whether the class sees the answer.
        answer: the number of the correct choice; None as long as it isn't known, and for an opinion.
        measured: what the network's run has shown, or the answer to a free text.
        votes: (rounds, choices): how many chose each answer.
        voters: (rounds,): how many answered.
        texts: the answers of the last round to a question for a text, in the order of the alphabet.
    """

    number: int
    kind: str
    prompt: str
    choices: tuple[str, ...]
    spot: str
    round: int
    open: bool
    shown: bool
    revealed: bool
    answer: int | None
    measured: str
    votes: tuple[tuple[int, ...], ...]
    voters: tuple[int, ...]
    texts: tuple[str, ...]


@dataclass(frozen=True)
class ClassState:
    """A class now.

    Attributes:
        code: of the class.
        ends: when it ends by itself, in seconds since the epoch.
        news: grows with every change.
        step: grows with every view of the lecturer.
        view: the lecturer's page and settings: "question_tags?signal=f"; "" is the home page.
        here: how many visitors are in the class, without those who lead it.
        following: how many of them follow the lecturer.
        lecturers: how many browsers lead it.
        asked: the question on screen.
    """

    code: str
    ends: float
    news: int
    step: int
    view: str
    here: int
    following: int
    lecturers: int
    asked: Asked | None


def find(code: str) -> ClassState | None:
    """The class of that code; None if there is none now. DatabaseError if the database can't be used."""
    with transaction() as rows:
        row = rows.execute(sql.select(CLASSES).where(running(code))).one_or_none()
        if row is None:
            return None
        fresh = (PRESENCE.c.code == code) & (PRESENCE.c.seen > time.time() - FRESH)
        sums = sql.select(sql.func.sum(PRESENCE.c.here), sql.func.sum(PRESENCE.c.following)).where(fresh)
        here, following = rows.execute(sums).one()
        lecturers = rows.scalar(sql.select(sql.func.count()).where(LECTURERS.c.code == code)) or 0
        asked = _asked(rows, row) if row.asked else None
    return ClassState(
        code, row.ends, row.news, row.step, row.view, int(here or 0), int(following or 0), lecturers, asked
    )  # fmt: skip


def _asked(rows: sql.Connection, row: sql.Row) -> Asked:
    of_class = (QUESTIONS.c.code == row.code) & (QUESTIONS.c.number == row.asked)
    question = rows.execute(sql.select(QUESTIONS).where(of_class)).one()
    cast = (VOTES.c.code == row.code) & (VOTES.c.number == row.asked)
    counts = sql.select(VOTES.c.round, VOTES.c.choice, sql.func.count().label("votes")).where(cast)
    votes = [[0] * len(question.choices) for _ in range(row.round)]
    voters = [0] * row.round
    for each in rows.execute(counts.group_by(VOTES.c.round, VOTES.c.choice)):
        voters[each.round - 1] += each.votes
        if 0 <= each.choice < len(question.choices):
            votes[each.round - 1][each.choice] += each.votes
    texts = sql.select(VOTES.c.text).where(cast & (VOTES.c.round == row.round) & (VOTES.c.text != ""))
    return Asked(
        row.asked, question.kind, question.prompt, tuple(question.choices), question.spot, row.round, row.open,
        row.shown, row.revealed, question.answer if question.answer >= 0 else None, question.measured,
        tuple(map(tuple, votes)), tuple(voters), tuple(sorted(rows.scalars(texts))) if question.kind == "text" else (),
    )  # fmt: skip


def news(codes: Sequence[str]) -> dict[str, int]:
    """How often each of these classes has changed, in one query; those that have ended are missing. DatabaseError."""
    now = sql.select(CLASSES.c.code, CLASSES.c.news).where(CLASSES.c.code.in_(list(codes)))
    with transaction() as rows:
        return {row.code: row.news for row in rows.execute(now.where(CLASSES.c.ends > time.time()))}
