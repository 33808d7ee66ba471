"""The whole of a classifier's page. A page brings its story: models, words and texts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import streamlit as st

from lstm_core import LabError
from lstm_core.inference import Reading, TextClassifier
from lstm_core.library import SHIPPED, ModelCard, list_user_models
from ui.classifier import explain, panels, quality
from ui.classifier import surgery as surgery_panel
from ui.common import clamp_editor, examples, model_cache, url_state

MOST_OWN = 6  # own models that are offered for comparison


@dataclass(frozen=True)
class PageConfig:
    """What tells one classifier's page from another.

    Attributes:
        key: begins the keys of all its widgets.
        title: of the page.
        intro: one or two sentences of Markdown under it.
        ours: the model that reads.
        foils: model → how people call it; offered for comparison.
        label: of the text area.
        placeholder: in the empty text area.
        texts: examples, pairs and moments.
        names: whether names of programming languages can be hidden.
        lessons: what training it taught; Markdown, shown with its figures.
        views: what can be looked at more closely.
        others: further models to compare with, as `foils`: those that were trained or brought along.
    """

    key: str
    title: str
    intro: str
    ours: str
    foils: dict[str, str]
    label: str
    placeholder: str
    texts: examples.Texts
    names: bool = False
    lessons: str = ""
    views: tuple[str, ...] = field(default=("why", "surgery", "pairs", "moments", "quality", "mistakes"))
    others: dict[str, str] = field(default_factory=dict)

    @property
    def compared(self) -> dict[str, str]:
        """Every model that is offered for comparison."""
        return {**self.foils, **self.others}


VIEW_NAMES = {
    "why": "Why this answer",
    "surgery": "Gate surgery",
    "pairs": "Two texts",
    "moments": "Moments like this",
    "quality": "How good is it",
    "mistakes": "Where it is wrong",
}


def show(story: PageConfig) -> None:
    """Draw the page."""
    st.title(story.title, anchor=False)
    st.markdown(story.intro)
    story = replace(story, others=_own_models(story))
    text, hide, foils = _ask(story)
    try:
        model = model_cache.model(TextClassifier, story.ours)
        reading = url_state.reading_of(model, text, mask_names=hide or None)
    except LabError as error:
        st.error(str(error))
        return
    st.caption(f"{len(text):,} characters · {reading.encoded.total:,} tokens")
    readings = {"ours": reading, **_foil_readings(story, foils, text)}
    _verdicts(story, readings)
    _formed(story, readings)

    st.header("Inside the memory", anchor=False)
    st.markdown(
        "At every token, each unit decides with its gates what to forget, what to write and what to show. Choose a "
        "signal, then walk through the tokens."
    )
    view = _view_of(story)
    address = {"text": url_state.text_for_link(reading), **({"hide": "1"} if hide else {}), "view": view}
    held = clamp_editor.current(story.key)
    if held:
        address["clamps"] = held
    panels.inside_the_memory(reading, 0, story.key, address)
    _look_closer(story, model, reading, hide, address)


def _own_models(story: PageConfig) -> dict[str, str]:
    """The visitor's own classifiers that tell the same things apart, from the studio or brought along."""
    try:
        labels = ModelCard.read(SHIPPED / story.ours).labels
    except LabError:
        return {}
    own = [card for card in list_user_models() if card.task == "classifier" and card.labels == labels]
    return {card.name: f"“{card.name}”, {card.title}" for card in own[:MOST_OWN]}


def _ask(story: PageConfig) -> tuple[str, bool, list[str]]:
    """The text, whether names are hidden, and which foils to compare with."""
    text_key = f"{story.key}_text"
    first = next(iter(story.texts.examples.values()))
    st.session_state.setdefault(text_key, url_state.parameter("text", first))
    examples.choose(story.key, story.texts, text_key)
    text = st.text_area(
        story.label,
        key=text_key,
        height=170,
        persist_state="session",
        placeholder=story.placeholder,
        help="Paste it as it is. Ctrl+Enter reads it.",
    )
    hide = False
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button("Read", key=f"{story.key}_read", type="primary", icon=":material/play_arrow:")
        foils = st.pills(
            "Compare with",
            list(story.compared),
            format_func=lambda name: f"Compare with {story.compared[name]}",
            selection_mode="multi",
            key=f"{story.key}_foils",
            label_visibility="collapsed",
            persist_state="session",
        )
        if story.names:
            hide = st.toggle(
                "Hide language names",
                key=f"{story.key}_hide",
                value=url_state.parameter("hide", "") == "1",
                persist_state="session",
                help="In the training data, the name of a question's own language was replaced by the word “blank”. "
                "Hide the names in your text the same way, and see whether the network still knows.",
            )
    return text, hide, foils


def _foil_readings(story: PageConfig, foils: list[str], text: str) -> dict[str, Reading]:
    found = {}
    for name in foils:
        try:
            found[story.compared[name]] = url_state.reading_of(model_cache.model(TextClassifier, name), text)
        except LabError as error:
            st.error(str(error))
    return found


def _verdicts(story: PageConfig, readings: dict[str, Reading]) -> None:
    for number, (column, (name, each)) in enumerate(
        zip(st.columns(len(readings), border=True), readings.items(), strict=True)
    ):
        with column:
            if len(readings) > 1:
                st.caption(name)
            panels.verdict(each, key=f"{story.key}{number}")
            panels.notices(each)


def _formed(story: PageConfig, readings: dict[str, Reading]) -> None:
    st.header("How the answer formed", anchor=False)
    st.markdown(
        "The network can be asked after every token. Each line is the probability of one answer, had the text ended "
        "there."
    )
    for number, (name, each) in enumerate(readings.items()):
        if len(readings) > 1:
            st.subheader(name, anchor=False)
        panels.how_it_formed(each, key=f"{story.key}{number}")


def _view_of(story: PageConfig) -> str:
    key = f"{story.key}_view"
    st.session_state.setdefault(key, url_state.parameter("view", story.views[0], story.views))
    return st.session_state[key]


def _look_closer(
    story: PageConfig, model: TextClassifier, reading: Reading, hide: bool, address: dict[str, str]
) -> None:
    st.header("Look closer", anchor=False)
    st.segmented_control(
        "Look closer",
        story.views,
        format_func=VIEW_NAMES.__getitem__,
        required=True,
        key=f"{story.key}_view",
        label_visibility="collapsed",
        persist_state="session",
    )
    drawn: dict[str, Callable[[], None]] = {
        "why": lambda: explain.why(model, reading, story.key, hide),
        "surgery": lambda: surgery_panel.show(model, reading, story.key, hide, address),
        "pairs": lambda: explain.pairs(model, story.texts, story.key),
        "moments": lambda: explain.moments(model, reading, story.texts, story.key),
        "quality": lambda: quality.how_good([story.ours, *story.foils], story.lessons, story.key),
        "mistakes": lambda: quality.where_wrong(model.card, story.key),
    }
    try:
        drawn[address["view"]]()
    except LabError as error:
        st.error(str(error))
