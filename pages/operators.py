"""What an operator looks at while a class is on: each replica's visitors, waiting times, memory and training runs."""

import streamlit as st

from lstm_core import LabError
from ui.common import gate
from ui.operators import key, replicas

EVERY = 5.0  # seconds between two looks

st.title("Operators", anchor=False)


def show() -> None:
    """The table of the replicas, as they are now."""
    try:
        rows = replicas.numbers()
    except LabError as error:
        st.error(str(error))
        return
    people, waiting = (sum(row.get(name, 0) for row in rows) for name in ("visitors", "waiting"))
    silent = sum(row["state"] != "up" for row in rows)
    for place, (name, value) in zip(
        st.columns(4),
        {"Visitors": people, "Waiting for their turn": waiting, "Replicas": len(rows), "Not up": silent}.items(),
        strict=True,
    ):
        place.metric(name, f"{value:,.0f}")
    st.dataframe(rows, hide_index=True, column_config={"replica": st.column_config.TextColumn(pinned=True)})


if key.entered():
    st.markdown(
        "Each replica since its start. A run of a page waits for a place first, one place a core; when one in "
        "twenty waits longer than a second, add a replica. `/health` says which part fails; "
        "Prometheus reads the same numbers."
    )
    gate.fragment(show, run_every=EVERY)()
