"""The recurrent family: one small trained network of each kind, on a task that shows its properties."""

import streamlit as st

from ui.common import url_state
from ui.common.errors import show_errors
from ui.common.explanations import explain
from ui.recurrent_family import cells, cloze, seq2seq, shapes, table, tree

# Name in the link → title, and the view.
VIEWS = {
    "gates": ("Gates or no gates", cells.show),
    "blanks": ("Both directions", cloze.show),
    "rewriting": ("Encoder–decoder", seq2seq.show),
    "tree": ("Over a tree", tree.show),
}

st.title("Recurrent family", anchor=False)
explain("family_intro")

view = url_state.control("family_view", {name: title for name, (title, _) in VIEWS.items()})
with show_errors():
    VIEWS[view][1]()
url_state.remember_page()

st.header("Many to one, one to many, many to many", anchor=False)
explain("shapes")
shapes.show(VIEWS, "family_view")

st.header("The family in numbers", anchor=False)
table.show()
explain("family_sources")
