"""Probabilities that are as often right as they say: a scale and shifts of log-odds, fitted to held-out texts."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import LabError


@dataclass(frozen=True)
class Calibration:
    """Logits are multiplied by `scale`, and `shifts` are added (Platt 1999; for more classes, Guo et al. 2017).

    Attributes:
        scale: of all logits; below 1 for a network that is too sure.
        shifts: one for each output.
    """

    scale: float
    shifts: tuple[float, ...]

    @classmethod
    def fit(cls, answers: Array, targets: Array) -> "Calibration":
        """The one with the lowest cross-entropy.

        Args:
            answers: (n, classes) probabilities, or (n, 1) of a sigmoid unit.
            targets: (n, classes) or (n, 1), 1 for the label.

        Raises:
            LabError: without SciPy.
        """
        try:
            from scipy.optimize import minimize
        except ImportError as error:
            raise LabError("Training this model needs SciPy: pip install scipy") from error
        logits = np.log(np.clip(_both(answers.astype(np.float64)), 1e-7, 1))
        labels, outputs = _both(targets).argmax(axis=1), answers.shape[1]

        def cross_entropy(values: Array) -> float:
            shifted = values[0] * logits
            shifted[:, -outputs:] += values[1:]
            own = shifted[np.arange(len(labels)), labels]
            return float((np.logaddexp.reduce(shifted, axis=1) - own).mean())

        found = minimize(cross_entropy, [1.0] + [0.0] * outputs).x
        shifts = found[1:] - (found[1:].mean() if outputs > 1 else 0)  # those of a softmax are relative to each other
        return cls(float(found[0]), tuple(shifts.tolist()))

    def put_into(self, network: Any) -> None:
        """Scale and shift the layer "answer" of a Keras network, so that its answers are the calibrated ones."""
        layer = network.get_layer("answer")
        kernel, bias = layer.get_weights()
        layer.set_weights([kernel * self.scale, bias * self.scale + np.asarray(self.shifts, bias.dtype)])


def _both(answers: Array) -> Array:
    """(n, 2) for one sigmoid unit: the other class and the unit's; others as they are."""
    return np.hstack([1 - answers, answers]) if answers.shape[1] == 1 else answers
