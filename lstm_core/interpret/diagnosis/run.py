"""`checkup`: every check on every recurrent layer of a network."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from lstm_core.errors import ModelError
from lstm_core.inference import registry
from lstm_core.inference.protocol import Model
from lstm_core.interpret.diagnosis import gates, gradients, inputs, memory, states
from lstm_core.interpret.diagnosis.ablation import OutputOf, ablation
from lstm_core.interpret.diagnosis.finding import Checkup, Finding, NotCheckedError, Skipped, ordered
from lstm_core.interpret.diagnosis.given_networks import trace_given
from lstm_core.interpret.diagnosis.observed import Observed, numbered
from lstm_core.interpret.diagnosis.own_models import trace_own
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace

CHECKS: dict[str, Callable[[Observed], Finding]] = {
    "input scale": inputs.input_scale,
    "state size": states.state_size,
    "forget bias": gates.forget_bias,
    "saturated gates": gates.saturated_gates,
    "dead units": states.dead_units,
    "redundant units": states.redundant_units,
    "gradient through time": gradients.gradient_through_time,
    "memory": memory.memory,
}


def checkup(model: Any, data: Any = None, *, output_of: OutputOf | None = None) -> Checkup:
    """Check every recurrent layer of a network on some data: what is wrong with it, how one sees it, what to try.

    Without ablation, 64 sequences of 200 steps through 128 units take about a second of processor time. Ablation runs
    the network again about 28 times a layer.

    Args:
        model: what `lstm_core.load` returns or takes; a trace; or a network that `lstm_core.trace` takes: a live one of
            Keras or PyTorch, or the path of a file of either.
        data: what the model reads: texts for ours (for a forecaster a series; None for the project's examples), or the
            input that `lstm_core.trace` takes, of which 64 sequences are read; None with a trace.
        output_of: clamps → the output of the network on its data, (sequences, …), for the ablation of a `ModelTrace`;
            found by itself for other models.

    Returns:
        the findings of all layers, the most severe first; see `Checkup`.

    Raises:
        ModelError: if the network has no recurrent layer, or can't be traced.
        LabError: if it can't read the data.
    """
    if isinstance(model, str | os.PathLike) and not is_network(model):
        model = registry.load(model)
    if isinstance(model, RecurrentTrace):
        model = ModelTrace((model,), {}, {}, model.outputs)
    if isinstance(model, ModelTrace):
        trace = model
    else:
        trace, own = trace_own(model, data) if isinstance(model, Model) else trace_given(model, data)
        output_of = output_of or own
    if not trace.layers:
        raise ModelError("The network has no recurrent layer to check.")
    return _checked(trace, output_of)


def is_network(path: str | os.PathLike[str]) -> bool:
    """Whether a path is the file of a network that others have built, no model of ours."""
    return os.path.isfile(path) and not os.fspath(path).lower().endswith(".zip")


def _checked(trace: ModelTrace, output_of: OutputOf | None) -> Checkup:
    findings, skipped, read = [], [], []
    for layer in numbered(trace.layers):
        read.append((len(layer.trace.mask), int(layer.trace.mask.sum())))
        checks = CHECKS | {"ablation": partial(ablation, output_of=output_of)}
        for name, check in checks.items():
            try:
                if name != "input scale" and not layer.taken.any():
                    raise NotCheckedError("No timestep has finite values.")
                with np.errstate(over="ignore", under="ignore", invalid="ignore"):
                    findings.append(check(layer))
            except NotCheckedError as reason:
                skipped.append(Skipped(name, layer.trace.name, str(reason)))
    sequences, steps = read[0]
    names = [layer.name for layer in trace.layers]
    return Checkup(ordered(findings, names), tuple(skipped), sequences, steps)
