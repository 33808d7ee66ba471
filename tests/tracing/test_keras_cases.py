"""What Keras's own tests of its recurrent layers exercise, with every call traced: live, and from the saved file.

The cases are those of `keras/src/layers/rnn/*_test.py` of Keras 3 (settings, masks, states, cells, wrappers), written
anew: instead of constants, what Keras returns is expected. A trace is equal to 1e-5, or refused by the layer's name.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers

import lstm_core
from lstm_core import ModelError, ModelTrace
from lstm_core.tracing import read_network, trace_file
from lstm_core.tracing.live import keras_model
from tests.tracing import networks

BATCH, STEPS, FEATURES, UNITS = 2, 3, 3, 2
MASKS = {
    "ends": [[True, True, True], [True, True, False]],
    "starts": [[False, True, True], [False, False, True]],
    "holes": [[True, False, True], [False, True, False]],
    "none left": [[False, True, False], [False, False, False]],  # one sequence has no step at all
}
RECURRENT = {"LSTM": layers.LSTM, "GRU": layers.GRU, "SimpleRNN": layers.SimpleRNN}
SEQUENCES = {"return_sequences": True}


@dataclass(frozen=True)
class Case:
    """One call of one layer.

    Attributes:
        layer: makes the layer.
        mask: its mask, one of `MASKS`.
        states: how many initial states it is called with.
        refused: what the error says if a live layer can't be traced.
        refused_file: the same for its file; `refused` if empty.
        calls: before the traced one, of a stateful layer.
        shape: of the input.
    """

    layer: Callable[[], Any]
    mask: str = ""
    states: int = 0
    refused: str = ""
    refused_file: str = ""
    calls: int = 0
    shape: Sequence[int] = field(default=(BATCH, STEPS, FEATURES))


def numbers(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32)


def network(case: Case) -> tuple[Any, list[np.ndarray]]:
    """A network of the one layer, whose mask and states are inputs, and what it is fed."""
    stateful = getattr(case.layer(), "stateful", False)
    inputs = [keras.Input(batch_shape=(BATCH if stateful else None, *case.shape[1:]), name="x")]
    feed, options = [numbers(*case.shape)], {}
    if case.mask:
        mask = np.array(MASKS[case.mask])
        inputs.append(keras.Input((STEPS,), dtype="bool", name="kept"))
        options["mask"] = inputs[-1]
        feed.append(mask)
    if case.states:
        states = [keras.Input((UNITS,), name=f"state_{number}") for number in range(case.states)]
        inputs += states
        options["initial_state"] = states
        feed += [numbers(BATCH, UNITS, seed=number + 1) for number in range(case.states)]
    outputs = case.layer()(inputs[0], **options)
    return networks.randomised(keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)), feed


def arrays(structure: Any) -> list[np.ndarray]:
    return [np.asarray(keras.ops.convert_to_numpy(each), np.float64) for each in keras.tree.flatten(structure)]


def close(found: Any, expected: Any) -> None:
    ours, theirs = arrays(found), arrays(expected)
    assert [each.shape for each in ours] == [each.shape for each in theirs]
    for one, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


def same_layers(found: ModelTrace, expected: ModelTrace) -> None:
    assert [layer.name for layer in found.layers] == [layer.name for layer in expected.layers]
    for ours, theirs in zip(found.layers, expected.layers, strict=True):
        close((ours.signals, ours.outputs, ours.final_state), (theirs.signals, theirs.outputs, theirs.final_state))


def from_file(model: Any, folder: Path, feed: Any) -> ModelTrace:
    model.save(folder / "net.keras")
    return trace_file(read_network((folder / "net.keras").read_bytes(), "net.keras"), feed)


def checked(case: Case, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The case live and from its file; Keras itself runs it once, and the trace compares itself with that."""
    model, feed = network(case)
    x = feed if len(feed) > 1 else feed[0]
    for _ in range(case.calls):
        model(x)
    if case.refused:
        with pytest.raises(ModelError, match=case.refused):
            lstm_core.trace(model, x)
    else:
        live = traced_as_keras(model, x, monkeypatch)
        if case.calls:
            forget(model)  # a file begins with zeros
            live = traced_as_keras(model, x, monkeypatch)
    if case.refused_file or case.refused:
        with pytest.raises(ModelError, match=case.refused_file or case.refused):
            from_file(model, folder, x)
        return
    saved = from_file(model, folder, x)
    close(saved.output, live.output)
    same_layers(saved, live)


def traced_as_keras(model: Any, x: Any, monkeypatch: pytest.MonkeyPatch) -> ModelTrace:
    states = [(each, np.asarray(each)) for layer in model.layers for each in keras.tree.flatten(state_of(layer))]
    expected = model(x)
    for state, before in states:
        state.assign(before)
    monkeypatch.setattr(keras_model, "_keras_output", lambda *args, **kwargs: expected)
    found = lstm_core.trace(model, x)
    close(found.output, expected)
    return found


def forget(model: Any) -> None:
    for layer in model.layers:
        for state in keras.tree.flatten(state_of(layer)):  # Keras's own reset_state knows no stacked cells
            state.assign(np.zeros(state.shape))


def state_of(layer: Any) -> list[Any]:
    parts = [getattr(layer, name, None) for name in ("forward_layer", "backward_layer")]
    return [getattr(each, "states", None) or [] for each in (layer, *parts) if each is not None]


# --- LSTM, GRU and SimpleRNN ----------------------------------------------------------------------------

SETTINGS: dict[str, dict[str, Any]] = {
    "plain": {},
    "sequences and state": {**SEQUENCES, "return_state": True},
    "backwards sequences": {"go_backwards": True, **SEQUENCES},
    "unrolled sequences backwards": {"unroll": True, "go_backwards": True, **SEQUENCES},
    "no bias": {"use_bias": False},
    "both dropouts": {"dropout": 0.5, "recurrent_dropout": 0.5, **SEQUENCES},
    "regularizers": {
        **SEQUENCES,
        "kernel_regularizer": "l2",
        "recurrent_regularizer": "l2",
        "bias_regularizer": "l1",
        "activity_regularizer": "l2",
    },
    "constraints": {"kernel_constraint": "max_norm", "recurrent_constraint": "unit_norm", "bias_constraint": "non_neg"},
    "relu": {"activation": "relu", **SEQUENCES},
    "float64": {"dtype": "float64", **SEQUENCES},
    "one row": {},
}
OF_A_KIND: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "LSTM": [
        ("no unit forget bias", {"unit_forget_bias": False}),
        ("implementation 2", {"implementation": 2}),
        ("without cudnn", {"use_cudnn": False}),
        ("hard sigmoid", {"recurrent_activation": "hard_sigmoid", **SEQUENCES}),
        ("softsign and linear", {"activation": "softsign", "recurrent_activation": None, **SEQUENCES}),
    ],
    "GRU": [
        ("reset before", {"reset_after": False, **SEQUENCES}),
        ("reset before, backwards", {"reset_after": False, "go_backwards": True}),
        ("implementation 2", {"implementation": 2, "reset_after": False}),
        ("without cudnn", {"use_cudnn": False}),
        ("hard sigmoid", {"recurrent_activation": "hard_sigmoid", **SEQUENCES}),
    ],
    "SimpleRNN": [("elu", {"activation": "elu", **SEQUENCES})],
}


def layer_cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    for kind, make in RECURRENT.items():
        count = 2 if kind == "LSTM" else 1
        for name, settings in [*SETTINGS.items(), *OF_A_KIND[kind]]:
            shape = (1, 1, FEATURES) if name == "one row" else (BATCH, STEPS, FEATURES)
            found[f"{kind} {name}"] = Case(lambda make=make, own=settings: make(UNITS, **own), shape=shape)
        for name, own in (("", {}), (" backwards", {"go_backwards": True}), (" with state", {"return_state": True})):
            found[f"{kind} from states{name}"] = Case(lambda make=make, own=own: make(UNITS, **own), states=count)
        for name, mask, own in (
            ("", "ends", {}),
            (" zeros", "ends", {"zero_output_for_mask": True, **SEQUENCES}),
            (" backwards", "starts", {"go_backwards": True, **SEQUENCES}),
            (" with holes", "holes", {**SEQUENCES, "return_state": True}),
            (" with nothing left", "none left", {**SEQUENCES, "return_state": True}),
            (" with nothing left, last", "none left", {}),
        ):
            found[f"{kind} masked{name}"] = Case(lambda make=make, own=own: make(UNITS, **own), mask=mask)
        found[f"{kind} masked, from states"] = Case(lambda make=make: make(UNITS), mask="holes", states=count)
        found[f"{kind} masked, unrolled"] = Case(lambda make=make: make(UNITS, unroll=True), mask="ends")
        for name, own in (("", {}), (" backwards", {"go_backwards": True, **SEQUENCES})):
            found[f"{kind} stateful{name}"] = Case(
                lambda make=make, own=own: make(UNITS, stateful=True, **own), calls=2
            )
        found[f"{kind} stateful and masked"] = Case(
            lambda make=make: make(UNITS, stateful=True, **SEQUENCES), calls=1, mask="holes"
        )
    return found


LAYERS = layer_cases()


@pytest.mark.parametrize("name", LAYERS)
def test_recurrent_layers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(LAYERS[name], tmp_path, monkeypatch)


# --- RNN over cells, one and several --------------------------------------------------------------------


@keras.saving.register_keras_serializable("lstm_lab_tests")
class OneState(layers.Layer):
    """A cell of a user's own, with one state."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(**options)
        self.units = self.state_size = units

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(shape=(shape[-1], self.units), name="kernel")

    def call(self, inputs: Any, states: Any) -> Any:
        h = keras.ops.matmul(inputs, self.kernel) + states[0]
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "units": self.units}


@keras.saving.register_keras_serializable("lstm_lab_tests")
class TwoStates(OneState):
    """A cell of a user's own, with two states of which one is the output."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(units, **options)
        self.state_size, self.output_size = [units, units], units

    def call(self, inputs: Any, states: Any) -> Any:
        h = keras.ops.matmul(inputs, self.kernel) + states[0] * 0.5
        return h + states[1], [h, states[1] + 1.0]


CELLS: dict[str, Callable[..., Any]] = {
    "LSTMCell": layers.LSTMCell, "GRUCell": layers.GRUCell, "SimpleRNNCell": layers.SimpleRNNCell,
}  # fmt: skip


def rnn(*cells: Callable[..., Any], own: dict[str, Any] | None = None, **options: Any) -> Callable[[], Any]:
    """Makes an RNN over cells of 2, 3, 4 … units."""
    return lambda: layers.RNN(
        [cell(UNITS + number, **own or {}) for number, cell in enumerate(cells)] if len(cells) > 1 else cells[0](UNITS),
        **options,
    )


def cell_cases() -> dict[str, Case]:
    found: dict[str, Case] = {}
    lstm, gru, plain = CELLS.values()
    for name, cell in CELLS.items():
        found |= {
            f"{name} sequences and state": Case(rnn(cell, return_state=True, **SEQUENCES)),
            f"{name} unrolled backwards": Case(rnn(cell, unroll=True, go_backwards=True)),
            f"{name} from states": Case(rnn(cell), states=2 if cell is lstm else 1),
            f"{name} masked, zeros": Case(rnn(cell, zero_output_for_mask=True, **SEQUENCES), mask="holes"),
            f"{name} stateful": Case(rnn(cell, stateful=True, return_state=True), calls=1),
            f"three {name}, sequences": Case(
                rnn(cell, cell, cell, own={"dropout": 0.1, "recurrent_dropout": 0.1}, **SEQUENCES)
            ),
            f"two {name}, state": Case(rnn(cell, cell, return_state=True)),
            f"two {name}, masked": Case(rnn(cell, cell), mask="ends"),
            f"two {name}, stateful": Case(rnn(cell, cell, stateful=True), calls=1),
        }
    found["cells of three kinds"] = Case(rnn(lstm, gru, plain, return_state=True, **SEQUENCES))
    found["cells of three kinds, masked backwards"] = Case(
        rnn(plain, lstm, gru, go_backwards=True, **SEQUENCES), mask="holes"
    )
    foreign = "computes with .*, whose gates can't be traced"
    for name, case in {
        "one state": Case(rnn(OneState)),
        "one state, unrolled backwards": Case(rnn(OneState, unroll=True, go_backwards=True)),
        "one state, masked": Case(rnn(OneState, **SEQUENCES), mask="ends"),
        "one state from a state": Case(rnn(OneState, return_state=True), states=1),
        "two states": Case(rnn(TwoStates, return_state=True)),
        "two states from states": Case(rnn(TwoStates), states=2),
        "two states, stateful": Case(rnn(TwoStates, stateful=True)),
        "three of one state": Case(rnn(OneState, OneState, OneState)),
        "an own cell among others": Case(rnn(lstm, OneState)),
    }.items():
        refusals = {"refused": foreign, "refused_file": "isn't Keras's own"}
        found[f"own cell: {name}"] = Case(case.layer, case.mask, case.states, **refusals)
    return found


OVER_CELLS = cell_cases()


@pytest.mark.parametrize("name", OVER_CELLS)
def test_cells_in_an_rnn(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(OVER_CELLS[name], tmp_path, monkeypatch)


# --- Bidirectional and TimeDistributed ------------------------------------------------------------------


def both(kind: str = "LSTM", **options: Any) -> Callable[[], Any]:
    """Makes a Bidirectional layer; what isn't its own is of the layer inside."""
    wrapper = {key: options.pop(key) for key in ("merge_mode",) if key in options}
    return lambda: layers.Bidirectional(RECURRENT[kind](UNITS, **options), **wrapper)


def two_layers(merge_mode: str | None = "sum", **options: Any) -> Any:
    return layers.Bidirectional(
        layers.SimpleRNN(UNITS, **options),
        backward_layer=layers.GRU(UNITS, go_backwards=True, **options),
        merge_mode=merge_mode,
    )


BIDIRECTIONAL: dict[str, Case] = {
    **{f"{kind} sequences": Case(both(kind, **SEQUENCES)) for kind in RECURRENT},
    **{f"merge {mode}": Case(both("SimpleRNN", merge_mode=mode)) for mode in ("concat", "ave", "sum", "mul", None)},
    **{
        f"merge {mode}, sequences": Case(both("GRU", merge_mode=mode, **SEQUENCES), mask="holes")
        for mode in ("concat", "ave", "sum", "mul", None)
    },
    **{f"merge {mode}, state": Case(both("LSTM", merge_mode=mode, return_state=True)) for mode in ("concat", None)},
    "two layers": Case(two_layers),
    "two layers, multiplied": Case(lambda: two_layers("mul", **SEQUENCES), mask="ends"),
    "stateful": Case(both(stateful=True), calls=2),
    "stateful sequences": Case(both("GRU", stateful=True, **SEQUENCES), calls=1),
    "from states": Case(both(), states=4),
    "from states, masked": Case(both("GRU", **SEQUENCES), mask="starts", states=2),
    "from states with state": Case(both(return_state=True, **SEQUENCES), states=4),
    "masked": Case(both("GRU"), mask="holes"),
    "masked, nothing left": Case(both(**SEQUENCES), mask="none left"),
    "masked, zeros": Case(both(zero_output_for_mask=True, **SEQUENCES), mask="ends"),
    "unrolled": Case(both(unroll=True, **SEQUENCES)),
    "without cudnn": Case(both(use_cudnn=False, **SEQUENCES)),
    "dropout": Case(both(dropout=0.1, recurrent_dropout=0.2)),
    "cells": Case(lambda: layers.Bidirectional(layers.RNN(layers.GRUCell(UNITS), **SEQUENCES))),
    "stacked cells": Case(lambda: layers.Bidirectional(rnn(layers.LSTMCell, layers.GRUCell)(), merge_mode="sum")),
}


@pytest.mark.parametrize("name", BIDIRECTIONAL)
def test_bidirectional(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checked(BIDIRECTIONAL[name], tmp_path, monkeypatch)


def within(inner: Callable[[], Any], *shape: int) -> Any:
    """A TimeDistributed layer, and an LSTM over what it gives."""
    x = keras.Input(shape[1:], name="x")
    y = layers.TimeDistributed(inner(), name="each")(x)
    y = layers.Reshape((shape[1], -1))(y)
    return networks.randomised(keras.Model(x, layers.LSTM(UNITS, **SEQUENCES)(y))), numbers(*shape)


NESTED = (2, 2, STEPS, FEATURES)
INSIDE: dict[str, tuple[Callable[[], Any], tuple[int, ...], str]] = {
    "dense": (lambda: layers.Dense(3, use_bias=False), (3, 2, 4), ""),
    "convolution of pictures": (lambda: layers.Conv2D(2, 3), (2, 2, 5, 5, 2), "is a Conv2D, which can't be followed"),
    "convolution of rows": (lambda: layers.Conv1D(2, 3), NESTED, ""),
    "lstm": (lambda: layers.LSTM(UNITS), NESTED, ""),
    "gru sequences": (lambda: layers.GRU(UNITS, **SEQUENCES), NESTED, ""),
    "bidirectional": (lambda: layers.Bidirectional(layers.SimpleRNN(UNITS)), NESTED, ""),
    "cells": (lambda: rnn(layers.LSTMCell, layers.GRUCell)(), NESTED, ""),
    "time distributed": (lambda: layers.TimeDistributed(layers.Dense(2)), NESTED, ""),
    "network": (
        lambda: keras.Sequential([keras.Input((STEPS, FEATURES)), layers.GRU(UNITS), layers.Dense(2)]), NESTED, "",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", INSIDE)
def test_time_distributed(name: str, tmp_path: Path) -> None:
    inner, shape, refused = INSIDE[name]
    model, x = within(inner, *shape)
    live = lstm_core.trace(model, x)
    close(live.output, model(x))
    close(live.values["each"] if "each" in live.values else live["each"].outputs, model.get_layer("each")(x))
    if refused:
        with pytest.raises(ModelError, match=refused):
            from_file(model, tmp_path, x)
        return
    saved = from_file(model, tmp_path, x)
    close(saved.output, live.output)
    same_layers(saved, live)


@pytest.mark.parametrize("rank", ["(batch, T)", "(batch, T, 1)", "of an embedding"])
def test_time_distributed_with_a_mask(rank: str, tmp_path: Path) -> None:
    ids = np.array([[1, 2, 0], [4, 0, 0]])
    if rank == "of an embedding":
        x = keras.Input((STEPS,), dtype="int32")
        y, feed, inputs = layers.Embedding(5, FEATURES, mask_zero=True)(x), ids, x
        y = layers.TimeDistributed(layers.Dense(3, "softmax"))(y)
    else:
        x = keras.Input((STEPS, FEATURES), name="x")
        kept = keras.Input((STEPS, 1) if "1" in rank else (STEPS,), dtype="bool", name="kept")
        mask = (ids > 0)[..., None] if "1" in rank else ids > 0
        y, feed, inputs = layers.TimeDistributed(layers.Dense(3))(x, mask=kept), [numbers(2, 3, 3), mask], [x, kept]
    model = networks.randomised(keras.Model(inputs, layers.GRU(UNITS, **SEQUENCES)(y)))
    live = lstm_core.trace(model, feed)
    close(live.output, model(feed))
    saved = from_file(model, tmp_path, feed)
    close(saved.output, live.output)
    same_layers(saved, live)


def test_a_mask_that_does_not_fit_is_refused_as_by_keras() -> None:
    x, kept = keras.Input((STEPS, FEATURES)), keras.Input((STEPS + 1,), dtype="bool")
    y = layers.LSTM(UNITS, **SEQUENCES)(layers.TimeDistributed(layers.Dense(3))(x))
    model = keras.Model([x, kept], layers.GRU(UNITS)(y, mask=kept))
    with pytest.raises(ModelError, match="mask"):
        lstm_core.trace(model, [numbers(2, STEPS, FEATURES), np.ones((2, STEPS + 1), bool)])


def test_a_stateful_network_fed_another_number_of_sequences_is_refused() -> None:
    model = keras.Sequential([keras.Input(batch_shape=(BATCH, STEPS, FEATURES)), layers.LSTM(UNITS, stateful=True)])
    with pytest.raises(ModelError, match="keeps the states of 2 sequences, and reads 3"):
        lstm_core.trace(model, numbers(3, STEPS, FEATURES))
