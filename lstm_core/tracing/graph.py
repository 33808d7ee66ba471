"""The graph of a saved Keras network: its layers, which reads what, and how it runs over a batch without Keras.

`tracing/graph_file.py` reads it from a file, `tracing/graph_layers.py` computes each layer. Masks go along with the
values as in Keras: a layer that doesn't support masking ends them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp, clamps_by_name
from lstm_core.tracing.inputs import InputSpec, arrays_by_name
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace

MOST_NUMBERS = 2**26  # of one layer's output: 256 MiB


class Ref(NamedTuple):
    """An output in a graph: a layer's name, the number of its call, the number of the output."""

    layer: str
    call: int
    output: int


@dataclass(frozen=True)
class Node:
    """One call of a layer: its arguments, in which `Ref`s stand for values."""

    layer: str
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True)
class GraphLayer:
    """One layer.

    Attributes:
        name: as in the network.
        kind: Keras's class.
        settings: Keras's config of it.
        arrays: its own weights, in Keras's order.
        parts: the layers inside it by their attribute: "cell", "layer", "forward_layer"; "0" … of a stack.
        graph: of a nested network.
        vocabulary: of a TextVectorization, from id 2.
    """

    name: str
    kind: str
    settings: Mapping[str, Any]
    arrays: tuple[Array, ...] = field(default=(), repr=False)
    parts: Mapping[str, GraphLayer] = field(default_factory=dict)
    graph: Graph | None = None
    vocabulary: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Graph:
    """A network.

    Attributes:
        layers: by name.
        nodes: in an order in which each is behind those that it reads from; inputs have none.
        inputs: the input layers, in the network's order.
        outputs: a `Ref`, or a list or dictionary of them.
        notes: what was changed, in sentences.
    """

    layers: Mapping[str, GraphLayer]
    nodes: tuple[Node, ...]
    inputs: tuple[Ref, ...]
    outputs: Any
    notes: tuple[str, ...] = ()

    @property
    def specs(self) -> tuple[InputSpec, ...]:
        """What the network reads."""
        found = []
        for name, _, _ in self.inputs:
            settings = self.layers[name].settings
            shape = settings.get("batch_shape")
            text = str(settings.get("dtype")) == "string"
            found.append(InputSpec(name, None if shape is None else tuple(shape), text))
        return tuple(found)


@dataclass(frozen=True)
class Value:
    """An array, batch first, and its mask: (batch, T) of bool, None if there is none."""

    array: Array
    mask: Array | None = None


@dataclass(frozen=True)
class Call:
    """One call of a layer under way."""

    layer: GraphLayer
    name: str  # its path in the network, with "#2" at the second call
    args: tuple[Any, ...]  # with `Value`s
    kwargs: Mapping[str, Any]
    run: Run

    @property
    def x(self) -> Array:
        """The array of the first argument; of the first of several."""
        return self.first.array

    @property
    def first(self) -> Value:
        """The first argument, or the first of several."""
        found = self.args[0]
        found = found[0] if isinstance(found, list | tuple) and found else found
        if not isinstance(found, Value):
            raise self.refused("reads a constant")
        return found

    @property
    def values(self) -> list[Value]:
        """All values of the first argument."""
        found = self.args[0]
        return list(found) if isinstance(found, list | tuple) else [found]

    @property
    def mask(self) -> Array | None:
        """The mask that the layer is called with, or else that of its first argument."""
        given = self.kwargs.get("mask")
        given = next((each for each in given if each is not None), None) if isinstance(given, list | tuple) else given
        return self.first.mask if given is None else _array(given).astype(bool)

    def limit(self, count: int) -> None:
        """ModelError if the output would have so many numbers that it is too large."""
        if count > MOST_NUMBERS:
            raise self.refused(f"would compute {count:,} numbers, more than {MOST_NUMBERS:,}")
        self.spend(count)

    def spend(self, count: int) -> None:
        """ModelError if the run would compute more numbers than it may."""
        if self.run.most is not None:
            self.run.spent += count
            if self.run.spent > self.run.most:
                raise ModelError(
                    f"At layer '{self.name}' the network would have computed more than {self.run.most:,} numbers, the "
                    "most here; feed it fewer timesteps, or trace it in Python: lstm_core.trace(path, x)."
                )

    def refused(self, why: str) -> ModelError:
        """The error for a layer that can't be followed."""
        return ModelError(
            f"Layer '{self.name}' ({self.layer.kind}) {why}, which can't be followed from the file alone; load the "
            "network in Keras and trace that: lstm_core.trace(keras.saving.load_model(path), x)."
        )


class Run:
    """One run of a graph, which keeps what its layers compute."""

    def __init__(
        self, compute: Callable[[Call], Any], clamps: Callable[[str], Sequence[Clamp]], most: int | None = None
    ) -> None:
        """`most` is how many numbers it may compute."""
        self.compute, self.clamps, self.most, self.spent = compute, clamps, most, 0
        self.traces: list[RecurrentTrace] = []
        self.values: dict[str, Any] = {}
        self.notes: dict[str, None] = {}

    def graph(self, graph: Graph, inputs: Sequence[Value], path: str = "") -> Any:
        """The outputs of a graph, in the structure of `Graph.outputs`."""
        found: dict[Ref, Value] = dict(zip(graph.inputs, inputs, strict=True))
        calls: Counter[str] = Counter()
        for node in graph.nodes:
            number = calls[node.layer]
            calls[node.layer] += 1
            name = f"{path}{node.layer}" + (f"#{number + 1}" if number else "")
            args = tuple(resolved(each, found) for each in node.args)
            kwargs = {key: resolved(each, found) for key, each in node.kwargs.items()}
            outputs = self.layer(graph.layers[node.layer], name, args, kwargs)
            for place, value in enumerate(outputs if isinstance(outputs, list | tuple) else [outputs]):
                found[Ref(node.layer, number, place)] = value
        return resolved(graph.outputs, found)

    def layer(self, layer: GraphLayer, name: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The outputs of a layer: a `Value`, or a list of them; ModelError, naming it, if it can't be computed."""
        call = Call(layer, name, args, kwargs, self)
        try:
            outputs = self.compute(call)
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, np.exceptions.AxisError) as error:
            raise ModelError(
                f"Layer '{name}' ({layer.kind}) can't be computed: {' '.join(str(error).split())[:120]}."
            ) from error
        call.spend(sum(array.size for array in flat(unwrapped(outputs))))
        if not any(trace.name == name or trace.name.startswith(f"{name}/") for trace in self.traces):
            arrays = unwrapped(outputs)
            self.values[name] = tuple(arrays) if isinstance(arrays, list) else arrays
        return outputs


def trace_graph(
    graph: Graph,
    x: Any,
    compute: Callable[[Call], Any],
    clamps: Iterable[Clamp] = (),
    most: int | None = None,
    names: Sequence[str] = (),
) -> ModelTrace:
    """The trace of a whole network over a batch; see `trace`. `most` is how many numbers a run may compute.

    Under clamps the network runs twice, unless the `names` of its recurrent layers are known.

    Raises:
        ModelError: naming a layer that can't be followed, or an input that doesn't fit.
        ValueError: if a clamp names a layer, signal, unit or timestep that doesn't exist.
    """
    inputs = arrays_by_name(x, graph.specs)
    clamps = tuple(clamps)
    if not clamps or not names:
        run = _run(graph, inputs, Run(compute, lambda name: (), most))
        names = [trace.name for trace in run.traces]
    if clamps:
        own = clamps_by_name(clamps, names)
        run = _run(graph, inputs, Run(compute, lambda name: own.get(name, ()), most))
    if not run.traces:
        raise ModelError("The network has no LSTM, GRU or SimpleRNN, so there is nothing to trace.")
    output = run.values.pop("")
    return ModelTrace(tuple(run.traces), run.values, inputs, output, (*graph.notes, *run.notes))


def _run(graph: Graph, inputs: Mapping[str, Array], run: Run) -> Run:
    with np.errstate(all="ignore"):  # a network may answer with infinity; Keras doesn't warn either
        output = unwrapped(run.graph(graph, [Value(array) for array in inputs.values()]))
    run.values[""] = tuple(output) if isinstance(output, list) else output
    return run


def resolved(value: Any, found: Mapping[Ref, Any]) -> Any:
    """A structure in which each `Ref` is replaced by its value; ModelError if there is none."""
    if isinstance(value, Ref):
        if value not in found:
            raise ModelError(f"The network reads output {value.output} of layer '{value.layer}', which has none.")
        return found[value]
    if isinstance(value, Mapping):
        return {key: resolved(each, found) for key, each in value.items()}
    return [resolved(each, found) for each in value] if isinstance(value, list | tuple) else value


def unwrapped(value: Any) -> Any:
    """A structure of arrays, from one of `Value`s."""
    if isinstance(value, Mapping):
        return {key: unwrapped(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [unwrapped(each) for each in value]
    return _array(value)


def flat(value: Any) -> list[Array]:
    """The arrays in a structure."""
    if isinstance(value, Mapping):
        value = list(value.values())
    return [array for each in value for array in flat(each)] if isinstance(value, list | tuple) else [value]


def _array(value: Any) -> Array:
    return value.array if isinstance(value, Value) else np.asarray(value)
