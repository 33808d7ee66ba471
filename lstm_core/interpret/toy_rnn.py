"""Small recurrent networks in NumPy with a readout, their task, and their training.

The task is to remember the first symbol of a sequence. Networks are initialized with a seed, or read from
`assets/gradient_lab/`, where `python -m lstm_core.interpret.toy_rnn` saves them after training.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self
from zipfile import BadZipFile

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn import activations, bptt
from lstm_core.nn.trace import PARTS, LayerTrace, run_cell
from lstm_core.nn.weights import CellWeights, Kind
from lstm_core.paths import ASSETS

KINDS: tuple[Kind, ...] = ("rnn", "gru", "lstm")
SYMBOLS = 4  # that can come first and must be remembered; as many others come after it
FEATURES = 2 * SYMBOLS
TRAINED_LENGTH, TRAINED_UNITS = 60, 32  # of the shipped networks: longest training sequence, and size
BATCH, LEARNING_RATE = 32, 3e-3
TRAINED = ASSETS / "gradient_lab"
ARRAYS = ("kernel", "recurrent", "bias", "readout")  # names in a file
REMEMBERING = {"lstm": "f", "gru": "z"}  # the gate that keeps the old state


@dataclass(frozen=True)
class ToyNetwork:
    """A recurrent layer and a linear readout of its last hidden state: `readout` (units, outputs), no bias."""

    cell: CellWeights
    readout: Array

    @property
    def kind(self) -> Kind:
        """Which cell it has."""
        return self.cell.kind

    @property
    def weights(self) -> list[Array]:
        """Kernel, recurrent kernel, bias and readout."""
        return [self.cell.kernel, self.cell.recurrent, self.cell.bias, self.readout]

    def with_weights(self, weights: Sequence[Array]) -> Self:
        """The same network with other `weights`."""
        kernel, recurrent, bias, readout = weights
        cell = replace(self.cell, kernel=kernel, recurrent=recurrent, bias=bias)
        return replace(self, cell=cell, readout=readout)


@dataclass(frozen=True)
class Step:
    """One forward and backward pass: the mean loss in nats, its accuracy 0…1 and its gradients."""

    loss: float  # mean cross-entropy in nats
    accuracy: float  # share of correct answers, 0…1
    time_gradients: bptt.TimeGradients  # of the loss, see `bptt.TimeGradients`
    weight_gradients: list[Array]  # of the loss, one array for each of `ToyNetwork.weights`


def remember_first(length: int, count: int, seed: int) -> tuple[Array, Array]:
    """Sequences whose first symbol is the answer; the symbols after it don't matter.

    Args:
        length: symbols of each sequence, at least 1.
        count: sequences, at least 1.
        seed: of the symbols.

    Returns:
        x (length, count, FEATURES), one-hot; and answers (count,), 0…SYMBOLS - 1.

    Raises:
        ValueError: if there would be no sequence or no symbol.
    """
    if length < 1 or count < 1:
        raise ValueError(f"A batch needs at least one sequence of one symbol; received {count} of {length}.")
    rng = np.random.default_rng(seed)
    symbols = rng.integers(SYMBOLS, FEATURES, (length, count))
    symbols[0] = rng.integers(0, SYMBOLS, count)
    return np.eye(FEATURES)[symbols], symbols[0]


def initial_network(
    kind: Kind, units: int, seed: int, *, scale: float = 1.0, activation: str = "tanh", keep_bias: float = 1.0
) -> ToyNetwork:
    """An untrained network; the same seed gives all three cells the same candidate weights and readout.

    The input kernel is uniform as Glorot & Bengio (2010) have it for a plain layer; other biases are 0.

    Args:
        kind: rnn, gru or lstm.
        units: how many.
        seed: of the weights.
        scale: every gate's recurrent kernel is a random orthogonal matrix times this (Saxe et al. 2014).
        activation: tanh or relu, in place of tanh.
        keep_bias: the bias of the gate that keeps the old state: f of an LSTM (Gers et al. 2000), z of
            a GRU. A plain RNN has none.
    """
    rng = np.random.default_rng(seed)
    limit = np.sqrt(6 / (FEATURES + units))
    readout = rng.normal(0, 1 / np.sqrt(units), (units, SYMBOLS))
    blocks = [(rng.uniform(-limit, limit, (FEATURES, units)), scale * orthogonal(units, rng)) for _ in range(4)]
    gates = iter(blocks[1:])  # block 0 is the candidate's
    own = [blocks[0] if part in ("g", "h") else next(gates) for part in PARTS[kind]]
    bias = np.concatenate([np.full(units, keep_bias * (part == REMEMBERING.get(kind))) for part in PARTS[kind]])
    kernel, recurrent = (np.concatenate(part, axis=1) for part in zip(*own, strict=True))
    tanh = activations.ELEMENTWISE[activation]
    return ToyNetwork(CellWeights(kind, kind, kernel, recurrent, bias, np.zeros_like(bias), tanh=tanh), readout)


def orthogonal(units: int, rng: np.random.Generator) -> Array:
    """A random orthogonal matrix (units, units), which keeps the length of every vector."""
    q, r = np.linalg.qr(rng.normal(size=(units, units)))
    return q * np.sign(np.diag(r))


def backward_pass(
    network: ToyNetwork, trace: LayerTrace, x: Array, d_output: Array
) -> tuple[bptt.TimeGradients, list[Array]]:
    """Gradients of a loss of the readout: of all values in time, and of each of `ToyNetwork.weights`.

    Args:
        network: any.
        trace: its forward pass, signals (T, batch, units).
        x: (T, batch, features).
        d_output: (batch, outputs) gradient of the loss with respect to the readout.
    """
    d_h = np.zeros_like(trace.h)  # (T, batch, units)
    d_h[-1] = d_output @ network.readout.T
    in_time = bptt.backpropagate(network.cell, trace, d_h)
    found = bptt.weight_gradients(network.cell, trace, x, in_time.preactivation)
    return in_time, [found.kernel, found.recurrent, found.bias, trace.h[-1].T @ d_output]


def classification_step(network: ToyNetwork, x: Array, answers: Array) -> Step:
    """One forward and backward pass; the loss is the cross-entropy of a softmax over the readout.

    Args:
        network: any with `SYMBOLS` outputs.
        x: (T, batch, FEATURES).
        answers: (batch,) of int.
    """
    trace = run_cell(network.cell, x)
    probabilities = activations.softmax(trace.h[-1] @ network.readout)  # (batch, SYMBOLS)
    of_answers = probabilities[np.arange(len(answers)), answers]
    d_logits = (probabilities - np.eye(SYMBOLS)[answers]) / len(answers)
    loss = float(-np.log(np.maximum(of_answers, 1e-300)).mean())
    accuracy = float((probabilities.argmax(axis=1) == answers).mean())
    return Step(loss, accuracy, *backward_pass(network, trace, x, d_logits))


def train(network: ToyNetwork, length: int, steps: int, seed: int) -> tuple[ToyNetwork, list[float]]:
    """The trained network and the loss of every step, by Adam (Kingma & Ba 2015) with gradients clipped to norm 1.

    Args:
        network: what is trained.
        length: the longest of the new sequences of each step; the shortest has 2 symbols.
        steps: how many.
        seed: of the sequences.
    """
    means, squares = ([np.zeros_like(value) for value in network.weights] for _ in range(2))
    losses = []
    rng = np.random.default_rng(seed)
    for count in range(1, steps + 1):
        step = classification_step(network, *remember_first(int(rng.integers(2, length + 1)), BATCH, seed + count))
        losses.append(step.loss)
        weights = network.weights
        norm = np.sqrt(sum(float(np.square(gradient).sum()) for gradient in step.weight_gradients))
        for index, gradient in enumerate(step.weight_gradients):
            gradient = gradient / max(1.0, norm)
            means[index] = 0.9 * means[index] + 0.1 * gradient
            squares[index] = 0.999 * squares[index] + 0.001 * gradient**2
            mean, square = means[index] / (1 - 0.9**count), squares[index] / (1 - 0.999**count)
            weights[index] = weights[index] - LEARNING_RATE * mean / (np.sqrt(square) + 1e-8)
        network = network.with_weights(weights)
    return network, losses


def save(network: ToyNetwork, folder: Path) -> None:
    """Write the weights as float32 into `folder/KIND.npz`."""
    folder.mkdir(parents=True, exist_ok=True)
    arrays = dict(zip(ARRAYS, (value.astype("f4") for value in network.weights), strict=True))
    np.savez_compressed(folder / f"{network.kind}.npz", **arrays)  # type: ignore[arg-type]


def trained_network(kind: Kind, folder: Path | None = None) -> ToyNetwork:
    """The shipped trained network of a kind; raises ModelError if its file is missing or damaged."""
    path = (folder or TRAINED) / f"{kind}.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            kernel, recurrent, bias, readout = (archive[name].astype(float) for name in ARRAYS)
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        mend = "run python -m lstm_core.interpret.toy_rnn"
        raise ModelError(f"The trained network {path.name} is missing or damaged: {mend}.") from error
    return ToyNetwork(CellWeights(kind, kind, kernel, recurrent, bias, np.zeros_like(bias)), readout)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Train the three small networks of the gradient lab.")
    parser.add_argument("--folder", type=Path, default=TRAINED)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--length", type=int, default=TRAINED_LENGTH)
    parser.add_argument("--units", type=int, default=TRAINED_UNITS)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for kind in KINDS:
        start = initial_network(kind, options.units, options.seed)
        network, losses = train(start, options.length, options.steps, options.seed)
        save(network, options.folder)
        accuracy = classification_step(network, *remember_first(options.length, 256, options.seed - 1)).accuracy
        last = f"{np.mean(losses[-50:]):.4f} nats"
        print(f"{kind}: last losses {last}, accuracy {accuracy:.1%} at {options.length} symbols")


if __name__ == "__main__":
    _main()
