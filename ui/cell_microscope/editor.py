"""The weights of a hand-set network in an editable table."""

import pandas as pd
import streamlit as st

from lstm_core.nn import HandSet, WeightError
from ui.common import tokens


def shown(weight: float) -> str:
    """A weight as the table shows it: text, since a column of numbers would have a hyphen for a minus sign."""
    return f"{weight:g}".replace("-", "−")


def typed(cell: str | None) -> str | None:
    """What a cell of the table holds; None if it is empty."""
    return None if cell is None or pd.isna(cell) or not cell.strip() else cell


def edit(network: HandSet) -> HandSet:
    """Draw a table of the network's weights; return it with them, or with its own while one of them is invalid."""
    inputs = "; ".join(f"**{name}** is 1 at {' '.join(found)}" for name, found in network.inputs.items())
    version = st.session_state.setdefault("microscope_table", 0)
    with st.expander(f"**{network.title}**: edit the weights", icon=":material/tune:", expanded=True):
        st.markdown("\n".join(f"- **Unit {unit}** {sentence}" for unit, sentence in enumerate(network.units)))
        st.markdown(
            "A row holds the weights of one gate of one unit, which sums weights × inputs and applies σ or tanh. "
            f"{inputs}; at every other character it is 0. Change a number, predict the effect, then play."
        )
        table = pd.DataFrame(network.table, index=network.row_names, columns=network.column_names).map(shown)
        table.index.name = "weights of"
        key = f"microscope_weights_{network.name}_{version}"
        columns = {name: st.column_config.TextColumn(alignment="right") for name in table.columns}
        edited = st.data_editor(table, key=key, num_rows="fixed", disabled=["_index"], column_config=columns)
        if st.button("Reset the weights", icon=":material/undo:", key="microscope_reset"):
            st.session_state["microscope_table"] = version + 1
            st.rerun()
        try:
            return network.with_table([list(map(typed, row)) for row in edited.to_numpy(object)])
        except WeightError as error:
            st.error(f"{tokens.plain(str(error))} Until then the original weights are used.")
            return network
