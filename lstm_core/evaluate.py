"""Measures a trained model on the test split that it never saw: the figures in the cards.

Plain NumPy on the model's own predictions. Nothing here chooses anything: choosing happens on
validation data, in `training.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from lstm_core import datasets
from lstm_core.cells import Array
from lstm_core.errors import ModelError

if TYPE_CHECKING:
    from lstm_core.classify import TextClassifier


def evaluate(model: TextClassifier) -> dict[str, Any]:
    """The figures of a model on the test split of its data set, ready for JSON.

    Raises:
        DatasetError: if the data set isn't there and can't be had.
        ModelError: if the model has other classes than its data set.
    """
    data = datasets.load_labelled(model.card.dataset)
    if data.labels != model.labels:
        raise ModelError(
            f"The model '{model.card.name}' tells {', '.join(model.labels)} apart, its data set "
            f"{', '.join(data.labels)}: it can't be measured on that; mend 'dataset' or 'labels' in its card."
        )
    # The data's own questions are read as they are: masking is for names that people paste.
    probabilities = model.predict(data.test.texts, mask_names=False)
    return {"model": model.card.name, **classification_figures(probabilities, data.test.labels, model.labels)}


def classification_figures(probabilities: Array, truth: Array, labels: tuple[str, ...]) -> dict[str, Any]:
    """Accuracy, confusion matrix, precision and recall of each class; AUC where there are two.

    Args:
        probabilities: (n, classes), rows sum to 1.
        truth: (n,) class indices.
        labels: the names of the classes.

    Returns:
        `confusion[t][p]` counts examples of class t that were given class p. Precision is None
        for a class that was never given, recall for one that never occurs.
    """
    answers = probabilities.argmax(axis=1)  # (n,): one class an example
    confusion = np.zeros((len(labels), len(labels)), int)
    np.add.at(confusion, (truth, answers), 1)
    right = np.diag(confusion)
    figures: dict[str, Any] = {
        "examples": len(truth),
        "accuracy": float(right.sum() / len(truth)),
        "cross_entropy": float(-np.log(np.maximum(probabilities[np.arange(len(truth)), truth], 1e-12)).mean()),
        "precision": dict(zip(labels, map(_ratio, right, confusion.sum(axis=0)), strict=True)),
        "recall": dict(zip(labels, map(_ratio, right, confusion.sum(axis=1)), strict=True)),
        "confusion": confusion.tolist(),
        "labels": list(labels),
    }
    if len(labels) == 2:
        figures["auc"] = area_under_roc(probabilities[:, 1], truth == 1)
    return figures


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None


def area_under_roc(scores: Array, positive: Array) -> float:
    """The chance that a positive example scores above a negative one; ties count half.

    Computed from ranks (Mann & Whitney 1947).

    Args:
        scores: (n,) higher means more likely positive.
        positive: (n,) of bool, with at least one of each.
    """
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    last_rank = np.cumsum(counts)
    ranks = (last_rank - (counts - 1) / 2)[inverse]  # mean rank among ties, from 1
    positives, negatives = int(positive.sum()), int((~positive).sum())
    return float((ranks[positive].sum() - positives * (positives + 1) / 2) / (positives * negatives))
