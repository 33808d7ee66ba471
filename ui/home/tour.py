"""The tour on the home page, with a small figure by the network of each page."""

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from secrets import randbelow

import numpy as np
import streamlit as st

from lstm_core.errors import ModelError
from lstm_core.inference import TextClassifier, TextGenerator, WordModel
from lstm_core.nn import count_brackets
from lstm_core.text import parse_order, words_in_order
from ui.common import assets, model_cache, theme, url_state
from ui.common.errors import show_errors
from ui.common.examples import Texts
from ui.common.explanations import say
from ui.common.shared_cache import CACHE
from ui.gradient_lab import panels
from ui.home import path, thumbnails
from ui.word_order import panels as order

TOUR = assets.table("tour.toml")
ROW = 3  # cards side by side
BRACKETS = "(a + [b − c]) × {d}"
QUESTION = next(iter(Texts.load("questions.json").examples.values()))
LANGUAGE = "javascript"  # the class of the first example on the page “Recurrent family”
PROMPT, LENGTH = "Is this a dagger which I see before me, ", 44


@dataclass(frozen=True)
class Picture:
    """A small drawing, its description for screen readers, and one computed sentence."""

    drawing: str  # SVG
    alt: str
    sentence: str


@dataclass(frozen=True)
class Stop:
    """One page of the tour."""

    file: str  # of the page
    name: str  # of the page
    spot: str  # the key of what its link leads to; "" for the head of the page
    icon: str  # before its name
    question: str  # that the page answers
    words: str  # one or two sentences
    take_home: str  # one sentence, at the foot of the page
    picture: Callable[[], Picture]  # draws the figure


def show() -> None:
    """Draw the stops as cards, each with a figure that its network has computed, and links to the rest of the path."""
    cards = [column for _ in range(0, len(STOPS), ROW) for column in st.columns(ROW, border=True)]
    for number, (card, stop) in enumerate(zip(cards, STOPS, strict=False), start=1):
        with card:
            _stop(number, stop)
    rest = list(path.PATH.items())[len(STOPS) + 1 :]
    for number, (place, (file, question)) in enumerate(zip(st.columns(len(rest)), rest, strict=True), len(STOPS) + 1):
        page = next(each for each in TOUR["more"] if each["file"] == file)
        label = f"**{number} · {page['name']}:** {question}"
        place.page_link(file, label=label, icon=page["icon"], help=page["words"])


def load_models() -> None:
    """Load the models of the figures before somebody comes; one that is missing or damaged says so on its page."""
    for name in ("stackoverflow", *(f"family_{kind}" for kind in theme.CELL_LINES), "macbeth", order.MODEL):
        with suppress(ModelError):
            model_cache.any_model(name)


def ten_minutes() -> None:
    """Draw a short programme: what to do, for how long, and the link that opens it."""
    rows = st.container(gap="xxsmall", key="ten_minutes")
    for step in TOUR["ten_minutes"]:
        with rows.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(f"{step['minutes']} min", color="blue")
            st.page_link(step["file"], label=f"**{step['name']}**", query_params=step["settings"])
            st.markdown(step["words"], width="stretch")
            with st.popover("Answer", icon=":material/lightbulb:", help="Guess first."):
                st.markdown(step["answer"])


def more_pages() -> None:
    """Draw links to the pages that are not on the path, with what they are about as tooltips."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("**More:**")
        for page in TOUR["more"]:
            if page["file"] not in path.PATH:
                st.page_link(page["file"], label=page["name"], icon=page["icon"], help=page["words"])


def _stop(number: int, stop: Stop) -> None:
    there = {"spot": stop.spot} if stop.spot else None
    st.page_link(stop.file, label=f"**{number} · {stop.name}**", icon=stop.icon, query_params=there, help=stop.words)
    say(f"**{stop.question}**")
    with show_errors():
        picture = stop.picture()
        st.html(thumbnails.image(picture.drawing, picture.alt))
        st.caption(picture.sentence)


def bracket_counter() -> Picture:
    """The gates of the bracket counter on the text of the page."""
    text = st.session_state.get("brackets") or BRACKETS
    signals = count_brackets(text)
    return Picture(
        thumbnails.strip(text, {letter: signals[letter] for letter in ("f", "i", "c")}),
        "Forget gate, input gate and cell state of one unit at each character of the text above.",
        f"Your brackets: at most {int(np.max(signals['c']).round())} are open at once.",
    )


def vanishing_gradient() -> Picture:
    """The gradient's norm over a hundred steps in three untrained networks."""
    flows = panels.default_flows()
    drawing = thumbnails.gradient_norms({each.kind: each.norms / each.norms[-1] for each in flows})
    left = ", ".join(f"{theme.CELL_LINES[each.kind][0]} {panels.in_words(1 / each.shrank)}" for each in flows)
    return Picture(drawing, panels.result(flows), f"Left of the gradient after {len(flows[0].norms)} steps: {left}.")


def three_cells() -> Picture:
    """The answers of three small networks, which differ only in their cell, while they read the same question."""
    models = {kind: model_cache.model(TextClassifier, f"family_{kind}") for kind in theme.CELL_LINES}
    text = next(iter(Texts.load("family.json").examples.values()))
    readings = {kind: url_state.cached_reading(model, text) for kind, model in models.items()}
    shares = {kind: each.probabilities[:, models[kind].labels.index(LANGUAGE)] for kind, each in readings.items()}
    ends = ", ".join(f"{theme.CELL_LINES[kind][0]} {values[-1]:.0%}" for kind, values in shares.items())
    name = theme.class_name(LANGUAGE)
    return Picture(
        thumbnails.cells(shares),
        f"Three lines: the probability of {name} for each cell after each token of a long question.",
        f"{name} at the end: {ends}. {rule_in_words()}",
    )


def rule_in_words() -> str:
    """How often each cell is right about long questions of the test set, as `benchmarks.long_questions` measured."""
    measured = json.loads(assets.read("family.json"))["long_questions"]
    shares = ", ".join(f"{share:.0%}" for share in measured["accuracy"].values())
    return f"Accuracy on long texts ({measured['questions'] / measured['of']:.0%} of the test set): {shares}."


def two_orders() -> Picture:
    """The surprisal of the same words in two orders, added up word by word."""
    model, (text, second, *_) = model_cache.model(WordModel, order.MODEL), order.PRESETS["The article's question"]
    words = tuple(text.split())
    orders = words, words_in_order(words, parse_order(second, len(words)) or ())
    nats = CACHE.get(("tour", orders), lambda: model.surprisals(orders))  # (2, words and the end)
    typed, shuffled = nats.mean(axis=1)
    return Picture(
        thumbnails.two_sums(dict(zip(("as typed", "shuffled"), nats.cumsum(axis=1), strict=True))),
        "Two lines: the surprisal of the words so far, in the typed order and shuffled.",
        f"“{text}”: {typed:.1f} nats per word as typed, {shuffled:.1f} shuffled.",
    )


def answer_forming() -> Picture:
    """The question network's answer while it reads a short question."""
    model = model_cache.model(TextClassifier, "stackoverflow")
    reading = url_state.cached_reading(model, QUESTION)
    return Picture(
        thumbnails.answers(model.labels, reading.probabilities),
        f"Four lines: the probability of each language after each token of “{QUESTION}”.",
        f"“{QUESTION}” → {reading.confidence:.0%} {theme.class_name(reading.answer)}.",
    )


def writing() -> Picture:
    """The text that the character model writes after a line of Macbeth, another one for each visitor."""
    model = model_cache.model(TextGenerator, "macbeth")
    seed = st.session_state.setdefault("_path_seed", randbelow(10_000))
    stream = partial(model.stream, PROMPT, LENGTH, temperature=0.7, seed=seed)
    written = url_state.session_cached("tour_text", seed, 1, lambda: list(stream()))
    text = "".join(each.character for each in written)
    probabilities = [each.distribution[model.alphabet.ids[each.character]] for each in written]
    return Picture(
        thumbnails.surprisals(text, -np.log(np.maximum(probabilities, 1e-12))),
        f"A bar for each character: its surprisal. The text: {text}",
        f"“{PROMPT.strip()}” … “{' '.join(text.split())}”",
    )


_PICTURES = {
    "cell_microscope.py": bracket_counter,
    "gradient_lab.py": vanishing_gradient,
    "recurrent_family.py": three_cells,
    "word_order.py": two_orders,
    "question_tags.py": answer_forming,
    "text_generation.py": writing,
}
STOPS = tuple(Stop(**stop, picture=_PICTURES[stop["file"]]) for stop in TOUR["stops"])
