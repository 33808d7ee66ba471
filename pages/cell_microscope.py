"""Look into one cell while it reads: every gate, every sum, one token at a time, on a text of your own."""

import streamlit as st

from lstm_core import LabError
from lstm_core.nn import NETWORKS
from ui.cell_microscope import editor, page, stories, traced_text, words

st.title("Cell microscope", anchor=False)
st.markdown(
    "One unit of a network while it reads, with the real numbers. Play, or walk with the arrow keys; choose a unit by "
    "a click on its bar; drag through the sentence."
)

name, text = page.ask()
stage = st.container()
hand_set = editor.edit(NETWORKS[name]) if name in NETWORKS else None
try:
    specimen = traced_text.read(name, text, hand_set)
except LabError as error:
    stage.error(str(error))
else:
    with stage:
        layer = page.choose_layer(name, specimen)
        clamps = page.held(specimen, layer)
        after = traced_text.read(name, text, hand_set, clamps) if clamps else None
        page.show(name, text, specimen, layer, after, clamps)
        for note in specimen.notes:
            st.caption(note)
    page.operate(specimen, layer, after)
    words.explain(specimen.layers[layer].kind)
stories.tell(page.put)
