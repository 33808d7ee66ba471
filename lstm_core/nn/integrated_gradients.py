"""How an answer depends on each token: integrated gradients, and leaving a token out.

Both explain the log-odds of one class, log p/(1-p), in nats, which doesn't flatten out where a
probability does. The way back through a network is strung together here from `nn/layers.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.activations import softmax
from lstm_core.nn.layers import Affine, Embed
from lstm_core.nn.network import ForwardPass, Network

# Points on the straight path from nothing known to the text; doubled while the sum is off by more
# than the tolerance, since pooling makes the path's slope jump.
FEWEST_STEPS, MOST_STEPS = 32, 128
TOLERANCE = 0.01
AT_ONCE = 8  # points a pass: with twice as many, each took ten times as long (buffers outgrow the caches)


class Attribution(np.ndarray):
    """(T,) float: how many nats of log-odds each token added (or took away, below 0).

    Attributes:
        label: the class that is explained.
        score: the log-odds of that class for the text.
        baseline: the same for a text of as many unknown tokens.
        residual: score - baseline - sum of the values; 0 if the integral were exact.
    """

    label: str
    score: float
    baseline: float
    residual: float

    def __new__(cls, values: Array, label: str, score: float, baseline: float) -> Attribution:
        """The values with what they explain."""
        made = np.asarray(values, float).view(cls)
        made.label, made.score, made.baseline = label, score, baseline
        made.residual = float(score - baseline - np.sum(values))
        return made

    def __array_finalize__(self, other: Any) -> None:
        """A slice or a sum keeps what it came from."""
        for name in ("label", "score", "baseline", "residual"):
            setattr(self, name, getattr(other, name, None))


@dataclass(frozen=True)
class Slopes:
    """Scores of a batch and how they change: `by_value[layer name]` is (T, batch, width)."""

    scores: Array
    by_value: dict[str, Array]


def log_odds(logits: Array, label: int) -> tuple[Array, Array]:
    """log p/(1-p) of one class from (…, classes) logits, and its gradient by them.

    A single logit is that of the second of two classes.
    """
    if logits.shape[-1] == 1:
        sign = 1.0 if label == 1 else -1.0
        return sign * logits[..., 0], np.full_like(logits, sign)
    others = np.delete(logits, label, axis=-1)
    highest = others.max(axis=-1, keepdims=True)
    total = highest[..., 0] + np.log(np.exp(others - highest).sum(axis=-1))
    gradient = np.insert(-softmax(others), label, 1.0, axis=-1)
    return logits[..., label] - total, gradient


def slopes(network: Network, run: ForwardPass, label: int) -> Slopes:
    """The gradient of a class's log-odds, at the last row, by the value of every layer.

    Args:
        network: what was run.
        run: a run with values of shape (T, batch, width), without clamps.
        label: which class.

    Raises:
        ModelError: if the network doesn't end in a Dense layer, or has an unknown derivative.
    """
    last = network.nodes[-1]
    if not isinstance(last.operation, Affine):
        raise ModelError(f"The last layer, '{last.name}', is no Dense layer: its answer can't be explained.")
    entering = [run.values[parent] for parent in last.parents]
    scores, by_logits = log_odds(last.operation.sums([value[-1:] for value in entering])[0], label)
    by_value: dict[str, Array] = {}
    first = np.zeros_like(entering[0])
    first[-1] = last.operation.from_sums(by_logits)
    by_value[last.parents[0]] = first
    traces = dict(zip(network.recurrent_names, run.traces, strict=True))
    for node in reversed(network.nodes[:-1]):
        if node.operation is None or isinstance(node.operation, Embed) or node.name not in by_value:
            continue
        values = [run.values[parent] for parent in node.parents]
        value = run.values[node.name]
        back = node.operation.backward(by_value[node.name], values, value, traces.get(node.name))
        for parent, gradient in zip(node.parents, back, strict=True):
            by_value[parent] = by_value[parent] + gradient if parent in by_value else gradient
    return Slopes(scores, by_value)


def integrated_gradients(
    network: Network, ids: tuple[Array, ...], blank: tuple[Array, ...], label: int, name: str
) -> Attribution:
    """Integrated gradients over the embeddings (Sundararajan, Taly & Yan 2017), in one batched pass.

    The gradient is averaged along the straight line from the embeddings of `blank` to those of the
    text, by Gauss-Legendre quadrature, and multiplied by the way; what the embeddings of a token
    get is added up.

    Args:
        network: causal or not.
        ids: the text, one (T,) array an input.
        blank: the same with every token unknown.
        label: which class.
        name: the class's name.
    """
    embeddings = [node for node in network.nodes if isinstance(node.operation, Embed)]
    if not embeddings:
        raise ModelError("The network has no Embedding layer to explain its answer by.")
    inputs, blanks = (dict(zip(network.inputs, values, strict=True)) for values in (ids, blank))
    ends = {node.name: _vectors(node, inputs) for node in embeddings}  # (T, width) each
    starts = {node.name: _vectors(node, blanks) for node in embeddings}
    steps = FEWEST_STEPS
    while True:
        found = _along_the_line(network, ids, starts, ends, label, name, steps)
        if abs(found.residual) <= TOLERANCE * abs(found.score - found.baseline) or steps >= MOST_STEPS:
            return found
        steps *= 2


def _vectors(node: Any, inputs: dict[str, Array]) -> Array:
    return node.operation.forward([inputs[node.parents[0]]], ())[0]


def _along_the_line(
    network: Network,
    ids: tuple[Array, ...],
    starts: dict[str, Array],
    ends: dict[str, Array],
    label: int,
    name: str,
    steps: int,
) -> Attribution:
    points, weights = np.polynomial.legendre.leggauss(steps)
    # The two ends ride along, so that the scores come from the same passes; they weigh nothing.
    alphas = np.concatenate([(points + 1) / 2, [0.0, 1.0]]).astype(np.float32)
    shares = np.concatenate([weights / 2, [0.0, 0.0]])
    ways = {key: ends[key] - starts[key] for key in ends}
    values = np.zeros(len(ids[0]))
    scores: list[float] = []
    for first in range(0, len(alphas), AT_ONCE):
        part = slice(first, first + AT_ONCE)
        start = {key: starts[key][:, None] + alphas[part][None, :, None] * ways[key][:, None] for key in ends}
        found = slopes(network, network.run(*ids, start=start), label)  # values (T, AT_ONCE, width)
        scores.extend(found.scores)
        for key, way in ways.items():
            values += np.einsum("td,tbd,b->t", way, found.by_value[key], shares[part], optimize=True)
    return Attribution(values, name, float(scores[-1]), float(scores[-2]))
