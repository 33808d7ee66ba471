"""The path through the lab: its stops in the order of a lecture, each with a small picture that is computed now.

Pictures that need a trained network wait until it is loaded and take its place without moving
anything. Nothing here begins to load a network: the first page should paint at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from secrets import randbelow

import numpy as np
import plotly.graph_objects as go
import streamlit as st

from lstm_core import LabError
from lstm_core.nn import count_brackets
from ui.common import model_cache, theme
from ui.common.examples import Texts
from ui.gradient_lab import panels
from ui.home import thumbnails

QUESTION = next(iter(Texts.load("questions.json").examples.values()))
LANGUAGE = "python"  # what the first example of the family's page is about
PROMPT, WRITTEN = "Is this a dagger which I see before me, ", 44
BEAT = 1.5  # seconds between two looks at whether a network is there


@dataclass(frozen=True)
class Picture:
    """A small picture: the figure, what it shows for those who don't see it, and one computed sentence."""

    figure: go.Figure
    alt: str
    sentence: str


@dataclass(frozen=True)
class Stop:
    """One page on the way.

    Attributes:
        file: of the page.
        name: of the page.
        icon: in front of its name.
        question: what this stop answers.
        words: one or two plain sentences.
        picture: makes the picture; None for as long as a network is still loading.
        needs: the networks that the picture is made with.
    """

    file: str
    name: str
    icon: str
    question: str
    words: str
    picture: Callable[[], Picture | None]
    needs: tuple[str, ...] = ()


def show() -> None:
    """Draw the stops; look again for as long as a picture is missing."""
    waiting = not st.session_state.get("_path_complete", False)
    st.fragment(_draw, run_every=BEAT if waiting else None)()


def ten_minutes() -> None:
    """A short visit: what to do, for how long, and the link that opens it."""
    for minutes, file, name, settings, words in TEN_MINUTES:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.badge(minutes, color="blue")
            st.page_link(file, label=f"**{name}**", query_params=settings)
            st.markdown(words, width="stretch")


def more_rooms() -> None:
    """The pages that are not on the path."""
    for file, name, icon, words in MORE:
        with st.container(border=True):
            st.page_link(file, label=f"**{name}**", icon=icon)
            st.markdown(words)


def _draw() -> None:
    complete = [_stop(number, stop) for number, stop in enumerate(STOPS, start=1)]
    if all(complete) and not st.session_state.get("_path_complete", False):
        st.session_state["_path_complete"] = True
        st.rerun()  # once more, without the beat


def _stop(number: int, stop: Stop) -> bool:
    """One stop; whether there is nothing to wait for."""
    with st.container(border=True):
        words, drawing = st.columns([2, 3], vertical_alignment="center")
        with words:
            st.page_link(stop.file, label=f"**{number} · {stop.name}**", icon=stop.icon)
            st.markdown(f"**{stop.question}** {stop.words}")
        with drawing:
            try:
                picture = stop.picture()
            except LabError as error:
                st.error(str(error))
                return True
            if picture is None:
                with st.container(height=thumbnails.HEIGHT, border=False, vertical_alignment="center"):
                    st.caption("The trained network is waking up …")
            else:
                st.plotly_chart(picture.figure, config=thumbnails.CONFIG, alt=picture.alt, key=f"stop_{number}")
            st.caption(picture.sentence if picture else " ")
    return picture is not None


def memory_of_one_number() -> Picture:
    """The gates of the bracket counter on the text that stands on the page."""
    text = st.session_state.get("brackets") or "(a + [b − c]) × {d}"
    signals = count_brackets(text)
    most = int(np.max(signals["c"]).round())
    return Picture(
        thumbnails.strip(text, {letter: signals[letter] for letter in ("f", "i", "c")}),
        "Forget gate, input gate and cell state of one unit at each sign of the text above.",
        f"Your brackets: at most {most} open at once.",
    )


def fading_gradient() -> Picture:
    """The gradient's norm over a hundred steps in three untrained networks."""
    found = panels.default_flows()
    return Picture(
        thumbnails.fading({each.kind: each.norms / each.norms[-1] for each in found}),
        panels.result(found),
        panels.result(found),
    )


def three_cells() -> Picture | None:
    """What three small networks that differ in their cell alone think of the same question while they read it."""
    models = {kind: model_cache.ready(f"family_{kind}") for kind in theme.CELL_LINES}
    if None in models.values():
        return None
    text = next(iter(Texts.load("family.json").examples.values()))
    readings = {kind: model.read(text) for kind, model in models.items()}
    shares = {kind: each.probabilities[:, models[kind].labels.index(LANGUAGE)] for kind, each in readings.items()}
    ends = ", ".join(f"{theme.CELL_LINES[kind][0]} {values[-1]:.0%}" for kind, values in shares.items())
    name = theme.class_name(LANGUAGE)
    return Picture(
        thumbnails.cells(shares),
        f"Three lines: how probable {name} is to each cell after each token of a long question.",
        f"A long question, whose first line alone is telling. How sure each is of {name} at the end: {ends}.",
    )


def answer_forming() -> Picture | None:
    """The question network's answer while it reads a short question."""
    model = model_cache.ready("stackoverflow")
    if model is None:
        return None
    reading = model.read(QUESTION)
    return Picture(
        thumbnails.answers(reading.tokens, model.labels, reading.probabilities),
        f"Four lines: the probability of each language after each token of “{QUESTION}”.",
        f"“{QUESTION}” → {reading.confidence:.0%} {theme.class_name(reading.answer)}.",
    )


def writing() -> Picture | None:
    """What the character network writes after a line of Macbeth, another text for each visitor."""
    model = model_cache.ready("macbeth")
    if model is None:
        return None
    seed = st.session_state.setdefault("_path_seed", randbelow(10_000))
    written = list(model.stream(PROMPT, WRITTEN, temperature=0.7, seed=seed))
    text = "".join(each.character for each in written)
    expected = [each.distribution[model.alphabet.ids[each.character]] for each in written]
    surprise = -np.log(np.maximum(expected, 1e-12))
    return Picture(
        thumbnails.surprises(text, surprise),
        f"A bar a character: how little the network expected it. It wrote: {text}",
        f"“{PROMPT.strip()}” … “{' '.join(text.split())}”",
    )


STOPS = (
    Stop(
        "cell_microscope.py",
        "Cell microscope",
        ":material/biotech:",
        "What is inside a cell?",
        "One cell while it reads, drawn as the field draws it, with every number filled in. Play it, step through it, "
        "hold a gate. The smallest networks there can be predicted with pen and paper.",
        memory_of_one_number,
    ),
    Stop(
        "gradient_lab.py",
        "Gradient lab",
        ":material/trending_down:",
        "Why gates at all?",
        "Follow the gradient back through a plain RNN, a GRU and an LSTM, make it vanish, make it explode, and see "
        "which way through the cell keeps it alive.",
        fading_gradient,
    ),
    Stop(
        "recurrent_family.py",
        "Recurrent family",
        ":material/account_tree:",
        "Which cell remembers?",
        "A plain RNN, a GRU and an LSTM read the same question. Then their relatives: one that reads in both "
        "directions, one that turns a sequence into another, and one that reads a tree.",
        three_cells,
        ("family_rnn", "family_gru", "family_lstm"),
    ),
    Stop(
        "question_tags.py",
        "Question tags",
        ":material/sell:",
        "What do trained gates do?",
        "A network of 128 units reads a programming question and says which language it is about. Follow its answer "
        "and its memory from token to token, then break a gate and watch the answer change.",
        answer_forming,
        ("stackoverflow",),
    ),
    Stop(
        "text_generation.py",
        "Text generation",
        ":material/edit_note:",
        "Can it write?",
        "A network writes Shakespeare, one character at a time. See what else each character could have been, and "
        "which unit keeps count of the line.",
        writing,
        ("macbeth",),
    ),
)
MORE = (
    (
        "movie_reviews.py",
        "Movie reviews",
        ":material/theaters:",
        "Did the writer like the film? See how the verdict forms, which words made it, and what a network without any "
        "memory makes of the same review.",
    ),
    (
        "word_order.py",
        "Word order",
        ":material/shuffle:",
        "Shuffle a sentence. A language model is surprised, a bag of words notices nothing, and an LSTM changes its "
        "mind.",
    ),
    (
        "forecasting.py",
        "Forecasting",
        ":material/show_chart:",
        "Share prices, seasons, sunspots, or a table of your own: does an LSTM know more than “tomorrow is as today”?",
    ),
    (
        "training_studio.py",
        "Training studio",
        ":material/model_training:",
        "Train a network in front of everybody, in fifteen seconds or in five minutes, on our data or on yours. Break "
        "it on purpose, go back through its epochs, keep it.",
    ),
    (
        "memory_gym.py",
        "Memory gym",
        ":material/fitness_center:",
        "The tasks that made LSTMs famous, as a race: a plain RNN, a GRU and an LSTM learn the same thing before your "
        "eyes. Then look for the unit that carries the number.",
    ),
)
TEN_MINUTES = (
    ("1 min", "home.py", "Type brackets above", {}, "and predict the memory before you look."),
    ("2 min", "cell_microscope.py", "Play the cell microscope", {}, "and say which gate will open at the next sign."),
    (
        "2 min",
        "gradient_lab.py",
        "Half-open forget gates",
        {"bias": "0"},
        "The gradient dies in an LSTM, too: what has to change?",
    ),
    (
        "3 min",
        "question_tags.py",
        "Amnesia",
        {"view": "surgery", "clamps": "f=0"},
        "Paste a question of your own, guess, and read it with a forget gate that is shut.",
    ),
    (
        "2 min",
        "text_generation.py",
        "Too sure of itself",
        {"temperature": "0.1"},
        "Let it write at a temperature of 0.1, then at 1.5: which one is worse, and why?",
    ),
)
