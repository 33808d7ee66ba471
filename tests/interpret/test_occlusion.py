"""Occlusion against answers that can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.interpret import occlude


def weighted(sequences: np.ndarray) -> np.ndarray:
    """(n, T) ids → (n, 2): the sum of the ids weighted by their place, and their number above 0."""
    return np.stack([sequences @ np.arange(1.0, 1 + sequences.shape[1]), (sequences > 0).sum(axis=1)], axis=1)


def test_each_timestep_loses_what_it_added() -> None:
    found = occlude(weighted, np.array([5.0, 0.0, 2.0]), 0.0)
    assert found.tolist() == [[5.0, 1.0], [0.0, 0.0], [6.0, 1.0]]


def test_features_are_replaced_by_a_row_and_some_timesteps_alone() -> None:
    values, shares = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), []
    found = occlude(lambda x: x.sum(axis=1), values, values.mean(axis=0), shares.append, steps=[0, 2])
    assert found.tolist() == [[-2.0, -2.0], [2.0, 2.0]]
    assert shares[-1] == 1.0


def test_long_sequences_are_read_in_several_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lstm_core.interpret.occlusion.STEPS_AT_ONCE", 20)
    values = np.arange(1.0, 11.0)
    assert occlude(weighted, values, 0.0)[:, 0].tolist() == (values * values).tolist()


def test_nothing_to_replace() -> None:
    with pytest.raises(ValueError, match="no timesteps"):
        occlude(weighted, np.zeros(0), 0.0)
