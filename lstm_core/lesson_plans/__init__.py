"""Lessons: ordered views of the lab with a question and speaker's notes each, kept as TOML files.

The trainings that the studio calls lessons are in `lstm_core/training/lessons`.
"""

from lstm_core.lesson_plans.file import MAX_BYTES, read_lesson, shipped_lessons, write_lesson
from lstm_core.lesson_plans.lesson import (
    GUESSES,
    KINDS,
    MAX_STOPS,
    Lesson,
    LessonError,
    Question,
    Stop,
    relative_link,
)

__all__ = [
    "GUESSES", "KINDS", "MAX_BYTES", "MAX_STOPS", "Lesson", "LessonError", "Question", "Stop", "read_lesson",
    "relative_link", "shipped_lessons", "write_lesson",
]  # fmt: skip
