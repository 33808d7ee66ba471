"""A reading as a table, for downloading."""

from __future__ import annotations

import pandas as pd

from lstm_core.inference import Reading
from lstm_core.nn import LayerTrace


def as_csv(reading: Reading) -> bytes:
    """One row a token: the token, the answer so far, and every signal of every unit; UTF-8 CSV.

    Columns: `timestep`, `token`, `p(LABEL)` …, then `LETTER[UNIT]` for each signal and unit of
    each layer (`layer.LETTER[UNIT]` where there are several).
    """
    columns: dict[str, object] = {"timestep": range(len(reading.tokens)), "token": reading.tokens}
    for index, label in enumerate(reading.labels):
        columns[f"p({label})"] = reading.probabilities[:, index]
    traces = [trace for trace in reading.layers if isinstance(trace, LayerTrace)]
    for number, trace in enumerate(traces):
        prefix = f"{number}." if len(traces) > 1 else ""
        for letter, values in trace.signals.items():
            for unit in range(trace.units):
                columns[f"{prefix}{letter}[{unit}]"] = values[:, unit]
    table = pd.DataFrame(columns).round(5)
    # A spreadsheet would run a cell that begins with one of these signs as a formula.
    table["token"] = [f"'{token}" if token[:1] in "=+-@" else token for token in table["token"]]
    return table.to_csv(index=False).encode("utf-8-sig")
