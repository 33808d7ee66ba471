"""A table of numbers from an uploaded CSV, one row a timestep: what a network that reads numbers is fed with."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets.csv_table import read_cells
from lstm_core.errors import TextError
from lstm_core.timeseries.csv_series import cell_numbers, is_missing

MOST_ROWS, MOST_COLUMNS = 100_000, 1000


@dataclass(frozen=True, eq=False)
class NumberTable:
    """The numbers of a table.

    Attributes:
        values: (T, features) float32.
        columns: (features,) the name of each.
        left_out: the names of the columns without numbers, such as dates.
    """

    values: Array
    columns: tuple[str, ...]
    left_out: tuple[str, ...]


def read_number_table(data: bytes, width: int) -> NumberTable:
    """Read a CSV with one row a timestep and one column a feature; columns without numbers are left out.

    Args:
        data: the content of the file.
        width: the number of features that the network reads.

    Raises:
        TextError: if it is no table, has another width, which is named with the expected one, or a cell is empty.
    """
    cells = read_cells(data, MOST_ROWS, MOST_COLUMNS)
    names = cells.first()
    top = int(not any(np.isfinite(cell_numbers(names))))  # a header
    columns = [cells.column(index, top) for index in range(len(names))]
    if not columns[0]:
        raise TextError("The table has a header and no rows; give it one row for each timestep.")
    values = [cell_numbers(column) for column in columns]
    shown = [(top and name[:60]) or f"column {index}" for index, name in enumerate(names, start=1)]
    kept = [index for index, numbers in enumerate(values) if np.isfinite(numbers).mean() > 0.5]
    left_out = tuple(shown[index] for index in range(len(names)) if index not in kept)
    if len(kept) != width:
        more = f" ({', '.join(left_out[:4])} left out: no numbers)" if left_out else ""
        raise TextError(
            f"The table has {len(kept)} column{'s' * (len(kept) != 1)} of numbers{more}; the network reads {width} at "
            "each timestep."
        )
    for index in kept:
        for row in np.flatnonzero(~np.isfinite(values[index]))[:1]:
            cell = columns[index][row]
            held = "is empty" if is_missing([cell])[0] else f"holds “{cell[:30]}”, which is no number,"
            raise TextError(f"Row {cells.numbers[row + top]} {held} in “{shown[index]}”; each timestep needs a number.")
    return NumberTable(
        np.stack([values[index] for index in kept], axis=1).astype(np.float32),
        tuple(shown[index] for index in kept),
        left_out,
    )
