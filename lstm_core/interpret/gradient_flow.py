"""How a gradient vanishes or explodes through time: of a number, a matrix, three cells, and trained gates.

After Hochreiter (1991), Bengio, Simard & Frasconi (1994), Hochreiter & Schmidhuber (1997) and Pascanu, Mikolov & Bengio
(2013). The networks are those of `interpret/toy_rnn.py` and the shipped models.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.interpret.toy_rnn import (
    KINDS,
    ToyNetwork,
    classification_step,
    initial_network,
    orthogonal,
    remember_first,
    trained_network,
)
from lstm_core.nn import bptt
from lstm_core.nn.clamps import SIGNALS
from lstm_core.nn.layers import Recur
from lstm_core.nn.network import Network
from lstm_core.nn.trace import LayerTrace
from lstm_core.nn.weights import CellWeights, Kind

SEQUENCES = 16  # over which a norm is averaged
LEFT, RIGHT = 0.1, 0.9  # a gate below or above is saturated (Karpathy, Johnson & Fei-Fei 2016)
BINS = 40
# Multiplications in one matrix product: above, OpenBLAS uses other threads, and waiting for those on a busy machine
# took ten times as long as the product.
ONE_THREAD = 2**18


def scalar_powers(w: float, steps: int) -> Array:
    """|w|^k for k = 0…steps; (steps + 1,)."""
    return np.abs(float(w)) ** np.arange(steps + 1)


def random_matrix(radius: float, units: int, seed: int, *, is_orthogonal: bool = False) -> Array:
    """A random square matrix of a given spectral radius; (units, units).

    Args:
        radius: 0 or more.
        units: how many rows.
        seed: of the random numbers.
        is_orthogonal: orthogonal times the radius, which scales all vectors equally; otherwise normal random numbers.
    """
    rng = np.random.default_rng(seed)
    if is_orthogonal:
        return radius * orthogonal(units, rng)
    matrix = rng.normal(size=(units, units))
    return matrix * (radius / np.abs(np.linalg.eigvals(matrix)).max())


def matrix_powers(matrix: Array, steps: int, seed: int) -> Array:
    """‖Wᵏ·v‖ for k = 0…steps and a random v of length 1; (steps + 1,).

    Args:
        matrix: W, (units, units).
        steps: the largest power.
        seed: of v.
    """
    v = np.random.default_rng(seed).normal(size=len(matrix))
    vectors = accumulate(range(steps), lambda vector, _: matrix @ vector, initial=v / np.linalg.norm(v))
    return np.array([np.linalg.norm(vector) for vector in vectors])


def power_norms(matrix: Array, steps: int) -> Array:
    """‖Wᵏ‖₂ for k = 0…steps, the largest singular value of each power; (steps + 1,)."""
    powers = accumulate(range(steps), lambda power, _: matrix @ power, initial=np.eye(len(matrix)))
    return np.array([np.linalg.norm(power, 2) for power in powers])


@dataclass(frozen=True)
class Flow:
    """The gradient of every timestep in one network."""

    kind: Kind  # of the cell
    norms: Array  # (T,) ‖∂L/∂h_t‖ for t = 1…T, the mean over sequences; not finite where it overflows
    accuracy: float  # the share of sequences with a correct answer, 0…1

    @property
    def shrank(self) -> float:
        """The norm at the last timestep over that at the first: above 1 if the gradient vanishes, below if it explodes.

        Infinite where the first is 0, and 0 where one of them overflows.
        """
        first, last = self.norms[0], self.norms[-1]
        if not (np.isfinite(first) and np.isfinite(last)):
            return 0.0
        return float(last / first) if first > 0 else float("inf")


def norms_over_time(gradients: Array) -> Array:
    """Euclidean norms over the units, then the mean over sequences: (T, batch, units) → (T,).

    Entries are divided by the largest one before squaring, so that 10^200 doesn't overflow.
    """
    largest = np.abs(gradients).max(axis=-1, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        parts = np.where(largest > 0, gradients / largest, 0.0)
        return (np.linalg.norm(parts, axis=-1) * largest[..., 0]).mean(axis=1)


def gradient_flow(network: ToyNetwork, length: int, seed: int) -> Flow:
    """‖∂L/∂h_t‖ at every timestep by one backward pass, L being a sequence's own loss after its last symbol.

    Args:
        network: any small network.
        length: of the sequences, at least 1.
        seed: of the sequences.
    """
    x, answers = remember_first(length, SEQUENCES, seed)
    with np.errstate(over="ignore", invalid="ignore", under="ignore"):
        step = classification_step(network, x, answers)
    return Flow(network.kind, norms_over_time(step.time_gradients.h * SEQUENCES), step.accuracy)


def initial_flows(length: int, units: int, seed: int, **options: Any) -> tuple[Flow, ...]:
    """The gradient flow of an untrained RNN, GRU and LSTM of the same size, seed and data.

    Args:
        length: of the sequences.
        units: of each network.
        seed: of weights and sequences.
        options: `scale`, `activation` and `keep_bias` of `toy_rnn.initial_network`.
    """
    return tuple(gradient_flow(initial_network(kind, units, seed, **options), length, seed) for kind in KINDS)


def trained_flows(length: int, seed: int) -> tuple[Flow, ...]:
    """The gradient flow of the three shipped networks that remember the first symbol; ModelError if one is missing."""
    return tuple(gradient_flow(trained_network(kind), length, seed) for kind in KINDS)


@dataclass(frozen=True)
class ErrorFlow:
    """The derivative of the last cell state with respect to every earlier one; (T, units), the last row is 1."""

    gates: Array  # the product of the forget gates after t: the derivative along the cell state alone
    measured: Array  # |∂c_T/∂c_t| of each unit by itself, along all paths: c, the gates and other units


def error_flow(weights: CellWeights, trace: LayerTrace) -> ErrorFlow:
    """Both for every unit of an LSTM layer, by batched backward passes, one row of a batch a unit.

    The path along the cell state is the constant error carousel of Hochreiter & Schmidhuber (1997), with the forget
    gate of Gers et al. (2000): ∂c_t/∂c_{t-1} = f_t. The trace has (T, units) signals and no clamps. Raises ModelError
    if the layer has no cell state.
    """
    if weights.kind != "lstm":
        raise ModelError(f"Layer '{weights.name}' is no LSTM: it has no cell state for an error to flow through.")
    units, kind = weights.units, trace.c.dtype
    after = np.concatenate([trace.f[1:].astype(float), np.ones((1, units))])  # (T, units): f_{t+1}, then 1
    gates = np.cumprod(after[::-1], axis=0)[::-1]
    measured = np.empty_like(gates)
    rows = max(1, ONE_THREAD // weights.recurrent.size)
    for first in range(0, units, rows):
        own = np.arange(first, min(first + rows, units))
        zeros = np.zeros((len(trace), len(own), units), kind)  # (T, batch of units, units)
        back = bptt.backpropagate(weights, trace, zeros, np.eye(units, dtype=kind)[own])
        assert back.c is not None
        measured[:, own] = np.abs(back.c[:, own - first, own])
    return ErrorFlow(gates, measured)


def recurrent_weights(network: Network) -> tuple[CellWeights, ...]:
    """The weights of every recurrent layer that reads in one direction, in reading order."""
    return tuple(node.operation.weights for node in network.nodes if isinstance(node.operation, Recur))


@dataclass(frozen=True)
class Saturation:
    """How often one gate of a layer is saturated."""

    left: Array  # (units,) the share of timesteps below `LEFT`, 0…1
    right: Array  # (units,) the share above `RIGHT`, 0…1
    histogram: Array  # (BINS,) of all its values from 0 to 1; sums to 1


def saturation(traces: Iterable[LayerTrace]) -> Mapping[str, Saturation]:
    """For every gate of a layer, how often each unit is saturated (Karpathy et al. 2016); ModelError without gates."""
    traces = list(traces)
    gates = [letter for letter in SIGNALS[traces[0].kind] if letter in "ifozr"]
    if not gates:
        raise ModelError(f"Layer '{traces[0].name}' has no gates that could saturate.")
    found = {}
    for letter in gates:
        values = np.concatenate([trace.signals[letter] for trace in traces])  # (all timesteps, units)
        counts, _ = np.histogram(np.clip(values, 0, 1), BINS, (0, 1))
        found[letter] = Saturation((values < LEFT).mean(axis=0), (values > RIGHT).mean(axis=0), counts / values.size)
    return found
