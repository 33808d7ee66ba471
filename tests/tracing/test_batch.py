"""A batch of one recurrent layer is its sequences one by one, also with masks, states and backwards."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import PARTS, STATES, run_cell
from lstm_core.nn.weights import CellWeights, Kind
from lstm_core.tracing.batch import run_batch

BATCH, T, FEATURES, UNITS = 3, 6, 2, 4


def cell(kind: Kind, seed: int = 0, **settings: bool) -> CellWeights:
    random, width = np.random.default_rng(seed), len(PARTS[kind]) * UNITS
    kernel, recurrent = random.normal(size=(FEATURES, width)), random.normal(size=(UNITS, width))
    return CellWeights(
        kind, "reader", kernel, recurrent, random.normal(size=width), random.normal(size=width), **settings
    )


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("zeros", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_a_batch_is_its_sequences(kind: Kind, zeros: bool, backwards: bool) -> None:
    weights = cell(kind, go_backwards=backwards, zero_output_for_mask=zeros)
    random = np.random.default_rng(1)
    x, mask = random.normal(size=(BATCH, T, FEATURES)), random.random((BATCH, T)) < 0.6
    mask[0] = False
    states = [random.normal(size=(BATCH, UNITS)) for _ in STATES[kind]]
    clamps = [Clamp(PARTS[kind][0], 0.5, units=1, timesteps=2)]
    found = run_batch(weights, x, mask=mask, initial_state=states, clamps=clamps)
    for number in range(BATCH):
        alone = run_cell(
            weights, x[number], mask=mask[number], initial_state=[each[number] for each in states], clamps=clamps
        )
        rows = alone.in_text_order()
        sequence = found.sequence(number)
        for name, values in rows.signals.items():
            np.testing.assert_allclose(sequence.signals[name], values, atol=1e-12)
        np.testing.assert_allclose(sequence.outputs, rows.outputs, atol=1e-12)
        for name, final in zip(STATES[kind], found.final_state, strict=True):
            np.testing.assert_allclose(final[number], alone.signals[name][-1], atol=1e-12)
    np.testing.assert_array_equal(found.mask, mask)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_no_timestep_leaves_the_state_as_it_was(kind: Kind) -> None:
    start = [np.full((1, UNITS), 0.5)] * len(STATES[kind])
    found = run_batch(cell(kind), np.zeros((1, 0, FEATURES)), initial_state=start)
    np.testing.assert_array_equal(found.final_state, start)
    assert found.h.shape == (1, 0, UNITS)


def test_wrong_shapes_are_said() -> None:
    weights = replace(cell("gru"), name="encoder")
    with pytest.raises(ValueError, match=r"'encoder' reads sequences of shape \(batch, T, 2\); received \(3, 2\)"):
        run_batch(weights, np.zeros((3, 2)))
    with pytest.raises(ValueError, match="mask of layer 'encoder'"):
        run_batch(weights, np.zeros((3, 4, 2)), mask=np.ones((3, 3)))
    with pytest.raises(ValueError, match="starts from 1 state"):
        run_batch(weights, np.zeros((3, 4, 2)), initial_state=[np.zeros((2, UNITS))])
