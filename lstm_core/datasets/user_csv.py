"""Labelled texts from an uploaded CSV: a column of texts and one of labels, or one sentence why it is refused."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from lstm_core.datasets.csv_table import Cells, read_cells
from lstm_core.datasets.splits import Split
from lstm_core.errors import TextError

MOST_ROWS, MOST_COLUMNS, LONGEST_TEXT, LONGEST_LABEL = 50_000, 100, 20_000, 60
SAMPLE = 2000  # rows that decide which columns hold texts and labels
FEWEST_LABELS, MOST_LABELS, FEWEST_EXAMPLES = 2, 20, 10  # labels, and examples of each label
# Usual names of these columns; the first that is there is chosen.
TEXT_NAMES = ("text", "texts", "sentence", "review", "message", "question", "comment", "body", "content", "tweet")
LABEL_NAMES = ("label", "labels", "class", "category", "tag", "target", "sentiment", "topic", "answer", "y")


@dataclass(frozen=True)
class LabelledTable:
    """A table that a classifier can be trained on.

    Attributes:
        labels: their names, in alphabetical order.
        columns: names of all columns, of which `text_column` and `label_column` are read.
        left_out: the number of rows without a text or a label.
    """

    split: Split
    labels: tuple[str, ...]
    columns: tuple[str, ...]
    text_column: str
    label_column: str
    left_out: int


def read_labelled_csv(data: bytes, text_column: str = "", label_column: str = "") -> LabelledTable:
    """Read a CSV with the names of its columns in the first row.

    Args:
        data: the content of the file.
        text_column: which column holds the texts; empty to guess.
        label_column: which holds the labels; empty to guess.

    Raises:
        TextError: in one sentence, if it is no such table, or has too few or too many rows or labels.
    """
    cells = read_cells(data, MOST_ROWS, MOST_COLUMNS, strict=True)
    columns = tuple(" ".join(name.split()) for name in cells.first()[: cells.lengths[0]])
    if len(columns) < 2:
        raise TextError("The table has a single column; it needs one of texts and one of labels, with a comma between.")
    for number, length in zip(cells.numbers, cells.lengths, strict=True):
        if length != len(columns):
            first = f"where the first row has {len(columns)}"
            raise TextError(f"Row {number} has {length} cells {first}; correct that row.")
    text_at, label_at = _choose(columns, cells, text_column, label_column)
    pairs = list(zip(cells.column(text_at, start=1), cells.column(label_at, start=1), strict=True))
    kept = [(text, " ".join(name.split())) for text, name in pairs if text and name]
    texts, names = [text for text, _ in kept], [name for _, name in kept]
    if (longest := max(map(len, texts), default=0)) > LONGEST_TEXT:
        raise TextError(f"A text in the table has {longest:,} characters; {LONGEST_TEXT:,} is the most.")
    _check_labels(names, columns[label_at])
    labels, ids = np.unique(np.array(names, object), return_inverse=True)
    return LabelledTable(
        split=Split(tuple(texts), ids),
        labels=tuple(labels),
        columns=columns,
        text_column=columns[text_at],
        label_column=columns[label_at],
        left_out=len(pairs) - len(kept),
    )


def _choose(columns: tuple[str, ...], cells: Cells, text: str, label: str) -> tuple[int, int]:
    """The columns of texts and of labels: as requested, by their usual names, or by their content."""
    lower = [name.lower() for name in columns]

    def find(requested: str, usual: tuple[str, ...]) -> int | None:
        if requested:
            if requested not in columns:
                raise TextError(f"The table has no column '{requested[:60]}'; it has {', '.join(columns)[:200]}.")
            return columns.index(requested)
        return next((lower.index(name) for name in usual if name in lower), None)

    text_at, label_at = find(text, TEXT_NAMES), find(label, LABEL_NAMES)
    others = [place for place in range(len(columns)) if place not in (text_at, label_at)]
    every = max(1, len(cells.numbers) // SAMPLE)
    if text_at is None and others:  # the column with the most characters
        text_at = max(others, key=lambda place: sum(map(len, cells.column(place, 1, every))))
        others.remove(text_at)
    if label_at is None and others:  # the column with the fewest different values
        label_at = min(others, key=lambda place: len(set(cells.column(place, 1, every))))
    if text_at is None or label_at is None or text_at == label_at:
        raise TextError("Texts and labels must stand in two different columns; choose both.")
    return text_at, label_at


def _check_labels(labels: list[str], column: str) -> None:
    """TextError unless a classifier can be trained on the labels."""
    counts = Counter(labels)
    if len(counts) < FEWEST_LABELS:
        raise TextError(f"The column '{column}' has fewer than {FEWEST_LABELS} labels; there is nothing to classify.")
    if len(counts) > MOST_LABELS:
        raise TextError(
            f"The column '{column}' has {len(counts):,} different labels; {MOST_LABELS} is the most. "
            "Is it the right column?"
        )
    if longest := next((label for label in sorted(counts) if len(label) > LONGEST_LABEL), ""):
        raise TextError(f"The label '{longest[:40]}…' is too long to be a label; is '{column}' the right column?")
    label, count = min(sorted(counts.items()), key=lambda pair: pair[1])
    if count < FEWEST_EXAMPLES:
        raise TextError(
            f"The label '{label}' has {count} example{'s' * (count != 1)}; each label needs {FEWEST_EXAMPLES} or more."
        )
