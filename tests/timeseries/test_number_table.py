"""Tables of numbers for networks that read numbers."""

import numpy as np
import pytest

from lstm_core.errors import TextError
from lstm_core.timeseries.number_table import read_number_table


def test_a_table_gives_a_row_for_each_timestep() -> None:
    table = read_number_table(b"day,low,high\n2024-01-01,1,2.5\n2024-01-02,-3,4e2\n", 2)
    np.testing.assert_array_equal(table.values, np.array([[1, 2.5], [-3, 400]], np.float32))
    assert table.columns == ("low", "high")
    assert table.left_out == ("day",)


def test_a_header_is_optional_and_a_comma_may_be_decimal() -> None:
    table = read_number_table(b"1,5;2\n2,5;3\n", 2)
    np.testing.assert_array_equal(table.values, np.array([[1.5, 2], [2.5, 3]], np.float32))
    assert table.columns == ("column 1", "column 2")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"1,2\n3,4\n", "2 columns of numbers; the network reads 3"),
        (b"a\n1\n2\n", "1 column of numbers; the network reads 3"),
        (b"a,b,c\n1,2,3\n4,,6\n7,8,9\n", "Row 3 is empty in “b”"),
        (b"a,b,c\n1,2,3\n4,x,6\n7,8,9\n", "Row 3 holds “x”, which is no number"),
        (b"a,b,c\n1,2,3\n4,inf,6\n7,8,9\n", "Row 3 holds “inf”"),
        (b"a,b,c\n", "a header and no rows"),
        (b"", "empty"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "not a text file"),
    ],
)
def test_what_does_not_fit_is_refused_with_what_was_expected(data: bytes, why: str) -> None:
    with pytest.raises(TextError, match=why):
        read_number_table(data, 3)
