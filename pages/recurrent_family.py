"""The recurrent family: one small trained network of each kind, on a task that shows its properties."""

import streamlit as st

from ui.common import url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain, say
from ui.recurrent_family import cells, cloze, seq2seq, shapes, table, tree

# Name in the link → title, and the view, which returns the parameters of a link to it.
VIEWS = {
    "gates": ("Gates or no gates", cells.show),
    "blanks": ("Both directions", cloze.show),
    "rewriting": ("Encoder–decoder", seq2seq.show),
    "tree": ("Over a tree", tree.show),
}

st.title("Recurrent family", anchor=False)
say(
    "With or without gates, in one direction or two, with one output or many: there are several kinds of recurrent "
    "networks. Here is a small trained network of each kind. **What can each of them do that the others can't?**"
)

titles = {name: title for name, (title, _) in VIEWS.items()}
view = url_state.linked(
    st.segmented_control, "Network", titles, key="family_view", parameter="view", label_visibility="collapsed"
)
shown: dict[str, str | int] = {}
with show_errors():
    shown = VIEWS[view][1]()
url_state.remember(view=view, **shown)

st.header("Many to one, one to many, many to many", anchor=False)
explain("shapes")
shapes.show(VIEWS, "family_view")

st.header("The family in numbers", anchor=False)
table.show()
explain("family_sources")
