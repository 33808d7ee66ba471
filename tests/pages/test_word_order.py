"""The page about word order by AppTest: its figures are the model's, orders are kept, and bad input is one sentence."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import lstm_core
from lstm_core.text import permutations
from tests.pages.test_every_page import opened
from ui.word_order import word_chips
from ui.word_order.panels import MAX_KEPT, PRESETS, QUESTION, Tried, compared, result, verdict


@pytest.fixture(scope="module")
def model():  # type: ignore[no-untyped-def]
    return lstm_core.load("everyday_words")


def said(page: AppTest, words: str) -> bool:
    return any(words in text.value for text in page.markdown)


def tried(page: AppTest) -> Tried:
    return page.session_state["_orders"]


def listed(page: AppTest) -> list[str]:
    return [each.label for each in page.button if each.key and each.key.startswith("order_tried_")]


def test_it_opens_with_the_question_and_its_shuffle(model) -> None:  # type: ignore[no-untyped-def]
    page = opened("word_order")
    assert not page.exception
    shuffle = permutations.parse_order(PRESETS["The article's question"][1], 8)
    assert tried(page).all == [tuple(range(8)), shuffle]
    assert said(page, result(model.score(permutations.words_in_order(QUESTION.split(), shuffle))))
    assert page.query_params["order"] in ("8-6-4-3-7-5-1-2", ["8-6-4-3-7-5-1-2"])
    assert len(listed(page)) == 2


def test_shuffle_and_back_and_a_click_in_the_ranking(model) -> None:  # type: ignore[no-untyped-def]
    page = opened("word_order", text="the dog bit the man")
    page.button(key="order_shuffle").click().run()
    page.button(key="order_shuffle").click().run()
    kept = tried(page)
    assert len({permutations.words_in_order(kept.words, order) for order in kept.all}) == len(kept.all) >= 3
    page.button(key="order_back").click().run()
    assert tried(page).now == (0, 1, 2, 3, 4)
    page.button(key="order_tried_1").click().run()
    assert tried(page).now == kept.all[1]
    nats = model.surprisals([permutations.words_in_order(kept.words, order) for order in kept.all]).mean(axis=1)
    shown = [float(label.split(" · ")[1]) for label in listed(page)]
    assert shown == sorted(shown)
    np.testing.assert_allclose(shown, np.sort(nats), atol=0.0051)
    assert sum(":blue-badge" in label for label in listed(page)) == 1


def test_all_orders_of_five_words_are_tried_and_the_rank_is_computed(model) -> None:  # type: ignore[no-untyped-def]
    page = opened("word_order", text="the dog bit the man")
    button = page.button(key="order_search")
    assert button.label == "Try all 60 orders"
    button.click().run()
    words = ["the", "dog", "bit", "the", "man"]
    every = permutations.orders_to_try(words, 200, 1)
    nats = model.surprisals([permutations.words_in_order(words, order) for order in every]).mean(axis=1)
    assert said(page, verdict(nats, many=False))
    best = next(each for each in page.button if each.key == f"order_found_{nats.argmin()}")
    best.click().run()
    assert tried(page).now == every[int(nats.argmin())]


def test_two_hundred_shuffles_of_a_longer_sentence() -> None:
    page = opened("word_order")
    button = page.button(key="order_search")
    assert button.label == "Try 200 shuffles"
    button.click().run()
    assert not page.exception
    assert said(page, "Of 200 shuffles and the sentence as typed")


@pytest.mark.parametrize("name", list(PRESETS))
def test_every_preset_brings_two_orders_and_two_readers(name: str) -> None:
    page = opened("word_order", text="something else")
    page.pills(key="order_preset").set_value(name).run()
    assert not page.exception
    assert not page.error
    text, second, question, by = PRESETS[name]
    assert page.text_input(key="order_text").value == text
    assert permutations.format_order(tried(page).now) == second
    texts = [tried(page).text(order) for order in tried(page).all]
    bag, lstm = (lstm_core.load(each).predict(texts)[:, 1].astype(float) for each in ("imdb_bag", "imdb"))
    assert np.ptp(bag) < 1e-6 < 1e-3 < np.ptp(lstm)
    assert said(page, compared(bag, lstm))
    guess = page.pills(key=f"guess_order_{name}")
    assert question in guess.label
    assert not said(page, "As typed:")  # before the guess
    nats = [lstm_core.load("everyday_words").score(each.lower().split()).nats_per_word for each in texts]  # type: ignore[union-attr]
    better = int(np.argmax(lstm)) if by == "positive" else int(np.argmin(nats))
    guess.set_value(better).run()
    assert said(page, f"**Correct: {texts[better]}.**")


def test_a_link_brings_sentence_and_order_back() -> None:
    page = opened("word_order", text="Not good, bad!", order="3-1-2")
    assert tried(page).now == (2, 0, 1)
    assert tried(page).text(tried(page).now) == "bad Not good"
    page.text_input(key="order_text").set_value("one two three").run()
    assert tried(page).now == (0, 1, 2)


@pytest.mark.parametrize("order", ["", "1-2", "9-9-9", "<b>", "1-2-\x00", "3-1-2-4", "99999999999999999999-1-2"])
def test_a_damaged_order_is_the_sentence_as_typed(order: str) -> None:
    page = opened("word_order", text="not good bad", order=order)
    assert not page.exception
    assert not page.error
    assert tried(page).now == (0, 1, 2)


@pytest.mark.parametrize("text", ["", "   ", "😀😀", "\x00", "?!…"])
def test_no_word_is_one_sentence_and_the_text_stays(text: str) -> None:
    page = opened("word_order")
    page.text_input(key="order_text").set_value(text).run()
    assert not page.exception
    assert [error.value[:25] for error in page.error] == ["There is no word to read:"]
    assert page.text_input(key="order_text").value == text


def test_too_many_words_are_one_sentence() -> None:
    page = opened("word_order", text="word " * 200)
    assert not page.exception
    assert len(page.error) == 1
    assert "200 words" in page.error[0].value


def test_one_word_has_one_order() -> None:
    page = opened("word_order", text="film")
    assert "only one order" in page.info[0].value
    assert page.button(key="order_shuffle").disabled
    assert page.button(key="order_search").disabled


def test_the_same_word_five_times_reads_the_same() -> None:
    page = opened("word_order", text="good good good good good")
    assert "every order gives the same text" in page.info[0].value
    assert page.button(key="order_shuffle").disabled


@pytest.mark.parametrize("text", ["qwxz zxqw wqzx", "שלום עולם", "<script>qwxz('x')</script> 😀 a\x00b", "हिन्दी में"])
def test_strange_words_are_shown_and_called_unknown(text: str) -> None:
    page = opened("word_order", text=text)
    assert not page.exception
    assert not page.error
    assert page.warning or any("Not in the vocabulary" in caption.value for caption in page.caption)
    page.button(key="order_shuffle").click().run()
    assert not page.exception


def test_orders_of_unknown_words_alone_are_all_alike() -> None:
    page = opened("word_order", text="qwxz zxqw wqzx")
    assert "None of these words" in page.warning[0].value
    page.button(key="order_search").click().run()
    assert said(page, "lowest surprisal")


def test_the_oldest_order_leaves_but_never_the_first() -> None:
    kept = Tried(tuple("abcde"), tuple("abcde"), tuple(range(5)))
    kept.put(kept.now)
    for order in permutations.orders_to_try("abcde", 200, 1)[1:100]:
        kept.put(order)
    assert len(kept.all) == MAX_KEPT
    assert kept.all[0] == tuple(range(5))
    assert kept.all[-1] == kept.now
    kept.put(kept.all[3])
    assert len(kept.all) == MAX_KEPT


def test_what_the_browser_sends_is_an_order_or_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = {}
    monkeypatch.setattr(word_chips, "_component", lambda **given: calls.update(given))
    state: dict[str, object] = {}
    monkeypatch.setattr(word_chips.st, "session_state", state)
    moved: list[permutations.Order] = []
    word_chips.show(["a", "b"], [True, False], (1, 0), [1.0, 2.0, 3.0], key="k", on_move=moved.append)
    for sent in ([0, 1], [0, 0], [0, 1, 2], "01", None, [0, "x"]):
        state["k"] = {"moved": {"order": sent, "moves": 4}}
        calls["on_moved_change"]()
    state["k"] = {"moved": None}
    calls["on_moved_change"]()
    assert moved == [(0, 1)]
    assert state["k_moves"] == 4
    assert calls["data"]["surprisal"] == [1.0, 2.0]
