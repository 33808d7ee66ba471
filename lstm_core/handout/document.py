"""The handout of a lesson as a PDF, set by Typst from `assets/handout.typ`.

Typst (Apache-2.0) sets it in about a tenth of a second, tags it for screen readers, and has fonts with every character
of the field built in (Libertinus, OFL; DejaVu Sans Mono, free to embed). fpdf2 was compared with it: it would need a
font in this project and a layout of our own, and gives no tags.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import lstm_core
from lstm_core.errors import LabError
from lstm_core.handout.pictures import Load, picture
from lstm_core.lesson_plans import Lesson, Stop
from lstm_core.optional import library
from lstm_core.paths import ASSETS

LONGEST_CODE = 1_200  # characters of an address that a code on paper can hold and a phone can read
MOST_TEXT, MOST_LINES = 700, 14  # characters and lines of a view's text that are printed


def handout(
    lesson: Lesson, *, answers: bool = False, link: Callable[[int], str] | None = None, load: Load = lstm_core.load,
    report: Callable[[float], object] = lambda done: None,
) -> bytes:  # fmt: skip
    """A lesson's handout: of each stop its picture, question, room for an answer, and a code that leads to the view.

    Args:
        lesson: any lesson.
        answers: whether it has the answers and the speaker's notes, instead of room.
        link: the address of the view of a stop, from 0; without it there are no codes.
        load: gives a model by its name.
        report: is told the share that is done, after each picture.

    Returns:
        A PDF. A stop whose network is gone says so.

    Raises:
        MissingLibraryError: if Typst or segno isn't installed.
    """
    typst = library("typst", "app")
    stops = []
    for number, stop in enumerate(lesson.stops):
        stops.append(_stop(stop, answers, link(number) if link else "", load))
        report((number + 1) / (len(lesson.stops) + 1))
    data = {
        "title": lesson.title, "about": _plain(lesson.about), "minutes": lesson.minutes, "answers": answers,
        "stops": stops,
    }  # fmt: skip
    source = (ASSETS / "handout.typ").read_bytes()
    made: bytes = typst.compile(source, sys_inputs={"data": json.dumps(data)}, ignore_system_fonts=True)
    report(1.0)
    return made


def _stop(stop: Stop, answers: bool, address: str, load: Load) -> dict[str, Any]:
    """What the template prints of a stop; all texts are plain."""
    lack, text = "", ""
    drawings: tuple[tuple[str, str], ...] = ()
    try:
        found = picture(stop, solved=answers, load=load)
    except LabError as error:
        lack = str(error)
    else:
        if found is not None:
            text, drawings = found.text, found.drawings
    asked = stop.question
    return {
        "title": stop.title, "minutes": stop.minutes, "lack": lack,
        "text": _beginning(text),
        "drawings": [{"svg": drawing, "alt": alt} for drawing, alt in drawings],
        "prompt": _plain(asked.prompt) if asked else "",
        "choices": list(asked.choices) if asked else [],
        "answer": asked.answer if asked else "",
        "notes": _plain(stop.notes) if answers else "",
        "code": _code(address),
    }  # fmt: skip


def _beginning(text: str) -> str:
    shown = "\n".join(text.split("\n")[:MOST_LINES])[:MOST_TEXT]
    return shown if shown == text else shown.rstrip() + " …"


def _code(address: str) -> str:
    """An address as a QR code in SVG; empty if there is none or it is too long."""
    if not address or len(address) > LONGEST_CODE:
        return ""
    made = io.BytesIO()
    library("segno", "app").make_qr(address, error="l").save(made, kind="svg", border=2, xmldecl=False, svgns=True)
    return made.getvalue().decode()


def _plain(markdown: str) -> str:
    """Markdown without its marks of emphasis."""
    return markdown.replace("**", "").replace("*", "")
