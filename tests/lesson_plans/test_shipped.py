"""The lessons that ship: each answer and each number of the notes is what the networks compute."""

from __future__ import annotations

import json
from functools import cache
from typing import Any
from urllib.parse import parse_qsl

import numpy as np
import pytest

import lstm_core
from lstm_core.evaluation import CELL_MODELS, moved_by_beginning
from lstm_core.interpret import initial_flows, scalar_powers
from lstm_core.lesson_plans import Stop, shipped_lessons
from lstm_core.nn import NETWORKS, Clamp, softmax
from lstm_core.paths import ASSETS

LESSONS = shipped_lessons()
GATE, WHY, KNOWS = (LESSONS[name].stops for name in ("what_is_a_gate", "why_gates", "what_an_lstm_knows"))
BRACKETS = "((a)(b)"
load = cache(lstm_core.load)


def settings(stop: Stop) -> dict[str, str]:
    return dict(parse_qsl(stop.link.partition("?")[2]))


def answer(stop: Stop) -> str:
    assert stop.question is not None
    return stop.question.answer


def read(stop: Stop, *clamps: Clamp, model: str = "stackoverflow") -> Any:
    return load(model).read(settings(stop)["text"], clamps)


def turning(reading: Any) -> int:
    """The number, from 1, of the token from which on the final answer stays."""
    found = reading.probabilities.argmax(axis=1)
    return int(np.flatnonzero(found != found[-1])[-1]) + 2


def part(place: int, length: int) -> str:
    first = place - 1
    return (
        "The first quarter"
        if first < length / 4
        else "The middle half"
        if first < length * 3 / 4
        else "The last quarter"
    )


def test_brackets_are_counted_as_the_first_lesson_says() -> None:
    trace = NETWORKS["brackets"].read(BRACKETS)
    c, f, i, g = (trace.signals[letter][:, 0] for letter in "cfig")
    assert answer(GATE[0]) == f"{c[-1]:.0f}"
    assert c.max().round() == 2
    assert answer(GATE[1]) == "It stays at 1"
    assert f.min() > 0.999
    assert answer(GATE[2]) == f"{(np.abs(i * g) > 0.5).sum()}"
    assert i[2] > 0.999
    assert abs(g[2]) < 0.001
    assert NETWORKS["brackets"].read("a(").signals["i"][0, 0] < 0.001
    closed = NETWORKS["brackets"].read(settings(GATE[3])["text"], (Clamp("f", 0.0),)).signals
    assert answer(GATE[3]) == f"{abs(closed['c'][-1, 0]):.0f}"
    assert closed["h"][-2, 0] == 0.0
    assert closed["i"][-1, 0] < 0.001
    assert settings(GATE[3])["text"] == BRACKETS


def test_nearly_all_forget_gates_of_the_trained_network_are_open() -> None:
    opened = (read(GATE[4]).layers[0].f[-1] > 0.5).sum()
    assert answer(GATE[4]) == "Nearly all"
    assert f"{opened} of 128, or {opened / 128:.0%}" in (GATE[4].notes)


def test_the_gradients_are_those_of_why_gates() -> None:
    assert f"{scalar_powers(0.9, 100)[-1]:.7f}" in WHY[0].notes
    assert answer(WHY[0]) == f"About {scalar_powers(0.9, 100)[-1]:.5f}"
    for stop, bias in ((WHY[1], 3.0), (WHY[2], 0.0)):
        assert float(settings(stop)["bias"]) == bias
    rnn, gru, lstm = initial_flows(100, 32, 1, scale=1.0, activation="tanh", keep_bias=3.0)
    assert answer(WHY[1]) == "LSTM"
    assert lstm.shrank < gru.shrank < rnn.shrank
    assert f"{gru.shrank:.0f} in the GRU and of {lstm.shrank:.1f}" in WHY[1].notes
    assert 0.9e6 < rnn.shrank < 1.3e6
    rnn, _, lstm = initial_flows(100, 32, 1, scale=1.0, activation="tanh", keep_bias=0.0)
    assert answer(WHY[2]) == "It vanishes more than in the plain RNN"
    assert 0.5e14 < lstm.shrank < 5e14
    assert lstm.shrank > rnn.shrank


def test_the_three_cells_remember_as_the_notes_say() -> None:
    moved = {name: moved_by_beginning(load(name), read(WHY[3], model=name), 10) for name in CELL_MODELS}
    rnn, gru, lstm = (round(100 * share) for share in moved.values())
    assert answer(WHY[3]) == "GRU"
    assert f"by {rnn} in the plain RNN, by {gru} in the GRU and by {lstm} in the LSTM" in WHY[3].notes
    assert gru == max(rnn, gru, lstm)


def test_the_race_ended_as_the_notes_say() -> None:
    cells = json.loads((ASSETS / "memory_gym.json").read_text("utf-8"))["presets"]["adding"]
    assert answer(WHY[4]) == "GRU and LSTM"
    assert [cells["cells"][kind]["passed"] for kind in ("rnn", "gru", "lstm")] == [0, 5, 5]
    assert len(cells["runs"]) == 5
    assert 0.4 < cells["cells"]["gru"]["sequences"] / cells["cells"]["lstm"]["sequences"] < 0.6


def test_the_answers_of_the_question_classifier() -> None:
    reading = read(KNOWS[0])
    assert answer(KNOWS[0]).lower() == reading.answer
    assert f"with {reading.confidence:.0%}" in KNOWS[0].notes
    place, count = turning(reading), len(reading.tokens)
    assert answer(KNOWS[1]) == part(place, count)
    assert f"up to token {place - 1} of {count}" in KNOWS[1].notes
    assert f"“{reading.tokens[place - 1]}” at token {place}" in KNOWS[1].notes
    assert reading.tokens[3] == "java"
    assert set(reading.probabilities[3 : place - 1].argmax(axis=1)) == {reading.labels.index("java")}
    open_, closed = read(KNOWS[2], Clamp("f", 0.0)), read(KNOWS[2], Clamp("i", 0.0))
    assert (read(KNOWS[2]).answer, open_.answer, closed.answer) == ("python", "python", "csharp")
    least, most = (round(100 * share) for share in (closed.probabilities[-1].min(), closed.confidence))
    assert f"C#, although all four are at {least} to {most}%" in KNOWS[2].notes
    assert answer(KNOWS[2]) == "It changes"


def test_the_network_without_pooling_changes_its_answer() -> None:
    closed = read(KNOWS[3], Clamp("f", 0.0), model="family_lstm")
    assert (read(KNOWS[3], model="family_lstm").answer, closed.answer) == ("javascript", "csharp")
    assert f"C# with {closed.confidence:.0%}" in KNOWS[3].notes


def test_the_next_character_and_the_order_of_words() -> None:
    model = load("shakespeare")
    first = next(iter(model.stream(settings(KNOWS[4])["prompt"], 1, temperature=1.0, seed=1)))
    shares = softmax(first.logits)
    assert model.alphabet.characters[int(shares.argmax())] == answer(KNOWS[4])
    assert f"{shares.max():.1%}" in KNOWS[4].notes
    asked = KNOWS[5].question
    assert asked is not None
    typed, other = load("everyday_words").surprisals([tuple(each.split()) for each in asked.choices]).mean(axis=1)
    assert f"{typed:.2f} against {other:.2f}" in KNOWS[5].notes
    assert asked.answer == asked.choices[0]
    assert typed < other


@pytest.mark.parametrize("stop", [KNOWS[6], KNOWS[7]], ids=lambda stop: stop.title)
def test_the_movie_reviews(stop: Stop) -> None:
    reading = read(stop, model="imdb")
    assert f"{reading.confidence:.0%}" in stop.notes
    if stop is KNOWS[6]:
        assert (answer(stop), reading.answer) == ("No", "negative")
    else:
        place, count = turning(reading), len(reading.tokens)
        assert reading.answer == "positive"
        assert answer(stop) == part(place, count)
        assert f"token {place}, “{reading.tokens[place - 1]}”" in stop.notes
        assert f"{count} tokens" in (stop.question.prompt if stop.question else "")
