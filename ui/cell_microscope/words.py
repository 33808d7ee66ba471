"""What the cells' parts do, in the order of the articles. Words only; the numbers are in the microscope."""

from __future__ import annotations

import streamlit as st

_LSTM = """
1. **Forget gate** *f*. Looks at the token and at what the layer said last, and gives every unit a number between 0 and
   1: how much of its old memory it may keep. 1 keeps all, 0 wipes it.
2. **Input gate** *i*. Another number between 0 and 1: how much of what could be written now will be written.
3. **Candidate** *g*. What could be written, between −1 and 1. It is only a proposal until the input gate lets it in.
4. **Cell state** *C*. Old memory times forget gate, plus candidate times input gate. Nothing is ever overwritten, only
   faded and added to: that is why what was read long ago can still be there.
5. **Output gate** *o*. How much of the memory the unit shows. What it shows is its **hidden state** *h* = *o* × tanh
   *C*: the rest of the network sees this and nothing else, and so do the gates at the next token.
"""
_GRU = """
1. **Update gate** *z*. How much of the old state is kept; the rest, 1 − *z*, is taken from the candidate. One gate does
   the work of forget and input gate.
2. **Reset gate** *r*. How much of the old state the candidate may look at.
3. **Candidate** *g*. What the state could become, between −1 and 1.
4. **Hidden state** *h*. Memory and voice in one: *z* × old + (1 − *z*) × candidate. There is no output gate.
"""
_RNN = """
1. **Sum**. What the token brings, plus what the layer said last, each through its weights.
2. **Hidden state** *h* = tanh of the sum. There is no gate: everything that was known goes through the same weights and
   the same tanh at every token, and so it fades or gets stuck.
"""
WORDS = {"lstm": _LSTM, "gru": _GRU, "rnn": _RNN}


def explain(kind: str) -> None:
    """What each step does."""
    st.header("What each part does", anchor=False)
    st.markdown(WORDS[kind])
    if kind == "lstm":
        st.caption(
            "A gate listens to all units' *h*, not to its own alone: *U·h* is a sum over the whole layer, and *W·x* "
            "one over everything the layer reads."
        )
