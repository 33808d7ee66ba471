"""Reads an uploaded CSV into rows of strings: encoding, separator, limits, and one sentence for what is refused."""

from __future__ import annotations

import csv
import io
import itertools
import re
from dataclasses import dataclass

from lstm_core.errors import TextError
from lstm_core.text import plain_text

LARGEST_TABLE = 5_000_000  # bytes
LINES_A_ROW = 3  # so many lines are read for each row that is allowed, as some programs write empty ones between
PART = 256  # lines at a time: the memory of all cells at once would stay with the process, in pieces
BETWEEN = "\x1f"  # the unit separator, which is in no cell: it is read as a blank


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a CSV, column by column; empty rows are left out.

    Attributes:
        columns: the cells of each column as they stand in the file, the first row's included, with `BETWEEN` between
            them, and "" where a row is shorter: one string takes a tenth of the memory of its cells.
        numbers: (rows,) the number of each row in the file, from 1.
        lengths: (rows,) how many cells each row has.
    """

    columns: tuple[str, ...]
    numbers: list[int]
    lengths: list[int]

    def column(self, index: int, start: int = 0, every: int = 1) -> list[str]:
        """The stripped cells of a column.

        Args:
            index: of the column.
            start: the first row.
            every: only each row of that distance, as a sample.
        """
        return [cell.strip() for cell in self.columns[index].split(BETWEEN)[start::every]]

    def first(self) -> list[str]:
        """(columns,) the stripped cells of the first row."""
        return [column.partition(BETWEEN)[0].strip() for column in self.columns]


def read_cells(data: bytes, max_rows: int, max_columns: int, strict: bool = False) -> Cells:
    """Read a CSV separated by commas, semicolons or tabs, in any encoding that can be detected.

    Args:
        data: the content of the file.
        max_rows: the largest number of rows below the first one; no more are read.
        max_columns: the largest number of columns.
        strict: whether to refuse misplaced quotation marks instead of reading them as part of a cell.

    Raises:
        TextError: if the file is too large, empty, not a text, not a CSV, or has too many rows or columns.
    """
    if len(data) > LARGEST_TABLE:
        raise TextError(
            f"The file has {len(data) / 1e6:.1f} MB; a table can have {LARGEST_TABLE / 1e6:.0f} MB at most."
        )
    try:
        text = plain_text.decoded(data).replace(BETWEEN, " ")
    except TextError as error:
        raise TextError("That is not a text file; save the table as CSV in UTF-8 and choose it again.") from error
    if not text.strip():
        raise TextError("The file is empty; choose a table saved as CSV.")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=strict)
    most_lines, line = LINES_A_ROW * (max_rows + 1), 0
    numbers: list[int] = []
    lengths: list[int] = []
    parts: list[tuple[int, list[str]]] = []  # the number of rows, and the columns
    try:
        while part := list(itertools.islice(lines, min(PART, most_lines + 1 - line))):
            rows = {number: row for number, row in enumerate(part, line + 1) if any(map(str.strip, row))}
            line += len(part)
            numbers += rows
            lengths += map(len, rows.values())
            if len(numbers) > max_rows + 1:
                raise TextError(f"The table has more than {max_rows:,} rows; choose a part of it.")
            if line > most_lines:
                problem = f"more than {most_lines:,} lines, most of them empty"
                raise TextError(f"The table has {problem}; delete the empty ones.")
            if rows and (width := max(lengths[-len(rows) :])) > max_columns:
                raise TextError(f"The table has {width:,} columns; it can have {max_columns} at most.")
            if rows:
                columns = itertools.zip_longest(*rows.values(), fillvalue="")
                parts.append((len(rows), [BETWEEN.join(column) for column in columns]))
    except csv.Error as error:
        raise TextError(f"The table can't be read as CSV ({error}); save it again as CSV in UTF-8.") from error
    if not numbers:
        raise TextError("The file is empty; choose a table saved as CSV.")
    whole = (
        BETWEEN.join(columns[index] if index < len(columns) else BETWEEN * (rows - 1) for rows, columns in parts)
        for index in range(max(lengths))
    )
    return Cells(tuple(whole), numbers, lengths)


def _separator(text: str) -> str:
    """The one of tab, semicolon and comma that occurs equally often in most of the first lines."""
    head = "\n".join(text.lstrip("\n").split("\n", 60)[:60])
    lines = [line for line in re.sub(r'"[^"]*"', "", head).split("\n") if line.strip()] or [head]

    def score(separator: str) -> tuple[bool, bool, int]:
        counts = [line.count(separator) for line in lines]
        usual = max(set(counts), key=counts.count)
        agrees = usual > 0 and counts.count(usual) >= 0.8 * len(counts)
        # A decimal comma is in nearly every line, too: among separators that agree, the order below decides.
        return agrees, counts[0] > 0, 0 if agrees else sum(counts)

    return max("\t;,", key=score)
