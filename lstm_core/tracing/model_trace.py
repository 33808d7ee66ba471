"""What the trace of a whole network holds: each recurrent layer over a batch, and the values of all other layers.

It computes nothing: `tracing/live/keras_model.py` and `tracing/live/torch_model.py` fill it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.exhibit import Exhibit, batch_frame, cell_arrays, cell_frame, layers_frame, markup
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import LayerTrace
from lstm_core.nn.weights import CellWeights, Kind


@dataclass(frozen=True)
class RecurrentTrace(Exhibit):
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
        clamps: the signals that were clamped.
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
    clamps: tuple[Clamp, ...] = ()

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
            activations=self.weights.activations,
            clamps=self.clamps,
        )

    def as_read(self, number: int = 0) -> LayerTrace:
        """One sequence as a `LayerTrace`, rows in the order in which the layer read: each state follows from the last.

        Raises:
            IndexError: if the batch has no sequence of that number.
        """
        found = self.sequence(number)
        if not self.weights.go_backwards:
            return found
        rows: dict[str, Any] = {name: getattr(found, name)[::-1] for name in ("outputs", "timesteps", "mask")}
        for group in ("signals", "input_sums", "recurrent_sums"):
            rows[group] = {name: values[::-1] for name, values in getattr(found, group).items()}
        return replace(found, **rows)

    def exhibits(self, sequence: int = 0) -> Mapping[str, LayerTrace]:
        """One sequence of it; see `Exhibit`."""
        return {self.name: self.as_read(sequence)}

    def to_dataframe(self) -> Any:
        """One row a sequence and timestep, columns by signal and unit; see `Exhibit`."""
        return batch_frame([cell_frame(self.sequence(number)) for number in range(len(self.outputs))])

    def arrays(self) -> dict[str, Array]:
        """Names: "f", "input_sums/f", "recurrent_sums/f", "inputs", "outputs", "mask", "final_state/h" …"""
        return {**cell_arrays(self), "inputs": self.inputs}

    def _heading(self) -> str:
        return _of_batch(len(self.outputs))


@dataclass(frozen=True)
class ModelTrace(Exhibit):
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

    def exhibits(self, sequence: int = 0) -> Mapping[str, LayerTrace]:
        """One sequence of each recurrent layer; see `Exhibit`."""
        return {layer.name: layer.as_read(sequence) for layer in self.layers}

    def to_dataframe(self) -> Any:
        """One row a sequence and timestep, columns by layer, signal and unit; see `Exhibit`.

        Where layers have different numbers of timesteps, the missing ones are NaN.
        """
        counts = range(min(len(layer.outputs) for layer in self.layers) if self.layers else 0)
        return batch_frame([layers_frame({each.name: each.sequence(n) for each in self.layers}) for n in counts])

    def arrays(self) -> dict[str, Array]:
        """The names of each layer after "layers/NAME/", "inputs/NAME", "values/NAME" and "output", batch first.

        A tuple has a number for each of its parts, such as "output/0".
        """
        found: dict[str, Array] = {}
        for layer in self.layers:
            found |= {f"layers/{layer.name}/{name}": values for name, values in layer.arrays().items()}
        plain = {f"inputs/{name}": values for name, values in self.inputs.items()}
        plain |= {f"values/{name}": values for name, values in self.values.items()} | {"output": self.output}
        for name, values in plain.items():
            numbered = isinstance(values, tuple)
            parts = {f"{name}/{n}": part for n, part in enumerate(values)} if numbered else {name: values}
            found |= {key: np.asarray(part) for key, part in parts.items()}
        return found

    def _heading(self) -> str:
        shapes = [*((f"input {name}", values) for name, values in self.inputs.items()), *self.values.items()]
        rows = [(name, markup.shape_of(values)) for name, values in [*shapes, ("output", self.output)]]
        table = markup.details(f"Shapes of {len(rows)} inputs, layers and outputs", markup.facts(rows), False)
        size = len(self.layers[0].outputs) if self.layers else 0
        notes = self.notes if self.layers else (*self.notes, "There is no recurrent layer in this network.")
        return _of_batch(size) + "".join(map(markup.paragraph, notes)) + table


def _of_batch(size: int) -> str:
    """A line that says which sequence of a batch is drawn; "" if there is one only."""
    return markup.paragraph(f"Sequence 0 of a batch of {size}") if size > 1 else ""
