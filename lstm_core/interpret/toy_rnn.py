"""Small recurrent networks in NumPy with a readout, the task that they are measured on, and their training.

The task is to remember the first symbol of a sequence. Networks are made with a seed, or read from
`assets/gradient_lab/`, where `python -m lstm_core.interpret.toy_rnn` put them after training. What their
gradients do is in `interpret/gradient_flow.py`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
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
TRAINED_LENGTH, TRAINED_UNITS = 60, 32  # of the shipped networks: longest sequence met, and size
TRAINED = ASSETS / "gradient_lab"
KEEPING = {"lstm": "f", "gru": "z"}  # the gate that keeps the old state


@dataclass(frozen=True)
class SmallNetwork:
    """A recurrent layer and a softmax readout of its last hidden state: `readout` (units, SYMBOLS), no bias."""

    cell: CellWeights
    readout: Array

    @property
    def kind(self) -> Kind:
        """Which cell it has."""
        return self.cell.kind


@dataclass(frozen=True)
class Step:
    """What one pass forth and back gives: `by_logits` (batch, SYMBOLS), `gradients` of the mean loss in nats."""

    loss: float
    accuracy: float
    trace: LayerTrace
    by_logits: Array
    gradients: bptt.TimeGradients


def remember_first(length: int, count: int, seed: int) -> tuple[Array, Array]:
    """Sequences whose first symbol is the answer, and nothing after it matters.

    Returns:
        x (length, count, FEATURES), one-hot; and answers (count,), 0…SYMBOLS - 1.

    Raises:
        ValueError: if a sequence would have no symbol.
    """
    if length < 1 or count < 1:
        raise ValueError(f"A batch needs at least one sequence of one symbol; received {count} of {length}.")
    rng = np.random.default_rng(seed)
    symbols = rng.integers(SYMBOLS, FEATURES, (length, count))
    symbols[0] = rng.integers(0, SYMBOLS, count)
    return np.eye(FEATURES)[symbols], symbols[0]


def fresh(
    kind: Kind, units: int, seed: int, *, scale: float = 1.0, activation: str = "tanh", keep_bias: float = 1.0
) -> SmallNetwork:
    """An untrained network; the same seed gives all three cells the same candidate weights and readout.

    Args:
        kind: rnn, gru or lstm.
        units: how many.
        seed: of the weights.
        scale: every gate's recurrent kernel is a random orthogonal matrix times this (Saxe et al. 2014).
        activation: tanh or relu, in the place of tanh everywhere.
        keep_bias: the bias of the gate that keeps the old state: f of an LSTM (Gers et al. 2000), z of
            a GRU. A plain RNN has none.

    The input kernel is uniform as Glorot & Bengio (2010) have it for a plain layer; other biases are 0.
    """
    rng = np.random.default_rng(seed)
    reach = np.sqrt(6 / (FEATURES + units))
    readout = rng.normal(0, 1 / np.sqrt(units), (units, SYMBOLS))
    blocks = {}
    for part in ("candidate", "a", "b", "c"):
        blocks[part] = rng.uniform(-reach, reach, (FEATURES, units)), scale * orthogonal(units, rng)
    free = iter("abc")
    own = [blocks["candidate" if part in ("g", "h") else next(free)] for part in PARTS[kind]]
    bias = np.concatenate([np.full(units, keep_bias * (part == KEEPING.get(kind))) for part in PARTS[kind]])
    cell = CellWeights(
        kind=kind,
        name=kind,
        kernel=np.concatenate([kernel for kernel, _ in own], axis=1),
        recurrent=np.concatenate([recurrent for _, recurrent in own], axis=1),
        bias=bias,
        recurrent_bias=np.zeros_like(bias),
        tanh=activations.ELEMENTWISE[activation],
    )
    return SmallNetwork(cell, readout)


def orthogonal(units: int, rng: np.random.Generator) -> Array:
    """A random orthogonal matrix (units, units): it turns vectors and keeps their length."""
    q, r = np.linalg.qr(rng.normal(size=(units, units)))
    return q * np.sign(np.diag(r))


def pass_through(network: SmallNetwork, x: Array, answers: Array) -> Step:
    """Forth over a batch and back through time, once; the loss is the cross-entropy after the last symbol.

    Args:
        network: any.
        x: (T, batch, FEATURES).
        answers: (batch,) of int.
    """
    trace = run_cell(network.cell, x)
    probabilities = activations.softmax(trace.h[-1] @ network.readout)  # (batch, SYMBOLS)
    rows = np.arange(len(answers))
    by_logits = probabilities.copy()
    by_logits[rows, answers] -= 1
    by_logits /= len(answers)
    by_output = np.zeros_like(trace.h)  # (T, batch, units)
    by_output[-1] = by_logits @ network.readout.T
    loss = -np.log(np.maximum(probabilities[rows, answers], 1e-300)).mean()
    right = (probabilities.argmax(axis=1) == answers).mean()
    gradients = bptt.backpropagate(network.cell, trace, by_output)
    return Step(float(loss), float(right), trace, by_logits, gradients)


# --- Training -----------------------------------------------------------------------------------


def by_norm(gradients: Sequence[Array], threshold: float) -> list[Array]:
    """All gradients shrunk together so that their common norm is at most the threshold (Pascanu et al. 2013)."""
    norm = common_norm(gradients)
    share = min(1.0, threshold / norm) if norm > 0 else 1.0
    return [gradient * share for gradient in gradients]


def by_value(gradients: Sequence[Array], threshold: float) -> list[Array]:
    """Every single entry moved into -threshold…threshold, which also turns the direction (Mikolov 2012)."""
    return [np.clip(gradient, -threshold, threshold) for gradient in gradients]


def common_norm(gradients: Sequence[Array]) -> float:
    """The Euclidean norm of all entries of all arrays together."""
    return float(np.sqrt(sum(float(np.square(gradient).sum()) for gradient in gradients)))


def train(
    network: SmallNetwork, length: int, steps: int, seed: int, *, batch: int = 32, rate: float = 3e-3
) -> tuple[SmallNetwork, list[float]]:
    """Adam (Kingma & Ba 2015) on fresh sequences of the task, lengths 2…`length`, clipped by norm 1.

    Returns:
        the trained network and the loss of every step.
    """
    cell = network.cell
    values = [array.copy() for array in (cell.kernel, cell.recurrent, cell.bias, network.readout)]
    means, squares = ([np.zeros_like(value) for value in values] for _ in range(2))
    losses = []
    rng = np.random.default_rng(seed)
    for count in range(1, steps + 1):
        network = _with(network, values)
        x, answers = remember_first(int(rng.integers(2, length + 1)), batch, seed + count)
        step = pass_through(network, x, answers)
        losses.append(step.loss)
        found = bptt.weight_gradients(network.cell, step.trace, x, step.gradients.preactivation)
        by_readout = step.trace.h[-1].T @ step.by_logits
        for index, gradient in enumerate(by_norm([found.kernel, found.recurrent, found.bias, by_readout], 1.0)):
            means[index] = 0.9 * means[index] + 0.1 * gradient
            squares[index] = 0.999 * squares[index] + 0.001 * gradient**2
            mean, square = means[index] / (1 - 0.9**count), squares[index] / (1 - 0.999**count)
            values[index] = values[index] - rate * mean / (np.sqrt(square) + 1e-8)
    return _with(network, values), losses


def _with(network: SmallNetwork, values: Sequence[Array]) -> SmallNetwork:
    kernel, recurrent, bias, readout = values
    return SmallNetwork(replace(network.cell, kernel=kernel, recurrent=recurrent, bias=bias), readout)


def save(network: SmallNetwork, folder: Path) -> None:
    """Write the weights as float32 into `folder/KIND.npz`."""
    cell = network.cell
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        folder / f"{network.kind}.npz",
        kernel=cell.kernel.astype("f4"),
        recurrent=cell.recurrent.astype("f4"),
        bias=cell.bias.astype("f4"),
        readout=network.readout.astype("f4"),
    )


def trained(kind: Kind, folder: Path | None = None) -> SmallNetwork:
    """The network of this kind that was trained and shipped.

    Raises:
        ModelError: if its file is missing or damaged.
    """
    path = (folder or TRAINED) / f"{kind}.npz"
    try:
        with np.load(path, allow_pickle=False) as kept:
            kernel, recurrent, bias, readout = (
                kept[key].astype(float) for key in ("kernel", "recurrent", "bias", "readout")
            )
    except (OSError, ValueError, KeyError, EOFError, BadZipFile) as error:
        raise ModelError(
            f"The trained network {path.name} is missing or damaged: run python -m lstm_core.interpret.toy_rnn."
        ) from error
    cell = CellWeights(kind, kind, kernel, recurrent, bias, np.zeros_like(bias))
    return SmallNetwork(cell, readout)


def _main() -> None:
    parser = argparse.ArgumentParser(description="Train the three small networks of the gradient lab.")
    parser.add_argument("--folder", type=Path, default=TRAINED)
    parser.add_argument("--steps", type=int, default=1500)
    parser.add_argument("--length", type=int, default=TRAINED_LENGTH)
    parser.add_argument("--units", type=int, default=TRAINED_UNITS)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for kind in KINDS:
        network, losses = train(fresh(kind, given.units, given.seed), given.length, given.steps, given.seed)
        save(network, given.folder)
        x, answers = remember_first(given.length, 256, given.seed - 1)
        accuracy = pass_through(network, x, answers).accuracy
        print(f"{kind}: last losses {np.mean(losses[-50:]):.4f} nats, {accuracy:.1%} right at {given.length} symbols")


if __name__ == "__main__":
    _main()
