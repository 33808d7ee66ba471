"""Some of the random networks of `random_networks.py`; more of them by `python -m tests.tracing.random_networks`."""

from __future__ import annotations

import collections

import pytest

from tests.tracing.random_networks import compared

SEEDS = range(8)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")  # of Keras, where one feature is drawn
def test_none_differs_silently() -> None:
    outcomes = {seed: compared(seed) for seed in SEEDS}
    built = {seed: outcome for seed, outcome in outcomes.items() if outcome is not None}
    counts = collections.Counter(each.live for each in built.values())
    assert {seed: each.why for seed, each in built.items() if "different" in (each.live, each.file)} == {}
    assert len(built) > len(SEEDS) / 2
    assert counts["equal"] > 0.8 * len(built)  # a refusal is allowed, but it isn't the rule
    assert sum(each.file == "equal" for each in built.values()) > len(built) / 3  # files of some layers are refused
