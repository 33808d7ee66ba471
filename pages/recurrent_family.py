"""The recurrent family: one small trained network of each kind, and the task on which its character shows."""

import streamlit as st

from lstm_core import LabError
from ui.common import url_state
from ui.recurrent_family import cells, cloze, seq2seq, shapes, table, tree

# Name in the link → what people call it, and the view, which returns what a link to it must say.
VIEWS = {
    "gates": ("Gates or no gates", cells.show),
    "blanks": ("Both directions", cloze.show),
    "rewriting": ("Encoder–decoder", seq2seq.show),
    "tree": ("Over a tree", tree.show),
}

st.title("Recurrent family", anchor=False)
st.markdown(
    "Plain or gated, one direction or two, one answer or many: recurrent networks come in several kinds. Here is "
    "a small trained one of each. **Which of them can do what the others can't?**"
)

st.session_state.setdefault("family_view", url_state.parameter("view", "gates", tuple(VIEWS)))
view = st.segmented_control(
    "Network", list(VIEWS), format_func=lambda name: VIEWS[name][0], required=True, key="family_view",
    label_visibility="collapsed", persist_state="session",
)  # fmt: skip
shown: dict[str, str | int] = {}
try:
    shown = VIEWS[str(view)][1]()
except LabError as error:
    st.error(str(error))
url_state.remember(view=str(view), **shown)

st.header("Many to one, one to many, many to many", anchor=False)
st.markdown(
    "A recurrent network can be asked once or at every step, and it can be fed a text or its own words. The cell is "
    "the same; what differs is when something goes in and when something comes out."
)
shapes.show(VIEWS, "family_view")

st.header("The family in numbers", anchor=False)
table.show()
st.caption(
    "Shapes after Karpathy 2015. The drawings, the sentences and the texts are our own; the questions are from Stack "
    "Overflow."
)
