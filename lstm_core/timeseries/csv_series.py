"""A series from an uploaded CSV: which columns hold dates and numbers, and one value a step without gaps.

A refusal is one sentence that says how to correct the file; a change is listed in `notes`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets.csv_table import BETWEEN, read_cells
from lstm_core.errors import TextError
from lstm_core.timeseries.backtest import SeriesError
from lstm_core.timeseries.series import Series

if TYPE_CHECKING:
    import pandas as pd

MOST_COLUMNS, MOST_ROWS, MOST_VALUES = 200, 100_000, 4000
SHORTEST_SERIES = 50  # values: below, no part is long enough for anything
MOST_MISSING = 0.3  # share of values that may be carried forward
LARGEST_VALUE = 1e30
GAPS = {"carry": "Carry the last value forward", "skip": "Go on as if nothing were missing"}

MISSING = {"", "na", "n/a", "nan", "null", "none", "-", "–", ".", "?", "#n/a"}  # cells that stand for no value
SAMPLE = 2000  # cells of a table that decide which columns hold dates or numbers
ENOUGH = 0.9  # share of a column's cells that must be dates for it to be a column of dates
# The first format of several that fit equally well is used: days before months where all days are 12 or less.
_DAYS = (
    *("%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y", "%d.%m.%y", "%d/%m/%Y", "%m/%d/%Y", "%d/%m/%y", "%m/%d/%y", "%d-%m-%Y"),
    *("%d-%b-%Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y"),
)
DATE_FORMATS = (
    *(day + time for day in _DAYS for time in ("", " %H:%M", " %H:%M:%S")),
    *("%b %Y", "%B %Y", "%Y-%m", "%Y/%m", "%m/%Y", "%Y%m%d", "%Y"),
)
# Digits alone are a year, or a year, a month and a day.
_DATE = re.compile(r"(?=.*\d)(?!\d+$)[ -~]+|[12]\d{3}(\d{4})?")
# In the cells of a column between "\x1f": one call for all of them takes a fraction of the time of a call for each.
_DATE_T = re.compile(r"(?<![^\x1f])(\d{4}-\d\d?-\d\d?)T(?=\d)")
_FRACTION_AND_ZONE = re.compile(r"(:\d\d)(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?(?![^\x1f])")
HOUR, DAY = 3600, 86400  # seconds


@dataclass(frozen=True, eq=False)
class Table:
    """The cells of a CSV, and what its columns can be."""

    header: tuple[str, ...]  # (columns,) names; "column 1" and so on where there are none
    rows: Array  # (rows,) the number of each row in the file, from 1
    cells: tuple[str, ...]  # (columns,) each column in one string, which takes a tenth of the memory; see `column`
    dates: tuple[int, ...]  # the columns that hold dates
    numbers: tuple[int, ...]  # the columns that hold numbers and no dates

    def column(self, index: int) -> list[str]:
        """(rows,) the stripped cells of a column."""
        return [cell.strip() for cell in self.cells[index].split(BETWEEN)]


@dataclass(frozen=True)
class CsvSeries:
    """A series from a table, and what was changed, one sentence each."""

    series: Series
    notes: tuple[str, ...]


def read_table(data: bytes) -> Table:
    """Read a CSV separated by commas, semicolons or tabs, in any encoding that can be detected.

    Raises:
        SeriesError: if it is too large, empty, no text, no table, or has no column of dates or none of numbers.
    """
    try:
        cells = read_cells(data, MOST_ROWS, MOST_COLUMNS)
    except TextError as error:
        raise SeriesError(str(error)) from error
    width, top = len(cells.columns), 0
    names, header = cells.first(), [f"column {index + 1}" for index in range(width)]
    if not (_is_number(names) | _is_date(names, DATE_FORMATS[:-1]).any(axis=0)).any():
        header, top = [cell[:60] or name for cell, name in zip(names, header, strict=True)], 1
    size = (len(cells.numbers) - top) * width
    if not size:
        raise SeriesError("The file holds a header and no rows.")
    sample = list(zip(*(cells.column(index, top, max(1, size // SAMPLE)) for index in range(width)), strict=True))
    flat = [cell for row in sample for cell in row]  # (rows of the sample * columns,)
    given = np.reshape([cell != "" for cell in flat], (-1, width)).sum(axis=0)
    most = _is_date(flat, DATE_FORMATS).reshape(len(DATE_FORMATS), -1, width).sum(axis=1).max(axis=0)
    is_date = (given > 0) & (given >= ENOUGH * len(sample)) & (most >= ENOUGH * given)
    has_value = ~is_missing(flat).reshape(-1, width)
    is_number = (_is_number(flat).reshape(-1, width) & has_value).sum(axis=0) > has_value.sum(axis=0) / 2
    dates = tuple(np.flatnonzero(is_date).tolist())
    numbers = tuple(index for index in np.flatnonzero(is_number).tolist() if index not in dates[:1])
    if not dates:
        shown = _listed(header)
        raise SeriesError(f"No column holds dates; the columns are {shown}. Write dates as 2024-01-31 or 31.01.2024.")
    if len(header) < 2:
        raise SeriesError("There is a single column; a series needs a column of dates and a column of values.")
    if not numbers:
        raise SeriesError(f"Beside the dates no column holds numbers; the columns are {_listed(header)}.")
    columns = tuple(column.split(BETWEEN, top)[-1] for column in cells.columns)
    return Table(tuple(header), np.array(cells.numbers[top:]), columns, dates, numbers)


def series_from_table(table: Table, date: int, value: int, gaps: str = "carry") -> CsvSeries:
    """The series in two columns: in the order of time, one value a step, nothing missing.

    Args:
        table: from `read_table`.
        date: the column of dates.
        value: the column of values.
        gaps: what to do where values or dates are missing, a key of `GAPS`. Nothing is ever filled from the future.

    Raises:
        SeriesError: naming the row, for a date or a value that can't be read; for too few values, too many missing
            ones, and values that never change.
    """
    import pandas as pd

    if date == value:
        raise SeriesError("The dates and the values can't be the same column; choose two.")
    values = pd.Series(_values(table, value), index=_dates(table, date))
    notes: list[str] = []
    if not values.index.is_monotonic_increasing:
        notes.append("The rows were not in the order of time; they are now.")
        values = values.sort_index(kind="stable")
    repeated = values.index.duplicated(keep="last")
    if count := int(repeated.sum()):
        notes.append(f"{_count(count, 'row has', 'rows have')} a date that comes again further down; the last counts.")
        values = values[~repeated]
    _check_length(values)
    values = values[values.first_valid_index() :]  # a value missing at the start has no past to be carried from
    calendar = _calendar(values.index.to_numpy("datetime64[s]"))
    if calendar.positions is None:
        notes.append("The dates are not evenly spaced; each row counts as one step.")
    values = _without_gaps(values, calendar, gaps, notes)
    if len(values) > MOST_VALUES:
        notes.append(f"Of {len(values):,} values the last {MOST_VALUES:,} are used.")
        values = values[-MOST_VALUES:]
    if values.min() == values.max():
        raise SeriesError(f"All values are {values.iloc[0]:g}: a series that never changes needs no forecast.")
    moments = values.index.to_numpy("datetime64[s]")
    about = "Your own file; it stays in your session and is sent nowhere else."
    series = Series("own", table.header[value], moments, values.to_numpy(), calendar.season, calendar.step, about)
    return CsvSeries(series, tuple(notes))


def _is_date(cells: Sequence[str], formats: Sequence[str]) -> Array:
    """(formats, cells): whether each cell is a date in each format."""
    prepared = _prepared_dates(cells)
    return np.array([_as_dates(prepared, each).notna() for each in formats])


def _as_dates(cells: Array, format: str) -> pd.DatetimeIndex:
    import pandas as pd

    return pd.DatetimeIndex(pd.to_datetime(cells, format=format, errors="coerce"))


def _prepared_dates(cells: Sequence[str]) -> Array:
    """Cells without fractions of seconds and time zones; empty where there can't be a date."""
    text = BETWEEN.join([cell if _DATE.fullmatch(cell) else "" for cell in cells])
    return np.array(_FRACTION_AND_ZONE.sub(r"\1", _DATE_T.sub(r"\1 ", text)).split(BETWEEN), object)


def _dates(table: Table, index: int) -> pd.DatetimeIndex:
    """A column as dates, in the format that fits most of its cells."""
    cells = table.column(index)
    text = _prepared_dates(cells)
    given = [cell for cell in cells if cell]
    sample = given[:: max(1, len(given) // SAMPLE)]
    fits = _is_date(sample, DATE_FORMATS).sum(axis=1) >= max(1, ENOUGH * len(sample))
    formats = [each for each, fit in zip(DATE_FORMATS, fits, strict=True) if fit]
    if not formats:
        raise SeriesError(f"The column {_listed([table.header[index]])} holds no dates; choose another one.")
    dates = max((_as_dates(text, each) for each in formats), key=lambda found: found.notna().sum())
    for row in np.flatnonzero(dates.isna())[:1]:
        problem = f"holds “{cells[row][:30]}” where a date should be" if cells[row] else "has no date"
        raise SeriesError(f"Row {table.rows[row]} {problem}; correct or delete it.")
    return dates


def is_missing(cells: Sequence[str]) -> Array:
    """(cells,): whether a cell says that there is no value."""
    return np.array([cell.lower() in MISSING for cell in cells])


def _is_number(cells: Sequence[str]) -> Array:
    """(cells,): whether a cell is a number with a decimal point or a decimal comma."""
    return ~(np.isnan(_numbers(cells, ".")) & np.isnan(_numbers(cells, ",")))


def _numbers(cells: Sequence[str], decimal: str) -> Array:
    """(cells,): cells such as -1,234.5 or 1 234,5 as numbers; NaN where there is none, infinity for "inf".

    `decimal` is "." or ","; the other one, blanks and apostrophes separate thousands.
    """
    import pandas as pd

    thousands = "[. ']" if decimal == "," else "[, ']"
    whole = rf"(\d{{1,3}}({thousands}\d{{3}})+|\d+)"
    number = re.compile(
        rf"[+-]?({whole}([{decimal}]\d*)?|[{decimal}]\d+)([eE][+-]?\d{{1,3}})?|(?i:[+-]?inf(inity)?)", re.ASCII
    )
    text = BETWEEN.join(cells).translate({0x2212: "-", 0xA0: " ", 0x202F: " "})  # minus sign and non-breaking spaces
    found = BETWEEN.join([cell if number.fullmatch(cell) else "" for cell in text.split(BETWEEN)])
    plain = re.sub(thousands, "", found).replace(decimal, ".").split(BETWEEN)
    return pd.to_numeric(np.array(plain, object), errors="coerce").astype(float)


def cell_numbers(cells: Sequence[str]) -> Array:
    """(cells,): cells as numbers, NaN where there is none; with a decimal comma if more cells fit it than a point."""
    values = _numbers(cells, ".")
    if (~np.isnan(values)).sum() < (~is_missing(cells)).sum():
        values = max(values, _numbers(cells, ","), key=lambda found: (~np.isnan(found)).sum())
    return values


def _values(table: Table, index: int) -> Array:
    """A column as numbers, NaN where a value is missing."""
    cells = table.column(index)
    missing, values = is_missing(cells), cell_numbers(cells)
    for row in np.flatnonzero(np.isnan(values) & ~missing)[:1]:
        held = f"holds “{cells[row][:30]}” in the column “{table.header[index]}”"
        raise SeriesError(f"Row {table.rows[row]} {held}, which is no number; correct it, or leave it empty.")
    for row in np.flatnonzero(np.abs(values) > LARGEST_VALUE)[:1]:
        raise SeriesError(
            f"Row {table.rows[row]} holds an infinite or too large value; correct the row or empty the cell."
        )
    return values


class _Calendar(NamedTuple):
    """The steps that dates follow."""

    step: str  # the name of a step
    season: int  # a first guess of the seasonal period in steps, such as 7 for days
    frequency: str  # of `pd.date_range`
    start: np.datetime64  # the date from which it counts
    positions: Array | None  # (n,) the number of each date's step, from 0; None if the dates are not evenly spaced


def _calendar(dates: Array) -> _Calendar:
    """The calendar of sorted dates, (n,) datetime64[s], by the most frequent distance between them."""
    usual = _mode(np.diff(dates).astype(int))
    start = dates[0]
    if usual >= 28 * DAY:
        months = dates.astype("datetime64[M]").astype(int)
        each = _mode(np.diff(months)[np.diff(months) > 0])
        step, season = {1: ("month", 12), 3: ("quarter", 4), 12: ("year", 1)}.get(each, ("step", 1))
        frequency, start = f"{each}MS", start.astype("datetime64[M]").astype("datetime64[s]")
        positions, rest = np.divmod(months - months[0], each)
    elif usual == DAY and np.is_busday(dates.astype("datetime64[D]")).all():
        step, season, frequency = "working day", 5, "B"
        days = dates.astype("datetime64[D]")
        positions, rest = np.busday_count(days[0], days), np.zeros(len(days))
    else:
        step, season = {HOUR: ("hour", 24), DAY: ("day", 7), 7 * DAY: ("week", 52)}.get(usual, ("step", 1))
        frequency = f"{usual}s"
        positions, rest = np.divmod((dates - start).astype(int), usual)
    regular = not rest.any() and (np.diff(positions) > 0).all()
    return _Calendar(step, season, frequency, start, positions if regular else None)


def _mode(values: Array) -> int:
    kinds, counts = np.unique(values, return_counts=True)
    return int(kinds[counts.argmax()])


def _without_gaps(values: pd.Series, calendar: _Calendar, gaps: str, notes: list[str]) -> pd.Series:
    """One value a step."""
    import pandas as pd

    positions = np.arange(len(values)) if calendar.positions is None else calendar.positions
    length = int(positions[-1]) + 1
    absent, empty = length - len(values), int(values.isna().sum())
    if not absent + empty:
        return values
    step = calendar.step
    parts = [_count(absent, f"{step} is missing", f"{step}s are missing")] if absent else []
    parts += [_count(empty, "value is missing", "values are missing")] if empty else []
    found = " and ".join(parts)
    if gaps == "skip":
        notes.append(f"{found}: the series goes on as if nothing were missing.")
        values = values.dropna()
        _check_length(values)
        return values
    if absent + empty > MOST_MISSING * length:
        share = f"of {length:,} steps that is {(absent + empty) / length:.0%}, too much to fill"
        raise SeriesError(f"{found}: {share}; complete the file, or go on as if nothing were missing.")
    notes.append(f"{found}: there the last value before it is carried forward.")
    dates = values.index
    if absent:
        grid = pd.date_range(calendar.start, periods=length, freq=calendar.frequency)
        dates = grid + (dates[0] - grid[0])
    return pd.Series(values.to_numpy(), positions).reindex(range(length)).ffill().set_axis(dates)


def _check_length(values: pd.Series) -> None:
    if (count := int(values.count())) < SHORTEST_SERIES:
        found = _count(count, "value is", "values are")
        raise SeriesError(f"{found} too few to train on and to test on; a series needs {SHORTEST_SERIES} or more.")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(f"“{name}”" for name in names[:6])
    return shown + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _count(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
