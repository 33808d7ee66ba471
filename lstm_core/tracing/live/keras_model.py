"""Traces a live Keras model: Keras runs what has no state, our recurrence every recurrent layer and cell.

Nothing may differ silently. Keras's own cells repeat each step (`keras_layers.check_cell`), and the network's output is
compared with the one that Keras computes alone; where it differs, each layer is compared to name the one at fault. The
model is left as it was: its states and its counters of random numbers are put back.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError, ModelError
from lstm_core.nn.clamps import Clamp, clamps_by_name, shift_clamps
from lstm_core.nn.saved import saved_cell
from lstm_core.nn.weights import CellWeights, weights_of
from lstm_core.tracing.batch import joined_sequences, joined_steps, run_batch
from lstm_core.tracing.inputs import InputSpec, arrays_by_name
from lstm_core.tracing.live import keras_layers
from lstm_core.tracing.live.keras_calls import Calls, LayerCall, followed
from lstm_core.tracing.live.keras_layers import array, differs
from lstm_core.tracing.model_trace import ModelTrace, RecurrentTrace

FEW_STEPS = 100  # of all recurrent layers together: beyond, Keras is faster compiled, though compiling takes a second


def trace_keras(
    model: Any, x: Any, *, mask: Any = None, clamps: Iterable[Clamp] = (), names: Sequence[str] = ()
) -> ModelTrace:
    """Trace a built Keras model, or a layer that contains recurrent ones, over a batch.

    Args:
        model: Sequential, functional or subclassed; stateful layers start from their present state, which they keep.
        x: as the model takes it: an array, a list of arrays, a dictionary by names of inputs, texts; one sequence
            without the batch axis is a batch of one.
        mask: (batch, T) of bool for the model's input.
        clamps: their `layer` is the number or the name of a recurrent layer; all that follows changes.
        names: of the recurrent layers, if the same network was traced before: under clamps it then runs only once.

    Raises:
        ModelError: naming the layer that can't be followed, or whose numbers aren't Keras's to 1e-5 (half precision: to
            what its type can hold); or if the input doesn't fit.
        ValueError: if a clamp names a layer, signal, unit or timestep that doesn't exist.
    """
    if not model.built:
        raise ModelError(f"Model '{model.name}' is not built yet: call it once on data, then trace it.")
    inputs = arrays_by_name(x, input_specs(model, x))
    feed = _feed(model, x, inputs)
    kwargs = {} if mask is None else {"mask": _tensor(np.atleast_2d(np.asarray(mask, bool)))}
    clamps = tuple(clamps)
    with _left_as_it_was(model) as restore:
        if clamps and names:
            return replace(_run(model, feed, kwargs, clamps_by_name(clamps, names)), inputs=inputs)
        run = _run(model, feed, kwargs, {})
        if not run.layers:
            raise ModelError(run.notes[0] if run.notes else f"Model '{model.name}' has no recurrent layer to trace.")
        restore()
        _compare(model, feed, kwargs, run)
        if clamps:
            restore()
            names = [layer.name for layer in run.layers]
            run = _run(model, feed, kwargs, clamps_by_name(clamps, names))
    return replace(run, inputs=inputs)


# --- Inputs -------------------------------------------------------------------------------------------


def input_specs(model: Any, x: Any) -> list[InputSpec]:
    """What a live model says of its inputs; names of our own where it says nothing."""
    try:
        tensors = list(model.inputs)
    except (AttributeError, TypeError):  # a subclassed model
        if isinstance(x, Mapping):
            return [InputSpec(str(name)) for name in x]
        several = isinstance(x, list | tuple) and len(x) > 1 and all(isinstance(each, np.ndarray) for each in x)
        if several:
            return [InputSpec(f"input_{number}") for number in range(1, len(x) + 1)]
        shapes = list((model._build_shapes_dict or {}).values())
        known = (
            len(shapes) == 1
            and isinstance(shapes[0], tuple)
            and all(s is None or isinstance(s, int) for s in shapes[0])
        )
        return [InputSpec("input", (None,) * len(shapes[0]) if known else None)]
    return [InputSpec(_name(tensor), tuple(tensor.shape), tensor.dtype == "string") for tensor in tensors]


def _name(tensor: Any) -> str:
    """The name of an input's layer; the tensor's own is often a number."""
    return str(tensor._keras_history.operation.name)


def _feed(model: Any, x: Any, inputs: Mapping[str, Array]) -> Any:
    """The inputs as tensors, in the structure in which the model takes them."""
    import keras

    tensors = {name: _tensor(values) for name, values in inputs.items()}
    structure = getattr(model, "_inputs_struct", None)
    if isinstance(structure, dict):
        by_tensor = {_name(each): key for key, each in structure.items()}
        return {by_tensor[name]: tensor for name, tensor in tensors.items()}
    if structure is None and isinstance(x, Mapping):
        return tensors
    if structure is not None and keras.tree.is_nested(structure):
        return keras.tree.pack_sequence_as(structure, list(tensors.values()))
    return list(tensors.values()) if len(tensors) > 1 else next(iter(tensors.values()))


def _tensor(values: Array) -> Any:
    import keras

    if values.dtype.kind != "U":
        return keras.ops.convert_to_tensor(values)
    import tensorflow as tf  # texts are tensors of TensorFlow alone

    return tf.constant(values)


# --- The run --------------------------------------------------------------------------------------------


@dataclass
class _Observer:
    """Answers the calls of layers: recurrent ones with our numbers, the others with Keras's."""

    clamps: Mapping[str, tuple[Clamp, ...]]
    layers: dict[str, list[RecurrentTrace]] = field(default_factory=lambda: defaultdict(list))
    values: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    notes: dict[str, None] = field(default_factory=dict)
    weights: dict[tuple[int, str], list[CellWeights]] = field(default_factory=dict)
    cells: dict[str, str] = field(default_factory=dict)  # a cell that is called by itself → its present trace's name
    calls: Calls | None = None

    def __call__(self, call: LayerCall) -> Any:
        import keras

        layer = call.layer
        if isinstance(layer, keras.layers.RNN) and keras_layers.cells_of(layer) is not None:
            return self._recurrent(call)
        if keras_layers.is_cell(layer):
            return self._cell(call)
        if isinstance(layer, keras.layers.RNN):
            return self._unknown(call)
        output = call.original()
        if call.name:
            self._keep(call.name, output)
        return output

    def _recurrent(self, call: LayerCall) -> Any:
        layer = call.layer
        key = id(layer), call.name
        weights = self.weights[key] = self.weights.get(key) or keras_layers.layer_weights(layer, call.name)
        arguments = keras_layers.read_call(call)
        traces = keras_layers.run_layer(layer, weights, arguments, lambda name: self.clamps.get(name, ()))
        self._check(keras_layers.cells_of(layer) or [], traces)
        for trace in traces:
            self.layers[trace.name].append(trace)
        output = keras_layers.returned(layer, traces)
        if len(traces) > 1:
            self._keep(call.name, output)
        return output

    def _cell(self, call: LayerCall) -> Any:
        """One step of a cell that the model calls itself, as decoders with attention do in a loop of their own."""
        import keras

        inputs, states = call.arguments["inputs"], call.arguments["states"]
        flat = keras.tree.flatten(states)
        rows = [array(state, call.name) for state in flat]
        base = re.sub(r"#\d+$", "", call.name)
        name, done = self.cells.get(base, ""), 0
        if name and all(np.array_equal(a, b) for a, b in zip(self.layers[name][-1].final_state, rows, strict=True)):
            done = len(self.layers[name])
        else:
            name = self.cells[base] = call.name
        key = id(call.layer), name
        (weights,) = self.weights[key] = self.weights.get(key) or [weights_of(saved_cell(call.layer, name))]
        own = shift_clamps(self.clamps.get(name, ()), done, 1)
        trace = run_batch(weights, array(inputs, name)[:, None], initial_state=rows, clamps=own)
        self._check([call.layer], [trace])
        self.layers[name].append(trace)
        new = [keras.ops.convert_to_tensor(state, dtype=call.layer.compute_dtype) for state in trace.final_state]
        return new[0], new if isinstance(states, list | tuple) else new[0]

    def _unknown(self, call: LayerCall) -> Any:
        assert self.calls is not None
        kind = type(getattr(call.layer, "cell", call.layer)).__name__
        self.notes[
            f"Layer '{call.name}' computes with {kind}, whose gates can't be traced: its output is Keras's. "
            "Build it with LSTM, GRU or SimpleRNN to see inside."
        ] = None
        with self.calls.pause():
            output = call.original()
        self._keep(call.name, output)
        return output

    def _check(self, cells: Sequence[Any], traces: Sequence[RecurrentTrace]) -> None:
        assert self.calls is not None
        for cell, trace in zip(cells, traces, strict=True):
            if str(cell.compute_dtype) not in ("float32", "float64"):
                self.notes[
                    f"Layer '{trace.name}' computes in {cell.compute_dtype}; its trace was computed in float32."
                ] = None
            if not self.clamps:
                with self.calls.pause():
                    keras_layers.check_cell(cell, trace)

    def _keep(self, name: str, output: Any) -> None:
        import keras

        flat = keras.tree.flatten(output)
        try:
            found = [array(each, name) for each in flat]
        except ModelError:
            self.notes[f"The values of layer '{name}' can't be seen: it runs inside a compiled function."] = None
            return
        self.values[name].append(found[0] if len(found) == 1 else tuple(found))


def _run(model: Any, feed: Any, kwargs: Mapping[str, Any], clamps: Mapping[str, tuple[Clamp, ...]]) -> ModelTrace:
    """One eager run with our recurrences in the place of Keras's."""
    observer = _Observer(clamps)
    with followed(model, observer) as calls, np.errstate(over="ignore", invalid="ignore"):
        observer.calls = calls
        try:
            output = model(feed, training=False, **kwargs)
        except Exception as error:
            if isinstance(calls.error, ValueError):
                raise _plain(calls.error) from error
            raise _plain(error) from error
    layers = tuple(
        joined_steps(parts) if name in observer.cells.values() else joined_sequences(parts)
        for name, parts in observer.layers.items()
    )
    values = {name: _stacked(parts) for name, parts in observer.values.items()}
    return ModelTrace(layers, values, {}, _flat(output), tuple(observer.notes))


def _plain(error: Exception) -> Exception:
    """An error of ours as it is, any other as one sentence."""
    if isinstance(error, LabError) or (type(error) is ValueError and str(error).startswith(("A clamp", "Layer '"))):
        return error
    lines = [line for line in str(error).replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines() if line.strip()]
    shown = next((line for line in lines if not line.startswith("Exception encountered")), type(error).__name__)
    return ModelError(f"Keras can't run the network on this input: {shown.strip()[:300]}")


def _stacked(parts: Sequence[Any]) -> Any:
    """One value; the values of a TimeDistributed layer's steps on a second axis."""
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], tuple):
        return tuple(np.stack(each, axis=1) for each in zip(*parts, strict=True))
    return np.stack(parts, axis=1)


def _flat(output: Any) -> Any:
    import keras

    found = tuple(array(each, "output") for each in keras.tree.flatten(output))
    return found[0] if len(found) == 1 else found


# --- Keras's own output ---------------------------------------------------------------------------------


def _compare(model: Any, feed: Any, kwargs: Mapping[str, Any], run: ModelTrace) -> None:
    """ModelError, naming the layer, unless Keras alone computes the same output."""
    import keras

    steps = sum(layer.outputs.shape[1] for layer in run.layers)
    most = max(keras_layers.tolerance(layer) for layer in model._flatten_layers())
    theirs = _keras_output(model, feed, kwargs, compiled=steps > FEW_STEPS)
    found = [np.asarray(each, float) for each in keras.tree.flatten(run.output) if each.dtype.kind in "biuf"]
    own = [array(each).astype(float) for each in keras.tree.flatten(theirs) if array(each).dtype.kind in "biuf"]
    errors = [differs(ours, each, most) for ours, each in zip(found, own, strict=True)]
    if not any(errors):
        return

    with followed(model, _compare_layer) as calls:
        try:
            model(feed, training=False, **kwargs)
        except Exception as error:
            raise calls.error or error from error
    raise ModelError(
        f"The network's output differs from Keras's by up to {max(errors):.2g}, though each recurrent layer agrees; "
        "a layer that draws random numbers, such as dropout called with training=True, can't be traced."
    )


def _compare_layer(call: LayerCall) -> Any:
    """What Keras's own layer returns; ModelError, naming it, if a recurrent one differs from ours on the same input."""
    import keras

    layer = call.layer
    if not isinstance(layer, keras.layers.RNN) or keras_layers.cells_of(layer) is None:
        return call.original()
    arguments = keras_layers.read_call(call)
    output = call.original()
    weights = keras_layers.layer_weights(layer, call.name)
    ours = keras_layers.returned(layer, keras_layers.run_layer(layer, weights, arguments, lambda name: ()))
    pairs = zip(keras.tree.flatten(ours), keras.tree.flatten(output), strict=True)
    if error := max(differs(array(a), array(b), keras_layers.tolerance(layer)) for a, b in pairs):
        raise ModelError(
            f"Layer '{call.name}' differs from Keras by up to {error:.2g}, so it isn't traced; "
            "where it has unroll=True and reads a mask, build it with unroll=False."
        )
    return output


def _keras_output(model: Any, feed: Any, kwargs: Mapping[str, Any], compiled: bool) -> Any:
    """The output that Keras computes alone."""
    import keras

    if compiled and isinstance(model, keras.Model) and not kwargs:
        stock = [type(model).predict_step, type(model).predict_on_batch]
        if stock == [keras.Model.predict_step, keras.Model.predict_on_batch]:
            return model.predict_on_batch(feed)
    if compiled and keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(lambda: model(feed, training=False, **kwargs))()
    return model(feed, training=False, **kwargs)


@contextmanager
def _left_as_it_was(model: Any) -> Iterator[Any]:
    """Puts the states of stateful layers and all variables that aren't trained back, at the end and when called."""
    import keras

    variables = {id(each): each for each in model.variables if not each.trainable}
    for layer in model._flatten_layers():
        variables |= {id(each): each for each in keras.tree.flatten(getattr(layer, "states", None) or [])}
    before = [(variable, np.array(keras.ops.convert_to_numpy(variable))) for variable in variables.values()]

    def restore() -> None:
        for variable, values in before:
            if not np.array_equal(np.asarray(keras.ops.convert_to_numpy(variable)), values):
                variable.assign(values)

    try:
        yield restore
    finally:
        restore()
