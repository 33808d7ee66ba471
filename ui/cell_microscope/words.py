"""What the parts of each cell do, in the order of the articles. Text only; the numbers are in the microscope."""

import streamlit as st

_LSTM = """
1. **Forget gate** *f*. Computed from the token and the previous hidden state: for each unit a number between 0 and 1,
   the share of its old cell state that it keeps. 1 keeps all, 0 clears it.
2. **Input gate** *i*. Another number between 0 and 1: the share of the candidate that is added to the cell state.
3. **Candidate** *g*. The value that can be added, between −1 and 1; the input gate scales it.
4. **Cell state** *C*. Old cell state × forget gate + candidate × input gate. It is never overwritten, only scaled and
   added to: information from many tokens ago can still be in it.
5. **Output gate** *o*. The share of the cell state that the unit outputs. Its output is the **hidden state** *h* = *o*
   × tanh *C*: the next layer receives nothing else, and neither do the gates at the next token.
"""
_GRU = """
1. **Update gate** *z*. The share of the old hidden state that is kept; the rest, 1 − *z*, comes from the candidate. It
   replaces the forget gate and the input gate.
2. **Reset gate** *r*. The share of the old hidden state that enters the candidate.
3. **Candidate** *g*. The new value, between −1 and 1.
4. **Hidden state** *h*. Memory and output in one: *z* × old + (1 − *z*) × candidate. There is no output gate.
"""
_RNN = """
1. **Sum**. The token and the previous hidden state, each multiplied by its weights.
2. **Hidden state** *h* = tanh of the sum. There is no gate: the whole state goes through the same weights and the same
   tanh at every token, so old information decays or saturates.
"""
_PARTS = {"lstm": _LSTM, "gru": _GRU, "rnn": _RNN}


def explain(kind: str) -> None:
    """Draw the description of a cell's parts."""
    st.header("What each part does", anchor=False)
    st.markdown(_PARTS[kind])
    if kind == "lstm":
        st.caption(
            "Each gate depends on the *h* of all units, not only of its own: *U·h* is a sum over the whole layer, and "
            "*W·x* one over the whole input."
        )
