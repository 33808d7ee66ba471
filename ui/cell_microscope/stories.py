"""The two stories of the articles, told with trained networks: the change of subject, and the fact and the remark.

The units and the figures are measured when the page is opened, on texts of our own in `assets/stories.json`; a story
that the network doesn't show is told as that.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import streamlit as st

import lstm_core
from lstm_core import LabError
from lstm_core.inference import TextClassifier
from lstm_core.interpret import Contrast, forgetting_contrast, input_contrast, writing_contrast
from lstm_core.nn import LayerTrace
from ui.common import charts, model_cache, plotting

_TEXTS = json.loads((Path(__file__).resolve().parents[2] / "assets" / "stories.json").read_text(encoding="utf-8"))
# The first of these that is there tells the story.
TELL_TURNS = ("macbeth", "julius_caesar", "shakespeare", "imdb")
TELL_FACTS = ("imdb",)
EXAMPLE = 1  # the text that is shown: one of those that the unit was not picked from


@dataclass(frozen=True)
class Told:
    """A story as it was measured.

    Attributes:
        network: which one tells it.
        title: of that network.
        text: the example.
        tokens: of the example.
        signals: letter → (T,) of the unit that was picked.
        contrast: the unit and its figures.
        gate: the fact and the remark only: the unit whose input gate tells them apart best.
        t: the moment to look at, from 0.
    """

    network: str
    title: str
    text: str
    tokens: tuple[str, ...]
    signals: dict[str, np.ndarray]
    contrast: Contrast
    t: int
    gate: Contrast | None = None


def first_person_forgotten() -> Told | None:
    """The change of subject: the forget gate at the full stop between two sentences."""
    name = _first(TELL_TURNS)
    return None if name is None else _turns(name)


def fact_and_remark() -> Told | None:
    """The useful fact against the side remark: the input gate in one clause and in the other."""
    name = _first(TELL_FACTS)
    return None if name is None else _facts(name)


def _first(names: tuple[str, ...]) -> str | None:
    here = {card.name for card in lstm_core.list_models()}
    return next((name for name in names if name in here), None)


@st.cache_data(show_spinner="Measuring the units …")
def _turns(name: str) -> Told:
    texts = _TEXTS["turns"]
    tokens, traces = _read(name, texts)
    ends = [np.array([token == "." for token in row]) & (np.arange(len(row)) < len(row) - 1) for row in tokens]
    contrast = forgetting_contrast(traces, ends)
    return _told(name, texts, tokens, traces, contrast, int(np.flatnonzero(ends[EXAMPLE])[0]))


@st.cache_data(show_spinner="Measuring the units …")
def _facts(name: str) -> Told:
    texts, swapped = [], []
    for number, pair in enumerate(_TEXTS["facts"]):
        swap = number % 8 > 3  # some begin with the remark; praise and blame stand in both halves, too
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
    told = _told(name, texts, tokens, traces, contrast, int(np.where(facts[EXAMPLE], written, 0).argmax()))
    return replace(told, gate=input_contrast(traces, facts, remarks))


def _read(name: str, texts: list[str]) -> tuple[list[tuple[str, ...]], list[LayerTrace]]:
    """Tokens and the first layer's trace of each text."""
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
        assert isinstance(layers[0], LayerTrace)  # those that tell stories read in one direction
        traces.append(layers[0])
    return tokens, traces


def _told(
    name: str, texts: list[str], tokens: list[tuple[str, ...]], traces: list[LayerTrace], contrast: Contrast, t: int
) -> Told:
    signals = {letter: values[:, contrast.unit] for letter, values in traces[EXAMPLE].signals.items()}
    title = next(card.title for card in lstm_core.list_models() if card.name == name)
    return Told(name, title, texts[EXAMPLE], tokens[EXAMPLE], signals, contrast, t)


def tell(put: Callable[[Told], None]) -> None:
    """Both stories, side by side; `put` lays a story's text under the microscope."""
    st.header("Two stories", anchor=False)
    for key, measure, words in (("turn", first_person_forgotten, _turn_words), ("fact", fact_and_remark, _fact_words)):
        with st.container(border=True):
            try:
                told = measure()
            except LabError as error:
                st.error(str(error))
                continue
            if told is None:
                st.info("The network that tells this story is not among the models here.")
                continue
            _card(key, told, words(told), put)


def _card(key: str, told: Told, words: str, put: Callable[[Told], None]) -> None:
    st.markdown(words)
    st.code(told.text, language=None, wrap_lines=True)
    alt = f"Steps: the cell state and the gates of unit {told.contrast.unit} over the tokens of “{told.text}”"
    shown = [token.replace(" ", "␣") for token in told.tokens]
    figure = charts.one_unit(shown, told.signals)
    plotting.show(figure, f"microscope_story_{key}", alt, toolbar=False)
    st.button(
        "Put it under the microscope",
        key=f"microscope_put_{key}",
        icon=":material/biotech:",
        on_click=put,
        args=(told,),
    )


def _turn_words(told: Told) -> str:
    found = told.contrast
    lead = (
        "**A change of subject.** While a sentence speaks of one person, it pays to remember who that is. When the "
        "next sentence begins with somebody else, the old one must go, and that is the forget gate's work. "
    )
    figures = (
        f"Unit {found.unit} of “{told.title}” was picked on half of our two-sentence texts. In the {found.texts} "
        f"others its forget gate stands at **{found.here:.2f}** at the full stop between the sentences and at "
        f"**{found.elsewhere:.2f}** elsewhere. "
    )
    if found.clear:
        return (
            f"{lead}{figures}What it had gathered is dropped there, and it starts afresh. Whether what it had gathered "
            "was the person, these figures don't say; that it lets go at the turn, they do."
        )
    return f"{lead}{figures}So this network shows little of it: it fades everything a bit at a time."


def _fact_words(told: Told) -> str:
    gate, written = told.gate, told.contrast
    assert gate is not None
    lead = (
        "**The useful fact and the side remark.** Not all that is said deserves a place in memory. By the book, the "
        "input gate opens for what tells something about the film and stays shut for how one got to the cinema. "
    )
    figures = (
        f"The unit of “{told.title}” whose input gate does that best was picked on half of our texts: unit "
        f"{gate.unit}. In the {gate.texts} others its gate stands at **{gate.here:.2f}** in the telling clause and at "
        f"**{gate.elsewhere:.2f}** in the remark; it is higher in {gate.agreeing} of {gate.texts}. "
    )
    verdict = "It opens and shuts as in the book. " if gate.clear else "That is a nudge, not a door. "
    amount = (
        f"What a unit writes, input gate times size of the candidate, tells more: in unit {written.unit} it is "
        f"**{written.here:.2f}** a token in the telling clause and **{written.elsewhere:.2f}** in the remark, "
        f"{written.here / max(written.elsewhere, 1e-6):.1f} times as much. Gate and candidate do this work together."
    )
    return lead + figures + verdict + amount
