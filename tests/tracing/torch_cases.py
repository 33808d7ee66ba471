"""Random recurrent modules of PyTorch with random inputs, each traced and compared with torch's own numbers.

`python -m tests.tracing.torch_cases 1000` tries as many as it is told.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from lstm_core.tracing import ModelTrace
from lstm_core.tracing.live.torch_model import trace_torch
from lstm_core.tracing.torch_stack import stack_states

KINDS = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU, "rnn": torch.nn.RNN}


@dataclass
class Case:
    """A recurrent module, what it reads, and the state that it starts from."""

    name: str
    module: Any
    x: Any
    state: Any


def random_case(seed: int) -> Case:
    """The case of a seed: kind, sizes, layers, directions, bias, form of the input, lengths, state and precision."""
    random = np.random.default_rng(seed)
    kind = str(random.choice(list(KINDS)))
    batch, steps, features, units, layers = (int(random.integers(1, most + 1)) for most in (5, 12, 9, 17, 3))
    double = random.random() < 0.15
    options: dict[str, Any] = {
        "num_layers": layers,
        "bidirectional": bool(random.random() < 0.4),
        "batch_first": bool(random.random() < 0.5),
        "bias": bool(random.random() < 0.8),
        "dropout": 0.5 if layers > 1 else 0.0,
        "dtype": torch.float64 if double else torch.float32,
    }
    if kind == "rnn":
        options["nonlinearity"] = str(random.choice(["tanh", "relu"]))
    torch.manual_seed(seed)
    module = KINDS[kind](features, units, **options)
    with torch.no_grad():
        for weight in module.parameters():
            weight.mul_(1.5)
    form = str(random.choice(["batch", "single", "packed"], p=[0.5, 0.2, 0.3]))
    dtype = options["dtype"]
    sequences = torch.from_numpy(random.normal(size=(batch, steps, features))).to(dtype)
    x: Any = sequences if options["batch_first"] else sequences.swapaxes(0, 1)
    if form == "single":
        x, batch = sequences[0], 1
    if form == "packed":
        lengths = random.integers(1, steps + 1, batch)
        x = pack_padded_sequence(sequences, torch.from_numpy(lengths), batch_first=True, enforce_sorted=False)
    rows = (layers * (1 + options["bidirectional"]), *(() if form == "single" else (batch,)), units)
    states = tuple(torch.from_numpy(random.normal(size=rows)).to(dtype) for _ in range(1 + (kind == "lstm")))
    state = None if random.random() < 0.4 else states if kind == "lstm" else states[0]
    return Case(f"{seed}: {kind} {form} {options}", module, x, state)


def largest_difference(case: Case) -> float:
    """The largest difference between torch's output and states, and those of the trace."""
    trace = trace_torch(case.module, case.x, case.state)
    with torch.no_grad():
        output, states = case.module.eval()(case.x, case.state)
    return max(differences(case.module, trace, output, states))


def differences(module: Any, trace: ModelTrace, output: Any, states: Any) -> list[float]:
    """The differences of each final state and of the output from a trace of the module alone."""
    states = states if isinstance(states, tuple) else (states,)
    single = states[0].ndim == 2
    if isinstance(output, PackedSequence):
        output = pad_packed_sequence(output, batch_first=True)[0]
    elif single:
        output = output[None]
    elif not module.batch_first:
        output = output.swapaxes(0, 1)
    last = trace.layers[-1 - module.bidirectional :]
    found = [np.abs(np.concatenate([layer.outputs for layer in last], axis=-1) - output.numpy()).max()]
    for ours, theirs in zip(stack_states(trace.layers), states, strict=True):
        found.append(np.abs(ours - (theirs[:, None] if single else theirs).numpy()).max())
    return [float(each) for each in found]


def main() -> None:
    """Print the largest difference of many cases, and the case that has it."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    found = [(largest_difference(case), case.name) for case in map(random_case, range(count))]
    print(f"{count} cases; the largest difference is {max(found)[0]:.1e}, of {max(found)[1]}")


if __name__ == "__main__":
    main()
