"""Each measure of the check-up against a network whose answer is known."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.interpret.diagnosis import NAMES, Finding, checkup
from lstm_core.interpret.diagnosis.gates import saturated_gates
from lstm_core.interpret.diagnosis.gradients import gradient_through_time
from lstm_core.interpret.diagnosis.memory import half_lives, memory_function
from lstm_core.interpret.diagnosis.observed import Observed, numbered
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.weights import CellWeights
from tests.interpret.diagnosis.networks import exploding, healthy, inputs, traced, whole, with_bias

DELAYS = 4


def finding(name: str, model: Any, **options: Any) -> Finding:
    return next(each for each in checkup(model, **options).findings if each.name == name)


def delay_line() -> CellWeights:
    """A linear RNN whose unit k holds the input of k steps before."""
    kernel, zeros = np.eye(1, DELAYS), np.zeros(DELAYS)
    return CellWeights("rnn", "delay", kernel, np.eye(DELAYS, k=1), zeros, zeros, tanh=ELEMENTWISE["linear"])


def test_half_lives_follow_from_the_gate() -> None:
    keep = np.array([0.5, 0.9, 0.99])
    bias = np.log(keep / (1 - keep))
    zero = np.zeros((2, 12))
    lstm = CellWeights("lstm", "l", zero, np.zeros((3, 12)), np.r_[np.zeros(3), bias, np.zeros(6)], np.zeros(12))
    gru = CellWeights("gru", "g", zero[:, :9], np.zeros((3, 9)), np.r_[bias, np.zeros(6)], np.zeros(9))
    for weights in (lstm, gru):
        measured = half_lives(Observed(traced(weights, inputs(features=2))))
        np.testing.assert_allclose(measured, np.log(0.5) / np.log(keep), rtol=1e-6)
    assert half_lives(Observed(traced(delay_line(), inputs(features=1)))) is None


def test_the_probe_reads_back_as_many_steps_as_the_network_holds() -> None:
    lags, read_back = memory_function(Observed(traced(delay_line(), inputs(features=1))))
    np.testing.assert_allclose(read_back[lags < DELAYS], 1, atol=0.02)
    assert (np.abs(read_back[lags >= DELAYS]) < 0.1).all()
    assert finding("memory", traced(delay_line(), inputs(features=1))).numbers["reach"] == DELAYS - 1


def test_an_input_that_tells_its_own_past_is_not_memory() -> None:
    t = np.arange(40)
    slow = np.sin(t[None, :] / 9 + np.arange(24)[:, None])[..., None]
    no_memory = replace(delay_line(), recurrent=np.zeros((DELAYS, DELAYS)))
    lags, read_back = memory_function(Observed(traced(no_memory, slow)))
    assert read_back[0] > 0.9
    assert (read_back[lags > 0] < 0.1).all()


def test_the_rate_of_the_gradient_is_that_of_the_matrix() -> None:
    rotation = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    zeros = np.zeros(5)
    for rate in (0.8, 1.05):
        linear = CellWeights("rnn", "r", np.eye(2, 5), rate * rotation, zeros, zeros, tanh=ELEMENTWISE["linear"])
        found = gradient_through_time(Observed(traced(linear, inputs(features=2))))
        assert found.numbers["rate"] == pytest.approx(rate, rel=1e-6)
        np.testing.assert_allclose(found.arrays["norms"], rate ** np.arange(40), rtol=1e-6)


@pytest.mark.parametrize("kind", ["lstm", "gru", "rnn"])
def test_masked_steps_and_the_direction_change_nothing(kind: Any) -> None:
    """Steps behind a mask, and steps read from the end, give the numbers of the same steps read plainly."""
    x = inputs(steps=20)
    padded = np.concatenate([x, np.full_like(x, 50.0)], axis=1)
    mask = np.broadcast_to(np.arange(40) < 20, padded.shape[:2])
    backwards = replace(healthy(kind), go_backwards=True)
    plain = checkup(traced(healthy(kind), x))
    for other in (traced(healthy(kind), padded, mask), traced(backwards, x[:, ::-1])):
        found = checkup(other)
        assert [(each.name, each.severity) for each in found.findings] == [
            (each.name, each.severity) for each in plain.findings
        ]
        for ours, theirs in zip(plain.findings, found.findings, strict=True):
            assert theirs.numbers == pytest.approx(dict(ours.numbers), rel=1e-6, abs=1e-9)


def test_what_drives_a_gate_is_named() -> None:
    by_bias = saturated_gates(Observed(traced(with_bias(healthy(), "o", 8), inputs())))
    assert by_bias.severity == "worth a look"  # always open: it does no harm but isn't used
    assert "driven there by its bias" in by_bias.sentence
    by_inputs = saturated_gates(Observed(traced(healthy(), 300 * inputs())))
    assert "driven there by the inputs" in by_inputs.sentence
    large = replace(healthy(), recurrent=60 * healthy().recurrent)
    assert "driven there by the recurrent sums" in saturated_gates(Observed(traced(large, inputs()))).sentence


def test_ablation_clamps_and_runs_again() -> None:
    weights = healthy()
    trace, output_of = whole(weights, inputs())
    found = finding("ablation", trace, output_of=output_of)
    mean = trace.layers[0].h[..., 3].mean()
    before = output_of(())
    after = output_of((Clamp("h", float(mean), units=3),))
    change = np.sqrt(np.square(after - before).mean() / np.square(before - before.mean(axis=0)).mean())
    assert found.arrays["change"][3] == pytest.approx(change, rel=1e-4)
    assert found.severity == "fine"
    assert found.numbers["whole"] == pytest.approx(1, abs=0.1)  # without h, the output is the same for all sequences
    ignored = finding("ablation", trace, output_of=lambda clamps: inputs()[:, 0])
    assert (ignored.severity, "ignores it" in ignored.sentence) == ("fault", True)
    assert [each.name for each in checkup(trace).skipped] == ["ablation"]


def test_layers_are_counted_as_clamps_count_them() -> None:
    names = ("a/forward", "a/backward", "b", "c/l1/forward", "c/l1/backward")
    layers = tuple(replace(traced(healthy(), inputs(2, 3)), name=name) for name in names)
    assert [layer.number for layer in numbered(layers)] == [0, 0, 1, 2, 2]


def test_the_first_layer_with_a_fault_comes_first() -> None:
    first = replace(traced(exploding("rnn"), inputs()), name="first")
    second = replace(traced(healthy(features=16), first.h), name="second")
    found = checkup(lstm_core.tracing.ModelTrace((first, second), {}, {}, second.h))  # type: ignore[attr-defined]
    assert (found.findings[0].layer, found.findings[0].name) == ("first", "state size")
    assert {each.name for each in found.of("fault") if each.layer == "second"} >= {"input scale"}


def test_missing_values_are_the_fault_and_other_sequences_are_read() -> None:
    x = inputs()
    x[3, 5] = np.nan
    found = checkup(traced(healthy(), x))
    assert [(each.name, each.severity) for each in found.findings if each.rank] == [("input scale", "fault")]
    nothing = checkup(traced(healthy(), np.full_like(x, np.nan)))
    assert [each.name for each in nothing.findings] == ["input scale"]
    assert len(nothing.skipped) == len(NAMES) - 1


def test_few_and_short_sequences_are_read_as_far_as_they_go() -> None:
    for batch, steps in ((1, 1), (1, 2), (2, 3), (1, 12)):
        found = checkup(traced(healthy(), inputs(batch, steps)))
        assert len(found.findings) + len(found.skipped) == len(NAMES)
        assert found.of("fault") == ()


def test_the_result_is_plain_json() -> None:
    found = checkup(traced(exploding("rnn"), inputs(steps=1500, batch=3)))
    data = json.loads(json.dumps(found.to_json(), allow_nan=False))
    assert data["severity"] == "fault"
    assert data["findings"][0]["name"] == "state size"
    assert {"sentence", "advice", "source", "numbers", "layer"} <= set(data["findings"][0])


def test_the_models_of_the_library_read_given_texts() -> None:
    model = lstm_core.load("family_lstm")
    found = lstm_core.checkup(model, ["how do I sort a list of strings?", "what does this pointer point to"])
    assert found.sequences == 2
    assert found.steps == sum(len(model.read(text).tokens) for text in ("how do I sort a list of strings?",)) + 6
    with pytest.raises(ModelError, match="A object can't be traced"):
        checkup(object())
