"""From the names and shapes of a `state_dict` to the recurrent modules in it, and their trace.

A `state_dict` has weights but no graph: what feeds what is only known as far as the widths say it, and each such
assumption is a note of the trace.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import STATES
from lstm_core.nn.weights import Kind
from lstm_core.tracing.files.tensors import StoredTensor
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace
from lstm_core.tracing.torch_stack import TorchStack, cell_weights, layer_name, run_stack, stack_outputs

MOST_LAYERS = 200
MOST_STEPS = 1_000_000  # timesteps of all sequences of a batch together
_RECURRENT = re.compile(r"(?:(.*)\.)?(weight|bias)_(ih|hh|hr)(?:_l(\d{1,4})(_reverse)?)?")
_KINDS: dict[int, Kind] = {4: "lstm", 3: "gru", 1: "rnn"}
_WRAPPERS = ("module.", "_orig_mod.")  # of DataParallel and torch.compile


@dataclass(frozen=True)
class Linear:
    """A Linear layer: `kernel` (features, units), and `bias` (units,)."""

    name: str
    kernel: Array = field(repr=False)
    bias: Array = field(repr=False)


@dataclass(frozen=True)
class TorchStacks:
    """The recurrent modules of a network of PyTorch, read from its weights alone.

    Attributes:
        stacks: in the order of the file.
        embeddings: name → table (ids, width).
        linears: its Linear layers, in the order of the file.
        tensors: all tensors by name.
        notes: what the names and shapes leave open.
    """

    stacks: tuple[TorchStack, ...]
    embeddings: Mapping[str, Array]
    linears: tuple[Linear, ...]
    tensors: Mapping[str, StoredTensor] = field(repr=False)
    notes: tuple[str, ...] = ()

    def embedding_for(self, stack: TorchStack) -> str:
        """The name of the only embedding as wide as what a stack reads; empty if there is none, or several."""
        fitting = [name for name, table in self.embeddings.items() if table.shape[1] == stack.features]
        return fitting[0] if len(fitting) == 1 else ""

    @property
    def head(self) -> Linear | None:
        """The Linear layer of the answer: the only one, if it is as wide as the last stack's output."""
        last = self.stacks[-1]
        fits = len(self.linears) == 1 and self.linears[0].kernel.shape[0] == last.units * last.directions
        return self.linears[0] if fits else None


def stacks_of(tensors: Mapping[str, StoredTensor], what: str, notes: Sequence[str] = ()) -> TorchStacks:
    """The recurrent modules among the tensors of a `state_dict`.

    Args:
        tensors: by name.
        what: the file's name in a sentence.
        notes: of what was found out when the file was read.

    Raises:
        ModelError: if there is none, or naming one whose arrays don't belong together.
    """
    tensors = _unwrapped(tensors)
    parts: dict[str, dict[tuple[int | None, bool], dict[str, StoredTensor]]] = {}
    for name, tensor in tensors.items():
        if match := _RECURRENT.fullmatch(name):
            module, array, product, layer, reverse = match.groups()
            place = (None if layer is None else int(layer), bool(reverse))
            parts.setdefault(module or "", {}).setdefault(place, {})[f"{array}_{product}"] = tensor
    if not parts:
        raise ModelError(
            f"{what} holds no LSTM, GRU or RNN of PyTorch: none of its {len(tensors):,} tensors is called "
            "weight_hh_l0, as in the state_dict of one."
        )
    if sum(map(len, parts.values())) > MOST_LAYERS:
        raise ModelError(f"{what} has more than {MOST_LAYERS} recurrent layers, which is the most.")
    stacks = tuple(_stack(module, layers) for module, layers in parts.items())
    found = list(notes)
    found += [f"'{stack.name}' is a plain RNN; tanh is assumed." for stack in stacks if stack.kind == "rnn"]
    for stack, layers in zip(stacks, parts.values(), strict=True):
        if (None, False) in layers:
            found.append(f"'{stack.name}' is a single cell; it is traced as a layer that reads a sequence.")
    halves = sorted({tensor.dtype for tensor in tensors.values()} & {"float16", "bfloat16"})
    if halves:
        found.append(f"The weights are stored as {' and '.join(halves)}; they are computed as float32.")
    embeddings, linears = _others(tensors, stacks)
    return TorchStacks(stacks, embeddings, linears, tensors, tuple(found))


def _unwrapped(tensors: Mapping[str, StoredTensor]) -> Mapping[str, StoredTensor]:
    """The tensors without a prefix that a wrapper has put before all names."""
    for prefix in _WRAPPERS:
        if tensors and all(name.startswith(prefix) for name in tensors):
            return _unwrapped({name.removeprefix(prefix): tensor for name, tensor in tensors.items()})
    return tensors


def _stack(module: str, parts: Mapping[tuple[int | None, bool], Mapping[str, StoredTensor]]) -> TorchStack:
    """One recurrent module of its arrays by layer and direction."""
    shown = module[-60:] or "the network"
    if any("weight_hr" in arrays for arrays in parts.values()):
        raise ModelError(
            f"'{shown}' has projections (proj_size), which can't be traced: its h is a projection of the units' "
            "outputs; train it with proj_size=0 and a Linear layer behind it."
        )
    single = (None, False) in parts
    count = 1 if single else 1 + max(layer or 0 for layer, _ in parts)
    sides = 1 + any(reverse for _, reverse in parts)
    wanted = [[(None if single else layer, bool(side)) for side in range(sides)] for layer in range(count)]
    if {place for layer in wanted for place in layer} != set(parts):
        raise ModelError(f"'{shown}' lacks the weights of a layer or a direction; save the whole state_dict.")
    kind, units = _kind(shown, parts[wanted[0][0]].get("weight_hh"))
    name, gates = module or kind, {"lstm": 4, "gru": 3, "rnn": 1}[kind] * units
    features: int | None = None
    layers = []
    for number, layer in enumerate(wanted):
        directions = []
        for side, place in enumerate(layer):
            arrays = parts[place]
            shapes = {"weight_ih": (gates, features), "weight_hh": (gates, units)}
            if len(arrays) > 2:
                shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}  # type: ignore[dict-item]
            found = [_checked(shown, key, arrays.get(key), shape) for key, shape in shapes.items()]
            features = found[0].shape[1]
            own = layer_name(name, number, count, side, sides)
            directions.append(cell_weights(kind, own, [each.read() for each in found], backwards=bool(side)))
        features = units * sides
        layers.append(tuple(directions))
    return TorchStack(name, tuple(layers))


def _kind(shown: str, recurrent: StoredTensor | None) -> tuple[Kind, int]:
    """The kind of a recurrent module and its units, from the shape of `weight_hh`, (gates·units, units)."""
    shape = () if recurrent is None else recurrent.shape
    if len(shape) == 2 and shape[1] and shape[0] % shape[1] == 0 and shape[0] // shape[1] in _KINDS:
        return _KINDS[shape[0] // shape[1]], shape[1]
    raise ModelError(
        f"'{shown}' has recurrent weights of shape {shape}; those of an LSTM, GRU or RNN of n units are "
        "(4n, n), (3n, n) or (n, n)."
    )


def _checked(shown: str, key: str, tensor: StoredTensor | None, shape: tuple[int | None, ...]) -> StoredTensor:
    if tensor is None:
        raise ModelError(f"'{shown}' has no {key}; save the whole state_dict.")
    fits = len(tensor.shape) == len(shape) and all(a in (None, b) for a, b in zip(shape, tensor.shape, strict=True))
    if not fits or not tensor.size:
        raise ModelError(f"'{shown}' has a {key} of shape {tensor.shape}, where its other weights ask for {shape}.")
    return tensor


def _others(
    tensors: Mapping[str, StoredTensor], stacks: Sequence[TorchStack]
) -> tuple[dict[str, Array], tuple[Linear, ...]]:
    """The embeddings and the Linear layers: matrices called `weight`, the latter with a bias beside them."""
    embeddings, linears = {}, []
    widths = {stack.features for stack in stacks}
    for name, tensor in tensors.items():
        module, _, last = name.rpartition(".")
        if last != "weight" or len(tensor.shape) != 2 or not tensor.size:
            continue
        bias = tensors.get(f"{module}.bias" if module else "bias")
        if bias is not None and bias.shape == tensor.shape[:1]:
            linears.append(Linear(module or "linear", tensor.read().T, bias.read()))
        elif bias is None and tensor.shape[1] in widths:
            embeddings[module or "embedding"] = tensor.read()
    return embeddings, tuple(linears)


# --- The trace ------------------------------------------------------------------------------------


def trace_stacks(
    network: TorchStacks, x: Any, *, mask: Any = None, initial_state: Any = None, clamps: Iterable[Clamp] = ()
) -> ModelTrace:
    """Trace the recurrent modules of a `state_dict`.

    Args:
        network: from `stacks_of`.
        x: numbers (batch, T, features) or (T, features), or ids (batch, T) or (T,) where one embedding fits. A stack
            reads the output of the one before where that is as wide as its input; a mapping from names of stacks to
            arrays says what each of them reads.
        mask: (batch, T) True where a sequence has a step, of what is fed to the first stack and those that follow it.
        initial_state: of the first stack, as PyTorch has it: h, or (h, c) of an LSTM, each (layers·directions, batch,
            units).
        clamps: signals to clamp; `layer` counts recurrent layers, both directions of one have the same number.

    Returns:
        The trace; its output is that of the last stack, or of the Linear layer behind it.

    Raises:
        ModelError: if x fits no stack.
        ValueError: if a state, the mask or a clamp doesn't fit.
    """
    clamps, given = tuple(clamps), _given(network, x)
    _check_clamps(network, clamps)
    layers: list[RecurrentTrace] = []
    values: dict[str, Any] = {}
    notes = list(network.notes)
    before: tuple[TorchStack, Array] | None = None
    for number, stack in enumerate(network.stacks):
        first = sum(len(each.layers) for each in network.stacks[:number])
        if stack.name in given:
            read = _fed(network, stack, given[stack.name], values, notes)
            own_mask = mask if not layers else None
        elif before and before[1].shape[-1] == stack.features:
            read, own_mask = before[1], mask
            notes.append(f"'{stack.name}' reads the output of '{before[0].name}', as wide as its input.")
        else:
            if any(clamp.layer in range(first, first + len(stack.layers)) for clamp in clamps):
                raise ValueError(f"A clamp names a layer of '{stack.name}', which isn't traced: give x for it by name.")
            notes.append(f"'{stack.name}' isn't traced: the file doesn't say what it reads; give x by name for it.")
            continue
        states = _states(stack, initial_state, len(read)) if not layers else ()
        traces = run_stack(stack, read, mask=own_mask, states=states, clamps=clamps, first=first)
        layers += traces
        before = stack, stack_outputs(traces[-stack.directions :])
    assert before is not None  # `_given` names at least one stack
    output = before[1]
    if network.head is not None and before[0] is network.stacks[-1]:
        output = values[network.head.name] = output @ network.head.kernel + network.head.bias
        notes.append(f"The output is that of '{network.head.name}', applied at each timestep.")
    inputs = {name: np.asarray(value) for name, value in given.items()}
    return ModelTrace(tuple(layers), values, inputs, output, tuple(notes))


def _given(network: TorchStacks, x: Any) -> dict[str, Any]:
    """What is fed to each stack by its name."""
    if not isinstance(x, Mapping):
        return {network.stacks[0].name: x}
    names = [stack.name for stack in network.stacks]
    if not x or not set(x) <= set(names):
        asked = ", ".join(f"'{str(name)[:60]}'" for name in x) or "none"
        raise ModelError(f"The recurrent modules are {', '.join(map(repr, names))}; received inputs for {asked}.")
    return dict(x)


def _fed(network: TorchStacks, stack: TorchStack, x: Any, values: dict[str, Any], notes: list[str]) -> Array:
    """What a stack reads, (batch, T, features): numbers as they are, ids by way of the embedding."""
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise ModelError(f"'{stack.name}' reads numbers, or ids of an embedding; received {array.dtype}.")
    name = network.embedding_for(stack)
    if array.dtype.kind in "iu" and array.ndim < 3 and (name or array.shape[-1:] != (stack.features,)):
        if not name:
            raise ModelError(
                f"No embedding, or more than one, is {stack.features} wide, so '{stack.name}' reads numbers of shape "
                f"(batch, T, {stack.features}); received whole numbers of shape {array.shape}."
            )
        table, ids = network.embeddings[name], np.atleast_2d(array)
        if ids.size and not 0 <= ids.min() <= ids.max() < len(table):
            raise ModelError(f"The ids are {ids.min()}…{ids.max()}; '{name}' has 0…{len(table) - 1}.")
        _check_steps(ids.shape)
        notes.append(f"Ids are looked up in '{name}', the only embedding as wide as the input of '{stack.name}'.")
        values[name] = table[ids]
        return values[name]
    array = array[None] if array.ndim == 2 else array
    if array.ndim != 3 or array.shape[-1] != stack.features:
        ids_too = f", or ids (batch, T) of '{name}'" if name else ""
        raise ModelError(
            f"'{stack.name}' reads numbers of shape (batch, T, {stack.features}){ids_too}; received {np.shape(x)}."
        )
    _check_steps(array.shape)
    return array


def _check_steps(shape: tuple[int, ...]) -> None:
    if shape[0] * shape[1] > MOST_STEPS:
        raise ModelError(f"The input has {shape[0] * shape[1]:,} timesteps; {MOST_STEPS:,} is the most.")


def _states(stack: TorchStack, given: Any, batch: int) -> tuple[Array, ...]:
    if given is None:
        return ()
    states = tuple(np.asarray(each) for each in (given if isinstance(given, tuple | list) else (given,)))
    shape = (len(stack.layers) * stack.directions, batch, stack.units)
    if len(states) != len(STATES[stack.kind]) or any(state.shape != shape for state in states):
        shapes = [state.shape for state in states]
        raise ValueError(
            f"'{stack.name}' starts from {len(STATES[stack.kind])} state(s) of shape {shape}; received {shapes}."
        )
    return states


def _check_clamps(network: TorchStacks, clamps: Sequence[Clamp]) -> None:
    layers = [layer[0] for stack in network.stacks for layer in stack.layers]
    for clamp in clamps:
        if clamp.layer not in range(len(layers)):
            raise ValueError(f"A clamp names layer {clamp.layer}; there are {len(layers)}, from 0.")
