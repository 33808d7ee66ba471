"""A stack of LSTM layers, computed one timestep at a time; `split_network` finds it in a whole network."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.activations import ELEMENTWISE, softmax
from lstm_core.nn.cells import Hook, LSTMStep, identity_hook, lstm_step
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.layers import IDENTITY, Affine, Embed, Recur
from lstm_core.nn.network import Network
from lstm_core.nn.trace import LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights

State = tuple[tuple[Array, Array], ...]  # (h, c) of each layer, (…, units) each


@dataclass(frozen=True)
class LSTMStack:
    """LSTM layers, each of which reads the hidden state of the one below; it holds no state itself."""

    layers: tuple[CellWeights, ...]  # their weights, the lowest layer first

    def initial_state(self, *batch: int) -> State:
        """Zeros: h and c of each layer, (*batch, units)."""
        return tuple((np.zeros((*batch, each.units), each.kernel.dtype),) * 2 for each in self.layers)

    def input_sums(self, x: Array) -> Array:
        """W·x + b of the lowest layer: (…, features) → (…, 4·units)."""
        return x @ self.layers[0].kernel + self.layers[0].bias

    def step(self, wx: Array, state: State, hooks: Sequence[Hook] = ()) -> tuple[tuple[LSTMStep, ...], State]:
        """One timestep of every layer: the signals of each, and the state after the step.

        Args:
            wx: (…, 4·units) from `input_sums`.
            state: h and c before the step.
            hooks: one for each layer, see `cells.lstm_step`; none leaves all signals as computed.
        """
        steps: list[LSTMStep] = []
        for number, (layer, (h, c)) in enumerate(zip(self.layers, state, strict=True)):
            if number:
                wx = steps[-1].h @ layer.kernel + layer.bias
            hook = hooks[number] if hooks else identity_hook
            steps.append(lstm_step(wx, h, c, layer.recurrent, sigma=layer.sigma, tanh=layer.tanh, hook=hook))
        return tuple(steps), tuple((each.h, each.c) for each in steps)

    def run(self, x: Array, state: State, clamps: Sequence[Clamp] = ()) -> tuple[LayerTrace, ...]:
        """All timesteps at once: (T, …, features) → the trace of each layer.

        Args:
            x: what the lowest layer reads.
            state: h and c before the first timestep, (units,) each, the same for a whole batch.
            clamps: signals to clamp; `layer` counts from the lowest.
        """
        traces: list[LayerTrace] = []
        for number, (layer, before) in enumerate(zip(self.layers, state, strict=True)):
            own = [clamp for clamp in clamps if clamp.layer == number]
            traces.append(run_cell(layer, x, initial_state=before, clamps=own))
            x = traces[-1].outputs
        return tuple(traces)


def split_network(network: Network) -> tuple[Embed | None, LSTMStack, tuple[Affine, ...]] | None:
    """A network as its embedding (if it has one), its LSTM layers and its Dense layers; None if it isn't such a row."""
    row = [node.operation for node in network.nodes if node.operation not in (None, IDENTITY)]
    embedding = row[0] if row and isinstance(row[0], Embed) else None
    row = row[embedding is not None :]
    layers = tuple(each.weights for each in row if isinstance(each, Recur) and each.weights.kind == "lstm")
    outputs = tuple(each for each in row[len(layers) :] if isinstance(each, Affine))
    if not (layers and outputs) or len(layers) + len(outputs) < len(row):
        return None
    # The stack reads forwards, and its users apply the softmax to the logits.
    if any(each.go_backwards for each in layers) or outputs[-1].activation not in (softmax, ELEMENTWISE["linear"]):
        return None
    return embedding, LSTMStack(layers), outputs
