"""The weights of a hand-set network as a table that can be changed in place."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from lstm_core.nn import HandSet, WeightError


def edit(network: HandSet) -> HandSet:
    """What each unit does, and every weight in a table; the network with the weights as they are now.

    A weight that can't be used is named in one sentence, and the network keeps those it came with.
    """
    signs = "; ".join(f"**{name}** is 1 at {' '.join(signs)}" for name, signs in network.inputs.items())
    version = st.session_state.setdefault("microscope_table", 0)
    with st.expander(f"**{network.title}**: every weight, to be changed", icon=":material/tune:", expanded=True):
        st.markdown("\n".join(f"- **Unit {unit}** {sentence}" for unit, sentence in enumerate(network.units)))
        st.markdown(
            f"A row is a gate of one unit: the sum of its weights × inputs, then squashed. {signs}; for every other "
            "sign it is 0. Change a number, say what will happen, then play."
        )
        table = pd.DataFrame(network.table, index=network.row_names, columns=network.column_names)
        table.index.name = "weights of"
        key = f"microscope_weights_{network.name}_{version}"
        edited = st.data_editor(table, key=key, num_rows="fixed", disabled=["_index"])
        if st.button("Back to the first weights", icon=":material/undo:", key="microscope_reset"):
            st.session_state["microscope_table"] = version + 1
            st.rerun()
        try:
            rows = [[None if pd.isna(value) else value for value in row] for row in edited.to_numpy(object)]
            return network.with_table(rows)
        except WeightError as error:
            st.error(f"{error} Until then the first weights are used.")
            return network
