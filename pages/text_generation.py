"""A character model continues a prompt; see its probabilities, gates and states for every character."""

import streamlit as st

from lstm_core import LabError
from lstm_core.inference import TextGenerator
from ui.common import clamp_editor, hidden, model_cache, tokens, url_state, visitor
from ui.common.errors import show_error, show_errors
from ui.common.explanations import explain, say
from ui.common.url_state import control
from ui.text_generation import panel, views
from ui.text_generation.run import LENGTHS, Settings

VIEWS = {
    "beside": "Side by side",
    "surgery": "Gate surgery",
    "surprise": "Surprisal of a text",
    "next": "Continuations",
    "corpus": "Your own text",
}
ORDER = ("macbeth", "julius_caesar", "shakespeare")

st.title("Text generation", anchor=False)
introduction = st.container()
cards = sorted(
    (card for card in visitor.cards() if card.task == "generator"),
    key=lambda card: ORDER.index(card.name) if card.name in ORDER else len(ORDER),
)
if not cards:
    st.error("There is no character model in the models folder; get the project's models again.")
    st.stop()
with st.container(horizontal=True, vertical_alignment="bottom"):
    titles = {card.name: card.title for card in cards}
    name = control("gen_model", titles, on_change=panel.another_network, args=(cards,))
    seed = control("gen_seed")
    length = control("gen_length", *LENGTHS)
    pace = st.select_slider("Characters per second", [4, 10, 40, 100], 40, key="gen_pace", width=190)
card = next(card for card in cards if card.name == name)
with introduction:
    say(
        f"A network trained on {panel.trained_on(card)}, **one character at a time**, continues your text. "
        "Its input is one character, never a word; only its state carries what was written before. For each character "
        "you see the alternatives."
    )
prompt = control("gen_prompt", default=panel.opening(card))
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.button("Write", type="primary", key="gen_write", icon=":material/edit:", on_click=panel.write_anew)
    temperature, top_k, top_p = (control(f"gen_{name}") for name in ("temperature", "top_k", "top_p"))
settings = Settings(temperature, top_k or None, top_p if top_p < 1 else None, int(seed), length, pace)

try:
    model = model_cache.model(TextGenerator, name)
    if st.session_state.get("gen_request") != (name, prompt):
        panel.begin(model, prompt, settings, "gen")
        st.session_state["gen_request"] = (name, prompt)
except LabError as error:
    st.session_state.pop("gen_request", None)
    show_error(error)
    st.stop()
panel.notices(model, prompt)
clamps = clamp_editor.current("write")
url_state.remember_page(**({"clamps": clamps} if clamps else {}))
run = panel.current("gen")
if run is not None:
    with hidden.part("gen_run", "The text and its probabilities"):
        panel.run(run, "gen", settings)
st.header("How a character is chosen", anchor=False)
explain("sampling")

st.header("Look closer", anchor=False)
view = st.segmented_control(
    "Look closer", list(VIEWS), format_func=VIEWS.__getitem__, default="beside", required=True, key="gen_view",
    label_visibility="collapsed", persist_state="session",
)  # fmt: skip
with show_errors():
    if view == "beside":
        views.beside(cards, model, prompt, settings)
    elif view == "surgery":
        views.surgery(model, prompt, settings)
    elif view == "surprise":
        views.surprisal(cards)
    elif view == "next":
        views.continuations(model, prompt)
    else:
        views.own_corpus()
st.caption(tokens.plain(model.card.summary))
with st.expander("More about this network"):
    st.markdown(views.measured_in_words(model.card))
    st.markdown("\n\n".join(map(tokens.plain, model.card.notes)))
