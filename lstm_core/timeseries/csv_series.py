"""Reads a CSV that somebody brings along: which column is the date, which the values, and what is wrong with them.

Everything that is refused is refused in one sentence that says how to mend it; everything that is changed is said in
`notes`. Dates and numbers are in `timeseries/csv_cells.py`, bytes become text in `text/plain_text.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import TextError
from lstm_core.text import plain_text
from lstm_core.timeseries import csv_cells
from lstm_core.timeseries.backtest import SeriesError
from lstm_core.timeseries.csv_cells import Calendar
from lstm_core.timeseries.series import Series

LARGEST_TABLE = 5_000_000  # bytes
MOST_COLUMNS, MOST_ROWS, MOST_VALUES = 200, 100_000, 4000
SHORTEST_SERIES = 50  # values: below, no part is long enough for anything
MOST_MISSING = 0.3  # share of values that may be carried forward
GAPS = {"carry": "Carry the last value forward", "skip": "Go on as if nothing were missing"}


@dataclass(frozen=True)
class Table:
    """A CSV as text: a header and rows of equal length, and what its columns could be.

    Attributes:
        header: (columns,) names; "column 1" and so on where there are none.
        rows: each (columns,) of stripped text.
        first_row: the line of the file in which the rows begin, for messages; from 1.
        dates: the columns that hold dates.
        numbers: the columns that hold numbers and no dates.
    """

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    first_row: int
    dates: tuple[int, ...]
    numbers: tuple[int, ...]

    def column(self, index: int) -> list[str]:
        """The cells of a column, from the top."""
        return [row[index] for row in self.rows]


@dataclass(frozen=True)
class Found:
    """A series out of a table, and what was done to get it, a sentence each."""

    series: Series
    notes: tuple[str, ...]


def read_table(data: bytes) -> Table:
    """Take in an upload: comma, semicolon or tab; any encoding that can be told.

    Raises:
        SeriesError: if it is too large, empty, no text, no table, or has no column of dates or none of numbers.
    """
    if len(data) > LARGEST_TABLE:
        raise SeriesError(
            f"That file has {len(data) / 1e6:,.0f} MB; a series can have {LARGEST_TABLE / 1e6:.0f} MB at most."
        )
    if not data.strip():
        raise SeriesError("The file is empty; choose a CSV with a column of dates and a column of values.")
    try:
        text = plain_text.decoded(data)
    except TextError as error:
        raise SeriesError("That is not a text file; save your table as CSV and choose it again.") from error
    header, rows, first_row = _cells(text)
    columns = [[row[index] for row in rows] for index in range(len(header))]
    dates = tuple(index for index, cells in enumerate(columns) if csv_cells.date_format(cells))
    numbers = tuple(index for index, cells in enumerate(columns) if index not in dates[:1] and _mostly_numbers(cells))
    if not dates:
        raise SeriesError(
            f"No column holds dates; the columns are {_listed(header)}. Write dates as 2024-01-31 or 31.01.2024."
        )
    if len(header) < 2:
        raise SeriesError("There is a single column; a series needs a column of dates and a column of values.")
    if not numbers:
        raise SeriesError(f"Beside the dates no column holds numbers; the columns are {_listed(header)}.")
    return Table(header, rows, first_row, dates, numbers)


def _cells(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...], int]:
    """Header, rows, and the line in which the rows begin."""
    separator = _separator(text)
    try:
        rows = [
            (number, [cell.strip() for cell in row])
            for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=separator), start=1)
            if any(cell.strip() for cell in row)
        ]
    except csv.Error as error:
        raise SeriesError(f"The file is no CSV ({error}); save your table as CSV and choose it again.") from error
    if len(rows) > MOST_ROWS:
        raise SeriesError(f"The file has {len(rows):,} rows; a series can have {MOST_ROWS:,} at most.")
    if not rows:
        raise SeriesError("The file is empty; choose a CSV with a column of dates and a column of values.")
    width = max(len(row) for _, row in rows)
    if width > MOST_COLUMNS:
        raise SeriesError(f"The file has {width:,} columns; a series can have {MOST_COLUMNS} at most.")
    first = rows[0][1]
    named = not any(csv_cells.is_number(cell) or csv_cells.is_date(cell) for cell in first)
    header = [cell[:60] or f"column {index + 1}" for index, cell in enumerate(first)] if named else []
    header += [f"column {index + 1}" for index in range(len(header), width)]
    body = rows[1:] if named else rows
    if not body:
        raise SeriesError("The file holds a header and no rows.")
    return tuple(header), tuple(tuple(row + [""] * (width - len(row))) for _, row in body), body[0][0]


def _separator(text: str) -> str:
    """The one of tab, semicolon and comma that gives the same number of columns in most of the first lines."""
    lines = [line for line in text.split("\n", 60)[:60] if line.strip()]

    def agrees(separator: str) -> bool:
        counts = [line.count(separator) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return usual > 0 and counts.count(usual) >= 0.8 * len(counts)

    # A decimal comma is in nearly every line, too: a tab or a semicolon that agrees as well wins.
    return max("\t;,", key=lambda separator: (agrees(separator), agrees(separator) or text.count(separator)))


def _mostly_numbers(cells: Sequence[str]) -> bool:
    given = [cell for cell in cells if not csv_cells.is_missing(cell)]
    return bool(given) and sum(map(csv_cells.is_number, given)) > len(given) / 2


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def series_from_table(table: Table, date: int, value: int, gaps: str = "carry", name: str = "own") -> Found:
    """The series in two columns: in the order of time, one value a step, nothing missing.

    Args:
        table: from `read`.
        date: the column of dates.
        value: the column of values.
        gaps: what to do where values or dates are missing, a key of `GAPS`. Nothing is ever filled from the future.
        name: of the series.

    Raises:
        SeriesError: naming the row, for a date or a value that can't be read; for too few values, too many missing
            ones, and values that never change.
    """
    if date == value:
        raise SeriesError("The dates and the values can't be the same column; choose two.")
    moments, values = _moments(table, date), _values(table, value)
    notes: list[str] = []
    moments, values = _in_order(moments, values, notes)
    _long_enough(int(np.isfinite(values).sum()))
    calendar = Calendar.of(moments)
    places = calendar.places(moments)
    moments, values = _without_gaps(moments, values, places, calendar, gaps, notes)
    if len(values) > MOST_VALUES:
        notes.append(f"Of {len(values):,} values the last {MOST_VALUES:,} are used.")
        moments, values = moments[-MOST_VALUES:], values[-MOST_VALUES:]
    if values.min() == values.max():
        raise SeriesError(f"All values are {values[0]:g}: a series that never changes needs no forecast.")
    title = table.header[value]
    about = "Your own file; it stays in your session and is sent nowhere else."
    return Found(Series(name, title, moments, values, calendar.season, calendar.step, about), tuple(notes))


def _moments(table: Table, index: int) -> Array:
    cells = table.column(index)
    form = csv_cells.date_format(cells)
    if form is None:
        raise SeriesError(f"The column {_listed([table.header[index]])} holds no dates; choose another one.")
    moments = []
    for row, cell in enumerate(cells):
        moment = form.read(cell)
        if moment is None:
            what = f"holds “{cell[:30]}” where a date should be" if cell else "has no date"
            raise SeriesError(f"Row {table.first_row + row} {what}; mend or delete it.")
        moments.append(moment)
    return np.array(moments, "datetime64[s]")


def _values(table: Table, index: int) -> Array:
    cells = table.column(index)
    comma = csv_cells.has_decimal_comma(cells)
    values = []
    for row, cell in enumerate(cells):
        number = np.nan if csv_cells.is_missing(cell) else csv_cells.number(cell, comma)
        if number is None:
            where = f"Row {table.first_row + row} holds “{cell[:30]}” in the column “{table.header[index]}”"
            raise SeriesError(f"{where}, which is no number; mend the row, or leave the cell empty.")
        if np.isinf(number) or abs(number) > 1e30:
            raise SeriesError(f"Row {table.first_row + row} holds a value without end; mend the row or empty the cell.")
        values.append(number)
    return np.array(values, float)


def _in_order(moments: Array, values: Array, notes: list[str]) -> tuple[Array, Array]:
    """Sorted by time, the last of those with the same date kept."""
    if (np.diff(moments) < np.timedelta64(0, "s")).any():
        notes.append("The rows were not in the order of time; they are now.")
        order = np.argsort(moments, kind="stable")
        moments, values = moments[order], values[order]
    last = np.append(np.diff(moments) != np.timedelta64(0, "s"), True)
    if not last.all():
        twice = int((~last).sum())
        notes.append(f"{_count(twice, 'row has', 'rows have')} a date that comes again further down; the last counts.")
    return moments[last], values[last]


def _long_enough(count: int) -> None:
    if count < SHORTEST_SERIES:
        raise SeriesError(
            f"{_count(count, 'value is', 'values are')} too few to train on and to test on; "
            f"a series needs {SHORTEST_SERIES} or more."
        )


def _without_gaps(
    moments: Array, values: Array, places: Array | None, calendar: Calendar, gaps: str, notes: list[str]
) -> tuple[Array, Array]:
    """One value a step; `places` are the steps of the calendar, None where dates follow none."""
    known = np.isfinite(values)
    lead = int(known.argmax())  # what is missing at the very start has no past to be carried from
    moments, values, known = moments[lead:], values[lead:], known[lead:]
    empty = int((~known).sum())
    if places is None:
        notes.append("The dates are not evenly spaced; each row counts as one step.")
        places = np.arange(len(moments) + lead)
    places = places[lead:] - places[lead]
    length = int(places[-1]) + 1
    absent = length - len(places)
    missing = absent + empty
    if not missing:
        return moments, values
    if gaps == "skip":
        notes.append(f"{_gaps(absent, empty, calendar)}: the series goes on as if nothing were missing.")
        moments, values = moments[known], values[known]
        _long_enough(len(values))
        return moments, values
    if missing > MOST_MISSING * length:
        raise SeriesError(
            f"{_gaps(absent, empty, calendar)}: of {length:,} steps that is {missing / length:.0%}, too much to fill; "
            f"complete the file, or go on as if nothing were missing."
        )
    notes.append(f"{_gaps(absent, empty, calendar)}: there the last value before it is carried forward.")
    row = np.maximum.accumulate(np.where(known, np.arange(len(values)), 0))  # the last row that has a value
    if not absent:
        return moments, values[row]
    at = np.searchsorted(places, np.arange(length), side="right") - 1  # the last row at or before each step
    return calendar.moments(moments[0], length), values[row[at]]


def _gaps(absent: int, empty: int, calendar: Calendar) -> str:
    parts = []
    if absent:
        parts.append(_count(absent, f"{calendar.step} is missing", f"{calendar.step}s are missing"))
    if empty:
        parts.append(_count(empty, "value is missing", "values are missing"))
    return " and ".join(parts)


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
