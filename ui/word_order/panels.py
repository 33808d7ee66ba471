"""The live figures about word order: a sentence whose words can be moved, the orders that were tried, two readers.

Each panel draws its controls, its figure and its sentence. The sentence and its order are one visitor's own;
which orders were tried is kept until another sentence is typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import streamlit as st

import lstm_core
from lstm_core.datasets import LONGEST
from lstm_core.errors import TextError
from lstm_core.inference import TextClassifier, WordModel, WordScore
from lstm_core.text import (
    MOST_ORDERS,
    Order,
    count_orders,
    orders_to_try,
    parse_order,
    rank_of_order,
    shuffle_order,
    words_in_order,
)
from ui.common import model_cache, plotting, url_state, word_chips
from ui.word_order import charts as order_charts

MODEL, BAG, LSTM = "everyday_words", "imdb_bag", "imdb"
QUESTION, CAT = "why do we need a recurrent neural network", "the cat sat on the mat"
# What to ask the room: a sentence, a second order of its words (places from 1), and a question.
PRESETS: dict[str, tuple[str, str, str]] = {
    "The article's question": (QUESTION, "8-6-4-3-7-5-1-2", "Same eight words: which of the two makes sense?"),
    "Dog and man": ("the dog bit the man", "1-5-3-4-2", "Who bites whom: does the network notice?"),
    "Good actors": ("good actors in a bad film", "5-2-3-4-1-6", "Which of the two did somebody like?"),
    "Never boring": ("never boring always funny", "1-4-3-2", "Two words change places: praise or complaint?"),
    "Not a bad film": (
        "this is not a bad film it is great",
        "1-2-4-5-6-7-8-3-9",
        "One small word moves six places. Does it take the meaning along?",
    ),
    "Expected and got": (
        "I expected a bad film and got a good one",
        "1-2-3-9-5-6-7-8-4-10",
        "People know which evening was better. Look at what the LSTM says.",
    ),
}  # fmt: skip
TRIES, KEPT, LISTED, COMPARED, SEED = 200, 50, 10, 6, 1
WORDS_HELP = (
    f"Up to {LONGEST} words of English. Only words are read, in small letters; commas and other signs are left out, "
    "since they would give the order away."
)
_KEY = "_orders"


@dataclass
class Tried:
    """What one visitor has made of one sentence.

    Attributes:
        words: as the network knows them, in the order in which they were typed.
        shown: the same as they were typed.
        now: the order on screen.
        all: the orders tried so far, the first one as typed; no two read the same.
        searched: whether many shuffles were asked for.
    """

    words: tuple[str, ...]
    shown: tuple[str, ...]
    now: Order
    all: list[Order] = field(default_factory=list)
    searched: bool = False

    def put(self, order: Order) -> None:
        """Show an order, and keep it; the oldest but the first leaves when there are too many."""
        self.now = order
        if words_in_order(self.words, order) not in {words_in_order(self.words, each) for each in self.all}:
            self.all.append(order)
            del self.all[1 : max(1, 1 + len(self.all) - KEPT)]

    def text(self, order: Order) -> str:
        """The words in an order, as they were typed."""
        return " ".join(words_in_order(self.shown, order))


def sentence() -> Tried:
    """The sentence, typed or chosen, and where the visitor stands with it.

    Raises:
        LabError: if there is no model, no word, or there are too many.
    """
    st.session_state.setdefault("order_text", url_state.parameter("text", QUESTION))
    named = next((name for name, preset in PRESETS.items() if preset[0] == st.session_state["order_text"]), None)
    st.session_state.setdefault("order_preset", named)
    st.pills(
        "Try one", list(PRESETS), key="order_preset", on_change=_choose, label_visibility="collapsed",
        persist_state="session",
    )  # fmt: skip
    text = st.text_input("A sentence", key="order_text", persist_state="session", help=WORDS_HELP, on_change=_own)
    model = model_cache.model(WordModel, MODEL)
    found = model.words(str(text))
    words = tuple(token.text for token in found)
    kept = st.session_state.get(_KEY)
    if not isinstance(kept, Tried) or kept.words != words:
        kept = Tried(words, tuple(str(text)[token.start : token.end] for token in found), tuple(range(len(words))))
        kept.put(kept.now)
        asked = url_state.parameter("order", _second(str(text)) if _KEY not in st.session_state else "")
        second = parse_order(st.session_state.pop("order_second", asked), len(words))
        if second:
            kept.put(second)
        st.session_state[_KEY] = kept
    return kept


def _second(text: str) -> str:
    return next((second for preset, second, _ in PRESETS.values() if preset == text), "")


def _choose() -> None:
    preset = st.session_state["order_preset"]
    if preset in PRESETS:
        st.session_state["order_text"], st.session_state["order_second"], _ = PRESETS[preset]
        st.session_state[_KEY] = None  # the same sentence again begins again


def _own() -> None:
    st.session_state["order_preset"] = None
    st.session_state["order_second"] = ""


def arrange(tried: Tried) -> None:
    """The words as chips, what can be done with them, the surprise at each in this order, and the orders tried."""
    preset = st.session_state.get("order_preset")
    if preset in PRESETS:
        st.markdown(f"**{PRESETS[preset][2]}**")
    model = model_cache.model(WordModel, MODEL)
    score = model.score(words_in_order(tried.words, tried.now))
    known = np.array(score.known)[np.argsort(tried.now)]  # by place in the typed sentence
    word_chips.show(
        tried.shown, known.tolist(), tried.now, score.surprisal.tolist(), key="order_chips", on_move=tried.put
    )
    ways = count_orders(tried.words)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Shuffle", key="order_shuffle", on_click=_shuffle, args=(tried,), disabled=ways == 1)
        original = tried.all[0]
        st.button("As typed", key="order_back", on_click=tried.put, args=(original,), disabled=tried.now == original)
        label = f"Try all {ways:,} orders" if ways <= MOST_ORDERS else f"Try {TRIES} shuffles"
        st.button(label, key="order_search", on_click=_search_it, args=(tried,), disabled=ways == 1 or tried.searched)
    st.caption("Drag a word, with mouse or finger, or choose one with Tab and move it with the arrow keys.")
    _warn(tried, score, ways)
    st.markdown(f"#### {result(score)}")
    left, right = st.columns(2, gap="large")
    with left:
        alt = "Bars, surprise in nats: " + ", ".join(
            f"{word} {value:.1f}" for word, value in zip([*score.words, "end"], score.surprisal, strict=True)
        )
        plotting.show(order_charts.surprises(score), "order_bars", alt)
    with right:
        ranking(tried)


def result(score: WordScore) -> str:
    """What the model says of an order, in one sentence."""
    return (
        f"{score.nats_per_word:.2f} nats of surprise a word: as hard to guess as one of "
        f"{np.exp(score.nats_per_word):,.0f} equally likely words, each time"
    )


def _shuffle(tried: Tried) -> None:
    tried.put(shuffle_order(tried.words, tried.now, np.random.default_rng()))


def _search_it(tried: Tried) -> None:
    tried.searched = True


def _warn(tried: Tried, score: WordScore, ways: int) -> None:
    unknown = list(dict.fromkeys(word for word, known in zip(score.words, score.known, strict=True) if not known))
    if len(tried.words) == 1:
        st.info("One word has only one order: type some more.")
    elif ways == 1:
        st.info("All these words are the same, so every order reads the same.")
    if not any(score.known):
        st.warning(
            "The network knows none of these words. To it they are one and the same word, “unknown”, so no order can "
            "surprise it more than another."
        )
    elif unknown:
        st.caption(
            f"The network doesn't know {', '.join(f'“{word}”' for word in unknown)} (hatched, dashed). All such words "
            "are one word to it, “unknown”: its surprise says how little it expected any rare word there, and which "
            "of two rare words stands where makes no difference to it."
        )


# --- The orders tried ---------------------------------------------------------------------------


def ranking(tried: Tried) -> None:
    """The orders tried so far, each a button that brings it back."""
    readings = tuple(words_in_order(tried.words, order) for order in tried.all)
    nats = _per_word(readings)
    best = np.argsort(nats, kind="stable")
    st.markdown("**The orders you tried**, the least surprising first:")
    for place, index in enumerate(best[:LISTED].tolist(), start=1):
        order = tried.all[index]
        marks = ":blue-badge[as typed] " * (index == 0) + ":gray-badge[now] " * (order == tried.now)
        st.button(
            f"{place} · {nats[index]:.2f} · {marks}{tried.text(order)}", key=f"order_tried_{index}",
            on_click=tried.put, args=(order,), type="tertiary", help=f"Bring back: {tried.text(order)}",
        )  # fmt: skip
    more = f" The first {LISTED} of {len(nats)} are listed." if len(nats) > LISTED else ""
    st.caption(f"Place · nats per word · order.{more}")


def search(tried: Tried) -> None:
    """Where the sentence as typed, and the order on screen, lie among very many orders of these words."""
    many = count_orders(tried.words) > MOST_ORDERS
    with st.spinner("Reading every order …", show_time=True):
        found, nats = _searched(tried.words)
    original, now = nats[0], _per_word((words_in_order(tried.words, tried.now),))[0]
    st.markdown(f"#### {verdict(nats, many)}")
    alt = f"Histogram of {len(nats)} orders, {nats.min():.2f} to {nats.max():.2f} nats per word; typed {original:.2f}."
    figure = order_charts.spread(nats, float(original), float(now))
    plotting.show(figure, "order_spread", alt)
    st.markdown("The least surprising of them:")
    for place in np.argsort(nats, kind="stable")[:3].tolist():
        label = f"{nats[place]:.2f} · {tried.text(found[place])}"
        st.button(
            label, key=f"order_found_{place}", on_click=tried.put, args=(found[place],), type="tertiary",
            help="Put the words into this order.",
        )  # fmt: skip


def verdict(nats: np.ndarray, many: bool) -> str:
    """Which place the first of (n,) surprises has among all of them, in a sentence."""
    rank = rank_of_order(nats, float(nats[0]))
    among = f"{len(nats) - 1} shuffles and itself" if many else f"all {len(nats):,} orders"
    if rank == 1:
        return f"Of {among}, the sentence as typed is the least surprising"
    return f"Of {among}, the sentence as typed has place {rank:,}: {rank - 1:,} surprise the network less"


@st.cache_data(max_entries=64, show_spinner=False)
def _searched(words: tuple[str, ...]) -> tuple[list[Order], np.ndarray]:
    found = orders_to_try(words, TRIES, SEED)
    return found, _model().surprisals([words_in_order(words, order) for order in found]).mean(axis=1)


@st.cache_data(max_entries=256, show_spinner=False)
def _per_word(readings: tuple[tuple[str, ...], ...]) -> np.ndarray:
    return _model().surprisals(readings).mean(axis=1)


def _model() -> WordModel:
    return model_cache.model(WordModel, MODEL)


# --- Two readers --------------------------------------------------------------------------------


def readers(tried: Tried) -> None:
    """What a bag of words and an LSTM answer to the orders tried last: did the writer like the film?"""
    chosen = [tried.all[0], *tried.all[1:][-COMPARED + 1 :]]
    texts = tuple(tried.text(order) for order in chosen)
    try:
        bag, lstm = _liked(BAG, texts), _liked(LSTM, texts)
    except TextError as error:
        st.error(str(error))
        return
    alone = _model().unigram_surprisal(tried.words)
    if len(texts) == 1:
        st.markdown("Only one order so far: shuffle the words, or move one, and look again.")
    else:
        st.markdown(f"#### {compared(bag, lstm)}")
    alt = "Two marks an order. " + "; ".join(
        f"{text}: bag {x:.1%}, LSTM {y:.1%}" for text, x, y in zip(texts, bag, lstm, strict=True)
    )
    plotting.show(order_charts.liked(texts, bag, lstm), "order_liked", alt)
    st.markdown(
        "A language model can be a bag, too. By how often each word is used, and nothing else, these words cost "
        f"**{alone.sum():.1f} nats** together, and a sum doesn't care in which order it is added up: so it is in each "
        f"of the {count_orders(tried.words):,} orders."
    )


def compared(bag: np.ndarray, lstm: np.ndarray) -> str:
    """How far the answers of the two readers to the same words lie apart, in a sentence."""
    apart = float(np.ptp(bag))
    same = "exactly the same answer" if apart == 0 else f"the same answer, up to rounding ({apart:.0e})"
    if apart > 1e-5:
        same = f"answers that differ by {apart:.2g}"
    return (
        f"The bag of words gives {len(bag)} orders {same}; "
        f"the LSTM says anything from {lstm.min():.0%} to {lstm.max():.0%}"
    )


def how_good() -> None:
    """What the model's card says it reaches on sentences it never saw, beside counting words; nothing if unmeasured."""
    card = next((card for card in lstm_core.list_models() if card.name == MODEL), None)
    if card is None or "order" not in card.measured:
        return
    order, peer = card.measured["order"], card.training.get("baseline")
    beside = f"; a {peer['name']}, which counts words, takes {peer['nats_per_word']:.2f}" if peer else ""
    st.caption(
        f"How good is it? On sentences that it never saw it takes {card.measured['nats_per_word']:.2f} nats a word"
        f"{beside}, and word frequencies alone {card.measured['unigram_nats_per_word']:.2f}. Of {order['sentences']:,} "
        f"such sentences {order['first']:.0%} surprise it less than every one of {order['shuffles']} shuffles of their "
        "words."
    )


def swap() -> tuple[str, float, str, float]:
    """A sentence, its nats per word, the same with subject and object exchanged, and that one's."""
    text, second, _ = PRESETS["Dog and man"]
    words = tuple(text.split())
    swapped = words_in_order(words, parse_order(second, len(words)) or ())
    nats = _per_word((words, swapped))
    return text, float(nats[0]), " ".join(swapped), float(nats[1])


class Searched(NamedTuple):
    """A sentence among many orders of its words: its surprise and place, the best order and that one's."""

    nats: float
    place: int
    among: int
    best: str
    least: float


def among(text: str) -> Searched:
    """A sentence of small letters and no signs among the orders of its words that are tried by "Try …"."""
    words = tuple(text.split())
    found, nats = _searched(words)
    best = int(nats.argmin())
    reading = " ".join(words_in_order(words, found[best]))
    return Searched(float(nats[0]), rank_of_order(nats, float(nats[0])), len(nats), reading, float(nats[best]))


@st.cache_data(max_entries=256, show_spinner=False)
def _liked(name: str, texts: Sequence[str]) -> np.ndarray:
    model = model_cache.model(TextClassifier, name)
    return model.predict(texts)[:, model.labels.index("positive")].astype(float)
