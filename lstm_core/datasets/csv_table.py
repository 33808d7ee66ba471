"""Reads an uploaded CSV into a table of strings: encoding, separator, limits, and one sentence for what is refused."""

from __future__ import annotations

import csv
import io
import itertools
import re
from typing import TYPE_CHECKING

from lstm_core.errors import TextError
from lstm_core.text import plain_text

if TYPE_CHECKING:
    import pandas as pd

LARGEST_TABLE = 5_000_000  # bytes


def read_cells(data: bytes, max_rows: int, max_columns: int, strict: bool = False) -> pd.DataFrame:
    """Read a CSV separated by commas, semicolons or tabs, in any encoding that can be detected.

    Args:
        data: the content of the file.
        max_rows: the largest number of rows below the first one.
        max_columns: the largest number of columns.
        strict: whether to refuse misplaced quotation marks instead of reading them as part of a cell.

    Returns:
        (rows, columns) of stripped strings, the header included; None where a row is shorter than others. The index
        is the number of the row in the file, from 1; empty rows are left out.

    Raises:
        TextError: if the file is too large, empty, not a text, not a CSV, or has too many rows or columns.
    """
    import pandas as pd

    if len(data) > LARGEST_TABLE:
        raise TextError(
            f"The file has {len(data) / 1e6:.1f} MB; a table can have {LARGEST_TABLE / 1e6:.0f} MB at most."
        )
    try:
        text = plain_text.decoded(data)
    except TextError as error:
        raise TextError("That is not a text file; save the table as CSV in UTF-8 and choose it again.") from error
    if not text.strip():
        raise TextError("The file is empty; choose a table saved as CSV.")
    lines = csv.reader(io.StringIO(text, newline=""), delimiter=_separator(text), strict=strict)
    stripped = ((number, [cell.strip() for cell in line]) for number, line in enumerate(lines, start=1))
    try:
        rows = dict(itertools.islice(((number, row) for number, row in stripped if any(row)), max_rows + 2))
    except csv.Error as error:
        raise TextError(f"The table can't be read as CSV ({error}); save it again as CSV in UTF-8.") from error
    if not rows:
        raise TextError("The file is empty; choose a table saved as CSV.")
    if len(rows) > max_rows + 1:
        raise TextError(f"The table has more than {max_rows:,} rows; choose a part of it.")
    columns = max(map(len, rows.values()))
    if columns > max_columns:
        raise TextError(f"The table has {columns:,} columns; it can have {max_columns} at most.")
    filled = enumerate(itertools.zip_longest(*rows.values()))  # None where a row is shorter
    return pd.DataFrame(dict(filled), index=list(rows), dtype=object)


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
