"""How far the answer of a classifier moves when a signal of one unit, or at one token, is clamped.

Each variant of a batch is the whole text with one signal clamped: of one unit at all tokens, or of all units at one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.classifier import TextClassifier, with_both_classes
from lstm_core.nn.cells import Hook
from lstm_core.nn.clamps import SIGNALS
from lstm_core.nn.layers import Recur
from lstm_core.nn.trace import run_cell

BATCH = 16  # variants in one pass: more would need much memory and be no faster


@dataclass(frozen=True)
class Ablation:
    """The effect of clamping a signal, one place (unit or token) at a time."""

    before: Array  # (classes,) the answer without clamps
    after: Array  # (places, classes) the answer with the signal clamped at each place

    def change(self, label: int) -> Array:
        """(places,) the change of the probability of a class."""
        return self.after[:, label] - self.before[label]


def ablate(
    model: TextClassifier,
    text: str,
    over: Literal["units", "tokens"],
    signal: str = "h",
    value: float = 0.0,
    *,
    layer: int = 0,
    mask_names: bool | None = None,
    report: Callable[[float], object] = lambda share: None,
) -> Ablation:
    """Clamp a signal of one unit after the other at all tokens, or of all units at one token after the other.

    Args:
        model: a classifier whose layer is an LSTM, a GRU or a plain RNN that reads forwards.
        text: what `TextClassifier.read` takes.
        over: "units" or "tokens": the places of the result.
        signal: a gate or a state of that layer.
        value: what it is clamped to.
        layer: which recurrent layer, from 0.
        mask_names: see `TextClassifier.read`.
        report: called with the share that is done, 0…1.

    Raises:
        TextError: if there is nothing to read.
        ValueError: if there is no such layer or signal, or its layer doesn't read forwards only.
    """
    network = model.network
    if not 0 <= layer < len(network.recurrent_names):
        raise ValueError(f"There is no layer {layer}; there are {len(network.recurrent_names)}, from 0.")
    node = next(node for node in network.nodes if node.name == network.recurrent_names[layer])
    if not isinstance(node.operation, Recur):
        raise ValueError(f"Layer '{node.name}' reads in both directions; its units can't be clamped one by one.")
    weights = node.operation.weights
    if weights.go_backwards:
        raise ValueError(f"Layer '{node.name}' reads backwards; only one that reads forwards can be ablated.")
    if signal not in SIGNALS[weights.kind]:
        raise ValueError(f"Layer '{node.name}' has no '{signal}'; it has {', '.join(SIGNALS[weights.kind])}.")
    inputs = model.encoder.encode(text, mask_names).inputs
    whole = network.run(*inputs)
    x = whole.values[node.parents[0]]  # (T, features)
    places = len(x) if over == "tokens" else weights.units
    after = []
    for first in range(0, places, BATCH):
        chosen = np.arange(first, min(first + BATCH, places))  # one variant each

        def hook_at(t: int, chosen: Array = chosen) -> Hook:
            where = chosen[:, None] == (t if over == "tokens" else np.arange(weights.units))  # (variants, units or 1)
            return lambda name, old: np.where(where, old.dtype.type(value), old) if name == signal else old

        batch = np.broadcast_to(x[:, None], (len(x), len(chosen), x.shape[1]))
        outputs = run_cell(weights, batch, hooks=hook_at).outputs  # (T, variants, units)
        answers = network.run(*inputs, start={node.name: outputs}).output[-1]  # (variants, classes)
        after.append(with_both_classes(answers))
        report(min((first + BATCH) / places, 1.0))
    return Ablation(with_both_classes(whole.output)[-1], np.concatenate(after))
