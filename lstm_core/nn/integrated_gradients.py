"""How an answer depends on each token: integrated gradients of the log-odds of a class.

Log-odds, log p/(1-p) in nats, don't saturate where a probability does.
"""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.activations import softmax
from lstm_core.nn.layers import Affine, Embed
from lstm_core.nn.network import ForwardPass, Network

# Points on the straight path from the baseline to the text; doubled while the relative residual exceeds the tolerance,
# since max pooling makes the gradient discontinuous along the path.
STEPS = (32, 64, 128)
TOLERANCE = 0.01
BATCH = 8  # points in one pass: with twice as many, each took ten times as long (the arrays outgrow the caches)


class Attribution(np.ndarray):
    """(T,) float: the contribution of each token to the log-odds of a class, in nats.

    Attributes:
        label: the explained class.
        score: the log-odds of that class for the text.
        baseline: the same for a text of as many unknown tokens.
        residual: score - baseline - sum of the values; 0 for an exact integral.
    """

    label: str
    score: float
    baseline: float
    residual: float

    def __new__(cls, values: Array, label: str, score: float, baseline: float) -> Self:
        """`values` (T,) with the attributes above."""
        made = np.asarray(values, float).view(cls)
        made.label, made.score, made.baseline = label, score, baseline
        made.residual = float(score - baseline - np.sum(values))
        return made

    def __array_finalize__(self, other: Any) -> None:
        """A slice or a sum keeps the attributes."""
        for name in ("label", "score", "baseline", "residual"):
            setattr(self, name, getattr(other, name, None))


@dataclass(frozen=True)
class ScoreGradients:
    """Scores (batch,), and their gradients with respect to each layer's value: name → (T, batch, width)."""

    scores: Array
    gradients: dict[str, Array]


def log_odds(logits: Array, label: int) -> tuple[Array, Array]:
    """(…,) log p/(1-p) of one class, and its (…, classes) gradient with respect to the logits.

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


def score_gradients(network: Network, run: ForwardPass, label: int) -> ScoreGradients:
    """The gradient of a class's log-odds after the last timestep with respect to the value of every layer.

    Args:
        network: the network.
        run: its forward pass with values of shape (T, batch, width), without clamps.
        label: which class.

    Raises:
        ModelError: if the network doesn't end in a Dense layer, or a derivative isn't known.
    """
    last = network.nodes[-1]
    if not isinstance(last.operation, Affine):
        raise ModelError(f"The last layer, '{last.name}', is no Dense layer: its answer can't be explained.")
    entering = [run.values[parent] for parent in last.parents]
    scores, d_logits = log_odds(last.operation.sums([value[-1:] for value in entering])[0], label)
    d_last = np.zeros_like(entering[0])
    d_last[-1] = last.operation.from_sums(d_logits)
    gradients = {last.parents[0]: d_last}
    traces = dict(zip(network.recurrent_names, run.traces, strict=True))
    for node in reversed(network.nodes[:-1]):
        if node.operation is None or isinstance(node.operation, Embed) or node.name not in gradients:
            continue
        values = [run.values[parent] for parent in node.parents]
        value = run.values[node.name]
        d_values = node.operation.backward(gradients[node.name], values, value, traces.get(node.name))
        for parent, gradient in zip(node.parents, d_values, strict=True):
            gradients[parent] = gradients[parent] + gradient if parent in gradients else gradient
    return ScoreGradients(scores, gradients)


def integrated_gradients(
    network: Network, ids: tuple[Array, ...], baseline: tuple[Array, ...], label: int, name: str
) -> Attribution:
    """Integrated gradients over the embeddings (Sundararajan, Taly & Yan 2017), in batched passes.

    The gradient is averaged along the straight line from the embeddings of `baseline` to those of the text, by
    Clenshaw–Curtis quadrature, and multiplied by their difference; a token's value is the sum over its embeddings.

    Args:
        network: causal or not.
        ids: the text, one (T,) array an input.
        baseline: the same with every token unknown.
        label: which class.
        name: the class's name.

    Raises:
        ModelError: if there is no Embedding layer, or as `score_gradients`.
    """
    starts: dict[str, Array] = {}  # name → (T, width)
    differences: dict[str, Array] = {}
    for node in network.nodes:
        if isinstance(node.operation, Embed):
            place, table = network.inputs.index(node.parents[0]), node.operation.table
            starts[node.name] = table[baseline[place]]
            differences[node.name] = table[ids[place]] - starts[node.name]
    if not starts:
        raise ModelError("The network has no Embedding layer to explain its answer by.")
    contributions = np.zeros((STEPS[-1] + 1, len(ids[0])))  # of each point, in the order along the line
    scores = np.zeros(STEPS[-1] + 1)
    done: set[int] = set()
    for steps in STEPS:
        places = range(0, STEPS[-1] + 1, STEPS[-1] // steps)  # the points so far, and one between each two of them
        fresh = [place for place in places if place not in done]
        done.update(fresh)
        alphas = ((1 - np.cos(np.pi * np.array(fresh) / STEPS[-1])) / 2).astype(np.float32)[:, None]
        for first in range(0, len(fresh), BATCH):
            part = slice(first, first + BATCH)
            start = {key: starts[key][:, None] + alphas[part] * differences[key][:, None] for key in starts}
            found = score_gradients(network, network.run(*ids, start=start), label)  # values (T, BATCH, width)
            scores[fresh[part]] = found.scores
            for key, difference in differences.items():
                contributions[fresh[part]] += np.einsum("td,tbd->bt", difference, found.gradients[key], optimize=True)
        values = clenshaw_curtis(steps) @ contributions[places]
        attribution = Attribution(values, name, float(scores[-1]), float(scores[0]))
        if abs(attribution.residual) <= TOLERANCE * abs(attribution.score - attribution.baseline):
            break
    return attribution


def clenshaw_curtis(steps: int) -> Array:
    """(steps + 1,) weights of an integral over 0…1, at (1 - cos(πk/steps)) / 2 (Clenshaw & Curtis 1960); even steps.

    The points of half as many steps are among them, so a finer integral reuses the values of a coarser one.
    """
    j = np.arange(1, steps // 2 + 1)
    terms = np.where(j == steps // 2, 1, 2) / (4 * j**2 - 1)  # (steps / 2,)
    weights = (1 - np.cos(2 * np.pi * np.outer(np.arange(steps + 1), j) / steps) @ terms) / steps
    weights[[0, -1]] /= 2
    return weights
