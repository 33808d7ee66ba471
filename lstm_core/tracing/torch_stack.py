"""A recurrent module of PyTorch as weights in NumPy, and its trace; torch itself isn't imported.

PyTorch keeps one matrix (gates·units, features) a product, with the gates one below the other: i, f, g, o in an LSTM,
and r, z, n in a GRU, as the documentation of `torch.nn.LSTM` and `GRU` has them. In a GRU the reset gate multiplies
U·h + b_hn, as with Keras's `reset_after=True`, and h_t = (1 - z) ⊙ n + z ⊙ h_{t-1}, as in Keras; only the order of the
gates differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.cells import Activation
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.saved import as_float
from lstm_core.nn.trace import PARTS
from lstm_core.nn.weights import CellWeights, Kind
from lstm_core.tracing.batch import run_batch
from lstm_core.tracing.model_trace import RecurrentTrace

# Where each part of our kernels lies in PyTorch's: z, r, g of a GRU are its second, first and third.
_ORDER: dict[Kind, tuple[int, ...]] = {"lstm": (0, 1, 2, 3), "gru": (1, 0, 2), "rnn": (0,)}


@dataclass(frozen=True)
class TorchStack:
    """The layers of a `torch.nn.LSTM`, `GRU` or `RNN`, or of one cell.

    Attributes:
        name: of the module in its network, such as "encoder.lstm".
        layers: for each layer its forward direction, and the backward one where there is one.
    """

    name: str
    layers: tuple[tuple[CellWeights, ...], ...]

    @property
    def kind(self) -> Kind:
        """ "lstm", "gru" or "rnn"."""
        return self.layers[0][0].kind

    @property
    def features(self) -> int:
        """The width of what the first layer reads."""
        return self.layers[0][0].kernel.shape[0]

    @property
    def directions(self) -> int:
        """1, or 2 where it is bidirectional."""
        return len(self.layers[0])

    @property
    def units(self) -> int:
        """The number of units of one direction."""
        return self.layers[0][0].units

    def renamed(self, name: str) -> TorchStack:
        """The same module under another name."""
        count = len(self.layers)
        names = [
            [layer_name(name, k, count, side, self.directions) for side in range(self.directions)] for k in range(count)
        ]
        pairs = zip(self.layers, names, strict=True)
        return TorchStack(name, tuple(tuple(map(_named, layer, own)) for layer, own in pairs))


def _named(weights: CellWeights, name: str) -> CellWeights:
    return replace(weights, name=name)


def cell_weights(
    kind: Kind,
    name: str,
    arrays: Sequence[Array],
    *,
    backwards: bool = False,
    tanh: Activation = np.tanh,
) -> CellWeights:
    """PyTorch's arrays of one layer and direction, in our order.

    Args:
        kind: "lstm", "gru" or "rnn".
        name: of the layer in a trace.
        arrays: `weight_ih` (gates·units, features), `weight_hh` (gates·units, units), and `bias_ih`, `bias_hh`
            (gates·units,) unless the module has none.
        backwards: whether it reads the last timestep first.
        tanh: the activation of a plain RNN.
    """
    kernel, recurrent, *biases = (_arranged(kind, as_float(array)) for array in arrays)
    bias, recurrent_bias = biases or (np.zeros_like(kernel[:, 0]), np.zeros_like(kernel[:, 0]))
    if kind != "gru":  # only there is the second bias multiplied by a gate
        bias, recurrent_bias = bias + recurrent_bias, np.zeros_like(bias)
    return CellWeights(
        kind,
        name,
        np.ascontiguousarray(kernel.T),
        np.ascontiguousarray(recurrent.T),
        bias,
        recurrent_bias,
        tanh=tanh,
        go_backwards=backwards,
        zero_output_for_mask=True,  # PyTorch pads the outputs of shorter sequences with zeros
    )


def layer_name(stack: str, layer: int, layers: int, direction: int, directions: int) -> str:
    """The name of one layer and direction in a trace: "lstm", "lstm/l1", "lstm/backward", "lstm/l1/forward"."""
    parts = [stack]
    if layers > 1:
        parts.append(f"l{layer}")
    if directions > 1:
        parts.append(("forward", "backward")[direction])
    return "/".join(parts)


def run_stack(
    stack: TorchStack,
    x: Array,
    *,
    mask: Array | None = None,
    states: Sequence[Array] = (),
    clamps: Iterable[Clamp] = (),
    first: int = 0,
) -> list[RecurrentTrace]:
    """The trace of each layer and direction, each layer reading the outputs of the one before.

    Args:
        stack: the module.
        x: (batch, T, features).
        mask: (batch, T) True where a sequence has a step.
        states: as PyTorch has them: h, and c of an LSTM, each (layers·directions, batch, units); zeros if empty.
        clamps: signals to clamp; `layer` counts recurrent layers, both directions of one have the same number.
        first: the number of the stack's first layer.

    Raises:
        ValueError: as `run_batch`.
    """
    found: list[RecurrentTrace] = []
    clamps = tuple(clamps)
    for number, layer in enumerate(stack.layers):
        own = [clamp for clamp in clamps if clamp.layer == first + number]
        traces = [
            run_batch(
                weights, x, mask=mask, initial_state=[state[number * len(layer) + side] for state in states], clamps=own
            )
            for side, weights in enumerate(layer)
        ]
        x = stack_outputs(traces)
        found += traces
    return found


def stack_outputs(traces: Sequence[RecurrentTrace]) -> Array:
    """The outputs of the directions of one layer side by side, (batch, T, directions·units)."""
    return np.concatenate([trace.outputs for trace in traces], axis=-1)


def stack_states(traces: Sequence[RecurrentTrace]) -> list[Array]:
    """The final states of all layers as PyTorch has them: h, and c of an LSTM, (layers·directions, batch, units)."""
    return [np.stack(each) for each in zip(*(trace.final_state for trace in traces), strict=True)]


def _arranged(kind: Kind, array: Array) -> Array:
    """Rows of gates, (gates·units, …), in our order."""
    parts = np.split(array, len(PARTS[kind]))
    return np.concatenate([parts[place] for place in _ORDER[kind]])
