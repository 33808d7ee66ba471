"""Moments like this one: patterns planted in hand-made cell states, and the texts of a tiny classifier."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from lstm_core.inference.classifier import Reading, TextClassifier
from lstm_core.interpret.activation_search import active_units, find_moments, initial_timestep, scale_of
from lstm_core.nn.trace import BidirectionalTrace, LayerTrace
from lstm_core.text.encoder import Encoding

UNITS = 6


def trace_of(c: np.ndarray, h: np.ndarray | None = None) -> LayerTrace:
    c = np.asarray(c, float)
    signals = {"c": c, "h": np.zeros_like(c) if h is None else np.asarray(h, float)}
    return LayerTrace("lstm", "layer", signals, {}, {}, c, np.arange(len(c)), np.ones(len(c), bool))


def reading_of(*layers: LayerTrace | BidirectionalTrace) -> Reading:
    encoded = Encoding(("word",), ((0, 4),), np.ones(1, np.int32), 1)
    return Reading("word", encoded, ("no", "yes"), np.full((1, 2), 0.5), layers)


def noise(seed: int, timesteps: int = 20) -> np.ndarray:
    """Cell states in which no unit is on, were the largest 1."""
    return np.random.default_rng(seed).uniform(-0.25, 0.25, (timesteps, UNITS))


def planted(seed: int, timestep: int, **levels: float) -> Reading:
    """Noise with some units set at one timestep: `planted(1, 7, u2=1, u5=-1)`; of seed 0, all are 1 at the end."""
    c = noise(seed)
    if seed == 0:
        c[-1] = 1
    for unit, level in levels.items():
        c[timestep, int(unit[1:])] = level
    return reading_of(trace_of(c))


def test_a_planted_pattern_is_found_where_it_was_planted() -> None:
    pattern = planted(0, 4, u2=1, u5=-1)
    others = [
        planted(1, 11, u2=1),  # half of it
        reading_of(trace_of(noise(2))),  # nothing
        planted(3, 7, u2=1, u5=-1),  # all of it
        planted(4, 9, u2=-1, u5=1),  # its opposite
        planted(5, 0, u2=1, u5=-1, u0=1),  # one unit too many
    ]
    found = find_moments(pattern, 4, others)
    assert [(moment.reading, moment.timestep, set(moment.units)) for moment in found] == [
        (2, 7, {2, 5}),
        (4, 0, {2, 5}),
        (0, 11, {2}),
    ]
    assert [moment.match for moment in found] == pytest.approx([1, 2 / 3, 1 / 2])


def test_no_unit_on_is_no_moment() -> None:
    pattern = planted(0, 4, u2=1)
    assert find_moments(pattern, 5, [pattern]) == []
    assert find_moments(pattern, 4, []) == []
    silent = reading_of(trace_of(np.zeros((3, UNITS))))
    assert find_moments(silent, 1, [silent]) == []  # a unit that is never anything has a scale all the same


def test_of_several_places_the_best_then_the_first_is_taken() -> None:
    c = noise(1)
    c[3, 2] = c[12, 2] = c[15, 2] = c[12, 5] = c[15, 5] = 1
    (moment,) = find_moments(planted(0, 4, u2=1, u5=1), 4, [reading_of(trace_of(c))])
    assert moment.timestep == 12


def test_the_list_is_sorted_and_no_longer_than_asked() -> None:
    random = np.random.default_rng(0)
    readings = [reading_of(trace_of(random.normal(size=(15, UNITS)))) for _ in range(12)]
    found = find_moments(readings[0], 3, readings[1:], most=5)
    assert len(found) == 5
    everything = find_moments(readings[0], 3, readings[1:], most=99)
    assert found == everything[:5]
    matches = [moment.match for moment in everything]
    assert matches == sorted(matches, reverse=True)
    assert 0 < matches[-1] <= matches[0] <= 1
    assert len({moment.reading for moment in everything}) == len(everything)  # at most one a text


def test_matches_are_jaccard_by_counting() -> None:
    random = np.random.default_rng(1)
    readings = [reading_of(trace_of(random.normal(size=(9, UNITS)))) for _ in range(6)]
    largest = np.max([np.abs(each.layers[0].c).max(axis=0) for each in readings], axis=0)

    def states(reading: Reading, t: int) -> set[tuple[int, bool]]:
        row = reading.layers[0].c[t] / largest
        return {(unit, value > 0) for unit, value in enumerate(row) if abs(value) > 0.25}

    pattern = states(readings[0], 2)
    assert pattern
    for moment in find_moments(readings[0], 2, readings[1:], threshold=0.25):
        other = readings[1 + moment.reading]
        chances = [len(pattern & states(other, t)) / len(pattern | states(other, t)) for t in range(9)]
        assert moment.match == pytest.approx(max(chances))
        assert moment.timestep == int(np.argmax(chances))
        assert sorted(moment.units) == sorted(unit for unit, _ in pattern & states(other, moment.timestep))


def test_a_higher_threshold_turns_units_off_and_never_on() -> None:
    trace = trace_of(np.random.default_rng(2).normal(size=(30, UNITS)))
    scale = scale_of([trace])
    states = [active_units(trace, scale, threshold=level) for level in (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)]
    for lower, higher in pairwise(states):
        assert not (higher & ~lower).any()
        assert higher.sum() < lower.sum()
    assert not states[-1].any()  # nothing is beyond its own largest value


def test_above_and_below_zero_are_apart() -> None:
    state = active_units(trace_of([[0.5, -0.5], [0.1, -2.0]]), np.array([1.0, 2.0]), threshold=0.3)
    np.testing.assert_array_equal(state, [[True, False, False, False], [False, False, False, True]])


def test_the_scale_is_the_largest_size_over_all_texts_and_never_0() -> None:
    traces = [trace_of([[1, -2, 0], [0.5, 1, 0]]), trace_of([[-3, 0, 0]])]
    np.testing.assert_array_equal(scale_of(traces), [3, 2, 1e-6])


def test_signal_and_layer_can_be_chosen() -> None:
    quiet, loud = np.zeros((4, 2)), np.array([[0, 0], [0, 1.0], [0, 0], [0, 0]])
    deep = reading_of(trace_of(quiet, h=loud), BidirectionalTrace(trace_of(loud), trace_of(quiet), np.zeros((4, 4))))
    assert find_moments(deep, 1, [deep]) == []
    for choice in ({"signal": "h"}, {"layer": 1}):
        (moment,) = find_moments(deep, 1, [deep], **choice)
        assert (moment.timestep, moment.units, moment.match) == (1, (1,), 1.0)


def test_a_text_finds_itself_in_a_classifier(tiny: TextClassifier) -> None:
    texts = ["how do i sort a list", "the loop in java ( )", "blank of the list ."]
    readings = [tiny.read(text) for text in texts]
    for t in range(6):
        found = find_moments(readings[0], t, readings, threshold=0.2)
        assert found[0].match == 1
        assert any(moment.reading == 0 and moment.match == 1 and moment.timestep <= t for moment in found)


def test_the_moment_to_begin_with_moved_the_answer_while_a_unit_was_on(tiny: TextClassifier) -> None:
    reading = tiny.read("sort a list with a lambda and print the list again")
    others = [tiny.read("print a list"), tiny.read("sort it")]
    t = initial_timestep(reading, others, threshold=0.3)
    scale = scale_of([each.layers[0] for each in (reading, *others)])
    lit = active_units(reading.layers[0], scale, threshold=0.3).any(axis=1)
    assert lit[t]
    moved = np.abs(np.diff(reading.probabilities, axis=0)).max(axis=1)
    assert moved[t - 1] == moved[lit[1:]].max() if t else moved[lit[1:]].max(initial=0) == 0
    assert initial_timestep(reading, others, threshold=2.0) == len(reading.tokens) - 1
