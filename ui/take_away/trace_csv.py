"""A trace as a CSV file."""

from collections.abc import Mapping, Sequence

from lstm_core.nn import Array, LayerTrace


def as_csv(tokens: Sequence[str], values: Mapping[str, Array], traces: Sequence[LayerTrace]) -> bytes:
    """A row for each token, as UTF-8 CSV.

    Args:
        tokens: (T,).
        values: name of a column → (T,) of the answers.
        traces: of layers; their columns are `LETTER[UNIT]`, or `LAYER.LETTER[UNIT]` if there are several.

    Returns:
        The columns `timestep` and `token`, those of `values`, and those of the traces.
    """
    import pandas as pd  # takes long, and few take the file

    columns: dict[str, object] = {"timestep": range(len(tokens)), "token": list(tokens), **values}
    for number, trace in enumerate(traces):
        prefix = f"{number}." if len(traces) > 1 else ""
        for letter, rows in trace.in_text_order().signals.items():
            columns |= {f"{prefix}{letter}[{unit}]": rows[:, unit] for unit in range(trace.units)}
    table = pd.DataFrame(columns).round(5)
    # A spreadsheet would evaluate a cell that begins with one of these characters as a formula.
    table["token"] = [f"'{token}" if token[:1] in "=+-@" else token for token in table["token"]]
    return table.to_csv(index=False).encode("utf-8-sig")
