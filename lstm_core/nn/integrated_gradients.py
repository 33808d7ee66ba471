"""How an answer depends on each token: integrated gradients of the log-odds of a class.

Log-odds, log p/(1-p) in nats, don't saturate where a probability does.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.nn.activations import softmax
from lstm_core.nn.layers import Affine, Embed
from lstm_core.nn.network import ForwardPass, Network

# The straight path from the baseline to the text is cut into PANELS parts, each integrated by Simpson's rule. While the
# relative residual exceeds TOLERANCE, those with the largest errors are halved: max pooling makes the gradient jump
# along the path. Over 17 questions and reviews that takes half as many points as Clenshaw-Curtis quadrature with 33, 65
# or 129, and the largest error of a token is no larger (0.7% of the sum, not 0.9%).
PANELS, FINEST = 8, 1024  # at first; points of the path at most
MOST_POINTS, HALVED = 129, 4  # points at most, and panels halved at a time
TOLERANCE = 0.01
BATCH = 9  # points in one pass: with twice as many, each took ten times as long (the arrays outgrow the caches)


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

    The gradient is averaged along the straight line from the embeddings of `baseline` to those of the text, by an
    adaptive Simpson's rule (Lyness 1969), and multiplied by their difference; a token's value is the sum over its
    embeddings. The error of each part of the line is known: the change of the score less the sum of the values.

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
    path = _Path(network, ids, starts, differences, label)
    panels = [(first, first + FINEST // PANELS) for first in range(0, FINEST, FINEST // PANELS)]
    while True:
        path.visit(sorted({place for first, last in panels for place in (first, (first + last) // 2, last)}))
        parts = np.array([path.simpson(*panel) for panel in panels])  # (panels, T)
        errors = np.array([path.change(*panel) for panel in panels]) - parts.sum(axis=1)
        halved = {panels[number] for number in np.argsort(-np.abs(errors))[:HALVED] if np.ptp(panels[number]) >= 4}
        if (
            abs(errors.sum()) <= TOLERANCE * abs(path.change(0, FINEST))
            or len(path.scores) >= MOST_POINTS
            or not halved
        ):
            return Attribution(parts.sum(axis=0), name, path.scores[FINEST], path.scores[0])
        panels = [half for panel in panels for half in (_halves(*panel) if panel in halved else (panel,))]


def _halves(first: int, last: int) -> tuple[tuple[int, int], tuple[int, int]]:
    middle = (first + last) // 2
    return (first, middle), (middle, last)


@dataclass
class _Path:
    """The straight line from a baseline to a text, and what was computed at its places 0…FINEST.

    Attributes:
        starts: layer → (T, width) the baseline's embeddings.
        differences: layer → (T, width) those of the text less these.
        scores: place → log-odds of the class.
        contributions: place → (T,) the gradient along the line, a token's part each.
    """

    network: Network
    ids: tuple[Array, ...]
    starts: dict[str, Array]
    differences: dict[str, Array]
    label: int
    scores: dict[int, float] = field(default_factory=dict)
    contributions: dict[int, Array] = field(default_factory=dict)

    def visit(self, places: Sequence[int]) -> None:
        """Compute the places that aren't computed yet."""
        fresh = [place for place in places if place not in self.scores]
        for part in (fresh[first : first + BATCH] for first in range(0, len(fresh), BATCH)):
            alphas = np.array(part, np.float32)[:, None] / np.float32(FINEST)
            start = {key: self.starts[key][:, None] + alphas * each[:, None] for key, each in self.differences.items()}
            run = self.network.run(*self.ids, start=start)  # values (T, BATCH, width)
            found = score_gradients(self.network, run, self.label)
            along = [
                np.einsum("td,tbd->bt", each, found.gradients[key], optimize=True)
                for key, each in self.differences.items()
            ]
            self.scores.update(zip(part, found.scores.tolist(), strict=True))
            self.contributions.update(zip(part, np.sum(along, axis=0, dtype=float), strict=True))

    def simpson(self, first: int, last: int) -> Array:
        """(T,) the integral of the contributions over a panel."""
        one, middle, other = (self.contributions[place] for place in (first, (first + last) // 2, last))
        return (last - first) / FINEST / 6 * (one + 4 * middle + other)

    def change(self, first: int, last: int) -> float:
        """The change of the score over a panel, which is what `simpson` would sum to without an error."""
        return self.scores[last] - self.scores[first]
