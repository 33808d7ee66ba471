"""What the trace of a whole network holds: each recurrent layer over a batch, and the values of all other layers.

It computes nothing: `tracing/keras_model.py` and `tracing/torch_model.py` fill it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.nn.trace import LayerTrace
from lstm_core.nn.weights import CellWeights, Kind


@dataclass(frozen=True)
class RecurrentTrace:
    """Everything one recurrent layer, or one direction of a bidirectional one, computed over a batch.

    Every signal is an attribute of shape (batch, T, units): `i f g o c h` for an LSTM, `z r g h` for a GRU, `h` for a
    plain RNN. Row t belongs to timestep t of the input, also where the layer reads backwards.

    Attributes:
        name: unique in the trace, such as "encoder/lstm" or "bidirectional/backward".
        kind: "lstm", "gru" or "rnn".
        inputs: (batch, T, features), what the layer read.
        signals: name → (batch, T, units), in the order of the equations.
        input_sums: gate → (batch, T, units), W·x + b.
        recurrent_sums: gate → (batch, T, units), U·h.
        outputs: (batch, T, units), what the layer returns at each timestep.
        mask: (batch, T) True where the step was taken.
        initial_state: each (batch, units), in Keras's order: h, c for an LSTM, h otherwise.
        final_state: the same after the last step that the layer took.
        weights: the weights and settings by which it was computed.
    """

    name: str
    kind: Kind
    inputs: Array
    signals: Mapping[str, Array]
    input_sums: Mapping[str, Array]
    recurrent_sums: Mapping[str, Array]
    outputs: Array
    mask: Array
    initial_state: tuple[Array, ...]
    final_state: tuple[Array, ...]
    weights: CellWeights = field(repr=False)

    def __getattr__(self, name: str) -> Array:
        signals = self.__dict__.get("signals", {})
        if name in signals:
            return signals[name]
        raise AttributeError(f"a trace of kind '{self.__dict__.get('kind')}' has no signal '{name}'")

    @property
    def units(self) -> int:
        """The number of units."""
        return self.outputs.shape[-1]

    def sequence(self, number: int = 0) -> LayerTrace:
        """One sequence of the batch as a `LayerTrace`, rows in the order of the input.

        Raises:
            IndexError: if the batch has no sequence of that number.
        """
        return LayerTrace(
            kind=self.kind,
            name=self.name,
            signals={name: values[number] for name, values in self.signals.items()},
            input_sums={name: values[number] for name, values in self.input_sums.items()},
            recurrent_sums={name: values[number] for name, values in self.recurrent_sums.items()},
            outputs=self.outputs[number],
            timesteps=np.arange(self.outputs.shape[1]),
            mask=self.mask[number],
            initial_state=tuple(state[number] for state in self.initial_state),
        )


@dataclass(frozen=True)
class ModelTrace:
    """The trace of a whole network over one batch.

    Attributes:
        layers: every recurrent layer in the order of computation; a bidirectional layer is two of them.
        values: name of every other layer → its output, batch first; a tuple where a layer has several outputs.
        inputs: name of each input → what was fed to it.
        output: the network's output; a tuple where it has several.
        notes: sentences on what differs from the network as it was saved, such as half precision that was computed in
            float32.
    """

    layers: tuple[RecurrentTrace, ...]
    values: Mapping[str, Any]
    inputs: Mapping[str, Array]
    output: Any
    notes: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> RecurrentTrace:
        """A recurrent layer by its name; KeyError, with the names there are, if there is none."""
        for layer in self.layers:
            if layer.name == name:
                return layer
        raise KeyError(f"no recurrent layer '{name}'; there are {', '.join(layer.name for layer in self.layers)}")
