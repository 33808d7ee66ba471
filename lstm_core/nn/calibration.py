"""Calibrated probabilities: a scale of the logits, and shifts, fitted to examples that were held out."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.optional import library


@dataclass(frozen=True)
class Calibration:
    """Logits are multiplied by `scale`, and `shifts` are added (Platt 1999; for more classes, Guo et al. 2017).

    Attributes:
        scale: of all logits, 1 / temperature; below 1 for an overconfident network.
        shifts: one for each output.
    """

    scale: float
    shifts: tuple[float, ...]

    @classmethod
    def fit(cls, answers: Array, targets: Array, *, shifted: bool = True) -> "Calibration":
        """The scale and the shifts with the lowest cross-entropy.

        Args:
            answers: (n, classes) probabilities, or (n, 1) of a sigmoid unit.
            targets: (n, classes) or (n, 1), 1 for the label.
            shifted: False finds a scale alone, and the shifts are 0.

        Raises:
            MissingLibraryError: without SciPy.
        """
        logits = np.log(np.clip(_both(answers.astype(np.float64)), 1e-7, 1))
        labels, outputs = _both(targets).argmax(axis=1), answers.shape[1]

        def cross_entropy(values: Array) -> float:
            scaled = values[0] * logits
            if shifted:
                scaled[:, -outputs:] += values[1:]
            own = scaled[np.arange(len(labels)), labels]
            return float((np.logaddexp.reduce(scaled, axis=1) - own).mean())

        first = np.array([1.0] + [0.0] * outputs if shifted else [1.0])
        scale, *shifts = library("scipy.optimize", "train").minimize(cross_entropy, first).x.tolist()
        mean = sum(shifts) / outputs if outputs > 1 else 0.0  # those of a softmax are relative to each other
        return cls(scale, tuple(shift - mean for shift in shifts or [0.0] * outputs))

    def put_into(self, network: Any) -> None:
        """Scale and shift the layer "answer" of a Keras network, so that its probabilities are calibrated."""
        layer = network.get_layer("answer")
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * self.scale, bias * self.scale + np.asarray(self.shifts, bias.dtype)])


def _both(answers: Array) -> Array:
    """(n, 2) for one sigmoid unit: the other class and the unit's; others as they are."""
    return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers
