"""What a lesson is made of. Whatever is made is checked at once, whether it comes from a file, a form or a program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lstm_core.errors import LabError

# Guesses whose answer is the network's run on the view → the question.
GUESSES = {
    "winner": "Which answer will win?",
    "turning_token": "Which token turns the answer?",
    "gate_closed": "Will the answer change with this gate closed?",
    "bits": "How many bits of the number survive?",
    "which_network": "Which network learns this task?",
    "next": "What comes next?",
    "page": "The question that the page asks itself",
}
KINDS = {"choice": "Multiple choice", "text": "Free text", **GUESSES}
MAX_STOPS, MAX_CHOICES, MAX_HIDDEN, MAX_MINUTES = 60, 8, 40, 600
MAX_TITLE, MAX_SENTENCE, MAX_NOTES, MAX_LINK = 120, 600, 6_000, 50_000  # characters


class LessonError(LabError):
    """A lesson can't be used; `part` is where: a key, or a key and a number, such as ("stops", 2, "link")."""

    def __init__(self, message: str, *part: str | int) -> None:
        """`message` is one sentence."""
        super().__init__(message)
        self.part = part


@dataclass(frozen=True)
class Question:
    """A question on a view.

    Attributes:
        kind: one of `KINDS`.
        prompt: what is asked, in Markdown.
        choices: 2 to 8 different answers for "choice"; none for "text"; for a guess, those that the view has if empty.
        answer: one of the choices, or without choices a sentence; empty for an opinion or for what the view computes.
    """

    kind: str
    prompt: str
    choices: tuple[str, ...] = ()
    answer: str = ""

    def __post_init__(self) -> None:
        """Check every part; LessonError if one can't be used."""
        if self.kind not in KINDS:
            raise LessonError(f"kind is {_shown(self.kind)}; it can be {', '.join(KINDS)}.", "kind")
        _text("prompt", self.prompt, MAX_SENTENCE, filled=True)
        _texts("choices", self.choices, MAX_CHOICES)
        _text("answer", self.answer, MAX_SENTENCE)
        if len(set(self.choices)) < len(self.choices):
            raise LessonError("choices has the same answer twice.", "choices")
        if self.kind == "text" and self.choices:
            raise LessonError("A question of kind text has no choices.", "choices")
        if len(self.choices) == 1 or (self.kind == "choice" and not self.choices):
            raise LessonError(f"choices has {len(self.choices)}; there must be at least 2.", "choices")
        if self.choices and self.answer and self.answer not in self.choices:
            raise LessonError(f"answer is {_shown(self.answer)}, which is not among the choices.", "answer")


@dataclass(frozen=True)
class Stop:
    """A view of the lab in a lesson.

    Attributes:
        title: one line.
        link: a page and its settings, without a host: "question_tags?signal=f&text=…"; "" is the home page.
        question: what is asked at this stop, if anything.
        notes: for the speaker, in Markdown; students don't see them.
        hide: the names of the controls and panels that the page doesn't show.
        minutes: how long the stop takes; 0 if that isn't planned.
    """

    title: str
    link: str
    question: Question | None = None
    notes: str = ""
    hide: tuple[str, ...] = ()
    minutes: int = 0

    def __post_init__(self) -> None:
        """Check every part; LessonError if one can't be used."""
        _text("title", self.title, MAX_TITLE, filled=True)
        _text("link", self.link, MAX_LINK)
        if not re.fullmatch(r"[a-z0-9_]{0,60}(\?[^\s#]*)?", self.link):
            raise LessonError(
                f"link is {_shown(self.link)}; it is a page and its settings, such as question_tags?signal=f.", "link"
            )
        if self.question is not None and not isinstance(self.question, Question):
            raise LessonError("question is a table with kind and prompt.", "question")
        _text("notes", self.notes, MAX_NOTES)
        _texts("hide", self.hide, MAX_HIDDEN)
        if wrong := [name for name in self.hide if not re.fullmatch(r"[a-z0-9_]{1,60}", name)]:
            raise LessonError(f"hide has {_shown(wrong[0])}, which is no name of a control.", "hide")
        _minutes(self.minutes)


@dataclass(frozen=True)
class Lesson:
    """Views in the order in which they are shown.

    Attributes:
        title: one line.
        minutes: how long it takes; 0 if that isn't planned.
        stops: 1 to 60.
        about: a sentence or two on what the lesson is for, in Markdown.
    """

    title: str
    minutes: int
    stops: tuple[Stop, ...]
    about: str = ""

    def __post_init__(self) -> None:
        """Check every part; LessonError if one can't be used."""
        _text("title", self.title, MAX_TITLE, filled=True)
        _minutes(self.minutes)
        _text("about", self.about, MAX_SENTENCE)
        if not isinstance(self.stops, tuple) or not all(isinstance(stop, Stop) for stop in self.stops):
            raise LessonError("stops are tables, each with title and link.", "stops")
        if not 1 <= len(self.stops) <= MAX_STOPS:
            raise LessonError(f"The lesson has {len(self.stops)} stops; it can have 1 to {MAX_STOPS}.", "stops")


def relative_link(address: str) -> str:
    """The page and settings of an address of any server: "https://lab.example/word_order?text=a" → "word_order?text=a".

    Raises:
        LessonError: if the address is of no page.
    """
    try:
        parts = urlsplit(address.strip())
    except ValueError as error:
        raise LessonError(f"link is {_shown(address)}, which is no address.", "link") from error
    link = parts.path.rstrip("/").rpartition("/")[2] + (f"?{parts.query}" if parts.query else "")
    return Stop("link", link).link


def _text(name: str, value: object, most: int, filled: bool = False) -> None:
    if not isinstance(value, str):
        raise LessonError(f"{name} is {_shown(value)}; it must be a text in quotes.", name)
    if filled and not value.strip():
        raise LessonError(f"{name} is empty.", name)
    if len(value) > most:
        raise LessonError(f"{name} has {len(value):,} characters; there can be {most:,}.", name)
    if name == "title" and not value.isprintable():
        raise LessonError("title must be one line.", name)


def _texts(name: str, values: Sequence[object], most: int) -> None:
    if not isinstance(values, tuple):
        raise LessonError(f"{name} is {_shown(values)}; it must be a list of texts.", name)
    if len(values) > most:
        raise LessonError(f"{name} has {len(values)} entries; there can be {most}.", name)
    for value in values:
        _text(name, value, MAX_SENTENCE, filled=True)


def _minutes(value: object) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= MAX_MINUTES:
        raise LessonError(f"minutes is {_shown(value)}; it can be a whole number from 0 to {MAX_MINUTES}.", "minutes")


def _shown(value: object) -> str:
    return repr(value if not isinstance(value, str) or len(value) <= 60 else value[:60] + "…")
