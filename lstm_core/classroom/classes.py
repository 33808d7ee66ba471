"""Starting and ending a class, who leads it, and the lecturer's view."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sql

from lstm_core.classroom.codes import hashed, new_code, new_key, plain_code, shown_code
from lstm_core.classroom.schema import CLASSES, LECTURERS, PARTS, PRESENCE, ClassError
from lstm_core.database import transaction

DAY = 24 * 3600.0  # seconds after which a class ends
MOST_CLASSES = 500  # at once
MOST_LECTURERS = 10  # browsers that may lead a class
LONGEST_VIEW = 50_000  # characters of an address
FRESH = 15.0  # seconds for which a process's counts are believed
NOWHERE = "There is no class with this code now. Codes are valid for a day, or until the lecturer ends the class."


def seat(code: str, visitor: str) -> str:
    """What stands for a visitor in a class: a hash that is another one in each class."""
    return hashed(code, visitor)


def start(visitor: str) -> tuple[str, str]:
    """Start a class that this visitor leads.

    Returns:
        Its code, and the lecturer's key, which is stored nowhere.

    Raises:
        ClassError: if there are too many classes.
        DatabaseError: if the database can't be used.
    """
    code, key, now = new_code(), new_key(), time.time()
    with transaction() as rows:
        _forget(rows, CLASSES.c.ends <= now)
        if (rows.scalar(sql.select(sql.func.count()).select_from(CLASSES)) or 0) >= MOST_CLASSES:
            raise ClassError(f"This server has {MOST_CLASSES} classes already; try again when some of them have ended.")
        values: dict[str, Any] = {"code": code, "key": hashed(code, key), "begun": now, "ends": now + DAY, "view": ""}
        values |= {"news": 0, "step": 0, "asked": 0, "round": 1, "open": False, "shown": False, "revealed": False}
        rows.execute(CLASSES.insert().values(values))
        rows.execute(LECTURERS.insert().values(code=code, seat=seat(code, visitor)))
    return code, shown_code(key)


def admit_lecturer(code: str, key: str, visitor: str) -> None:
    """Let a visitor lead a class whose key they have typed.

    Raises:
        ClassError: if it isn't the key of this class, or too many lead it.
        DatabaseError: if the database can't be used.
    """
    with transaction() as rows:
        found = rows.scalar(sql.select(CLASSES.c.key).where(running(code)))
        if found is None:
            raise ClassError(NOWHERE)
        if not hmac.compare_digest(found, hashed(code, plain_code(key))):
            raise ClassError("This is not the key of this class. It has 20 letters and digits in four groups of five.")
        seats = set(rows.scalars(sql.select(LECTURERS.c.seat).where(LECTURERS.c.code == code)))
        if seat(code, visitor) not in seats:
            if len(seats) >= MOST_LECTURERS:
                raise ClassError(f"{MOST_LECTURERS} browsers lead this class already.")
            rows.execute(LECTURERS.insert().values(code=code, seat=seat(code, visitor)))


def is_lecturer(code: str, visitor: str) -> bool:
    """Whether a visitor leads a class; DatabaseError if the database can't be used."""
    mine = (LECTURERS.c.code == code) & (LECTURERS.c.seat == seat(code, visitor))
    with transaction() as rows:
        return rows.scalar(sql.select(LECTURERS.c.code).where(mine)) is not None


def running(code: str) -> sql.ColumnElement[bool]:
    """The condition that a class of that code goes on."""
    return (CLASSES.c.code == code) & (CLASSES.c.ends > time.time())


def change(rows: sql.Connection, code: str, lecturer: str, condition: Any = None, **values: Any) -> bool:
    """Change the row of a class for its lecturer, first of all in a transaction: what follows has the class to itself.

    Args:
        rows: the connection.
        code: of the class.
        lecturer: the visitor who asks for it.
        condition: what must hold of the row, or None.
        **values: new values of its columns.

    Returns:
        Whether it was changed; False where the condition doesn't hold.

    Raises:
        ClassError: if there is no such class, or the visitor doesn't lead it.
    """
    leads = sql.exists().where((LECTURERS.c.code == code) & (LECTURERS.c.seat == seat(code, lecturer)))
    where = running(code) & leads
    if condition is not None:
        where = where & condition
    done = rows.execute(CLASSES.update().where(where).values(news=CLASSES.c.news + 1, **values)).rowcount
    if not done:
        if rows.scalar(sql.select(CLASSES.c.code).where(running(code))) is None:
            raise ClassError(NOWHERE)
        if not rows.scalar(sql.select(leads)):
            raise ClassError("Only the lecturer of this class can do this; enter the lecturer's key first.")
    return bool(done)


def write_view(code: str, lecturer: str, view: str) -> None:
    """Let everybody who follows see the lecturer's view.

    Args:
        code: of the class.
        lecturer: the visitor who shows it.
        view: a page and its settings, as in `lesson_plans.Stop.link`: "question_tags?signal=f".

    Raises:
        ClassError: if this is no view, there is no such class, or the visitor doesn't lead it.
        DatabaseError: if the database can't be used.
    """
    if len(view) > LONGEST_VIEW or not re.fullmatch(r"[a-z0-9_]{0,60}(\?[^\s#]*)?", view):
        raise ClassError("This is not the address of a page.")
    with transaction() as rows:
        change(rows, code, lecturer, CLASSES.c.view != view, view=view, step=CLASSES.c.step + 1)


def write_presence(process: str, counts: Mapping[str, tuple[int, int]]) -> None:
    """Note how many visitors of a web process are in each class, and how many follow; DatabaseError.

    Args:
        process: a name of the process.
        counts: code → who is here, who follows.
    """
    with transaction() as rows:
        for code, (here, following) in counts.items():
            mine = (PRESENCE.c.code == code) & (PRESENCE.c.process == process)
            values: dict[str, Any] = {"here": here, "following": following, "seen": time.time()}
            if not rows.execute(PRESENCE.update().where(mine).values(values)).rowcount:
                there = sql.select(CLASSES.c.code, *map(sql.literal, (process, here, following, time.time())))
                names = ["code", "process", "here", "following", "seen"]
                rows.execute(PRESENCE.insert().from_select(names, there.where(running(code))))


def end(code: str, lecturer: str) -> None:
    """End a class and delete all that belongs to it; ClassError or DatabaseError as `write_view`."""
    with transaction() as rows:
        change(rows, code, lecturer)
        _forget(rows, CLASSES.c.code == code)


def forget_ended() -> int:
    """Delete all that belongs to classes that have ended; returns how many there were. DatabaseError."""
    with transaction() as rows:
        return _forget(rows, CLASSES.c.ends <= time.time())


def _forget(rows: sql.Connection, condition: Any) -> int:
    codes = list(rows.scalars(sql.select(CLASSES.c.code).where(condition)))
    for part in PARTS if codes else ():  # SQLite deletes no dependent rows by itself
        rows.execute(part.delete().where(part.c.code.in_(codes)))
    return len(codes)
