"""Networks of PyTorch from files, without torch: the files and their numbers were written by torch."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy

from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp
from lstm_core.tracing.open_file import read_network, read_state_dict, trace_file
from lstm_core.tracing.state_dict import TorchStacks, trace_stacks

FILES = Path(__file__).parent / "files"
NUMBERS: dict[str, np.ndarray] = dict(np.load(FILES / "torch.npz"))
Arrays = dict[str, np.ndarray]


def close(ours: Any, theirs: Any) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-6)


def opened(name: str) -> TorchStacks:
    network = read_network((FILES / name).read_bytes(), name)
    assert isinstance(network, TorchStacks)
    return network


def lstm(units: int = 4, features: int = 3, name: str = "lstm", layers: int = 1, gates: int = 4) -> Arrays:
    """The arrays of a recurrent module, as torch names them."""
    random, found = np.random.default_rng(units), {}
    for layer in range(layers):
        width = features if layer == 0 else units
        shapes = {"weight_ih": (gates * units, width), "weight_hh": (gates * units, units)}
        shapes |= dict.fromkeys(("bias_ih", "bias_hh"), (gates * units,))  # type: ignore[arg-type]
        found |= {f"{name}.{key}_l{layer}": random.normal(size=shape) for key, shape in shapes.items()}
    return {key.lstrip("."): array.astype(np.float32) for key, array in found.items()}


# --- Against torch --------------------------------------------------------------------------------


def test_a_classifier_reads_ids_and_answers_by_its_only_linear_layer() -> None:
    trace = trace_file(opened("classifier.pt"), NUMBERS["ids"])
    assert [layer.name for layer in trace.layers] == [
        "lstm/l0/forward", "lstm/l0/backward", "lstm/l1/forward", "lstm/l1/backward"
    ]  # fmt: skip
    last = trace.layers[2:]
    close(np.concatenate([layer.outputs for layer in last], axis=-1), NUMBERS["lstm"])
    close([layer.final_state[0] for layer in trace.layers], NUMBERS["h"])
    close([layer.final_state[1] for layer in trace.layers], NUMBERS["c"])
    close(trace.output, NUMBERS["fc"])
    assert ["embedding" in trace.notes[0], "'fc'" in trace.notes[1]] == [True, True]


def test_bfloat16_without_biases() -> None:
    trace = trace_file(opened("gru.safetensors"), NUMBERS["x"])
    close(trace.output, NUMBERS["gru"])
    assert "bfloat16" in trace.notes[0]


def test_a_checkpoint_of_two_modules_one_behind_the_other() -> None:
    trace = trace_file(opened("checkpoint.pth"), NUMBERS["x"])
    close(trace["encoder"].outputs, NUMBERS["encoder"])
    close(trace.output, NUMBERS["decoder"])
    assert trace.output.dtype == np.float64
    words = ("'model_state_dict'", "tanh is assumed", "'decoder' reads the output of 'encoder'")
    assert all(word in note for word, note in zip(words, trace.notes, strict=True))


# --- What names and shapes say ----------------------------------------------------------------------


@pytest.mark.parametrize(("gates", "kind"), [(4, "lstm"), (3, "gru"), (1, "rnn")])
@pytest.mark.parametrize("prefix", ["", "module.", "_orig_mod.module."])
def test_the_kind_is_told_by_the_shapes(gates: int, kind: str, prefix: str) -> None:
    arrays = {prefix + name: array for name, array in lstm(name="", gates=gates, layers=2).items()}
    (stack,) = read_state_dict(arrays).stacks
    assert (stack.kind, stack.name, len(stack.layers), stack.features, stack.units) == (kind, kind, 2, 3, 4)


def test_numbers_are_one_sequence_or_a_batch_and_start_from_a_state() -> None:
    network = read_state_dict(lstm())
    x = np.random.default_rng(0).normal(size=(5, 3))
    one, batch = trace_file(network, x), trace_file(network, x[None])
    close(one.output, batch.output)
    late = trace_file(network, x[3:], initial_state=[state[None, :, :] for state in _state_after(network, x[:3])])
    close(late.output, one.output[:, 3:])
    masked = trace_file(network, x[None], mask=np.arange(5)[None] < 3)
    close(masked["lstm"].final_state, _state_after(network, x[:3]))
    close(trace_file(network, {"lstm": x}).output, one.output)


def _state_after(network: TorchStacks, x: np.ndarray) -> tuple[np.ndarray, ...]:
    return trace_file(network, x)["lstm"].final_state


def test_stacks_that_nothing_feeds_are_said() -> None:
    network = read_state_dict(lstm() | lstm(5, 2, "other"))
    x = np.zeros((1, 4, 3))
    trace = trace_file(network, x)
    assert [layer.name for layer in trace.layers] == ["lstm"]
    assert "'other' isn't traced" in trace.notes[-1]
    both = trace_file(network, {"lstm": x, "other": np.zeros((2, 3, 2))}, clamps=[Clamp("f", 1.0, layer=1)])
    assert [layer.outputs.shape for layer in both.layers] == [(1, 4, 4), (2, 3, 5)]
    assert (both["other"].f == 1).all()
    with pytest.raises(ValueError, match="which isn't traced"):
        trace_file(network, x, clamps=[Clamp(layer=1)])
    with pytest.raises(ValueError, match="there are 2"):
        trace_file(network, x, clamps=[Clamp(layer=2)])


def test_two_linear_layers_are_no_answer() -> None:
    head = {"a.weight": np.ones((2, 4)), "a.bias": np.ones(2), "b.weight": np.ones((4, 2)), "b.bias": np.ones(4)}
    trace = trace_file(read_state_dict(lstm() | head), np.zeros((1, 4, 3)))
    assert trace.output.shape == (1, 4, 4)


def test_a_cell_is_a_layer() -> None:
    arrays = {name.removesuffix("_l0"): array for name, array in lstm(name="cell").items()}
    network = read_state_dict(arrays)
    assert "single cell" in network.notes[0]
    close(trace_file(network, np.ones((3, 3))).output, trace_file(read_state_dict(lstm()), np.ones((3, 3))).output)


def without(arrays: Arrays, *names: str) -> Arrays:
    return {name: array for name, array in arrays.items() if name not in names}


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (lambda: {"fc.weight": np.ones((2, 2))}, "holds no LSTM, GRU or RNN"),
        (lambda: {}, "holds no LSTM, GRU or RNN"),
        (lambda: lstm() | {"lstm.weight_hr_l0": np.ones((2, 4))}, "proj_size"),
        (lambda: without(lstm(layers=3), *(name for name in lstm(layers=3) if "l1" in name)), "lacks the weights"),
        (lambda: without(lstm(), "lstm.bias_hh_l0"), "has no bias_hh"),
        (lambda: without(lstm(), "lstm.weight_hh_l0"), "recurrent weights of shape"),
        (lambda: lstm() | {"lstm.weight_hh_l0": np.ones((8, 4))}, r"recurrent weights of shape \(8, 4\)"),
        (lambda: lstm(layers=2) | {"lstm.weight_ih_l1": np.ones((16, 5))}, r"weight_ih of shape \(16, 5\)"),
        (lambda: lstm() | {"lstm.bias_ih_l0": np.ones(15)}, r"bias_ih of shape \(15,\)"),
        (lambda: lstm() | {"lstm.weight_ih_l0": np.ones((16, 3), int)}, "int64; they must be floating-point"),
        (lambda: lstm() | {"lstm.weight_ih_l0": np.full((16, 3), np.nan)}, "no numbers"),
        (lambda: lstm() | {"lstm.weight_ih_l0": np.full((16, 3), 1e7)}, "above 1e"),
    ],
)
def test_what_does_not_belong_together_is_named(arrays: Callable[[], Arrays], words: str) -> None:
    with pytest.raises(ModelError, match=words):
        read_state_dict(arrays())


@pytest.mark.parametrize(
    ("x", "words"),
    [
        (np.zeros((1, 4, 2)), r"\(batch, T, 3\), or ids \(batch, T\) of 'embedding'; received \(1, 4, 2\)"),
        (np.array([[0, 9]]), "The ids are 0…9; 'embedding' has 0…8"),
        (np.array(["a"]), "reads numbers, or ids"),
        (np.zeros((1, 1_000_001), int), "1,000,001 timesteps"),
        ({"gru": np.zeros((1, 4, 3))}, "The recurrent modules are 'lstm'; received inputs for 'gru'"),
        ({}, "received inputs for none"),
    ],
)
def test_what_a_stack_does_not_read_is_said(x: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        trace_stacks(opened("classifier.pt"), x)


def test_states_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"2 state\(s\) of shape \(1, 1, 4\)"):
        trace_file(read_state_dict(lstm()), np.zeros((2, 3)), initial_state=np.zeros((1, 1, 4)))


def test_safetensors_of_numpy() -> None:
    data = safetensors.numpy.save(lstm() | {"steps": np.array(3)})
    network = read_network(data, "a/b.safetensors")
    assert isinstance(network, TorchStacks)
    assert network.tensors["steps"].dtype == "int64"
    assert network.stacks[0].kind == "lstm"
