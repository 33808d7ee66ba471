"""A network that was broken on purpose is reported with its fault first, and a healthy one with none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

import lstm_core
from lstm_core.interpret import toy_rnn
from lstm_core.interpret.diagnosis import ablation, checkup, own_models
from lstm_core.nn.weights import CellWeights, Kind
from lstm_core.tracing.model_trace import RecurrentTrace
from tests.interpret.diagnosis.networks import doubled, exploding, healthy, inputs, traced, with_bias

KINDS: tuple[Kind, ...] = ("lstm", "gru", "rnn")
Broken = Callable[[], RecurrentTrace]


def unscaled(kind: Kind) -> RecurrentTrace:
    return traced(healthy(kind), np.random.default_rng(0).uniform(0, 1000, (24, 40, 6)))


def one_unscaled(kind: Kind) -> RecurrentTrace:
    return traced(healthy(kind), inputs() * [1000, 1, 1, 1, 1, 1])


def disconnected(kind: Kind) -> RecurrentTrace:
    """Units 0 to 5 have no weights, so that they never move."""
    weights = healthy(kind)
    alive = np.tile(np.arange(16) >= 6, weights.kernel.shape[1] // 16)
    return traced(replace(weights, kernel=weights.kernel * alive, recurrent=weights.recurrent * alive), inputs())


def scaled_recurrence(scale: float) -> CellWeights:
    weights = healthy("rnn")
    return replace(weights, recurrent=scale * weights.recurrent)


BROKEN: dict[str, tuple[str, Broken]] = {
    "forget bias -5": ("forget bias", lambda: traced(with_bias(healthy(), "f", -5), inputs())),
    "update bias -5": ("forget bias", lambda: traced(with_bias(healthy("gru"), "z", -5), inputs())),
    "output gate shut": ("saturated gates", lambda: traced(with_bias(healthy(), "o", -8), inputs())),
    "input gate shut": ("saturated gates", lambda: traced(with_bias(healthy(), "i", -8), inputs())),
    "update gate open": ("saturated gates", lambda: traced(with_bias(healthy("gru"), "z", 9), inputs())),
    "relu LSTM": ("state size", lambda: traced(exploding("lstm"), inputs())),
    "relu RNN": ("state size", lambda: traced(exploding("rnn"), inputs())),
    "relu RNN to infinity": ("state size", lambda: traced(exploding("rnn"), inputs(steps=1500, batch=3))),
    "chaotic RNN": ("gradient through time", lambda: traced(scaled_recurrence(3), inputs())),
    "forgetful RNN": ("gradient through time", lambda: traced(scaled_recurrence(0.2), inputs())),
} | {
    f"{name} {kind}": (fault, lambda broken=broken, kind=kind: broken(kind))  # type: ignore[misc]
    for kind in KINDS
    for name, fault, broken in (
        ("unscaled", "input scale", unscaled),
        ("one unscaled", "input scale", one_unscaled),
        ("twice too many", "redundant units", lambda kind: traced(doubled(healthy(kind), 2), inputs())),
        ("two units 16 times", "redundant units", lambda kind: traced(doubled(healthy(kind, units=2), 16), inputs())),
        ("dead units", "dead units", disconnected),
    )
}  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("name", BROKEN)
def test_the_fault_is_named_first(name: str) -> None:
    fault, broken = BROKEN[name]
    found = checkup(broken())
    assert (found.findings[0].name, found.severity) == (fault, "fault"), found.findings[0].sentence
    assert found.findings[0].advice


@pytest.mark.parametrize(("units", "features"), [(4, 2), (16, 6), (64, 20)])
@pytest.mark.parametrize("kind", KINDS)
def test_a_healthy_network_has_no_finding(kind: Kind, units: int, features: int) -> None:
    for seed in range(3):
        found = checkup(traced(healthy(kind, units, features, seed), inputs(features=features, seed=seed + 10)))
        assert [finding.sentence for finding in found.findings if finding.rank] == []
        assert len(found.findings) + len(found.skipped) == 9
        assert not any(finding.advice for finding in found.findings)


@pytest.mark.parametrize("kind", KINDS)
def test_initial_networks_of_pytorch_and_networks_that_solved_their_task_have_no_fault(kind: Kind) -> None:
    weights, random = healthy(kind), np.random.default_rng(0)
    uniform = [random.uniform(-0.25, 0.25, each.shape) for each in (weights.kernel, weights.recurrent, weights.bias)]
    torchs = replace(weights, kernel=uniform[0], recurrent=uniform[1], bias=uniform[2])
    x, _ = toy_rnn.remember_first(60, 24, seed=3)
    for trace in (traced(torchs, inputs()), traced(toy_rnn.trained_network(kind).cell, x.swapaxes(0, 1))):
        assert [finding.sentence for finding in checkup(trace).of("fault")] == []


@pytest.mark.parametrize("card", lstm_core.list_models(), ids=lambda card: card.name)
def test_no_shipped_model_has_a_fault(card: lstm_core.ModelCard, monkeypatch: pytest.MonkeyPatch) -> None:
    model = lstm_core.load(card.name)
    if card.name in ("imdb_bag", "negation_tree"):
        with pytest.raises(lstm_core.ModelError, match=f"The model '{card.name}' has no recurrent layer"):
            checkup(model)
        return
    monkeypatch.setattr(ablation, "MOST_UNITS", 2)
    monkeypatch.setattr(own_models, "ABLATED_STEPS", 30)
    found = checkup(model)
    assert found.findings
    assert [finding.sentence for finding in found.of("fault")] == []
