"""Single cells of a CSV: is it a date, and written how; is it a number, and with which comma; how far apart are dates.

Text in, numbers or None out; nothing here raises for what a cell holds. What a whole table means is in
`timeseries/csv_series.py`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from lstm_core.arrays import Array

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "–", ".", "?", "#n/a"})
ENOUGH = 0.9  # of a column's cells that must be dates for it to be a column of dates
# Month first comes after day first: where all days are 12 or less, nothing tells them apart.
FORMATS = (
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y/%m/%d",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%d.%m.%Y",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%y",
    "%d/%m/%Y",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %H:%M:%S",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%m-%Y",
    "%d-%b-%Y",
    "%d %b %Y",
    "%d %B %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%b %Y",
    "%B %Y",
    "%Y-%m",
    "%Y/%m",
    "%m/%Y",
    "%Y%m%d",
    "%Y",
)
_PLAIN = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_INFINITE = re.compile(r"[+-]?inf(inity)?", re.IGNORECASE)
_MARK = "\u2212"  # the minus sign of typographers
_ZONE = re.compile(r"(\.\d+)?(Z|[+-]\d\d:?\d\d)?$")
HOUR, DAY = 3600, 86400


@dataclass(frozen=True)
class DateFormat:
    """How a column writes dates; one of `FORMATS`."""

    pattern: str

    def read(self, cell: str) -> np.datetime64 | None:
        """The moment, to the second; None if the cell is no such date. A time zone's name is left out."""
        text = cell.replace("T", " ") if self.pattern.startswith("%Y-%m-%d ") else cell
        if ":" in text:
            text = _ZONE.sub("", text)
        if not cell.isascii() or (self.pattern in ("%Y", "%Y%m%d") and not _is_year_like(text, self.pattern)):
            return None
        try:
            return np.datetime64(datetime.strptime(text, self.pattern), "s")
        except ValueError:
            return None


def _is_year_like(text: str, pattern: str) -> bool:
    digits = 4 if pattern == "%Y" else 8
    return len(text) == digits and text.isdecimal() and 1000 <= int(text[:4]) < 3000


def date_format(cells: Sequence[str]) -> DateFormat | None:
    """The way of writing that fits nearly all cells of a column; None if it holds no dates."""
    given = [cell for cell in cells if cell]
    if not given or len(given) < len(cells) * (1 - ENOUGH):
        return None
    few = given[:: max(1, len(given) // 50)]
    best, most = None, ENOUGH * len(given)
    for form in map(DateFormat, FORMATS):
        if sum(form.read(cell) is not None for cell in few) < ENOUGH * len(few) - 1:
            continue
        count = sum(form.read(cell) is not None for cell in given)
        if count >= most and (best is None or count > most):
            best, most = form, count
    return best


def is_date(cell: str) -> bool:
    """Whether a cell is a date in any way of writing, other than a bare year."""
    return any(DateFormat(pattern).read(cell) is not None for pattern in FORMATS if pattern != "%Y")


def is_missing(cell: str) -> bool:
    """Whether a cell says that there is no value."""
    return cell.lower() in MISSING


def is_number(cell: str) -> bool:
    """Whether a cell is a number with a decimal point or a decimal comma."""
    return number(cell, False) is not None or number(cell, True) is not None


def has_decimal_comma(cells: Sequence[str]) -> bool:
    """Whether more of a column's cells are numbers with a decimal comma than with a decimal point.

    Where both fit all of them, as for 1,234, a comma before anything but three digits tells, and else it parts
    thousands.
    """
    given = [cell for cell in cells if not is_missing(cell)]
    point = sum(number(cell, False) is not None for cell in given)
    comma = sum(number(cell, True) is not None for cell in given)
    return comma > point


def number(cell: str, comma: bool) -> float | None:
    """A cell as a number; None if it is none. "inf" is infinite, and for others to refuse.

    Args:
        cell: text, such as -1,234.5 or 1 234,5.
        comma: whether the comma is decimal, and point and blank part thousands; else the other way about.
    """
    text = cell.strip().replace(_MARK, "-").replace("\u00a0", " ").replace("\u202f", " ")
    if _INFINITE.fullmatch(text):
        return -np.inf if text[0] == "-" else np.inf
    point, parting = (",", ". '") if comma else (".", ", '")
    whole = text.split(point)[0]
    if any(mark in whole for mark in parting):
        if not re.fullmatch(rf"[+-]?\d{{1,3}}([{re.escape(parting)}]\d{{3}})+", whole, re.ASCII):
            return None
        text = re.sub(f"[{re.escape(parting)}]", "", whole) + text[len(whole) :]
    if comma:
        text = text.replace(",", ".") if "." not in text else "no number"
    return float(text) if _PLAIN.fullmatch(text) and len(text) < 60 else None


# --- How far apart ------------------------------------------------------------------------------

# Months in a step → its name and how many steps make a year.
_MONTHS = {1: ("month", 12), 3: ("quarter", 4), 12: ("year", 1)}
_SECONDS = {HOUR: ("hour", 24), DAY: ("day", 7), 7 * DAY: ("week", 52)}


@dataclass(frozen=True)
class Calendar:
    """The steps that dates follow.

    Attributes:
        step: what one is called.
        season: a first guess, in steps: a day of hours, a week of days, a year of weeks, months or quarters.
        months: months in a step, 0 where a step is counted in seconds.
        seconds: seconds in a step, 0 where it is counted in months.
        workdays: days without Saturdays and Sundays.
    """

    step: str
    season: int
    months: int = 0
    seconds: int = 0
    workdays: bool = False

    @classmethod
    def of(cls, moments: Array) -> Calendar:
        """The calendar of rising dates: the most frequent distance between neighbours."""
        gaps = np.diff(moments).astype("timedelta64[s]").astype(np.int64)
        if not len(gaps):
            return cls("row", 1)
        kinds, counts = np.unique(gaps, return_counts=True)
        usual = int(kinds[counts.argmax()])
        if usual >= 28 * DAY:
            by_month = np.diff(moments.astype("datetime64[M]").astype(np.int64))
            kinds, counts = np.unique(by_month[by_month > 0], return_counts=True)
            months = int(kinds[counts.argmax()]) if len(kinds) else 0
            return cls(*_MONTHS.get(months, ("step", 1)), months=months)
        name, season = _SECONDS.get(usual, ("step", 1))
        if usual == DAY and np.is_busday(moments.astype("datetime64[D]")).all():
            return cls("working day", 5, seconds=DAY, workdays=True)
        return cls(name, season, seconds=usual)

    def places(self, moments: Array) -> Array | None:
        """The number of each date's step, the first 0; None where dates don't follow the calendar."""
        if self.months:
            months = moments.astype("datetime64[M]").astype(np.int64)
            steps, rest = np.divmod(months - months[0], self.months)
        elif self.workdays:
            days = moments.astype("datetime64[D]")
            steps, rest = np.busday_count(days[0], days), np.zeros(len(days))
        elif self.seconds:
            steps, rest = np.divmod((moments - moments[0]).astype(np.int64), self.seconds)
        else:
            return None
        return steps if not rest.any() and (np.diff(steps) > 0).all() else None

    def moments(self, first: np.datetime64, count: int) -> Array:
        """The dates of `count` steps from the first on; (count,) datetime64[s]."""
        steps = np.arange(count)
        if self.months:
            month = first.astype("datetime64[M]")
            return (month + self.months * steps).astype("datetime64[s]") + (first - month.astype("datetime64[s]"))
        if self.workdays:
            return np.busday_offset(first.astype("datetime64[D]"), steps).astype("datetime64[s]")
        return first + np.timedelta64(timedelta(seconds=self.seconds)).astype("timedelta64[s]") * steps
