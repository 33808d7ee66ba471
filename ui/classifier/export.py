"""A reading as a CSV file."""

import pandas as pd

from lstm_core.inference import Reading
from lstm_core.nn import LayerTrace


def as_csv(reading: Reading) -> bytes:
    """A row for each token, as UTF-8 CSV.

    Columns: `timestep`, `token`, `p(LABEL)` …, then `LETTER[UNIT]` for each signal and unit of each layer
    (`LAYER.LETTER[UNIT]` if there are several layers).
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
    # A spreadsheet would evaluate a cell that begins with one of these characters as a formula.
    table["token"] = [f"'{token}" if token[:1] in "=+-@" else token for token in table["token"]]
    return table.to_csv(index=False).encode("utf-8-sig")
