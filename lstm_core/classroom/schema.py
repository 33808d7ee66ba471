"""The tables of live classes. Times are seconds since the epoch."""

from __future__ import annotations

import sqlalchemy as sql

from lstm_core.database import SCHEMA
from lstm_core.errors import LabError


class ClassError(LabError):
    """There is no such class, or it doesn't accept this now; `str()` says why."""


CLASSES = sql.Table(
    "classes",
    SCHEMA,
    sql.Column("code", sql.String(16), primary_key=True),
    sql.Column("key", sql.String(64), nullable=False),  # a hash of the lecturer's key
    sql.Column("begun", sql.Float, nullable=False),
    sql.Column("ends", sql.Float, nullable=False, index=True),
    sql.Column("news", sql.Integer, nullable=False),  # counts every change
    sql.Column("step", sql.Integer, nullable=False),  # counts the views
    sql.Column("view", sql.Text, nullable=False),  # the lecturer's page and what its link says, as in an address
    sql.Column("asked", sql.Integer, nullable=False),  # the number of the question on screen; 0 for none
    sql.Column("round", sql.Integer, nullable=False),
    sql.Column("open", sql.Boolean, nullable=False),  # votes are counted
    sql.Column("shown", sql.Boolean, nullable=False),  # the class sees the votes
    sql.Column("revealed", sql.Boolean, nullable=False),  # the class sees the answer
)


def _of_a_class() -> sql.Column:
    return sql.Column("code", sql.ForeignKey("classes.code", ondelete="CASCADE"), primary_key=True)


LECTURERS = sql.Table(
    "class_lecturers",
    SCHEMA,
    _of_a_class(),
    sql.Column("seat", sql.String(64), primary_key=True),
)
QUESTIONS = sql.Table(
    "class_questions",
    SCHEMA,
    _of_a_class(),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),  # from 1
    sql.Column("kind", sql.String(20), nullable=False),
    sql.Column("prompt", sql.Text, nullable=False),
    sql.Column("choices", sql.JSON, nullable=False),  # list of str
    sql.Column("spot", sql.String(400), nullable=False),  # see `questions.ask`
    sql.Column("answer", sql.Integer, nullable=False),  # of the choices, from 0; -1 as long as there is none
    sql.Column("measured", sql.Text, nullable=False),  # what the network's run has shown
)
VOTES = sql.Table(
    "class_votes",
    SCHEMA,
    _of_a_class(),
    sql.Column("number", sql.Integer, primary_key=True, autoincrement=False),  # of the question
    sql.Column("round", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("seat", sql.String(64), primary_key=True),  # so each counts once
    sql.Column("choice", sql.Integer, nullable=False),  # from 0; -1 for a text
    sql.Column("text", sql.Text, nullable=False),
)
PRESENCE = sql.Table(
    "class_presence",
    SCHEMA,
    _of_a_class(),
    sql.Column("process", sql.String(200), primary_key=True),  # a web process
    sql.Column("here", sql.Integer, nullable=False),  # its visitors who are in the class
    sql.Column("following", sql.Integer, nullable=False),  # of them, who follow the lecturer
    sql.Column("seen", sql.Float, nullable=False),
)
PARTS = (VOTES, QUESTIONS, PRESENCE, LECTURERS, CLASSES)  # in the order in which they are deleted
