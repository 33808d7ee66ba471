"""How far the answer moves when one unit, or one token, is taken out of a network's memory.

Every variant is the whole text read again with one signal held: for one unit at all tokens, or for
all units at one token. Variants run side by side as a batch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.classifier import TextClassifier, with_both_classes
from lstm_core.nn.cells import Hook
from lstm_core.nn.clamps import SIGNALS
from lstm_core.nn.layers import Recur
from lstm_core.nn.trace import run_cell

AT_ONCE = 16  # variants side by side: more would need much memory and be no faster

Report = Callable[[float], None]


@dataclass(frozen=True)
class Ablation:
    """What holding a signal does, one place at a time.

    Attributes:
        before: (classes,) the answer with nothing held.
        after: (places, classes) the answer with the signal held at each unit, or at each token.
    """

    before: Array
    after: Array

    def moved(self, label: int) -> Array:
        """(places,) by how much the probability of a class rose (above 0) or fell."""
        return self.after[:, label] - self.before[label]


def ablate_units(
    model: TextClassifier,
    text: str,
    signal: str = "h",
    value: float = 0.0,
    *,
    layer: int = 0,
    mask_names: bool | None = None,
    report: Report = lambda share: None,
) -> Ablation:
    """Hook a signal of one unit after the other, at all tokens.

    Args:
        model: a classifier whose layer is an LSTM, a GRU or a plain RNN that reads forwards.
        text: what `TextClassifier.read` takes.
        signal: a gate or a state of that layer.
        value: what it is held at.
        layer: which recurrent layer, from 0.
        mask_names: see `TextClassifier.read`.
        report: told what share is done.

    Returns:
        an `Ablation` with one place a unit.

    Raises:
        TextError: if there is nothing to read.
        ValueError: if there is no such layer or signal.
    """

    def hold_unit(units: Array, count: int) -> Callable[[int], Hook]:
        where = np.zeros((len(units), count), bool)
        where[np.arange(len(units)), units] = True
        return lambda t: _holding(signal, value, where)

    return _ablate(model, text, signal, layer, mask_names, report, hold_unit, tokens=False)


def ablate_tokens(
    model: TextClassifier,
    text: str,
    signal: str = "i",
    value: float = 0.0,
    *,
    layer: int = 0,
    mask_names: bool | None = None,
    report: Report = lambda share: None,
) -> Ablation:
    """Hook a signal of all units at one token after the other; as `by_unit`, with one place a token."""

    def hold_token(tokens: Array, count: int) -> Callable[[int], Hook]:
        return lambda t: _holding(signal, value, (tokens == t)[:, None])

    return _ablate(model, text, signal, layer, mask_names, report, hold_token, tokens=True)


def _holding(signal: str, value: float, where: Array) -> Hook:
    def hold(name: str, computed: Array) -> Array:
        return np.where(where, computed.dtype.type(value), computed) if name == signal else computed

    return hold


def _ablate(
    model: TextClassifier,
    text: str,
    signal: str,
    layer: int,
    mask_names: bool | None,
    report: Report,
    hooks: Callable[[Array, int], Callable[[int], Hook]],
    *,
    tokens: bool,
) -> Ablation:
    network = model.network
    if not 0 <= layer < len(network.recurrent_names):
        raise ValueError(f"There is no layer {layer}; there are {len(network.recurrent_names)}, from 0.")
    node = next(node for node in network.nodes if node.name == network.recurrent_names[layer])
    if not isinstance(node.operation, Recur):
        raise ValueError(f"Layer '{node.name}' reads in both directions; its units can't be held one by one.")
    weights = node.operation.weights
    if weights.go_backwards:
        raise ValueError(f"Layer '{node.name}' reads backwards; only one that reads forwards can be followed here.")
    if signal not in SIGNALS[weights.kind]:
        raise ValueError(f"Layer '{node.name}' has no '{signal}'; it has {', '.join(SIGNALS[weights.kind])}.")
    inputs = model.encoder.encode(text, mask_names).inputs
    whole = network.run(*inputs)
    x = whole.values[node.parents[0]]  # (T, features)
    places = len(x) if tokens else weights.units
    after = []
    for first in range(0, places, AT_ONCE):
        chosen = np.arange(first, min(first + AT_ONCE, places))
        batch = np.broadcast_to(x[:, None], (len(x), len(chosen), x.shape[1]))
        outputs = run_cell(weights, batch, hooks=hooks(chosen, weights.units)).outputs  # (T, variants, units)
        answers = network.run(*inputs, start={node.name: outputs}).output[-1]  # (variants, classes)
        after.append(with_both_classes(answers))
        report(min((first + AT_ONCE) / places, 1.0))
    return Ablation(with_both_classes(whole.output)[-1], np.concatenate(after))
