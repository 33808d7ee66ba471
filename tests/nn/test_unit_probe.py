"""The unit probe: its scores by hand, and the unit chosen on one set and measured on another."""

from __future__ import annotations

import numpy as np
import pytest

from lstm_core.nn.unit_probe import best_unit, correlations, explained_variance, probe_units


def test_correlations_are_pearsons() -> None:
    random = np.random.default_rng(0)
    values, feature = random.normal(size=(50, 3)), random.normal(size=50)
    values[:, 2] = 7  # a unit that never moves
    found = correlations(values, feature)
    np.testing.assert_allclose(found[:2], [np.corrcoef(values[:, k], feature)[0, 1] for k in range(2)])
    assert found[2] == 0


def test_the_unit_is_chosen_on_one_set_and_measured_on_another() -> None:
    random = np.random.default_rng(1)
    target = random.normal(size=60)
    activations = random.normal(size=(60, 5))
    activations[:, 3] = -2 * target
    found = probe_units((activations[:30], target[:30]), (activations[30:], target[30:]))
    assert (found.unit, found.chosen, found.measured) == (3, pytest.approx(-1), pytest.approx(-1))
    luck = best_unit(np.array([0.1, -0.9]), np.array([0.8, 0.2]))
    assert (luck.unit, luck.chosen, luck.measured) == (1, -0.9, 0.2)


def test_explained_variance_is_one_for_a_perfect_and_zero_for_the_mean_prediction() -> None:
    values = np.array([[1.0, 5.0, 2.0], [3.0, 5.0, 4.0]])
    predicted = np.array([[1.0, 5.0, 3.0], [3.0, 5.0, 3.0]])
    np.testing.assert_allclose(explained_variance(values, predicted), [1, 0, 0])
