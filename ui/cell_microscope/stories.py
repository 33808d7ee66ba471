"""The two examples of the articles, measured on trained networks and the texts in `assets/stories.json` when shown."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

import lstm_core
from lstm_core import LabError
from lstm_core.inference import TextClassifier
from lstm_core.interpret import Contrast, forgetting_contrast, input_contrast, writing_contrast
from lstm_core.nn import LayerTrace
from ui.common import assets, charts, model_cache, plotting
from ui.common.errors import show_error

_TEXTS = json.loads(assets.read("stories.json"))
EXAMPLE = 1  # index of the text that is shown; the unit was not chosen on it


@dataclass(frozen=True)
class Story:
    """An example with its measured figures."""

    network: str  # name of the model
    title: str  # of the model
    text: str  # the example
    tokens: tuple[str, ...]  # of the example
    signals: dict[str, np.ndarray]  # letter → (T,) of the chosen unit
    contrast: Contrast  # the chosen unit and its figures
    t: int  # the timestep to look at, from 0
    gate: Contrast | None = None  # of the fact and the remark: the unit whose input gate separates them best


@st.cache_data(show_spinner="Measuring the units …")
def change_of_subject(name: str) -> Story:
    """The forget gate at the full stop between two sentences, measured on one model."""
    texts = _TEXTS["turns"]
    tokens, traces = _read(name, texts)
    ends = [np.array([token == "." for token in row]) & (np.arange(len(row)) < len(row) - 1) for row in tokens]
    contrast = forgetting_contrast(traces, ends)
    return _story(name, texts, tokens, traces, contrast, int(np.flatnonzero(ends[EXAMPLE])[0]))


@st.cache_data(show_spinner="Measuring the units …")
def fact_and_remark(name: str) -> Story:
    """The input gate in a clause with a fact and in one with a remark, measured on one model."""
    texts, swapped = [], []
    for number, pair in enumerate(_TEXTS["facts"]):
        swap = number % 8 > 3  # half of them begin with the remark; both halves contain praise and criticism
        first, second = (pair["remark"], pair["fact"]) if swap else (pair["fact"], pair["remark"])
        texts.append(f"{first[0].upper()}{first[1:]}. {second[0].upper()}{second[1:]}.")
        swapped.append(swap)
    tokens, traces = _read(name, texts)
    facts, remarks = [], []
    for row, swap in zip(tokens, swapped, strict=True):
        place, cut = np.arange(len(row)), row.index(".")
        clauses = (place < cut, (place > cut) & (place < len(row) - 1))
        facts.append(clauses[swap])
        remarks.append(clauses[not swap])
    contrast = writing_contrast(traces, facts, remarks)
    example = traces[EXAMPLE].signals
    written = (example["i"] * np.abs(example["g"]))[:, contrast.unit]
    story = _story(name, texts, tokens, traces, contrast, int(np.where(facts[EXAMPLE], written, 0).argmax()))
    return replace(story, gate=input_contrast(traces, facts, remarks))


def _read(name: str, texts: list[str]) -> tuple[list[tuple[str, ...]], list[LayerTrace]]:
    """The tokens and the first layer's trace of each text."""
    model = model_cache.any_model(name)
    tokens, traces = [], []
    for text in texts:
        if isinstance(model, TextClassifier):
            reading = model.read(text)
            tokens.append(reading.tokens)
            layers = reading.layers
        else:
            ids = model.alphabet.encode(text)
            tokens.append(tuple(model.alphabet.decode(ids)))
            layers = model.network.run(ids).traces
        assert isinstance(layers[0], LayerTrace)  # the models of `STORIES` are unidirectional
        traces.append(layers[0])
    return tokens, traces


def _story(
    name: str, texts: list[str], tokens: list[tuple[str, ...]], traces: list[LayerTrace], contrast: Contrast, t: int
) -> Story:
    signals = {letter: values[:, contrast.unit] for letter, values in traces[EXAMPLE].signals.items()}
    title = next(card.title for card in lstm_core.list_models() if card.name == name)
    return Story(name, title, texts[EXAMPLE], tokens[EXAMPLE], signals, contrast, t)


def show(open_story: Callable[[Story], None]) -> None:
    """Draw both examples; `open_story` shows one in the microscope."""
    st.header("Two examples", anchor=False)
    models = {card.name for card in lstm_core.list_models()}
    for key, (names, measure, describe) in STORIES.items():
        with st.container(border=True):
            name = next((name for name in names if name in models), None)
            if name is None:
                st.info("The network of this example is not among the models here.")
                continue
            try:
                story = measure(name)
            except LabError as error:
                show_error(error)
                continue
            sentence, detail = describe(story)
            st.markdown(sentence)
            with st.expander("How it was measured"):
                st.markdown(detail)
            st.code(story.text, language=None, wrap_lines=True)
            alt = f"Steps: cell state and gates of unit {story.contrast.unit} over the tokens of “{story.text}”"
            figure = charts.one_unit([token.replace(" ", "␣") for token in story.tokens], story.signals)
            plotting.show(figure, f"microscope_story_{key}", alt, toolbar=False)
            st.button(
                "Open in the microscope", key=f"microscope_put_{key}", icon=":material/biotech:", on_click=open_story,
                args=(story,),
            )  # fmt: skip


def _describe_change(story: Story) -> tuple[str, str]:
    """A sentence with the result, and how it was found."""
    found = story.contrast
    conclusion = (
        "It forgets there what it has accumulated. These figures don't show whether that was the person."
        if found.clear
        else "This network shows little of it: the unit decays a little at every token."
    )
    return (
        "**A change of subject.** When a sentence is about another person than the sentence before, a network should "
        f"forget the first one. The forget gate of unit {found.unit} is **{found.here:.2f}** at the full stop between "
        f"two sentences and **{found.elsewhere:.2f}** elsewhere.",
        f"The unit of “{story.title}” was chosen on half of our two-sentence texts, and measured on the {found.texts} "
        f"others. {conclusion}",
    )


def _describe_fact(story: Story) -> tuple[str, str]:
    """As `_describe_change`."""
    gate, written = story.gate, story.contrast
    assert gate is not None
    conclusion = "It opens and closes as described. " if gate.clear else "The difference is small. "
    return (
        "**The fact and the remark.** A fact about the movie is worth remembering, a remark about something else "
        f"is not. The input gate of unit {gate.unit} is **{gate.here:.2f}** in the fact and **{gate.elsewhere:.2f}** "
        "in the remark.",
        f"{conclusion}The unit of “{story.title}” whose input gate differs most was chosen on half of our texts; on "
        f"the {gate.texts} others it is higher in the fact in {gate.agreeing}. "
        "The amount that a unit writes, input gate × |candidate|, differs more: in unit "
        f"{written.unit} it is **{written.here:.2f}** per token in the fact and **{written.elsewhere:.2f}** in the "
        f"remark, {written.here / max(written.elsewhere, 1e-6):.1f} times as much.",
    )


# Key → the models that can show it, in order of preference; the measurement; its description.
STORIES: dict[str, tuple[tuple[str, ...], Callable[[str], Story], Callable[[Story], tuple[str, str]]]] = {
    "turn": (("macbeth", "julius_caesar", "shakespeare", "imdb"), change_of_subject, _describe_change),
    "fact": (("imdb",), fact_and_remark, _describe_fact),
}
