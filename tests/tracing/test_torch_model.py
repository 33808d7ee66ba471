"""Traces of PyTorch modules: torch's own numbers are the witness."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lstm_core
from lstm_core.errors import ModelError
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.trace import PARTS, run_cell
from lstm_core.tracing.live.torch_calls import stack_of
from lstm_core.tracing.live.torch_model import trace_torch
from tests.tracing.torch_cases import largest_difference, random_case

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(2, 5, 3)).astype(np.float32)  # (batch, T, features)
IDS = RANDOM.integers(0, 11, size=(2, 5))


@pytest.fixture(autouse=True, scope="module")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    yield
    torch.set_num_threads(before)


def close(ours: Any, theirs: Any, tolerance: float = 1e-5) -> None:
    theirs = theirs.detach().numpy() if isinstance(theirs, Tensor) else theirs
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


# --- Recurrent modules alone ----------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(30))
def test_random_modules_equal_torch(seed: int) -> None:
    case = random_case(seed)
    assert largest_difference(case) < 1e-5, case.name


@pytest.mark.parametrize("make", [nn.LSTMCell, nn.GRUCell, nn.RNNCell], ids=lambda make: make.__name__)
@pytest.mark.parametrize("bias", [True, False])
def test_weights_are_converted(make: Any, bias: bool) -> None:
    cell = make(3, 4, bias=bias, dtype=torch.float64)
    ((weights,),) = stack_of(cell, "cell").layers
    x, h, c = torch.randn(1, 3, dtype=torch.float64), *torch.randn(2, 1, 4, dtype=torch.float64)
    state = (h, c) if make is nn.LSTMCell else h
    found = run_cell(weights, x.numpy(), initial_state=[h.numpy(), c.numpy()][: 1 + (make is nn.LSTMCell)])
    theirs = cell(x, state)
    close(found.h, theirs[0] if make is nn.LSTMCell else theirs, 1e-6)


def test_gates_are_those_of_the_documentation() -> None:
    gru = nn.GRU(3, 4, batch_first=True)
    layer = trace_torch(gru, X)["gru"]
    W, U, b, d = (weight.detach().numpy() for weight in gru.parameters())
    x, h = X[:, 1], layer.h[:, 0]
    parts = zip(np.split(W, 3), np.split(U, 3), np.split(b, 3), np.split(d, 3), strict=True)
    (r, _), (z, _), (n, hn) = ((x @ Wi.T + bi, h @ Ui.T + di) for Wi, Ui, bi, di in parts)
    close(layer.g[:, 1], np.tanh(n + layer.r[:, 1] * hn))
    close(layer.input_sums["r"][:, 1], r)
    close(layer.input_sums["z"][:, 1], z)
    close(layer.h[:, 1], (1 - layer.z[:, 1]) * layer.g[:, 1] + layer.z[:, 1] * h)


def test_lengths_are_masks() -> None:
    lstm = nn.LSTM(3, 4, bidirectional=True)
    packed = nn.utils.rnn.pack_padded_sequence(torch.from_numpy(X), torch.tensor([2, 5]), True, enforce_sorted=False)
    trace = trace_torch(lstm, packed)
    np.testing.assert_array_equal(trace["lstm/backward"].mask.sum(axis=1), [2, 5])
    assert not trace["lstm/forward"].outputs[0, 2:].any()
    close(trace["lstm/forward"].final_state[0][0], trace["lstm/forward"].h[0, 1])


def test_half_precision_is_said() -> None:
    lstm = nn.LSTM(3, 4, batch_first=True, dtype=torch.bfloat16)
    trace = trace_torch(lstm, X)
    assert "float32" in trace.notes[0]
    assert lstm.weight_ih_l0.dtype == torch.bfloat16
    close(trace.output[0], copy.deepcopy(lstm).float()(torch.from_numpy(X))[0])


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (lambda: nn.LSTM(3, 4, proj_size=2), "proj_size=2"),
        (lambda: nn.Sequential(nn.Linear(3, 4)), "no torch.nn.LSTM, GRU or RNN to trace; it has Linear, Sequential"),
        (lambda: "net.pt", "no torch.nn.Module"),
        (lambda: Unused(), "called no LSTM"),
        (lambda: Doubling(3, 4, batch_first=True), r"'doubling' returned other numbers than its trace has"),
        (lambda: Restarting(), "'cell' is given another state"),
    ],
)
def test_what_cannot_be_followed_is_named(module: Any, words: str) -> None:
    with pytest.raises(ModelError, match=words):
        trace_torch(module(), X)


@pytest.mark.filterwarnings("ignore:.*deprecated:DeprecationWarning")
def test_compiled_modules_are_named() -> None:
    with pytest.raises(ModelError, match="'0' is compiled"):
        trace_torch(nn.Sequential(torch.jit.script(nn.LSTM(3, 4))), X)


@pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning")
def test_quantized_modules_are_named() -> None:
    quantized = pytest.importorskip("torch.ao.nn.quantized.dynamic")
    if "fbgemm" not in torch.backends.quantized.supported_engines:
        pytest.skip("this build of torch quantizes nothing")
    with pytest.raises(ModelError, match="'0' is quantized"):
        trace_torch(nn.Sequential(quantized.LSTM(3, 4)), X)


@pytest.mark.parametrize(
    ("x", "state", "words"),
    [
        (X[..., :2], None, "can't read this input"),
        (X, (np.zeros((1, 2, 5)), np.zeros((1, 2, 5))), "can't read this input"),
        (np.zeros((1, 1_000_001, 3), np.float32), None, "1,000,001 timesteps; 1,000,000 is the most"),
        (np.array(["a"]), None, "can't become a tensor"),
        ([[1, 2], [3]], None, "can't become a tensor"),
    ],
)
def test_what_a_module_does_not_read_is_one_sentence(x: Any, state: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words) as caught:
        trace_torch(nn.LSTM(3, 4, batch_first=True), x, state)
    assert "\n" not in str(caught.value)


# --- Modules that contain them --------------------------------------------------------------------


class Unused(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.lstm, self.linear = nn.LSTM(3, 4), nn.Linear(3, 2)

    def forward(self, x: Tensor) -> Tensor:
        return self.linear(x)


class Doubling(nn.LSTM):
    def forward(self, x: Tensor, hx: Any = None) -> Any:
        output, state = super().forward(x, hx)
        return 2 * output, state


class Restarting(nn.Module):
    """A loop that changes the state between two steps."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.GRUCell(3, 4)

    def forward(self, x: Tensor) -> Tensor:
        h = torch.zeros(len(x), 4)
        for t in range(x.shape[1]):
            h = self.cell(x[:, t], h + 0.1)
        return h


class Classifier(nn.Module):
    """A bidirectional LSTM of two layers over words, as people write it."""

    def __init__(self) -> None:
        super().__init__()
        self.embedding = nn.Embedding(11, 3)
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True, batch_first=True, dropout=0.5)
        self.dropout = nn.Dropout(0.5)
        self.fc = nn.Linear(8, 2)

    def forward(self, ids: Tensor) -> Tensor:
        _, (h, _) = self.lstm(self.embedding(ids))
        return self.fc(self.dropout(torch.cat([h[-2], h[-1]], dim=1)))


class Translator(nn.Module):
    """An encoder and a decoder that is called for each token, with the state that it returned."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.GRU(3, 4, batch_first=True)
        self.decoder = nn.GRU(4, 4, batch_first=True)
        self.out = nn.Linear(4, 4)

    def forward(self, x: Tensor, steps: int = 3) -> Tensor:
        _, h = self.encoder(x)
        token, written = torch.zeros(len(x), 1, 4), []
        for _ in range(steps):
            token, h = self.decoder(token, h)
            written.append(self.out(token))
        return torch.cat(written, dim=1)


class Stepping(nn.Module):
    """Two cells in a loop over time; time first."""

    def __init__(self) -> None:
        super().__init__()
        self.lower, self.upper = nn.LSTMCell(3, 4), nn.LSTMCell(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        lower = upper = (torch.zeros(x.shape[1], 4), torch.zeros(x.shape[1], 4))
        for step in x:
            lower = self.lower(step, lower)
            upper = self.upper(lower[0], upper)
        return upper[0]


class Twins(nn.Module):
    """One LSTM over two sequences."""

    def __init__(self) -> None:
        super().__init__()
        self.reader = nn.LSTM(3, 4, batch_first=True)

    def forward(self, first: Tensor, second: Tensor) -> Tensor:
        return self.reader(first)[0][:, -1] - self.reader(second)[0][:, -1]


def test_a_classifier_of_words() -> None:
    model = Classifier()
    assert model.training
    trace = trace_torch(model, IDS)
    assert [layer.name for layer in trace.layers] == [
        "lstm/l0/forward", "lstm/l0/backward", "lstm/l1/forward", "lstm/l1/backward"
    ]  # fmt: skip
    assert model.training
    assert model.lstm.training
    assert not model.lstm._forward_hooks
    ids = torch.from_numpy(IDS)
    close(trace.values["embedding"], model.embedding(ids))
    close(trace.output, model.eval()(ids))
    close(trace.values["fc"], trace.output)
    close(trace["lstm/l1/backward"].h[:, 0], trace.values["dropout"][:, 4:])
    np.testing.assert_array_equal(trace.inputs["ids"], IDS)


def test_a_decoder_that_is_called_for_each_token() -> None:
    model = Translator()
    trace = trace_torch(model, X)
    assert [(layer.name, layer.h.shape) for layer in trace.layers] == [("encoder", (2, 5, 4)), ("decoder", (2, 3, 4))]
    close(trace["decoder"].initial_state[0], trace["encoder"].final_state[0])
    close(trace.output, model(torch.from_numpy(X)))
    assert "'out' was called 3 times" in trace.notes[-1]
    close(np.concatenate(trace.values["out"], axis=1), trace.output)


def test_cells_in_a_loop() -> None:
    model = Stepping()
    x = np.swapaxes(X, 0, 1)
    trace = trace_torch(model, x)
    assert [(layer.name, layer.h.shape) for layer in trace.layers] == [("lower", (2, 5, 4)), ("upper", (2, 5, 4))]
    close(trace["upper"].h[:, -1], model(torch.from_numpy(np.ascontiguousarray(x))))
    close(trace["lower"].inputs, X)


def test_one_module_over_two_sequences_is_two_layers() -> None:
    model = Twins()
    trace = trace_torch(model, (X, X[:, ::-1].copy()))
    assert [layer.name for layer in trace.layers] == ["reader", "reader#2"]
    close(trace["reader"].h[:, -1] - trace["reader#2"].h[:, -1], trace.output)
    assert list(trace.inputs) == ["first", "second"]
    by_name = trace_torch(model, {"first": X, "second": X[:, ::-1].copy()})
    close(by_name.output, trace.output)


def test_inputs_of_its_own_take_no_initial_state() -> None:
    with pytest.raises(ModelError, match="recurrent module alone"):
        trace_torch(Classifier(), IDS, np.zeros((1, 2, 4)))
    lstm = nn.Sequential(nn.LSTM(3, 4))
    assert trace_torch(lstm, X).notes[0].startswith("batch_first=False")


# --- Clamps ---------------------------------------------------------------------------------------


def with_forget_gate(model: Classifier, layer: int, value: float) -> Classifier:
    """The same network, whose forget gates of one layer are constant."""
    changed = copy.deepcopy(model).eval()
    for suffix in ("", "_reverse"):
        weights = (getattr(changed.lstm, f"{name}_l{layer}{suffix}") for name in ("weight_ih", "weight_hh", "bias_ih"))
        for weight in weights:
            weight.data[4:8] = 0.0
        getattr(changed.lstm, f"bias_hh_l{layer}{suffix}").data[4:8] = np.log(value / (1 - value))
    return changed


@pytest.mark.parametrize("layer", [0, 1])
def test_a_clamp_is_a_gate_with_other_weights(layer: int) -> None:
    model = Classifier()
    trace = trace_torch(model, IDS, clamps=[Clamp("f", 0.25, layer=layer)])
    close(trace.output, with_forget_gate(model, layer, 0.25)(torch.from_numpy(IDS)))
    assert not np.allclose(trace.output, trace_torch(model, IDS).output)


@pytest.mark.parametrize(("model", "x"), [(Translator, X), (Stepping, np.swapaxes(X, 0, 1))])
def test_clamps_count_timesteps_over_calls(model: Any, x: Any) -> None:
    made = model()
    free = trace_torch(made, x)
    signal = "h" if model is Stepping else "z"
    clamped = trace_torch(made, x, clamps=[Clamp(signal, 0.5, timesteps=2, layer=1)])
    ours = clamped.layers[1].signals[signal]
    assert (ours[:, 2] == 0.5).all()
    close(ours[:, :2], free.layers[1].signals[signal][:, :2])
    assert not np.allclose(clamped.output, free.output)


@pytest.mark.parametrize("form", ["packed", "single", "time first"])
def test_clamped_outputs_have_the_form_of_the_module(form: str) -> None:
    reader = nn.GRU(3, 4, batch_first=form == "packed")
    x: Any = torch.from_numpy({"single": X[0], "time first": np.swapaxes(X, 0, 1).copy(), "packed": X}[form])
    if form == "packed":
        x = nn.utils.rnn.pack_padded_sequence(x, torch.tensor([2, 5]), batch_first=True, enforce_sorted=False)
    clamped, free = trace_torch(reader, x, clamps=[Clamp("z", 0.0)]), trace_torch(reader, x)
    assert [each.shape for each in clamped.output] == [each.shape for each in free.output]
    layer = clamped.layers[0]
    close(layer.h * layer.mask[..., None], layer.g * layer.mask[..., None])
    rows = clamped.output[0].swapaxes(0, 1) if form == "time first" else clamped.output[0].reshape(layer.h.shape)
    close(rows, layer.outputs)


@pytest.mark.parametrize(
    ("clamp", "words"),
    [
        (Clamp("f", layer=2), "there are 2"),
        (Clamp("z"), "no 'z'"),
        (Clamp("f", units=4), "0…3"),
        (Clamp("f", timesteps=5), "0…4"),
    ],
)
def test_clamps_that_fit_nothing_are_refused(clamp: Clamp, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        trace_torch(Stepping(), np.swapaxes(X, 0, 1), clamps=[clamp])


def test_every_signal_is_there() -> None:
    for kind, module in (("lstm", nn.LSTM), ("gru", nn.GRU), ("rnn", nn.RNN)):
        (layer,) = trace_torch(module(3, 4, batch_first=True), X).layers
        assert layer.kind == kind
        assert list(layer.input_sums) == list(PARTS[kind])
        assert all(values.shape == (2, 5, 4) for values in layer.signals.values())


def test_a_module_is_checked_up_with_its_fault_named() -> None:
    torch.manual_seed(0)
    module = nn.LSTM(3, 8, batch_first=True)
    with torch.no_grad():
        module.bias_ih_l0[8:16] = -5.0  # the forget gates, which close
    found = lstm_core.checkup(module, torch.randn(6, 30, 3))
    named = {finding.name: finding for finding in found.findings}
    assert named["forget bias"].severity == "fault"
    assert lstm_core.checkup(module.state_dict(), np.random.default_rng(0).normal(size=(6, 30, 3))).steps == 180
