"""The weights and settings of a recurrent Keras layer, as NumPy.

A layer or setting that `nn/trace.py` can't reproduce exactly is refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn import activations, cells
from lstm_core.nn.cells import Activation
from lstm_core.nn.saved import SavedLayer, is_quantized, saved_layer

Kind = Literal["lstm", "gru", "rnn"]


@dataclass(frozen=True)
class CellWeights:
    """A recurrent layer's weights and settings as NumPy, as `run_cell` needs them.

    Shapes: `kernel` (features, parts·units), `recurrent` (units, parts·units), `bias` and
    `recurrent_bias` (parts·units,), zeros where the layer has none.
    """

    kind: Kind
    name: str
    kernel: Array
    recurrent: Array
    bias: Array
    recurrent_bias: Array
    sigma: Activation = cells.sigmoid
    tanh: Activation = np.tanh
    reset_after: bool = True
    go_backwards: bool = False
    zero_output_for_mask: bool = False

    @property
    def units(self) -> int:
        """The number of units, which is the length of h."""
        return self.recurrent.shape[0]

    @property
    def activations(self) -> tuple[str, str]:
        """Keras's names of the activation of the gates, and of that of the candidate and the state."""
        return activations.name_of(self.sigma), activations.name_of(self.tanh)


def weights_of(layer: Any) -> CellWeights:
    """Weights and settings of an `LSTM`, `GRU` or `SimpleRNN`, copied to NumPy.

    Args:
        layer: a `SavedLayer`, or a built layer of Keras.

    Raises:
        ModelError: naming the layer and the setting that can't be traced.
    """
    layer = layer if isinstance(layer, SavedLayer) else saved_layer(layer)
    kind, name, settings = _KINDS.get(layer.kind), layer.name, layer.settings
    if kind is None:
        raise ModelError(f"Layer '{name}' is a {layer.kind}; only LSTM, GRU and SimpleRNN can be traced.")
    if settings["stateful"]:
        raise ModelError(f"Layer '{name}' has stateful=True: trace a stateless copy and pass initial_state.")
    if is_quantized(settings):
        raise ModelError(f"Layer '{name}' has quantized weights, which can't be traced.")
    dtype = np.float64 if layer.weights[0].dtype == np.float64 else np.float32
    kernel, recurrent, *biases = (np.array(weight, dtype) for weight in layer.weights)
    recurrent_bias = np.zeros(kernel.shape[1], dtype)
    bias = biases[0] if biases else recurrent_bias
    if bias.ndim == 2:  # a GRU with reset_after keeps one bias for each product
        bias, recurrent_bias = bias
    gates = "sigmoid" if kind == "rnn" else settings["recurrent_activation"]
    return CellWeights(
        kind=kind,
        name=name,
        kernel=kernel,
        recurrent=recurrent,
        bias=bias,
        recurrent_bias=recurrent_bias,
        sigma=activations.by_name(gates, name, "recurrent_activation"),
        tanh=activations.by_name(settings["activation"], name, "activation"),
        reset_after=settings.get("reset_after", True) is not False,
        go_backwards=settings["go_backwards"],
        zero_output_for_mask=settings.get("zero_output_for_mask", False),
    )


_KINDS: dict[str, Kind] = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
