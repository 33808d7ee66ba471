"""Traces `torch.nn.LSTM`, `GRU` and `RNN`, their cells, and every module that contains them.

The module itself runs in evaluation mode while hooks record what its parts read and return; what is recurrent is
computed again in NumPy, gate by gate, and compared with what torch returned. Importing this module imports torch.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch.nn.utils.rnn import PackedSequence

from lstm_core.errors import LabError, ModelError
from lstm_core.nn.clamps import Clamp, clamp_hooks, shift_clamps
from lstm_core.tracing.batch import joined_steps
from lstm_core.tracing.live.torch_calls import RECURRENT, Call, States, as_numpy, as_tensor, call_of, stack_of
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace
from lstm_core.tracing.torch_stack import TorchStack, run_stack, stack_outputs, stack_states

MOST_STEPS = 1_000_000  # timesteps of all sequences of a batch together
HALF = (torch.float16, torch.bfloat16)
CALL_ERRORS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
)


def trace_torch(module: Any, x: Any, initial_state: Any = None, clamps: Iterable[Clamp] = ()) -> ModelTrace:
    """Trace a PyTorch module over a batch, as it computes in evaluation mode; the module isn't changed.

    Args:
        module: a `torch.nn.LSTM`, `GRU` or `RNN`, or any module that contains some, or their cells.
        x: what the module reads, as it takes it: an array, a tensor or a `PackedSequence`; a tuple of several inputs,
            or a mapping of inputs by name.
        initial_state: for a recurrent module alone, its `hx`: h, or (h, c) of an LSTM.
        clamps: signals to clamp, and all that follows from them; `layer` counts the recurrent layers in the order of
            computation, where both directions of one layer have the same number.

    Returns:
        The trace; `output` and `values` are torch's own, in torch's shapes. A part that is called several times has a
        tuple of its outputs; a recurrent one that reads several sequences is several layers, "lstm" and "lstm#2".

    Raises:
        ModelError: naming a part that can't be followed, or whose numbers differ from torch's.
        ValueError: if the module doesn't take the input, or a clamp names what doesn't exist.
    """
    module, notes = _followable(module)
    clamps = tuple(clamps)
    args, kwargs = _inputs(module, x, initial_state)
    recording = _run(module, args, kwargs, ())
    if not recording.layers:
        raise ModelError("The module called no LSTM, GRU or RNN for this input, so there is nothing to trace.")
    if clamps:
        recording.check(clamps)
        recording = _run(module, args, kwargs, clamps)
    names = [*inspect.signature(module.forward).parameters, *(f"input {number}" for number in range(len(args)))]
    read = dict(zip(names, args, strict=False))
    return ModelTrace(
        layers=tuple(trace for layers in recording.layers for trace in layers.traces()),
        values=recording.values(),
        inputs={name: as_numpy(value) for name, value in (read | kwargs).items() if name != "hx"},
        output=recording.output,
        notes=(*notes, *recording.notes(module)),
    )


# --- The module and what it reads -----------------------------------------------------------------


def _followable(module: Any) -> tuple[torch.nn.Module, list[str]]:
    """The module, or a copy in float32 of one in half precision; ModelError for what hooks can't follow."""
    module = getattr(module, "_orig_mod", module)  # what `torch.compile` wraps
    if not isinstance(module, torch.nn.Module):
        raise ModelError(f"This is a {type(module).__name__}, no torch.nn.Module.")
    for name, part in module.named_modules():
        if isinstance(part, torch.jit.ScriptModule):
            raise ModelError(f"'{name or 'module'}' is compiled by torch.jit; trace the module as it was before that.")
        if ".quantized" in type(part).__module__ and hasattr(part, "hidden_size"):
            raise ModelError(f"'{name or 'module'}' is quantized, which can't be traced; trace the module before that.")
    if not any(isinstance(part, RECURRENT) for part in module.modules()):
        kinds = ", ".join(sorted({type(part).__name__ for part in module.modules()})[:8])
        raise ModelError(f"The module has no torch.nn.LSTM, GRU or RNN to trace; it has {kinds}.")
    if not any(weight.dtype in HALF for weight in module.parameters()):
        return module, []
    try:
        return copy.deepcopy(module).float(), ["The half precision of the module was computed as float32."]
    except (RuntimeError, TypeError) as error:
        raise ModelError("The module in half precision can't be copied; trace `module.float()` instead.") from error


def _inputs(module: torch.nn.Module, x: Any, initial_state: Any) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of the module's call as tensors, in its precision and on its device."""
    floats = (weight for weight in module.parameters() if weight.is_floating_point())
    like = next(floats, torch.zeros(1))

    def tensors(value: Any) -> Any:
        if isinstance(value, tuple) and not isinstance(value, PackedSequence):
            return tuple(tensors(each) for each in value)
        try:
            value = value if isinstance(value, PackedSequence | torch.Tensor) else torch.from_numpy(np.array(value))
        except (TypeError, ValueError) as error:
            raise ValueError(f"The input can't become a tensor: {_first_line(error)}.") from error
        data = value.data if isinstance(value, PackedSequence) else value
        if data.shape[:2].numel() > MOST_STEPS:
            raise ValueError(f"The input has {data.shape[:2].numel():,} timesteps; {MOST_STEPS:,} is the most.")
        if data.is_floating_point():
            return value.to(like.device, like.dtype)
        return value.to(like.device, data.dtype if data.dtype == torch.bool else torch.int64)

    args: list[Any] = []
    named: dict[str, Any] = {}
    if isinstance(x, Mapping):
        named = {str(name): tensors(value) for name, value in x.items()}
    else:
        read = tensors(x)
        args = list(read) if isinstance(read, tuple) and not isinstance(read, PackedSequence) else [read]
    if initial_state is not None:
        if not isinstance(module, RECURRENT):
            raise ModelError(
                f"initial_state is for a recurrent module alone; give it to {type(module).__name__} as an input of "
                "its own, in x=(x, state)."
            )
        named["hx"] = tensors(tuple(initial_state) if isinstance(initial_state, list) else initial_state)
    return args, named


def _run(module: torch.nn.Module, args: list[Any], kwargs: dict[str, Any], clamps: tuple[Clamp, ...]) -> _Recording:
    """One call of the module with hooks on its parts; modes and hooks are as before afterwards."""
    recording = _Recording(clamps)
    with ExitStack() as undo:
        undo.enter_context(_evaluating(module))
        for name, part in module.named_modules():
            if isinstance(part, RECURRENT):
                hook: Callable[..., Any] = recording.recurrent_hook(name, part)
            elif any(part.children()):
                continue
            else:
                hook = recording.other_hook(name or type(part).__name__.lower())
            undo.callback(part.register_forward_hook(hook, with_kwargs=True).remove)
        try:
            recording.output = as_numpy(module(*args, **kwargs))
        except LabError:
            raise
        except (*CALL_ERRORS, ValueError) as error:
            shapes = ", ".join(str(tuple(each.shape)) for each in args if isinstance(each, torch.Tensor))
            raise ValueError(f"The module can't read this input {shapes}: {_first_line(error)}.") from error
    return recording


@contextmanager
def _evaluating(module: torch.nn.Module) -> Iterator[None]:
    """Without dropout, gradients and reduced precision."""
    training = [part for part in module.modules() if part.training]
    devices = {weight.device.type for weight in module.parameters()} or {"cpu"}
    with ExitStack() as undo:
        undo.enter_context(torch.no_grad())
        for device in devices:
            undo.enter_context(torch.autocast(device, enabled=False))
        if "cuda" in devices:  # cuDNN rounds products to the 10 bits of TF32 otherwise
            cudnn = torch.backends.cudnn
            now = {name: getattr(cudnn, name) for name in ("enabled", "benchmark", "deterministic")}
            undo.enter_context(cudnn.flags(**now, allow_tf32=False))
        try:
            module.eval()
            yield
        finally:
            for part in training:
                part.training = True


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200].rstrip(".")


# --- What the hooks record ------------------------------------------------------------------------


@dataclass
class _Sequence:
    """The layers of one recurrent module over one batch, which it may have read in several calls."""

    stack: TorchStack
    first: int  # the number of its first layer
    calls: list[list[RecurrentTrace]] = field(default_factory=list)  # the traces of each call
    state: States = ()  # after the last call

    @property
    def steps(self) -> int:
        """The number of timesteps so far."""
        return sum(call[0].outputs.shape[1] for call in self.calls)

    def traces(self) -> list[RecurrentTrace]:
        """One trace for each layer and direction."""
        return [joined_steps(parts) for parts in zip(*self.calls, strict=True)]

    def goes_on(self, call: Call) -> bool:
        """Whether a call begins where the last one ended."""
        given = call.states
        if self.stack.directions > 1 or len(given) != len(self.state) or call.mask is not None:
            return False
        return all(
            now.shape == then.shape and torch.equal(now, then) for now, then in zip(given, self.state, strict=True)
        )


class _Recording:
    """What the parts of a module read and returned in one call of it."""

    def __init__(self, clamps: tuple[Clamp, ...]) -> None:
        self.clamps = clamps
        self.layers: list[_Sequence] = []
        self.output: Any = None
        self._of: dict[str, list[_Sequence]] = {}  # module → what it read
        self._others: dict[str, list[Any]] = {}

    def other_hook(self, name: str) -> Callable[..., None]:
        """Keeps the output of a part that isn't recurrent."""

        def hook(part: torch.nn.Module, args: Any, kwargs: Any, output: Any) -> None:
            self._others.setdefault(name, []).append(as_numpy(output))

        return hook

    def recurrent_hook(self, name: str, part: torch.nn.Module) -> Callable[..., Any]:
        """Traces each call of a recurrent part; returns what replaces its output where signals are clamped."""
        stack = stack_of(part, name or type(part).__name__.lower())

        def hook(part: torch.nn.Module, args: Any, kwargs: Any, output: Any) -> Any:
            call = call_of(part, args, kwargs, output)
            sequence = self._sequence(name, stack, call, single=isinstance(part, torch.nn.RNNCellBase))
            clamps = shift_clamps(self.clamps, sequence.steps, call.x.shape[1])
            states = [as_numpy(state) for state in call.states]
            traces = run_stack(
                sequence.stack, call.x, mask=call.mask, states=states, clamps=clamps, first=sequence.first
            )
            outputs, final = stack_outputs(traces[-stack.directions :]), stack_states(traces)
            sequence.calls.append(traces)
            sequence.state = call.final
            if not self.clamps:
                call.compare(stack.name, outputs, final)
                return None
            sequence.state = tuple(as_tensor(ours, torchs) for ours, torchs in zip(final, call.final, strict=True))
            return call.rebuilt(outputs, sequence.state)

        return hook

    def _sequence(self, name: str, stack: TorchStack, call: Call, *, single: bool) -> _Sequence:
        """The sequence that a call belongs to: the last one of its module if it goes on, or else a new one."""
        known = self._of.setdefault(name, [])
        if known and known[-1].goes_on(call):
            return known[-1]
        if single and known and known[-1].steps == 1:
            raise ModelError(
                f"The cell '{stack.name}' is given another state than it returned in its last call, which can't be "
                "followed as one sequence; trace the cell over a sequence of its own, or use torch.nn.LSTM, GRU or RNN."
            )
        if known:
            stack = stack.renamed(f"{stack.name}#{len(known) + 1}")
        known.append(_Sequence(stack, sum(len(each.stack.layers) for each in self.layers)))
        self.layers.append(known[-1])
        return known[-1]

    def values(self) -> dict[str, Any]:
        """The outputs of the parts that aren't recurrent."""
        return {name: calls[0] if len(calls) == 1 else tuple(calls) for name, calls in self._others.items()}

    def check(self, clamps: tuple[Clamp, ...]) -> None:
        """ValueError if a clamp names what none of the layers has."""
        layers = [(layer[0], sequence.steps) for sequence in self.layers for layer in sequence.stack.layers]
        for clamp in clamps:
            if clamp.layer not in range(len(layers)):
                raise ValueError(f"A clamp names layer {clamp.layer}; there are {len(layers)}, from 0.")
            weights, steps = layers[int(clamp.layer)]
            clamp_hooks(weights, [clamp], np.arange(steps))

    def notes(self, module: torch.nn.Module) -> Iterator[str]:
        """What differs from what a reader may expect."""
        parts = {name: part for name, part in module.named_modules() if isinstance(part, RECURRENT)}
        for name in parts:
            if name not in self._of:
                yield f"'{name}' wasn't called for this input, so it isn't traced."
        if not all(getattr(part, "batch_first", True) for part in parts.values()):
            yield "batch_first=False: recurrent layers are (batch, T, units) here, other values as torch has them."
        for name, calls in self._others.items():
            if len(calls) > 1:
                yield f"'{name}' was called {len(calls)} times; its value is the tuple of its outputs."
