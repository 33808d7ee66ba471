"""Gradients through time against finite differences; powers, clipping, and runs that diverge without it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from lstm_core.errors import ModelError
from lstm_core.interpret import gradient_flow, toy_rnn
from lstm_core.interpret.gradient_clipping import clip_by_norm, clip_by_value, training_run
from lstm_core.interpret.toy_rnn import FEATURES, KINDS, ToyNetwork, initial_network, remember_first
from lstm_core.nn.trace import run_cell

LENGTH, UNITS, STEP = 6, 4, 1e-6
BOTH = pytest.mark.parametrize("activation", ["tanh", "relu"])
ALL = pytest.mark.parametrize("kind", KINDS)


def loss(network: ToyNetwork, x: np.ndarray, answers: np.ndarray, t: int = -1, push: np.ndarray | float = 0.0) -> float:
    """Mean cross-entropy, with something added to the hidden state of one timestep."""

    def at(step: int):  # type: ignore[no-untyped-def]
        return lambda signal, value: value + push if signal == "h" and step == t else value

    h = run_cell(network.cell, x, hooks=at).h[-1]
    logits = h @ network.readout
    logs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-logs[np.arange(len(answers)), answers].mean())


@BOTH
@ALL
class TestAgainstFiniteDifferences:
    def test_the_gradient_by_every_hidden_state(self, kind: toy_rnn.Kind, activation: str) -> None:
        network = initial_network(kind, UNITS, 3, scale=1.2, activation=activation, keep_bias=0.5)
        x, answers = remember_first(LENGTH, 3, 5)
        found = toy_rnn.classification_step(network, x, answers).time_gradients.h
        for t in range(LENGTH):
            for row, unit in np.ndindex(3, UNITS):
                push = np.zeros((3, UNITS))
                push[row, unit] = STEP
                slope = (loss(network, x, answers, t, push) - loss(network, x, answers, t, -push)) / (2 * STEP)
                assert found[t, row, unit] == pytest.approx(slope, abs=2e-8, rel=1e-5)

    @pytest.mark.parametrize("reset_after", [True, False])
    def test_the_gradient_by_the_weights(self, kind: toy_rnn.Kind, activation: str, reset_after: bool) -> None:
        network = initial_network(kind, UNITS, 4, activation=activation)
        network = replace(network, cell=replace(network.cell, reset_after=reset_after))
        x, answers = remember_first(LENGTH, 3, 6)
        found = toy_rnn.classification_step(network, x, answers).weight_gradients
        rng = np.random.default_rng(0)
        for index, gradient in enumerate(found):
            direction = rng.normal(size=gradient.shape)
            ends = []
            for sign in (1, -1):
                weights = network.weights
                weights[index] = weights[index] + sign * STEP * direction
                ends.append(loss(network.with_weights(weights), x, answers))
            assert (gradient * direction).sum() == pytest.approx((ends[0] - ends[1]) / (2 * STEP), abs=1e-7, rel=1e-5)


class TestErrorFlow:
    def test_the_measured_flow_is_the_derivative_of_the_last_cell_state(self) -> None:
        cell = initial_network("lstm", UNITS, 2, keep_bias=1.0).cell
        x = remember_first(LENGTH, 1, 1)[0][:, 0]
        trace = run_cell(cell, x)
        found = gradient_flow.error_flow(cell, trace)
        for t, unit in np.ndindex(LENGTH - 1, UNITS):
            ends = []
            for sign in (1, -1):
                c = trace.c[t].copy()
                c[unit] += sign * STEP
                rest = run_cell(cell, x[t + 1 :], initial_state=(trace.o[t] * np.tanh(c), c))
                ends.append(rest.c[-1, unit])
            assert found.measured[t, unit] == pytest.approx(abs(ends[0] - ends[1]) / (2 * STEP), abs=1e-8)
        np.testing.assert_array_equal(found.measured[-1], 1)

    def test_without_recurrent_weights_the_gates_are_the_whole_derivative(self) -> None:
        cell = initial_network("lstm", UNITS, 2, scale=0.0, keep_bias=1.0).cell
        found = gradient_flow.error_flow(cell, run_cell(cell, remember_first(30, 1, 1)[0][:, 0]))
        np.testing.assert_allclose(found.gates, found.measured, rtol=1e-9)

    def test_a_cell_without_memory_is_refused_by_name(self) -> None:
        cell = initial_network("gru", UNITS, 2).cell
        with pytest.raises(ModelError, match="'gru' is no LSTM"):
            gradient_flow.error_flow(cell, run_cell(cell, np.zeros((3, FEATURES))))


class TestPowers:
    def test_a_number(self) -> None:
        np.testing.assert_allclose(gradient_flow.scalar_powers(-0.5, 3), [1, 0.5, 0.25, 0.125])

    @pytest.mark.parametrize("turning", [True, False])
    @pytest.mark.parametrize("radius", [0.0, 0.9, 1.3])
    def test_the_spectral_radius_is_the_one_asked_for(self, radius: float, turning: bool) -> None:
        matrix = gradient_flow.random_matrix(radius, 12, 1, is_orthogonal=turning)
        assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(radius, abs=1e-9)

    def test_the_radius_is_the_growth_in_the_long_run(self) -> None:
        norms = gradient_flow.matrix_powers(gradient_flow.random_matrix(1.1, 12, 1), 3000, 1)
        assert (norms[3000] / norms[1000]) ** (1 / 2000) == pytest.approx(1.1, rel=1e-3)

    def test_an_orthogonal_matrix_keeps_every_length(self) -> None:
        norms = gradient_flow.matrix_powers(gradient_flow.random_matrix(1.0, 12, 1, is_orthogonal=True), 300, 1)
        np.testing.assert_allclose(norms, 1.0, rtol=1e-9)


class TestFlows:
    def test_the_rnn_loses_its_gradient_and_the_lstm_keeps_it(self) -> None:
        rnn, gru, lstm = gradient_flow.initial_flows(100, 32, 1, scale=1.0, activation="tanh", keep_bias=3.0)
        assert rnn.shrank > 1e4
        assert 0.1 < lstm.shrank < 10
        assert gru.shrank < rnn.shrank / 100

    def test_with_a_half_open_forget_gate_the_lstm_loses_it_too(self) -> None:
        *_, lstm = gradient_flow.initial_flows(100, 32, 1, scale=1.0, activation="tanh", keep_bias=0.0)
        assert lstm.shrank > 1e10

    def test_huge_gradients_are_measured_and_overflow_is_said(self) -> None:
        huge = np.full((1, 1, 2), 3e200)
        assert gradient_flow.norms_over_time(huge)[0] == pytest.approx(3e200 * np.sqrt(2))
        assert gradient_flow.Flow("rnn", np.array([np.inf, 1.0]), 0.0).shrank == 0.0
        assert gradient_flow.Flow("rnn", np.array([0.0, 1.0]), 0.0).shrank == np.inf

    @pytest.mark.parametrize("length", [1, 2, 300])
    def test_any_length(self, length: int) -> None:
        for each in gradient_flow.initial_flows(length, 4, 1, scale=3.0, activation="relu", keep_bias=6.0):
            assert each.norms.shape == (length,)

    def test_the_trained_networks_remember_and_the_rnn_by_latching(self) -> None:
        rnn, _, lstm = gradient_flow.trained_flows(100, 1)
        assert rnn.accuracy == lstm.accuracy == 1.0
        assert rnn.shrank > 1e8

    def test_a_missing_network_is_one_sentence(self, tmp_path: Path) -> None:
        (tmp_path / "gru.npz").write_bytes(b"PK\x03\x04 nonsense")
        for kind in ("rnn", "gru"):
            with pytest.raises(ModelError, match=f"{kind}.npz is missing or damaged"):
                toy_rnn.trained_network(kind, tmp_path)

    def test_an_empty_sequence_is_refused(self) -> None:
        with pytest.raises(ValueError, match="at least one"):
            remember_first(0, 1, 1)


class TestClipping:
    def test_clipping_by_norm_keeps_the_direction(self) -> None:
        gradients = [np.array([3.0, 0.0]), np.array([[4.0]])]
        clipped = clip_by_norm(gradients, 1.0)
        np.testing.assert_allclose(clipped[0], [0.6, 0.0])
        np.testing.assert_allclose(clipped[1], [[0.8]])
        np.testing.assert_array_equal(clip_by_norm(gradients, 6.0)[0], gradients[0])
        np.testing.assert_array_equal(clip_by_norm([np.zeros(2)], 1.0)[0], 0)

    def test_clipping_by_value_changes_it(self) -> None:
        np.testing.assert_array_equal(clip_by_value([np.array([3.0, -0.1, -9.0])], 1.0)[0], [1.0, -0.1, -1.0])

    def test_a_run_diverges_without_it_and_learns_with_it(self) -> None:
        without, norm, value = (training_run("none"), training_run("norm"), training_run("value", threshold=0.1))
        assert without.diverged
        assert len(without.loss) < 200
        for run in (norm, value):
            assert not run.diverged
            assert run.loss[-20:].mean() < run.loss[:5].mean() / 2
        assert norm.after.max() <= 1 + 1e-9
        assert norm.before.max() > 1


class TestSaturation:
    def test_shares_and_histogram(self) -> None:
        cell = initial_network("lstm", UNITS, 1, keep_bias=9.0).cell
        found = gradient_flow.saturation([run_cell(cell, remember_first(20, 1, 1)[0][:, 0])])
        assert list(found) == ["i", "f", "o"]
        np.testing.assert_array_equal(found["f"].right, 1.0)
        np.testing.assert_array_equal(found["f"].left, 0.0)
        assert found["i"].histogram.sum() == pytest.approx(1.0)

    def test_a_plain_rnn_has_no_gates(self) -> None:
        cell = initial_network("rnn", UNITS, 1).cell
        with pytest.raises(ModelError, match="no gates"):
            gradient_flow.saturation([run_cell(cell, np.zeros((2, FEATURES)))])


def test_the_command_trains_all_three(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "lstm_core.interpret.toy_rnn", "--folder", str(tmp_path)]
    done = subprocess.run(
        [*command, "--steps", "3", "--length", "5", "--units", "4"], capture_output=True, text=True, check=True
    )
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == list(KINDS)
    assert toy_rnn.trained_network("lstm", tmp_path).cell.units == 4
