"""Look into one cell while it reads a text of your own: every gate and every sum, token by token."""

import streamlit as st

from lstm_core import LabError
from lstm_core.nn import NETWORKS
from ui.cell_microscope import editor, gate_examples, page, stories, take_away, traced_text
from ui.cell_microscope.largest_change import largest_change
from ui.common import theme, tokens
from ui.common.errors import show_error
from ui.common.explanations import explain, say
from ui.guide import guess

with st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="bottom"):
    st.title("Cell microscope", anchor=False, width="content")
    layers = st.container(width="content")
if not theme.presenting():
    say("One unit of a network while it reads, with the real numbers. Space plays; arrow keys step.")

stage, question, parts = st.container(), st.container(), st.container()  # the editor of the weights stands below them
with stage if not theme.presenting() else st.container():
    name, text, surgery = page.inputs()
hand_set = editor.edit(NETWORKS[name]) if name in NETWORKS else None
try:
    traced = traced_text.read(name, text, hand_set)
except LabError as error:
    with stage:
        show_error(error)
else:
    with stage:
        layer = page.choose_layer(name, traced, layers)
        clamps = page.chosen_clamps(traced, layer)
        after = traced_text.read(name, text, hand_set, clamps) if clamps else None
        view = page.show(name, text, traced, layer, after, clamps)
        for note in traced.notes:
            st.caption(tokens.plain(note))
        take_away.show(name, text, after or traced, hand_set, clamps, layer, view)
    with surgery:
        page.surgery(traced, layer)
    with question:
        guess.of_stop("cell_microscope", *largest_change(after or traced, layer))
    with parts:
        st.header("What each part does", anchor=False)
        explain(f"{traced.layers[layer].kind}_parts")
        gate_examples.show()
stories.show(page.open_story)
