"""Takes a recurrent Keras layer's weights and settings out of Keras, as NumPy.

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


def weights_of(layer: Any) -> CellWeights:
    """Weights and settings of a built Keras `LSTM`, `GRU` or `SimpleRNN`, copied to NumPy.

    Raises:
        ModelError: naming the layer and the setting that can't be traced.
    """
    kind = _kind_of(layer)
    name = layer.name
    if not layer.built:
        raise ModelError(f"Layer '{name}' is not built yet: call it once, then trace it.")
    if layer.stateful:
        raise ModelError(f"Layer '{name}' has stateful=True: trace a stateless copy and pass initial_state.")
    cell = layer.cell
    if getattr(cell, "quantization_mode", None):
        raise ModelError(f"Layer '{name}' has quantized weights, which can't be traced.")
    dtype = np.float64 if cell.kernel.dtype == "float64" else np.float32
    kernel, recurrent = (_to_numpy(weight, dtype) for weight in (cell.kernel, cell.recurrent_kernel))
    bias = _to_numpy(cell.bias, dtype) if cell.use_bias else np.zeros(kernel.shape[1], dtype)
    recurrent_bias = np.zeros(kernel.shape[1], dtype)
    if bias.ndim == 2:  # a GRU with reset_after keeps one bias for each product
        bias, recurrent_bias = bias[0], bias[1]
    return CellWeights(
        kind=kind,
        name=name,
        kernel=kernel,
        recurrent=recurrent,
        bias=bias,
        recurrent_bias=recurrent_bias,
        sigma=cells.sigmoid
        if kind == "rnn"
        else activations.from_keras(cell.recurrent_activation, name, "recurrent_activation"),
        tanh=activations.from_keras(cell.activation, name, "activation"),
        reset_after=getattr(cell, "reset_after", True),
        go_backwards=layer.go_backwards,
        zero_output_for_mask=layer.zero_output_for_mask,
    )


def _kind_of(layer: Any) -> Kind:
    kinds: dict[str, Kind] = {"LSTM": "lstm", "GRU": "gru", "SimpleRNN": "rnn"}
    for class_name, kind in kinds.items():
        if is_a(layer, class_name):
            return kind
    name = getattr(layer, "name", "?")
    raise ModelError(
        f"Layer '{name}' is a {type(layer).__name__}; "
        "only LSTM, GRU, SimpleRNN and Bidirectional of them can be traced."
    )


def is_a(layer: Any, class_name: str) -> bool:
    """Whether a layer is a Keras layer of that class, without importing Keras before it is needed."""
    import keras

    return isinstance(layer, getattr(keras.layers, class_name))


def _to_numpy(variable: Any, dtype: Any) -> Array:
    import keras

    return np.asarray(keras.ops.convert_to_numpy(variable), dtype)
