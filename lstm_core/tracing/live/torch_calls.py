"""One call of a recurrent module of PyTorch, in one form for all of them: batch first, with a mask, in NumPy.

`torch.nn.LSTM`, `GRU` and `RNN` take batches, single sequences and `PackedSequence`, time first or batch first; cells
take one step. Importing this module imports torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.activations import ELEMENTWISE
from lstm_core.nn.weights import Kind
from lstm_core.tracing.torch_stack import TorchStack, cell_weights, layer_name

RECURRENT = (torch.nn.RNNBase, torch.nn.RNNCellBase)
TOLERANCE = 1e-5  # between torch's numbers and ours, absolute and relative
_CELLS: dict[type[torch.nn.Module], Kind] = {
    torch.nn.LSTMCell: "lstm", torch.nn.GRUCell: "gru", torch.nn.RNNCell: "rnn",
    torch.nn.LSTM: "lstm", torch.nn.GRU: "gru", torch.nn.RNN: "rnn",
}  # fmt: skip
States = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Call:
    """What a recurrent module read and returned.

    Attributes:
        x: (batch, T, features).
        mask: (batch, T) True where a sequence has a step; None where all have all.
        states: as the module was given them: h, and c of an LSTM, each (layers·directions, batch, units); or none.
        output: (batch, T, directions·units), zeros where a sequence has no step.
        final: the states that it returned.
        rebuilt: (output, final) → the same in the module's own form.
    """

    x: Array
    mask: Array | None
    states: States
    output: Array
    final: States
    rebuilt: Callable[[Array, States], Any]

    def compare(self, name: str, output: Array, final: Sequence[Array]) -> None:
        """ModelError, naming the module, if a trace's output and states differ from torch's."""
        for ours, torchs in zip(
            (output, *final), (self.output, *(as_numpy(state) for state in self.final)), strict=True
        ):
            if ours.shape != torchs.shape or not np.allclose(ours, torchs, TOLERANCE, TOLERANCE, equal_nan=True):
                by = f"by {np.abs(ours - torchs).max():.1e}" if ours.shape == torchs.shape else "in shape"
                raise ModelError(
                    f"'{name}' returned other numbers than its trace has (they differ {by}), so the trace would be "
                    "wrong; a module with a forward of its own, or with weights that it changes, can't be traced."
                )


def stack_of(module: Any, name: str) -> TorchStack:
    """The weights of a recurrent module.

    Raises:
        ModelError: naming the module, if it has a projection or is of a kind of its own.
    """
    kind = next((kind for known, kind in _CELLS.items() if isinstance(module, known)), None)
    if kind is None:
        raise ModelError(f"'{name}' is a {type(module).__name__}; LSTM, GRU, RNN and their cells can be traced.")
    activation = ELEMENTWISE[getattr(module, "nonlinearity", "tanh")]
    single = isinstance(module, torch.nn.RNNCellBase)
    if getattr(module, "proj_size", 0):
        raise ModelError(
            f"'{name}' has proj_size={module.proj_size}, which can't be traced: its h is a projection of the units' "
            "outputs; train it with proj_size=0 and a Linear layer behind it."
        )
    count, sides = (1, 1) if single else (int(module.num_layers), 2 if module.bidirectional else 1)

    def direction(layer: int, side: int) -> Any:
        suffix = "" if single else f"_l{layer}{'_reverse' * side}"
        names = [
            f"{what}_{where}{suffix}" for what in ("weight", "bias")[: 1 + bool(module.bias)] for where in ("ih", "hh")
        ]
        arrays = [as_numpy(getattr(module, each)) for each in names]
        return cell_weights(
            kind, layer_name(name, layer, count, side, sides), arrays, backwards=bool(side), tanh=activation
        )

    return TorchStack(name, tuple(tuple(direction(k, side) for side in range(sides)) for k in range(count)))


def call_of(module: torch.nn.Module, args: tuple[Any, ...], kwargs: Mapping[str, Any], output: Any) -> Call:
    """What a forward hook of a recurrent module received, as a `Call`."""
    x = args[0] if args else kwargs["input"]
    hx = args[1] if len(args) > 1 else kwargs.get("hx")
    given = () if hx is None else hx if isinstance(hx, tuple | list) else (hx,)
    if isinstance(module, torch.nn.RNNCellBase):
        return _cell_call(x, given, output)
    if isinstance(x, PackedSequence):
        return _packed_call(x, given, output)
    return _sequence_call(module, x, given, output)


def _sequence_call(module: Any, x: torch.Tensor, given: Sequence[torch.Tensor], output: Any) -> Call:
    rows, final = output
    single = x.ndim == 2  # one sequence, without a batch
    time_first = not single and not module.batch_first

    def batch_first(values: torch.Tensor) -> Array:
        return as_numpy(values[None] if single else values.swapaxes(0, 1) if time_first else values)

    def rebuilt(values: Array, states: States) -> Any:
        own = values[0] if single else values.swapaxes(0, 1) if time_first else values
        return as_tensor(own, rows), _form([state[:, 0] for state in states] if single else states, final)

    def whole(states: Sequence[torch.Tensor]) -> States:
        return tuple(state[:, None] if single else state for state in states)

    return Call(batch_first(x), None, whole(given), batch_first(rows), whole(_as_tuple(final)), rebuilt)


def _packed_call(x: PackedSequence, given: Sequence[torch.Tensor], output: Any) -> Call:
    packed, final = output
    padded, lengths = pad_packed_sequence(x, batch_first=True)
    mask = np.arange(padded.shape[1]) < as_numpy(lengths)[:, None]

    def rebuilt(values: Array, states: States) -> Any:
        rows = values if x.sorted_indices is None else values[as_numpy(x.sorted_indices)]
        data = np.concatenate([rows[:size, t] for t, size in enumerate(x.batch_sizes.tolist())])
        return packed._replace(data=as_tensor(data, packed.data)), _form(states, final)

    return Call(as_numpy(padded), mask, tuple(given), as_numpy(packed), _as_tuple(final), rebuilt)


def _cell_call(x: torch.Tensor, given: Sequence[torch.Tensor], output: Any) -> Call:
    single = x.ndim == 1

    def whole(states: Sequence[torch.Tensor]) -> States:
        return tuple(state[None, None] if single else state[None] for state in states)

    final = whole(_as_tuple(output))

    def rebuilt(values: Array, states: States) -> Any:
        return _form([state[0, 0] if single else state[0] for state in states], output)

    rows = as_numpy(final[0])[0][:, None]  # (batch, 1, units)
    return Call(as_numpy(x[None] if single else x)[:, None], None, whole(given), rows, final, rebuilt)


def _as_tuple(states: Any) -> States:
    return tuple(states) if isinstance(states, tuple | list) else (states,)


def _form(states: Sequence[torch.Tensor], like: Any) -> Any:
    return tuple(states) if isinstance(like, tuple | list) else states[0]


def as_tensor(values: Array, like: torch.Tensor) -> torch.Tensor:
    """A copy of an array as a tensor of the precision, and on the device, of another."""
    return torch.from_numpy(np.array(values)).to(like)


def as_numpy(value: Any) -> Any:
    """What a module returned, with NumPy's arrays in place of tensors; a `PackedSequence` is padded, batch first."""
    if isinstance(value, PackedSequence):
        value = pad_packed_sequence(value, batch_first=True)[0]
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.is_sparse or value.layout != torch.strided:
            value = value.to_dense()
        # A copy: a later layer may change the tensor in place.
        return (
            value.float().numpy(force=True).copy() if value.dtype == torch.bfloat16 else value.numpy(force=True).copy()
        )
    if isinstance(value, Mapping):
        return {name: as_numpy(each) for name, each in value.items()}
    if isinstance(value, tuple | list):
        return tuple(as_numpy(each) for each in value)
    return value
