"""The panels of the page about word order; the session keeps the sentence and the tried orders."""

from collections.abc import Sequence
from dataclasses import dataclass, field

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
from ui.common import assets, hidden, model_cache, plotting, url_state
from ui.common.errors import show_error
from ui.guide import guess
from ui.word_order import charts as order_charts
from ui.word_order import word_chips

MODEL, BAG, LSTM = "everyday_words", "imdb_bag", "imdb"
# Name → a sentence, a second order of its words (positions from 1), a question on both, and how it is answered.
PRESETS: dict[str, tuple[str, str, str, str]] = assets.table("presets.toml")["word_order"]
QUESTION, CAT = PRESETS["The article's question"][0], "the cat sat on the mat"
NUM_SHUFFLES, MAX_KEPT, MAX_LISTED, MAX_COMPARED, SEED = 200, 50, 10, 6, 1
WORDS_HELP = f"Up to {LONGEST} words of English. Only words are read, in lowercase; punctuation would reveal the order."
_KEY = "_orders"


@dataclass
class Tried:
    """One visitor's sentence and the orders tried so far."""

    words: tuple[str, ...]  # tokens of the network, in the order in which they were typed
    shown: tuple[str, ...]  # the same as typed
    now: Order  # the order on screen
    all: list[Order] = field(default_factory=list)  # the tried orders, the first one as typed; their texts differ
    searched: bool = False  # whether the visitor has asked for all orders, or many shuffles

    def put(self, order: Order) -> None:
        """Show an order and keep it; beyond `MAX_KEPT`, the oldest but the first is dropped."""
        self.now = order
        if words_in_order(self.words, order) not in {words_in_order(self.words, each) for each in self.all}:
            self.all.append(order)
            del self.all[1 : max(1, 1 + len(self.all) - MAX_KEPT)]

    def text(self, order: Order) -> str:
        """The words as typed, in an order."""
        return " ".join(words_in_order(self.shown, order))


def sentence() -> Tried:
    """Draw the sentence's controls; return it with the orders tried so far.

    Raises:
        LabError: if there is no model, no word, or too many words.
    """
    if not url_state.is_set("order_text", "text"):
        st.session_state["order_text"] = url_state.parameter("text", QUESTION)
        st.session_state.pop(_KEY, None)
        st.session_state.pop("order_preset", None)
    named = next((name for name, preset in PRESETS.items() if preset[0] == st.session_state["order_text"]), None)
    st.session_state.setdefault("order_preset", named)
    st.pills(
        "Examples", list(PRESETS), key="order_preset", on_change=_choose, label_visibility="collapsed",
        persist_state="session",
    )  # fmt: skip
    text = st.text_input(
        "A sentence", key="order_text", persist_state="session", help=WORDS_HELP, on_change=_clear_preset
    )
    found = _model().words(str(text))
    words = tuple(token.text for token in found)
    kept = st.session_state.get(_KEY)
    if not isinstance(kept, Tried) or kept.words != words:
        kept = Tried(words, tuple(str(text)[token.start : token.end] for token in found), tuple(range(len(words))))
        kept.put(kept.now)
        second_order = next((second for preset, second, *_ in PRESETS.values() if preset == text), "")
        linked = url_state.parameter("order", second_order if _KEY not in st.session_state else "")
        second = parse_order(st.session_state.pop("order_second", linked), len(words))
        if second:
            kept.put(second)
        st.session_state[_KEY] = kept
    return kept


def _choose() -> None:
    preset = st.session_state["order_preset"]
    if preset in PRESETS:
        st.session_state["order_text"], st.session_state["order_second"], *_ = PRESETS[preset]
        st.session_state[_KEY] = None  # the same sentence starts again


def _clear_preset() -> None:
    st.session_state["order_preset"] = None
    st.session_state["order_second"] = ""


def arrange(tried: Tried) -> None:
    """Draw the words as chips, their buttons, the surprisal of each word in this order, and the tried orders."""
    preset = st.session_state.get("order_preset")
    if preset in PRESETS:
        _ask(tried, str(preset))
    score = _model().score(words_in_order(tried.words, tried.now))
    with hidden.part("order_words", "The words, with their surprisal"):
        known = np.array(score.known)[np.argsort(tried.now)]  # by position in the typed sentence
        word_chips.show(
            tried.shown, known.tolist(), tried.now, score.surprisal.tolist(), key="order_chips", on_move=tried.put
        )
    ways = count_orders(tried.words)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.button("Shuffle", key="order_shuffle", on_click=_shuffle, args=(tried,), disabled=ways == 1)
        original = tried.all[0]
        st.button("As typed", key="order_back", on_click=tried.put, args=(original,), disabled=tried.now == original)
        label = f"Try all {ways:,} orders" if ways <= MOST_ORDERS else f"Try {NUM_SHUFFLES} shuffles"
        idle = ways == 1 or tried.searched
        st.button(label, key="order_search", on_click=setattr, args=(tried, "searched", True), disabled=idle)
    st.caption("Drag a word with mouse or finger, or select one with Tab and move it with the arrow keys.")
    _warn(tried, score, ways)
    with hidden.part("order_result", "The surprisal of the orders"):
        _result(tried, score)


def _result(tried: Tried, score: WordScore) -> None:
    st.markdown(f"#### {result(score)}")
    left, right = st.columns(2, gap="large")
    with left:
        alt = "Bars, surprisal in nats: " + ", ".join(
            f"{word} {value:.1f}" for word, value in zip([*score.words, "end"], score.surprisal, strict=True)
        )
        plotting.show(order_charts.surprisals(score), "order_bars", alt)
    with right:
        ranking(tried)


def _ask(tried: Tried, preset: str) -> None:
    """The question of an example; the language model or the LSTM answers it after a guess."""
    _, second, question, by = PRESETS[preset]
    orders = tried.all[0], parse_order(second, len(tried.words)) or tried.all[0]
    texts = tuple(tried.text(order) for order in orders)
    if by == "surprisal":
        nats = _per_word(tuple(words_in_order(tried.words, order) for order in orders))
        happened, figures = int(nats.argmin()), [f"{value:.2f} nats per word" for value in nats]
    else:
        lstm, bag = _positive(LSTM, texts), _positive(BAG, texts)
        happened, figures = int(lstm.argmax()), [f"{value:.1%} positive" for value in lstm]
        figures[1] += f". A bag of words gives {bag[0]:.2%} and {bag[1]:.2%}: it doesn't see the order"
    measured = f"As typed: {figures[0]}; in the other order: {figures[1]}."
    guess.ask(question, texts, happened, measured, key=f"guess_order_{preset}")


def result(score: WordScore) -> str:
    """The mean surprisal of an order, as a heading."""
    return f"Mean surprisal {score.nats_per_word:.2f} nats per word, a perplexity of {np.exp(score.nats_per_word):,.0f}"


def _shuffle(tried: Tried) -> None:
    tried.put(shuffle_order(tried.words, tried.now, np.random.default_rng()))


def _warn(tried: Tried, score: WordScore, ways: int) -> None:
    unknown = list(dict.fromkeys(word for word, known in zip(score.words, score.known, strict=True) if not known))
    if len(tried.words) == 1:
        st.info("One word has only one order: type some more.")
    elif ways == 1:
        st.info("All these words are the same, so every order gives the same text.")
    if not any(score.known):
        st.warning(
            "None of these words is in the vocabulary: all of them are read as “unknown”, so every order has the same "
            "surprisal."
        )
    elif unknown:
        st.caption(
            f"Not in the vocabulary: {', '.join(f'“{word}”' for word in unknown)} (hatched, dashed). All of them are "
            "read as “unknown”: exchanging two of them doesn't change the surprisal."
        )


def ranking(tried: Tried) -> None:
    """Draw the orders tried so far, each as a button that shows it again."""
    readings = tuple(words_in_order(tried.words, order) for order in tried.all)
    nats = _per_word(readings)
    best = np.argsort(nats, kind="stable")
    st.markdown("**The tried orders**, lowest surprisal first:")
    for place, index in enumerate(best[:MAX_LISTED].tolist(), start=1):
        order = tried.all[index]
        marks = ":blue-badge[as typed] " * (index == 0) + ":gray-badge[now] " * (order == tried.now)
        st.button(
            f"{place} · {nats[index]:.2f} · {marks}{tried.text(order)}", key=f"order_tried_{index}",
            on_click=tried.put, args=(order,), type="tertiary", help=f"Show again: {tried.text(order)}",
        )  # fmt: skip
    more = f" The first {MAX_LISTED} of {len(nats)} are listed." if len(nats) > MAX_LISTED else ""
    st.caption(f"Rank · nats per word · order.{more}")


def search(tried: Tried) -> None:
    """Draw the distribution of the surprisal over very many orders, with the typed one and the one on screen."""
    many = count_orders(tried.words) > MOST_ORDERS
    with st.spinner("Reading every order …", show_time=True):
        found, nats = _searched(tried.words)
    original, now = nats[0], _per_word((words_in_order(tried.words, tried.now),))[0]
    st.markdown(f"#### {verdict(nats, many)}")
    alt = f"Histogram of {len(nats)} orders, {nats.min():.2f} to {nats.max():.2f} nats per word; typed {original:.2f}."
    figure = order_charts.spread(nats, float(original), float(now))
    plotting.show(figure, "order_spread", alt)
    st.markdown("The orders with the lowest surprisal:")
    for place in np.argsort(nats, kind="stable")[:3].tolist():
        label = f"{nats[place]:.2f} · {tried.text(found[place])}"
        st.button(
            label, key=f"order_found_{place}", on_click=tried.put, args=(found[place],), type="tertiary",
            help="Put the words into this order.",
        )  # fmt: skip


def verdict(nats: np.ndarray, many: bool) -> str:
    """The rank of the first of (n,) surprisals, as a heading."""
    rank = rank_of_order(nats, float(nats[0]))
    among = f"{len(nats) - 1} shuffles and the sentence as typed" if many else f"all {len(nats):,} orders"
    if rank == 1:
        return f"Of {among}, the sentence as typed has the lowest surprisal"
    return f"Of {among}, the sentence as typed has rank {rank:,}: {rank - 1:,} have a lower surprisal"


@st.cache_data(max_entries=64, show_spinner=False)
def _searched(words: tuple[str, ...]) -> tuple[list[Order], np.ndarray]:
    found = orders_to_try(words, NUM_SHUFFLES, SEED)
    return found, _model().surprisals([words_in_order(words, order) for order in found]).mean(axis=1)


@st.cache_data(max_entries=256, show_spinner=False)
def _per_word(readings: tuple[tuple[str, ...], ...]) -> np.ndarray:
    return _model().surprisals(readings).mean(axis=1)


def _model() -> WordModel:
    return model_cache.model(WordModel, MODEL)


def readers(tried: Tried) -> None:
    """Draw the answers of a bag of words and an LSTM to the orders tried last: is the review positive?"""
    chosen = [tried.all[0], *tried.all[1:][-MAX_COMPARED + 1 :]]
    texts = tuple(tried.text(order) for order in chosen)
    try:
        bag, lstm = _positive(BAG, texts), _positive(LSTM, texts)
    except TextError as error:
        show_error(error)
        return
    alone = _model().unigram_surprisal(tried.words)
    if len(texts) == 1:
        st.markdown("Only one order so far: shuffle the words, or move one.")
    else:
        st.markdown(f"#### {compared(bag, lstm)}")
    alt = "Two marks for each order. " + "; ".join(
        f"{text}: bag {x:.1%}, LSTM {y:.1%}" for text, x, y in zip(texts, bag, lstm, strict=True)
    )
    plotting.show(order_charts.positive(texts, bag, lstm), "order_liked", alt)
    st.markdown(
        "A unigram language model is a bag of words, too: it uses word frequencies alone. Its surprisal for these "
        f"words is **{alone.sum():.1f} nats** in each of the {count_orders(tried.words):,} orders, since a sum doesn't "
        "depend on the order."
    )


def compared(bag: np.ndarray, lstm: np.ndarray) -> str:
    """How much the answers of the two classifiers differ between the orders, as a heading."""
    spread = float(np.ptp(bag))
    same = "exactly the same answer" if spread == 0 else f"the same answer, up to rounding ({spread:.0e})"
    if spread > 1e-5:
        same = f"answers that differ by {spread:.2g}"
    return (
        f"The bag of words gives {len(bag)} orders {same}; the LSTM's answers range from {lstm.min():.0%} to "
        f"{lstm.max():.0%}"
    )


def evaluation() -> None:
    """Draw the model's figures on the test set beside those of n-gram models; nothing if the card has none."""
    card = next((card for card in lstm_core.list_models() if card.name == MODEL), None)
    if card is None or "order" not in card.measured:
        return
    order, peer = card.measured["order"], card.training.get("baseline")
    baseline = f"; a {peer['name']} has {peer['nats_per_word']:.2f}" if peer else ""
    if peer and peer["nats_per_word"] < card.measured["nats_per_word"]:
        baseline += ", which is lower: it has counted every run of words of the same training set"
    st.caption(
        f"Evaluation: on the test set its mean surprisal is {card.measured['nats_per_word']:.2f} nats per word"
        f"{baseline}, and word frequencies alone {card.measured['unigram_nats_per_word']:.2f}. {order['first']:.0%} of "
        f"{order['sentences']:,} test sentences have a lower surprisal than each of {order['shuffles']} shuffles of "
        "their words."
    )
    if seeds := card.training.get("seeds"):
        st.caption(
            f"Trained with {len(seeds['runs'])} seeds, it has {seeds['mean']:.2f} nats per word of its validation "
            f"sentences on average, with a standard deviation of {seeds['deviation']:.2f}."
        )


@st.cache_data(max_entries=256, show_spinner=False)
def _positive(name: str, texts: Sequence[str]) -> np.ndarray:
    model = model_cache.model(TextClassifier, name)
    return model.predict(texts)[:, model.labels.index("positive")].astype(float)


def experiments() -> None:
    """The surprisal with subject and object exchanged, and the rank of a sentence among all its orders."""
    first, second, *_ = PRESETS["Dog and man"]
    words = tuple(first.split())
    swapped = words_in_order(words, parse_order(second, len(words)) or ())
    nats, other = _per_word((words, swapped))
    st.markdown(
        f"*{first}* has {nats:.2f} nats per word, *{' '.join(swapped)}* {other:.2f}. Exchanging subject and object "
        f"changes the surprisal by {abs(other - nats):.2f} nats; both are grammatical, few reviews are about dogs."
    )
    words = tuple(CAT.split())
    orders, all_nats = _searched(words)
    rank, best = rank_of_order(all_nats, float(all_nats[0])), int(all_nats.argmin())
    st.markdown(
        f"Type *{CAT}* and try all its orders: it has rank {rank:,} of {len(orders):,}, with {all_nats[0]:.3f} nats "
        f"per word. The lowest surprisal has *{' '.join(words_in_order(words, orders[best]))}*, with "
        f"{all_nats[best]:.3f}."
    )
