"""Labelled texts that somebody brings along: a CSV with a column of texts and a column of labels, or one clear refusal.

A running text is taken in by `text/plain_text.py`. What is learnt from either is in `training/lessons/data.py`.
"""

from __future__ import annotations

import csv
import io
import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.datasets.splits import Split
from lstm_core.errors import TextError
from lstm_core.text.plain_text import decoded

LARGEST = 5_000_000  # bytes
MOST_ROWS, MOST_COLUMNS, LONGEST_TEXT, LONGEST_LABEL = 50_000, 100, 20_000, 60
FEWEST_LABELS, MOST_LABELS, FEWEST_EXAMPLES = 2, 20, 10  # labels, and examples of each label
# What people call these columns; the first that is there is taken.
TEXT_NAMES = ("text", "texts", "sentence", "review", "message", "question", "comment", "body", "content", "tweet")
LABEL_NAMES = ("label", "labels", "class", "category", "tag", "target", "sentiment", "topic", "answer", "y")


@dataclass(frozen=True)
class OwnTexts:
    """A table that can be learnt from.

    Attributes:
        split: its texts and labels.
        labels: names of the labels, in alphabetical order.
        columns: all columns of the table.
        text_column: the one that was taken for texts.
        label_column: the one that was taken for labels.
        left_out: rows without a text or a label.
    """

    split: Split
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    text_column: str
    label_column: str
    left_out: int


def read_labelled_csv(data: bytes, text_column: str = "", label_column: str = "") -> OwnTexts:
    """Take in a CSV, separated by commas, semicolons or tabs, with the names of its columns in the first line.

    Args:
        data: the file.
        text_column: which column holds the texts; empty to guess.
        label_column: which holds the labels; empty to guess.

    Raises:
        TextError: in one sentence, if it is no such table, or has too few or too many rows or labels.
    """
    columns, rows = _table(data)
    text_at, label_at = _choose(columns, rows, text_column, label_column)
    pairs = [(row[text_at].strip(), " ".join(row[label_at].split())) for row in rows]
    kept = [(text, label) for text, label in pairs if text and label]
    if longest := next((len(text) for text, _ in kept if len(text) > LONGEST_TEXT), 0):
        raise TextError(f"A text in the table has {longest:,} characters; {LONGEST_TEXT:,} is the most.")
    labels = _checked_labels(Counter(label for _, label in kept), columns[label_at])
    places = {label: number for number, label in enumerate(labels)}
    return OwnTexts(
        split=Split(tuple(text for text, _ in kept), np.array([places[label] for _, label in kept])),
        labels=labels,
        columns=columns,
        text_column=columns[text_at],
        label_column=columns[label_at],
        left_out=len(pairs) - len(kept),
    )


def _table(data: bytes) -> tuple[tuple[str, ...], list[list[str]]]:
    """(names of the columns, rows of that many cells)."""
    if not data.strip():
        raise TextError("The file is empty; choose a CSV with a column of texts and a column of labels.")
    if len(data) > LARGEST:
        raise TextError(f"That is {len(data) / 1e6:.1f} MB; a table can have {LARGEST / 1e6:.0f} MB at most.")
    text = decoded(data)
    first = text.lstrip("\n\r").split("\n", 1)[0]
    separator = max(",;\t", key=first.count)
    if not first.count(separator):
        raise TextError("The table has a single column; it needs one of texts and one of labels, with a comma between.")
    try:
        lines = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
        found = list(itertools.islice((line for line in lines if any(map(str.strip, line))), MOST_ROWS + 2))
    except csv.Error as error:
        raise TextError(f"The table can't be read as CSV ({error}); save it again as CSV in UTF-8.") from error
    columns = tuple(" ".join(name.split()) for name in found[0])
    if len(found) > MOST_ROWS + 1:
        raise TextError(f"The table has more than {MOST_ROWS:,} rows; take a part of it.")
    if len(columns) > MOST_COLUMNS:
        raise TextError(f"The table has {len(columns)} columns; {MOST_COLUMNS} is the most.")
    for number, row in enumerate(found[1:], start=2):
        if len(row) != len(columns):
            raise TextError(
                f"Row {number} has {len(row)} cells where the first line has {len(columns)}; mend that row."
            )
    return columns, found[1:]


def _choose(columns: tuple[str, ...], rows: Sequence[Sequence[str]], text: str, label: str) -> tuple[int, int]:
    """Where texts and labels are: as asked for, by their usual names, or by what stands in them."""
    lower = [name.lower() for name in columns]

    def find(asked: str, usual: tuple[str, ...]) -> int | None:
        if asked:
            if asked not in columns:
                raise TextError(f"The table has no column '{asked[:60]}'; it has {', '.join(columns)[:200]}.")
            return columns.index(asked)
        return next((lower.index(name) for name in usual if name in lower), None)

    text_at, label_at = find(text, TEXT_NAMES), find(label, LABEL_NAMES)
    others = [place for place in range(len(columns)) if place not in (text_at, label_at)]
    sizes = {place: (sum(len(row[place]) for row in rows), len({row[place] for row in rows})) for place in others}
    if text_at is None and others:
        text_at = max(others, key=lambda place: sizes[place][0])  # the column with the most in it
        others.remove(text_at)
    if label_at is None and others:
        label_at = min(others, key=lambda place: sizes[place][1])  # the column with the fewest different values
    if text_at is None or label_at is None or text_at == label_at:
        raise TextError("Texts and labels must stand in two different columns; choose both.")
    return text_at, label_at


def _checked_labels(counts: Counter[str], column: str) -> tuple[str, ...]:
    """The labels in order; TextError unless they can be told apart by learning."""
    if len(counts) < FEWEST_LABELS:
        raise TextError(f"The column '{column}' has fewer than {FEWEST_LABELS} labels; there is nothing to tell apart.")
    if len(counts) > MOST_LABELS:
        raise TextError(
            f"The column '{column}' has {len(counts):,} different labels; {MOST_LABELS} is the most. "
            "Is it the right column?"
        )
    if longest := next((label for label in counts if len(label) > LONGEST_LABEL), ""):
        raise TextError(f"The label '{longest[:40]}…' is too long to be a label; is '{column}' the right column?")
    label, count = min(counts.items(), key=lambda item: (item[1], item[0]))
    if count < FEWEST_EXAMPLES:
        raise TextError(
            f"The label '{label}' has {count} example{'s' * (count != 1)}; each label needs {FEWEST_EXAMPLES} or more."
        )
    return tuple(sorted(counts))
