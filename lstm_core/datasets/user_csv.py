"""Labelled texts from an uploaded CSV: a column of texts and one of labels, or one sentence why it is refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from lstm_core.datasets.csv_table import read_cells
from lstm_core.datasets.splits import Split
from lstm_core.errors import TextError

if TYPE_CHECKING:
    import pandas as pd

MOST_ROWS, MOST_COLUMNS, LONGEST_TEXT, LONGEST_LABEL = 50_000, 100, 20_000, 60
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
    columns = tuple(" ".join(name.split()) for name in cells.iloc[0].dropna())
    if len(columns) < 2:
        raise TextError("The table has a single column; it needs one of texts and one of labels, with a comma between.")
    lengths = cells.notna().sum(axis=1)
    for row, length in lengths[lengths != len(columns)].head(1).items():
        raise TextError(f"Row {row} has {length} cells where the first row has {len(columns)}; correct that row.")
    text_at, label_at = _choose(columns, cells.iloc[1:], text_column, label_column)
    texts, names = cells[text_at].iloc[1:], cells[label_at].iloc[1:].str.split().str.join(" ")
    kept = (texts != "") & (names != "")
    texts, names = texts[kept], names[kept]
    if (longest := texts.str.len().max()) > LONGEST_TEXT:
        raise TextError(f"A text in the table has {longest:,} characters; {LONGEST_TEXT:,} is the most.")
    _check_labels(names, columns[label_at])
    labels, ids = np.unique(names.to_numpy(object), return_inverse=True)
    return LabelledTable(
        split=Split(tuple(texts), ids),
        labels=tuple(labels),
        columns=columns,
        text_column=columns[text_at],
        label_column=columns[label_at],
        left_out=int((~kept).sum()),
    )


def _choose(columns: tuple[str, ...], rows: pd.DataFrame, text: str, label: str) -> tuple[int, int]:
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
    if text_at is None and others:
        text_at = max(others, key=lambda place: rows[place].str.len().sum())  # the column with the most characters
        others.remove(text_at)
    if label_at is None and others:
        label_at = min(others, key=lambda place: rows[place].nunique())  # the column with the fewest different values
    if text_at is None or label_at is None or text_at == label_at:
        raise TextError("Texts and labels must stand in two different columns; choose both.")
    return text_at, label_at


def _check_labels(labels: pd.Series, column: str) -> None:
    """TextError unless a classifier can be trained on the labels."""
    counts = labels.value_counts().sort_index()
    if len(counts) < FEWEST_LABELS:
        raise TextError(f"The column '{column}' has fewer than {FEWEST_LABELS} labels; there is nothing to classify.")
    if len(counts) > MOST_LABELS:
        raise TextError(
            f"The column '{column}' has {len(counts):,} different labels; {MOST_LABELS} is the most. "
            "Is it the right column?"
        )
    if longest := next((label for label in counts.index if len(label) > LONGEST_LABEL), ""):
        raise TextError(f"The label '{longest[:40]}…' is too long to be a label; is '{column}' the right column?")
    label, count = counts.idxmin(), int(counts.min())
    if count < FEWEST_EXAMPLES:
        raise TextError(
            f"The label '{label}' has {count} example{'s' * (count != 1)}; each label needs {FEWEST_EXAMPLES} or more."
        )
