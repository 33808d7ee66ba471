"""Calibrated probabilities: a scale and shifts of the logits, fitted to examples that were held out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.optional import library


@dataclass(frozen=True)
class Calibration:
    """Logits are multiplied by `scale`, and `shifts` are added (Platt 1999; for more classes, Guo et al. 2017).

    Attributes:
        scale: of all logits; below 1 for an overconfident network.
        shifts: one for each output.
    """

    scale: float
    shifts: tuple[float, ...]

    @classmethod
    def fit(cls, answers: Array, targets: Array) -> "Calibration":
        """The scale and the shifts with the lowest cross-entropy.

        Args:
            answers: (n, classes) probabilities, or (n, 1) of a sigmoid unit.
            targets: (n, classes) or (n, 1), 1 for the label.

        Raises:
            MissingLibraryError: without SciPy.
        """
        logits = np.log(np.clip(_both(answers.astype(np.float64)), 1e-7, 1))
        labels, outputs = _both(targets).argmax(axis=1), answers.shape[1]

        def cross_entropy(values: Array) -> float:
            shifted = values[0] * logits
            shifted[:, -outputs:] += values[1:]
            own = shifted[np.arange(len(labels)), labels]
            return float((np.logaddexp.reduce(shifted, axis=1) - own).mean())

        found = library("scipy.optimize", "train").minimize(cross_entropy, [1.0] + [0.0] * outputs).x
        shifts = found[1:] - (found[1:].mean() if outputs > 1 else 0)  # those of a softmax are relative to each other
        return cls(float(found[0]), tuple(shifts.tolist()))

    def put_into(self, network: Any) -> None:
        """Scale and shift the layer "answer" of a Keras network, so that its probabilities are calibrated."""
        layer = network.get_layer("answer")
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * self.scale, bias * self.scale + np.asarray(self.shifts, bias.dtype)])


def _both(answers: Array) -> Array:
    """(n, 2) for one sigmoid unit: the other class and the unit's; others as they are."""
    return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers
