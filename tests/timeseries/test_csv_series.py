"""A CSV from anybody: separators, commas, dates and encodings; and every kind of bad file in one clear sentence."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.errors import LabError
from lstm_core.timeseries import csv_series
from lstm_core.timeseries.backtest import SeriesError
from lstm_core.timeseries.csv_series import CsvSeries


def every(step: str, count: int, first: str = "2024-01-01") -> list[str]:
    """Dates from the first one on, a step of NumPy apart."""
    return [str(np.datetime64(first) + np.timedelta64(n, step)) for n in range(count)]


DAYS = every("D", 80)
PLAIN = [f"{day},{index % 7}" for index, day in enumerate(DAYS)]


def read(text: str | bytes, gaps: str = "carry") -> CsvSeries:
    table = csv_series.read_table(text.encode() if isinstance(text, str) else text)
    return csv_series.series_from_table(table, table.dates[0], table.numbers[0], gaps)


def table(rows: list[str], header: str = "date,value") -> str:
    return "\n".join([header, *rows])


def written(day: str, form: str) -> str:
    return np.datetime64(day).item().strftime(form)


class TestReading:
    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
    def test_encodings(self, encoding: str) -> None:
        found = read(table(PLAIN, "Datum,Größe in Öre").encode(encoding))
        assert found.series.title == "Größe in Öre"
        assert found.notes == ()

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    @pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
    def test_separators_and_line_ends(self, separator: str, end: str) -> None:
        found = read(end.join([f"date{separator}value", *(row.replace(",", separator) for row in PLAIN)]) + end)
        np.testing.assert_array_equal(found.series.values[:8], [0, 1, 2, 3, 4, 5, 6, 0])
        assert str(found.series.dates[0])[:10] == "2024-01-01"

    @pytest.mark.parametrize(
        ("cells", "value"),
        [
            ("1.5", 1.5),
            ("1,5", 1.5),
            ("1.234,5", 1234.5),
            ("1,234.5", 1234.5),
            ("1 234,5", 1234.5),
            ("-2.5e3", -2500.0),
        ],
    )
    def test_decimal_signs(self, cells: str, value: float) -> None:
        rows = [f"{day};{cells if index % 2 else cells.replace('5', '4')}" for index, day in enumerate(DAYS)]
        assert read(table(rows, "date;value")).series.values[1] == value

    @pytest.mark.parametrize(
        "form",
        [form for form in csv_series.DATE_FORMATS if "%d" in form and "%m/%d" not in form and form != "%d/%m/%y"],
    )
    def test_dates_by_the_day(self, form: str) -> None:
        rows = [f"{written(day, form)};{index % 7}" for index, day in enumerate(DAYS)]
        found = read(table(rows, "date;value"))
        assert [str(date)[:10] for date in found.series.dates] == DAYS
        assert (found.series.step, found.series.season) == ("day", 7)

    def test_months_before_days_are_told_from_days_before_months(self) -> None:
        rows = [f"{written(day, '%m/%d/%Y')},{index % 7}" for index, day in enumerate(DAYS)]
        assert str(read(table(rows)).series.dates[31])[:10] == "2024-02-01"

    @pytest.mark.parametrize(
        ("dates", "step", "season"),
        [
            ([f"{1950 + n // 12}-{n % 12 + 1:02d}" for n in range(60)], "month", 12),
            ([f"{1950 + n}" for n in range(60)], "year", 1),
            ([f"{1950 + n // 4}-{3 * (n % 4) + 1:02d}-01" for n in range(60)], "quarter", 4),
            ([hour.replace("T", " ") + ":00" for hour in every("h", 60)], "hour", 24),
            ([f"{hour}:00:00Z" for hour in every("h", 60)], "hour", 24),
            (every("W", 60), "week", 52),
            ([str(day) for day in np.busday_offset("2024-01-01", np.arange(60))], "working day", 5),
        ],
    )
    def test_steps_are_told_from_the_dates(self, dates: list[str], step: str, season: int) -> None:
        found = read(table([f"{date},{index**2}" for index, date in enumerate(dates)]))
        assert (found.series.step, found.series.season, len(found.series), found.notes) == (step, season, 60, ())

    def test_a_single_row_of_a_long_table_decides_how_columns_are_read(self) -> None:
        rows = [f"{n % 12 + 1}/5/{1800 + n // 12};{n}" for n in range(3000)]
        rows[1001] = "6/20/1883;0,5"  # only this date shows that months come first, only this value a decimal comma
        found = read(table(rows, "date;value"))
        assert (found.series.step, len(found.series), found.notes) == ("month", 3000, ())
        assert (str(found.series.dates[1001])[:10], found.series.values[1001]) == ("1883-06-20", 0.5)

    def test_no_header_is_needed_and_columns_are_found_wherever_they_stand(self) -> None:
        assert read("\n".join(PLAIN)).series.title == "column 2"
        rows = [f"abc,{index},{day}" for index, day in enumerate(DAYS)]
        found = csv_series.read_table(table(rows, "name,size,when").encode())
        assert (found.dates, found.numbers) == ((2,), (1,))

    def test_a_header_is_shown_as_it_is(self) -> None:
        assert read(table(PLAIN, "date,<script>alert(1)</script>")).series.title == "<script>alert(1)</script>"

    def test_very_many_values_are_cut_to_the_last(self) -> None:
        rows = [f"{day},{n}" for n, day in enumerate(every("D", 4100, "2000-01-01"))]
        found = read(table(rows))
        assert len(found.series) == csv_series.MOST_VALUES
        assert found.series.values[-1] == 4099
        assert "4,100" in found.notes[0]


class TestMending:
    def test_missing_days_get_the_last_value_before_them(self) -> None:
        found = read(table([row for index, row in enumerate(PLAIN) if index not in (5, 6, 9)]))
        assert found.notes == ("3 days are missing: there the last value before it is carried forward.",)
        np.testing.assert_array_equal(found.series.values[3:11], [3, 4, 4, 4, 0, 1, 1, 3])
        assert [str(date)[:10] for date in found.series.dates] == DAYS

    def test_missing_values_too(self) -> None:
        rows = [row if index not in (3, 4) else f"{DAYS[index]},n/a" for index, row in enumerate(PLAIN)]
        found = read(table(rows))
        assert "2 values are missing" in found.notes[0]
        np.testing.assert_array_equal(found.series.values[2:6], [2, 2, 2, 5])

    def test_filling_never_looks_ahead(self) -> None:
        rows = [row for index, row in enumerate(PLAIN) if index != 40]
        other = [*rows[:40], *(f"{row.split(',')[0]},{999 + index}" for index, row in enumerate(rows[40:]))]
        one, same = read(table(rows)).series.values, read(table(other)).series.values
        np.testing.assert_array_equal(one[:41], same[:41])

    def test_one_may_go_on_as_if_nothing_were_missing(self) -> None:
        found = read(table([row for index, row in enumerate(PLAIN) if index not in (5, 6)]), "skip")
        assert len(found.series) == 78
        assert "as if nothing were missing" in found.notes[0]

    def test_what_is_missing_at_the_start_is_left_out(self) -> None:
        found = read(table([f"{DAYS[0]},", *PLAIN[1:]]))
        assert len(found.series) == 79

    def test_duplicates_and_disorder_are_said(self) -> None:
        found = read(table([*reversed(PLAIN), f"{DAYS[3]},50"]))
        assert len(found.series) == 80
        assert found.series.values[3] == 50
        assert "order of time" in found.notes[0]
        assert found.notes[1].startswith("1 row has a date")

    def test_uneven_dates_count_as_steps(self) -> None:
        day, rows = np.datetime64("2024-01-01T00:00"), []
        for index in range(80):
            day = day + np.timedelta64(60 + (index * 37) % 50, "m")
            rows.append(f"{day},{index % 7 if index != 7 else ''}".replace("T", " "))
        found = read(table(rows))
        assert "not evenly spaced" in found.notes[0]
        assert len(found.series) == len(found.series.dates) == 80


BAD = {
    "nothing": (b"", "is empty"),
    "blanks": (b" \n \r\n\t", "is empty"),
    "only a header": (b"date,value\n", "no rows|No column holds dates"),
    "binary": (bytes(range(256)) * 50, "not a text file"),
    "a picture": (b"\x89PNG\r\n\x1a\n" + bytes(500), "not a text file"),
    "too large": (b"2024-01-01,1\n" * 400_000, "5 MB at most"),
    "too many columns": (("a," * 300 + "\n" + "1," * 300).encode(), "200 at most"),
    "no date": (b"a,b\n1,2\n3,4\n", "No column holds dates"),
    "one column": ("\n".join(["date", *DAYS]).encode(), "single column"),
    "no number": (table([f"{day},abc" for day in DAYS]).encode(), "no column holds numbers"),
    "text in a value": (table([*PLAIN[:9], f"{DAYS[9]},abc", *PLAIN[10:]]).encode(), "Row 11 holds “abc”"),
    "text in a date": (table([*PLAIN[:9], "someday,4", *PLAIN[10:]]).encode(), "Row 11 holds “someday”"),
    "an empty date": (table([*PLAIN[:9], ",4", *PLAIN[10:]]).encode(), "Row 11 has no date"),
    "infinity": (
        table([*PLAIN[:9], f"{DAYS[9]},inf", *PLAIN[10:]]).encode(),
        "Row 11 .*infinite or too large",
    ),
    "huge": (
        table([*PLAIN[:9], f"{DAYS[9]},1e300", *PLAIN[10:]]).encode(),
        "Row 11 .*infinite or too large",
    ),
    "two rows": (table(PLAIN[:2]).encode(), "2 values are too few"),
    "one row": (table(PLAIN[:1]).encode(), "1 value is too few"),
    "all the same day": (table([f"{DAYS[0]},{n}" for n in range(80)]).encode(), "1 value is too few"),
    "constant": (table([f"{day},5" for day in DAYS]).encode(), "All values are 5"),
    "nothing but gaps": (table([f"{day}," for day in DAYS]).encode(), "no column holds numbers"),
    "more gaps than values": (table([*PLAIN[:50], *(f"20{30 + n}-01-01,{n}" for n in range(20))]).encode(), "too much"),
    "an endless quote": (b'date,value\n"' + b"x" * 200_000, "CSV|No column"),
    "a null": (b"date,value\n2024-01-01,\x00\n" * 60, "not a text file|No column|too few|no column holds"),
}


class TestBadFiles:
    @pytest.mark.parametrize("name", list(BAD))
    def test_one_clear_sentence(self, name: str) -> None:
        data, words = BAD[name]
        with pytest.raises(SeriesError, match=words) as caught:
            read(data)
        assert "\n" not in str(caught.value)
        assert len(str(caught.value)) < 300

    def test_the_same_column_twice(self) -> None:
        found = csv_series.read_table(table(PLAIN).encode())
        with pytest.raises(SeriesError, match="same column"):
            csv_series.series_from_table(found, 0, 0)

    def test_a_column_without_dates_as_the_dates(self) -> None:
        found = csv_series.read_table(table([f"{row},x" for row in PLAIN], "date,value,name").encode())
        with pytest.raises(SeriesError, match="holds no dates"):
            csv_series.series_from_table(found, 2, 1)


ODD = ["", "1", "2,5", "1.5", "nan", "inf", "-", "2024", "1/2/2024", '"', "1e99", "0001-01-01", "9999-12-31"]
CELLS = st.one_of(st.text(max_size=8), st.sampled_from(DAYS[:20] + ODD), st.floats().map(str))


def tried(data: str | bytes, gaps: str = "carry") -> CsvSeries | None:
    """The series, or None after a sentence; anything else that is raised fails the test."""
    try:
        return read(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data, gaps)
    except LabError:
        return None


class TestWhatever:
    @settings(max_examples=150, deadline=None)
    @given(st.binary(max_size=400))
    def test_any_bytes_are_a_series_or_a_sentence(self, data: bytes) -> None:
        assert tried(data) is None  # so few bytes are never enough values

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(st.lists(CELLS, min_size=1, max_size=4), max_size=75),
        st.sampled_from([",", ";", "\t"]),
        st.sampled_from(list(csv_series.GAPS)),
    )
    def test_any_table_is_a_series_or_a_sentence(self, rows: list[list[str]], separator: str, gaps: str) -> None:
        days = [separator.join([DAYS[index % 80], *row]) for index, row in enumerate(rows)]
        for text in ("\n".join(separator.join(row) for row in rows), "\n".join([*days, *PLAIN])):
            found = tried(text, gaps)
            if found is not None:
                assert np.isfinite(found.series.values).all()
                assert len(found.series.values) == len(found.series.dates) >= csv_series.SHORTEST_SERIES
