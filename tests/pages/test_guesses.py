"""The questions of the path: nothing is said before a guess, and the answer is that of the reader's own run."""

from __future__ import annotations

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import lstm_core
from lstm_core.inference import TextClassifier, TextGenerator
from lstm_core.nn import NETWORKS, parse_clamps
from tests.pages.test_every_page import opened
from ui.cell_microscope.largest_change import FORGETTING, NO_GATE, WRITING, largest_change
from ui.cell_microscope.traced_text import TracedText, read
from ui.classifier.panels import settled
from ui.classifier.surgery import verdict
from ui.gradient_lab.panels import default_flows, largest
from ui.guide.guess import Offer
from ui.recurrent_family.cells import most_moved
from ui.text_generation.panel import INVISIBLE, most_probable_taken
from ui.text_generation.run import Settings, Writing
from ui.training_studio.run_state import half_learned

PAGES = {
    "question_tags": "after token",
    "cell_microscope": "comes from",
    "gradient_lab": "Over 100 steps the gradient",
    "recurrent_family": "Masking the first",
}


def verdicts(page: AppTest) -> list[str]:
    return [each.value for each in page.markdown if "**Correct:" in each.value or "**Not this time:" in each.value]


@pytest.mark.parametrize("name", PAGES)
def test_a_stop_asks_first_and_then_reads_the_answer_off_the_run(name: str) -> None:
    page = opened(name)
    assert not verdicts(page)
    guess = page.pills(key=f"guess_{name}")
    assert guess.label.startswith("**Guess first.**")
    found = [verdicts(guess.set_value(choice).run()) for choice in range(len(guess.options))]
    assert not page.exception
    assert all(len(each) == 1 and PAGES[name] in each[0] for each in found)
    assert sum("**Correct:" in each[0] for each in found) == 1  # one choice is the correct one


def test_the_final_answer_settles_where_it_no_longer_changes() -> None:
    model = lstm_core.load("stackoverflow")
    assert isinstance(model, TextClassifier)
    reading = model.read("var x = 1; and then import pandas as pd; df = pd.DataFrame()")
    answers = reading.probabilities.argmax(axis=1)
    part, words = settled(reading)
    first = next(t for t in range(len(answers)) if (answers[t:] == answers[-1]).all())
    assert f"after token {first + 1} of {len(answers)}" in words
    assert part == (first >= len(answers) / 4) + (first >= len(answers) * 3 / 4)
    assert settled(model.read("def"))[0] == 0


def test_the_largest_change_is_told_apart() -> None:
    assert largest_change(read("brackets", "(((", NETWORKS["brackets"]), 0)[0] == WRITING
    clamps = parse_clamps("f=0:0@3", tuple("ifgoch"), 2, 5)
    part, words = largest_change(read("brackets", "(((ab", NETWORKS["brackets"], clamps), 0)
    assert part == FORGETTING
    assert "from 3.00 to 0.00 at token 4, “a”" in words
    assert "−3.00 comes from forgetting" in words
    assert largest_change(read("echo", "(a)", NETWORKS["echo"]), 0)[0] == NO_GATE
    gru: TracedText = read("quotes", 'a"b', NETWORKS["quotes"])
    assert "z = " in largest_change(gru, 0)[1]


def test_the_largest_gradient_and_the_most_moved_answer() -> None:
    flows = default_flows()
    assert flows[largest(flows)].kind == max(flows, key=lambda each: each.norms[0] / each.norms[-1]).kind == "lstm"
    assert most_moved({"rnn": 0.1, "gru": 0.5, "lstm": 0.2}) == 1
    assert most_moved({"rnn": 0.001, "gru": 0.0, "lstm": 0.01}) == 3


@pytest.mark.parametrize(("temperature", "expected"), [(0.0, {0}), (2.0, {2})])
def test_the_most_probable_characters_are_counted_at_the_end(temperature: float, expected: set[int]) -> None:
    model = lstm_core.load("macbeth")
    assert isinstance(model, TextGenerator)
    writing = Writing(model, "Is this a dagger", Settings(temperature=temperature, length=40))
    writing.advance(5)
    assert most_probable_taken(writing)[0] is None
    writing.advance(100)
    part, words = most_probable_taken(writing)
    assert part in expected
    best = [model.alphabet.characters[int(np.argmax(writing.logits(n)))] for n in range(40)]
    assert f"{sum(a == b for a, b in zip(best, writing.text, strict=True))} of 40" in words


def test_half_of_what_a_run_learns() -> None:
    assert half_learned([4.0, *[1.0] * 99])[0] == 0
    assert half_learned(list(np.linspace(4, 1, 100)))[0] in (1, 2)
    assert half_learned([4.0] * 80 + [1.0] * 20)[0] == 2
    assert half_learned([4.0] * 35 + [1.0] * 65)[0] == 1
    assert half_learned([1.0] * 50)[0] is None
    assert half_learned([])[0] is None
    assert half_learned([1.0, float("nan")] * 20)[0] is None


def test_the_studio_waits_for_a_run() -> None:
    page = opened("training_studio")
    page.pills(key="guess_training_studio").set_value(1).run()
    assert not page.exception
    assert any("when a run of yours is over" in each.value for each in page.caption)
    assert not verdicts(page)


def offered(page: AppTest) -> dict[str, Offer]:
    assert not page.exception
    return page.session_state["_guesses_offered"]


def test_a_lecturer_can_ask_which_answer_wins_and_which_token_turns_it() -> None:
    text = "var x = 1; and then import pandas as pd; df = pd.DataFrame()"
    model = lstm_core.load("stackoverflow")
    assert isinstance(model, TextClassifier)
    reading = model.read(text)
    offers = offered(opened("question_tags", text=text))
    assert [offer.kind for offer in offers.values()] == ["page", "winner", "turning_token"]
    assert all("tags_covered" in offer.covers for offer in offers.values())
    happened, measured = offers["tags_winner"].result()
    assert happened == reading.probabilities[-1].argmax()
    assert f"{reading.confidence:.1%}" in measured
    happened, measured = offers["tags_turn"].result()
    shares = reading.probabilities[:, reading.probabilities[-1].argmax()]
    changes = np.abs(np.diff(shares, prepend=1 / 4))
    assert happened is not None
    assert offers["tags_turn"].choices[happened].endswith(f"(token {changes.argmax() + 1})")
    assert len(offers["tags_turn"].choices) == 4
    assert "tags_turn" not in offered(opened("question_tags", text="def"))  # one token turns nothing


def test_a_lecturer_can_ask_what_a_closed_gate_does_and_it_is_computed_when_it_is_revealed() -> None:
    page = opened("question_tags", view="surgery", text="def f(x): return x", clamps="f=0")
    offer = offered(page)["tags_surgery"]
    assert (offer.kind, offer.covers) == ("gate_closed", ("tags_outcome_covered",))
    assert not page.success
    model = lstm_core.load("stackoverflow")
    assert isinstance(model, TextClassifier)
    before, after = model.read("def f(x): return x"), model.read("def f(x): return x", [lstm_core.Clamp("f", 0.0)])
    happened, measured = offer.result()
    assert happened is not None
    assert offer.choices[happened] == verdict(before, after)
    assert f"{after.confidence:.0%}" in measured


def test_a_lecturer_can_ask_what_comes_next() -> None:
    page = opened("text_generation", length="20", prompt="Is this a dagger")
    offer = offered(page)["gen_next"]
    model = lstm_core.load("macbeth")
    assert isinstance(model, TextGenerator)
    (first,) = model.stream("Is this a dagger", 1)
    happened, measured = offer.result()
    assert happened is not None
    most = model.alphabet.characters[first.distribution.argmax()]
    assert offer.choices[happened] == INVISIBLE.get(most, most)
    assert f"{first.distribution.max():.0%}" in measured
    assert len(offer.choices) == 4


def test_a_lecturer_can_ask_which_network_learns_and_the_race_answers() -> None:
    page = opened("memory_gym")
    offer = offered(page)["gym_network"]
    assert offer.kind == "which_network"
    assert offer.choices == ("plain RNN", "GRU", "LSTM", "None of them")
