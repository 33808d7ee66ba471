"""Lessons as TOML files: reading with errors that name the line and the reason, writing, and those that ship."""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any

from lstm_core.lesson_plans.lesson import Lesson, LessonError, Question, Stop
from lstm_core.optional import library
from lstm_core.paths import LESSONS

MAX_BYTES = 400_000
Part = tuple[str | int, ...]  # the way to a value of the file: keys of tables and numbers of a list
_STRINGS = re.compile(
    r'"""(?:\\.|[^\\])*?"""|\'\'\'.*?\'\'\'|"(?:\\.|[^"\\\n])*"|\'[^\'\n]*\'|#[^\n]*', re.DOTALL
)  # and comments


def read_lesson(content: str | bytes) -> Lesson:
    """The lesson in the content of a TOML file.

    Raises:
        LessonError: if it is damaged or holds what a lesson can't have: "Line 12: kind is 'quiz'; it can be …".
    """
    data = content.encode("utf-8", "replace") if isinstance(content, str) else content
    if len(data) > MAX_BYTES:
        raise LessonError(f"The file has {len(data):,} bytes; a lesson can have {MAX_BYTES:,}.")
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise LessonError(f"Line {line}: the file isn't text in UTF-8; save it as UTF-8.") from error
    try:
        return _lesson(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise LessonError(_in_words(str(error), text)) from error
    except RecursionError as error:
        raise LessonError("The file has too many tables inside each other.") from error
    except LessonError as error:
        raise LessonError(f"Line {_line(text, error.part)}: {error}", *error.part) from error


def write_lesson(lesson: Lesson) -> str:
    """The lesson as a TOML file; what is empty is left out. `read_lesson` gives the same lesson."""
    return library("tomli_w", "app").dumps(_without_empty(asdict(lesson)), multiline_strings=True)


@lru_cache(maxsize=1)
def shipped_lessons() -> Mapping[str, Lesson]:
    """The lessons that ship, in the order of their length: name of the file → lesson."""
    found = {path.stem: read_lesson(path.read_bytes()) for path in LESSONS.glob("*.toml")}
    return dict(sorted(found.items(), key=lambda each: (each[1].minutes, each[0])))


def _lesson(table: dict[str, Any]) -> Lesson:
    _only(table, Lesson)
    stops = table.get("stops", [])
    if not isinstance(stops, list):
        raise LessonError("stops are tables, each with title and link.", "stops")
    made = tuple(_stop(stop, "stops", number) for number, stop in enumerate(stops))
    return _make(Lesson, {"minutes": sum(stop.minutes for stop in made)} | table | {"stops": made})


def _stop(table: Any, *part: str | int) -> Stop:
    _only(table, Stop, *part)
    question = table.get("question")
    if question is not None:
        _only(question, Question, *part, "question")
        question = _make(Question, question, *part, "question")
    return _make(Stop, table | {"question": question}, *part)


def _make(kind: Any, table: dict[str, Any], *part: str | int) -> Any:
    """A dataclass from a table, with lists as tuples; its error says where in the file."""
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in table.items()}
    try:
        return kind(**values)
    except LessonError as error:
        raise LessonError(str(error), *part, *error.part) from error


def _only(table: Any, kind: type, *part: str | int) -> None:
    """LessonError if it is no table, or has a key that there isn't, or lacks one without a default."""
    known = {field.name: field for field in fields(kind)}
    noun = kind.__name__.lower()
    if not isinstance(table, dict):
        raise LessonError(f"A {noun} is a table, such as [[{noun}s]] begins.", *part)
    for name in table:
        if name not in known:
            raise LessonError(f"A {noun} has no {name[:60]!r}; it has {', '.join(known)}.", *part, name)
    for name in {"Lesson": ["title"], "Stop": ["title", "link"], "Question": ["kind", "prompt"]}[kind.__name__]:
        if name not in table:
            raise LessonError(f"This {noun} has no {name}.", *part)


def _line(text: str, part: Part) -> int:
    """The number of the line on which a value of a valid file begins, or else what it is in: its table."""
    bare = _STRINGS.sub(lambda found: '""' + "\n" * found[0].count("\n"), text)
    table: Part = ()
    line, depth = 1, 0
    times: Counter[str] = Counter()  # how often each [[table]] has begun
    for number, content in enumerate(bare.split("\n"), 1):
        if header := re.match(r"\s*(\[\[?)([\w.\- \t]+)\]", content):
            first, *names = (name.strip() for name in header[2].split("."))
            times[first] += header[1] == "[[" and not names
            here = table = (first, times[first] - 1, *names)
        elif key := re.match(r"\s*([\w.\- \t]+?)\s*=", content):
            here = (*table, *(name.strip() for name in key[1].split(".")))
        else:
            continue
        same = min(len(here), len(part))
        if same > depth and here[:same] == part[:same]:
            line, depth = number, same
    return line


def _in_words(error: str, text: str) -> str:
    """The error of tomllib, such as "Unclosed array (at line 3, column 5)", with the line first."""
    if found := re.search(r"^(.*) \(at line (\d+), column \d+\)$", error, re.DOTALL):
        return f"Line {found[2]}: {found[1]}."
    last = text.rstrip().count("\n") + 1
    return f"Line {last}: {error.removesuffix(' (at end of document)')}, at the end of the file."


def _without_empty(value: Any) -> Any:
    if isinstance(value, dict):
        return {
            name: _without_empty(each)
            for name, each in value.items()
            if name == "link" or each not in ("", None, (), 0)
        }
    return [_without_empty(each) for each in value] if isinstance(value, tuple) else value
