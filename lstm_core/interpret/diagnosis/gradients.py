"""The gradient through time: how much a late error says about an early state, by our own backward pass."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.interpret.diagnosis.finding import Finding, NotCheckedError, Severity
from lstm_core.interpret.diagnosis.observed import Observed, number
from lstm_core.interpret.gradient_flow import norms_over_time
from lstm_core.nn import bptt
from lstm_core.nn.trace import LayerTrace

SEQUENCES, DIRECTIONS = 8, 4  # that are averaged over
LEAST_STEPS = 4
SEED = 1
VANISHES = 0.3  # factor per step: after 10 steps 6e-6 are left, so that hardly more than the last steps are learned
SHRINKS = 0.5  # halves with every step
EXPLODES, GROWS = 100.0, 10.0  # the first step's norm over the last one's
FLOOR = 1e-250  # below, floating-point numbers end


def gradient_through_time(layer: Observed) -> Finding:
    """The norm of ∂s_T/∂s_t for each distance T - t, s being c of an LSTM and h otherwise.

    Random unit vectors at the last state are propagated back through the whole layer (gates, states and recurrent
    kernel); norms are averaged over sequences and directions (Pascanu, Mikolov & Bengio 2013).

    Arrays: `norms` (T,) from distance 0 on.
    """
    trace = _sequences(layer)
    norms = backward_norms(layer, trace)
    usable = int(np.logical_and.accumulate(np.isfinite(norms) & (norms > FLOOR)).sum())
    rate = float(np.exp(np.polyfit(np.arange(usable), np.log(norms[:usable]), 1)[0])) if usable > 1 else 0.0
    growth = float(norms.max() if np.isfinite(norms).all() else np.inf)
    numbers = {"rate": rate, "growth": growth, "first": float(norms[-1]), "steps": len(norms)}
    distance = min(10, len(norms) - 1)
    left = f"{distance} steps back its norm is {number(float(norms[distance]))} times that at the last step"
    sentence = f"On its way back the gradient changes by a factor of {number(rate)} per step: {left}."
    severity: Severity = "fine"
    advice = ""
    if growth > GROWS:
        severity = "fault" if growth > EXPLODES and rate > 1 else "worth a look"
        size = f"it grows to {number(growth)} times its size on the way back"
        sentence = f"The gradient {'explodes' if severity == 'fault' else 'grows'}: {size}, {rate:.2f} per step."
        advice = "Clip gradients by norm, and initialize the recurrent kernel orthogonally with a smaller scale."
    elif rate < SHRINKS:
        severity = "fault" if rate < VANISHES else "worth a look"
        verb = "vanishes" if severity == "fault" else "shrinks fast"
        sentence = f"The gradient {verb}: {left}, a factor of {number(rate)} per step."
        advice = (
            "Use an LSTM or GRU in place of a plain RNN, with an orthogonal recurrent kernel."
            if layer.kind == "rnn"
            else "Initialize the bias of the gate that keeps the state higher, and check its saturation."
        )
    source = "Pascanu, Mikolov & Bengio 2013; Hochreiter & Schmidhuber 1997"
    return Finding(
        "gradient through time", layer.trace.name, severity, sentence, advice, source, numbers, {"norms": norms}
    )


def _sequences(layer: Observed) -> LayerTrace:
    """The first taken steps of some sequences, as many as half of the sequences have: signals (T, batch, units)."""
    chosen = np.argsort(-layer.lengths, kind="stable")
    chosen = chosen[: min(SEQUENCES, max(1, (len(chosen) + 1) // 2))]
    length = int(layer.lengths[chosen].min()) if len(chosen) else 0
    if length < LEAST_STEPS:
        raise NotCheckedError(f"The sequences have fewer than {LEAST_STEPS} timesteps.")
    steps = np.stack([layer.sequences[index][:length] for index in chosen], axis=1)  # (T, batch)

    def picked(values: Array) -> Array:
        return layer.in_order(values)[chosen, steps].astype(np.float64)

    trace, first = layer.trace, layer.trace.sequence(0)
    return replace(
        first,
        signals={name: picked(values) for name, values in trace.signals.items()},
        input_sums={},
        recurrent_sums={name: picked(values) for name, values in trace.recurrent_sums.items()},
        outputs=picked(trace.signals["h"]),
        timesteps=np.arange(length),
        mask=np.ones(length, bool),
        initial_state=tuple(np.asarray(state[chosen], np.float64) for state in trace.initial_state),
    )


def backward_norms(layer: Observed, trace: LayerTrace) -> Array:
    """(T,) mean norms of the gradient of random directions of the last state, from the last step backwards."""
    random = np.random.default_rng(SEED)
    found = []
    for _ in range(DIRECTIONS):
        at_end = random.normal(size=trace.h.shape[1:])  # (batch, units)
        at_end /= np.linalg.norm(at_end, axis=-1, keepdims=True)
        d_outputs = np.zeros_like(trace.h)
        last_c: Array | float = 0.0
        if layer.kind == "lstm":
            last_c = at_end
        else:
            d_outputs[-1] = at_end
        with np.errstate(over="ignore", under="ignore", invalid="ignore"):
            try:
                back = bptt.backpropagate(layer.weights, trace, d_outputs, last_c)
            except ModelError as error:
                raise NotCheckedError(str(error)) from error
            found.append(norms_over_time(back.h if back.c is None else back.c)[::-1])
    return np.mean(found, axis=0)
