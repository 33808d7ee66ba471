"""The whole page of a classifier; a page supplies its models, words and texts as a `PageConfig`."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import streamlit as st

from lstm_core import LabError
from lstm_core.inference import Reading, TextClassifier
from lstm_core.library import SHIPPED, ModelCard
from ui import checkup
from ui.classifier import asked, explain, panels, quality, surgery
from ui.common import clamp_editor, examples, gate, hidden, model_cache, tokens, url_state, visitor
from ui.common.errors import show_error, show_errors
from ui.common.explanations import say
from ui.guide import guess

MAX_USER_MODELS = 6  # of the visitor's own models that are offered for comparison
VIEWS = {
    "why": "Why this answer",
    "surgery": "Gate surgery",
    "pairs": "Two texts",
    "moments": "Similar activations",
    "checkup": "Check-up",
    "quality": "Evaluation",
    "mistakes": "Errors",
}


@dataclass(frozen=True)
class PageConfig:
    """The differences between the classifiers' pages."""

    key: str  # prefix of the keys of all widgets
    title: str  # of the page
    intro: str  # one or two sentences of Markdown
    model: str  # the network of the page
    peers: dict[str, str]  # models to compare with: name → name on the page
    label: str  # of the text area
    placeholder: str  # in the empty text area
    texts: examples.Texts  # examples, pairs and moments
    names: bool = False  # whether names of programming languages can be masked
    notes: str = ""  # Markdown on the training, shown with the evaluation
    views: tuple[str, ...] = tuple(VIEWS)  # the panels of "Look closer"
    linked: bool = False  # whether links to the page name the model
    stop: str = ""  # of the path, whose question is asked


def show(config: PageConfig) -> None:
    """Draw the page."""
    st.title(config.title, anchor=False)
    say(config.intro)
    answer(config, *_inputs(config, {**config.peers, **_user_models(config)}))


def answer(config: PageConfig, text: str, hide: bool = False, peers: Mapping[str, str] | None = None) -> None:
    """Read a text and draw all about the answer.

    Args:
        config: of the page.
        text: as it was typed.
        hide: whether the names of programming languages are masked.
        peers: the models to compare with, name → name on the page.
    """
    try:
        model = model_cache.model(TextClassifier, config.model)
        reading = url_state.cached_reading(model, text, mask_names=hide or None)
    except LabError as error:
        show_error(error)
        return
    st.caption(f"{len(text):,} characters · {tokens.number(reading.encoded)}")
    covered = f"{config.key}_covered"
    if config.stop:
        guess.of_stop(config.stop, *panels.settled(reading), covered)
    asked.offer(reading, config.key, covered)
    readings = {model.card.title: reading, **_peer_readings(peers or {}, text)}
    with st.container(key=covered):
        _about(config, model, reading, hide, readings)


def _about(
    config: PageConfig, model: TextClassifier, reading: Reading, hide: bool, readings: Mapping[str, Reading]
) -> None:
    """Draw all that a reading shows; `readings` are this one and those of peers, title → reading."""
    with hidden.part(f"{config.key}_answer", "The answer"):
        _answers(config, readings)
    with hidden.part(f"{config.key}_how", "How the answer formed"):
        _how(config, model, readings)
    if not url_state.is_set(f"{config.key}_view", "view"):
        st.session_state[f"{config.key}_view"] = url_state.parameter("view", "", config.views) or None
    address = partial(_address, config, reading, hide)
    with hidden.part(f"{config.key}_inside", "Inside the memory"):
        st.header("Inside the memory", anchor=False)
        say(
            "At every token, the gates of each unit set what it forgets, what it writes and what it outputs. Choose a "
            "signal, then step through the tokens."
        )
        panels.inside_the_memory(model, reading, config.key, address)
    with hidden.part(f"{config.key}_closer", "Look closer"):
        st.header("Look closer", anchor=False)
        _look_closer(config, model, reading, hide, address)


def _answers(config: PageConfig, readings: Mapping[str, Reading]) -> None:
    for number, (column, (name, each)) in enumerate(
        zip(st.columns(len(readings), border=True), readings.items(), strict=True)
    ):
        with column:
            if len(readings) > 1:
                st.caption(name)
            panels.verdict(each, key=f"{config.key}{number}")
            panels.notices(each)


def _how(config: PageConfig, model: TextClassifier, readings: Mapping[str, Reading]) -> None:
    st.header("How the answer formed", anchor=False)
    how = "The network gives an answer after every token: each line is the probability of one class so far."
    if seen := surgery.pools(model):
        how += f" Its last layer pools: it sees every unit's {seen} over all tokens so far, not one state."
    say(how)
    for number, (name, each) in enumerate(readings.items()):
        if len(readings) > 1:
            st.subheader(name, anchor=False)
        panels.how_it_formed(each, key=f"{config.key}{number}")


def _address(config: PageConfig, reading: Reading, hide: bool) -> url_state.Parameters:
    """The parameters of a link to the page as it is now, without signal and timestep."""
    found = {"model": config.model if config.linked else "", "text": reading.text}
    found |= {"mask": "1" if hide else "", "view": st.session_state.get(f"{config.key}_view") or ""}
    found |= {"clamps": clamp_editor.current(config.key)}
    return {name: value for name, value in found.items() if value}


def _user_models(config: PageConfig) -> dict[str, str]:
    """The visitor's own classifiers with the same classes, trained or uploaded: name → displayed name in Markdown."""
    try:
        labels = ModelCard.read(SHIPPED / config.model).labels
    except LabError:
        return {}
    cards = [card for card in visitor.own_cards() if card.task == "classifier" and card.labels == labels]
    return {card.name: f"“{tokens.plain(card.title)}”" for card in cards[:MAX_USER_MODELS]}


def _inputs(config: PageConfig, peers: dict[str, str]) -> tuple[str, bool, dict[str, str]]:
    """The text, whether names are masked, and the models that the visitor compares with."""
    text_key = f"{config.key}_text"
    examples.choose(config.key, config.texts)
    text = url_state.linked(
        st.text_area, config.label, key=text_key, parameter="text", default=next(iter(config.texts.examples.values())),
        height=170, placeholder=config.placeholder, help="Paste it as it is. Ctrl+Enter reads it.",
    )  # fmt: skip
    hide = False
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Read", key=f"{config.key}_read", type="primary", icon=":material/play_arrow:")
        chosen = st.pills(
            "Compare with", list(peers), format_func=lambda name: f"Compare with {peers[name]}", selection_mode="multi",
            key=f"{config.key}_peers", label_visibility="collapsed", persist_state="session",
        )  # fmt: skip
        if config.names:
            hide = url_state.linked(
                st.toggle, "Hide language names", key=f"{config.key}_hide", parameter="mask",
                default=url_state.parameter("hide", "") == "1",  # as links said in former versions
                help="In the training data, the name of a question's own language was replaced by the word “blank”. "
                "Hide the names in your text in the same way and compare the answers.",
            )  # fmt: skip
    return text, hide, {name: peers[name] for name in chosen}


def _peer_readings(peers: Mapping[str, str], text: str) -> dict[str, Reading]:
    found = {}
    for name, title in peers.items():
        with show_errors():
            found[title] = url_state.cached_reading(model_cache.model(TextClassifier, name), text)
    return found


@gate.fragment
def _look_closer(
    config: PageConfig, model: TextClassifier, reading: Reading, hide: bool, address: Callable[[], url_state.Parameters]
) -> None:
    """Draw the chosen panel; nothing is computed for the others. A fragment that reruns on its own."""
    view = st.segmented_control(
        "Look closer", config.views, format_func=VIEWS.__getitem__, key=f"{config.key}_view",
        label_visibility="collapsed", persist_state="session",
    )  # fmt: skip
    views: dict[str, Callable[[], None]] = {
        "why": lambda: explain.why(model, reading, config.key, hide),
        "surgery": lambda: surgery.show(model, reading, config.key, hide, address),
        "pairs": lambda: explain.pairs(model, config.texts, config.key),
        "moments": lambda: explain.moments(model, reading, config.texts, config.key),
        "checkup": lambda: checkup.show(
            model, reading.text, (*config.texts.examples.values(), *config.texts.moments), config.key
        ),
        "quality": lambda: quality.evaluation(config.model, config.peers, config.notes, config.key),
        "mistakes": lambda: quality.errors(model.card, config.key),
    }
    if view is None:
        st.caption("Choose a panel; it is computed when it is opened.")
        return
    with show_errors():
        views[view]()
    place = {name: st.query_params[name] for name in ("signal", "t") if name in st.query_params}
    url_state.remember(**address(), **place)
