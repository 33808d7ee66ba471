"""A character network writes on from a prompt; see every doubt, gate and memory behind it."""

import streamlit as st

import lstm_core
from lstm_core import LabError
from lstm_core.inference import TextGenerator
from ui.common import model_cache, url_state
from ui.text_generation import panel, views
from ui.text_generation.run import LENGTHS, LONGEST_PROMPT, Settings

VIEWS = {
    "beside": "Side by side",
    "surgery": "Gate surgery",
    "surprise": "Be surprised",
    "next": "What could come next",
    "corpus": "Your own text",
}
ORDER = ("macbeth", "julius_caesar", "shakespeare")

st.title("Text generation", anchor=False)
st.markdown(
    "A network that has read Shakespeare, **one character at a time**, writes on from your words. It never sees a "
    "word: its memory alone carries what was written so far. At every character you see what else it could have been."
)

cards = sorted(
    (card for card in lstm_core.list_models() if card.task == "generator"),
    key=lambda card: ORDER.index(card.name) if card.name in ORDER else len(ORDER),
)
if not cards:
    st.error("There is no character model in the models folder; get the project's models again.")
    st.stop()
titles = {card.name: card.title for card in cards}
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.session_state.setdefault("gen_model", url_state.parameter("model", cards[0].name, tuple(titles)))
    name = st.selectbox(
        "Network", list(titles), format_func=titles.__getitem__, key="gen_model", persist_state="session", width=330
    )
    st.session_state.setdefault("gen_seed", url_state.number("seed", 1, 0, 2**31))
    seed = st.number_input(
        "Seed", 0, 2**31, key="gen_seed", width=130, persist_state="session", help="The same seed writes the same text."
    )
    st.session_state.setdefault("gen_length", url_state.number("length", 400, *LENGTHS))
    length = st.slider("Length", *LENGTHS, step=20, key="gen_length", width=170, persist_state="session")
    pace = st.select_slider(
        "Characters a second", [4, 10, 40, 100], 40, key="gen_pace", width=170, help="Slow is for watching."
    )
st.session_state.setdefault("gen_prompt", url_state.parameter("prompt", "Is this a dagger which I see before me, "))
prompt = st.text_area(
    "Your beginning", key="gen_prompt", height=70, persist_state="session", help="Any words. Ctrl+Enter writes on."
)
with st.container(horizontal=True, vertical_alignment="bottom"):
    st.button("Write", type="primary", key="gen_write", icon=":material/edit:", on_click=panel.write_anew)
    st.session_state.setdefault("gen_temperature", url_state.decimal("temperature", 0.7, 0.0, 2.0))
    temperature = st.slider(
        "Temperature", 0.0, 2.0, step=0.05, key="gen_temperature", width=230, persist_state="session",
        help="Below 1 the network plays safe, at 0 it always takes the most probable character, above 1 it grows wild.",
    )  # fmt: skip
    st.session_state.setdefault("gen_top_k", url_state.number("top_k", 0, 0, 40))
    top_k = st.slider(
        "Top-k", 0, 40, key="gen_top_k", width=190, persist_state="session",
        help="Draw from the k most probable characters only; 0 for all.",
    )  # fmt: skip
    st.session_state.setdefault("gen_top_p", url_state.decimal("top_p", 1.0, 0.05, 1.0))
    top_p = st.slider(
        "Top-p", 0.05, 1.0, step=0.05, key="gen_top_p", width=190, persist_state="session",
        help="Draw from the fewest characters whose probabilities reach p together; 1 for all.",
    )  # fmt: skip
settings = Settings(temperature, top_k or None, top_p if top_p < 1 else None, int(seed), length, pace)

asked = (name, prompt)
try:
    model = model_cache.model(TextGenerator, name)
    if st.session_state.get("gen_asked") != asked:
        panel.begin(model, prompt, settings, "gen")
        st.session_state["gen_asked"] = asked
except LabError as error:
    st.session_state.pop("gen_asked", None)
    st.error(str(error))
    st.stop()
panel.notices(model, prompt, LONGEST_PROMPT)
panel.remember(name, prompt, settings)
run = panel.current("gen")
if run is not None:
    panel.run(run, "gen", settings)

st.header("Look closer", anchor=False)
view = st.segmented_control(
    "Look closer", list(VIEWS), format_func=VIEWS.__getitem__, default="beside", required=True, key="gen_view",
    label_visibility="collapsed", persist_state="session",
)  # fmt: skip
try:
    if view == "beside":
        views.beside(cards, model, prompt, settings)
    elif view == "surgery":
        views.operate(model, prompt, settings)
    elif view == "surprise":
        views.surprise(cards)
    elif view == "next":
        views.next_texts(model, prompt)
    else:
        views.own_corpus()
except LabError as error:
    st.error(str(error))
with st.expander("About this network"):
    st.markdown("\n\n".join([model.card.summary, *model.card.notes]))
    measured = model.card.measured.get("nats_per_character")
    if measured:
        st.markdown(f"Measured on the last tenth of its text: **{measured:.3f} nats per character**.")
