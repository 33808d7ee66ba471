"""The metrics of trained models on the test split, as written to their cards."""

from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits
from lstm_core.errors import ModelError
from lstm_core.inference import TextClassifier, TextGenerator, WordModel
from lstm_core.inference.registry import TASKS, function_of
from lstm_core.interpret import unit_correlation
from lstm_core.training.lessons.recipe import OWN


def evaluate(model: TextClassifier | TextGenerator | WordModel) -> dict[str, Any]:
    """The metrics of a model on the test part of its data set, as a JSON object.

    Raises:
        DatasetError: if the data set isn't downloaded.
        ModelError: if the model has other classes than its data set, or was trained on uploaded data.
    """
    if model.card.dataset == OWN:
        own = f"The model '{model.card.name}' was trained on your own data, which have no test part"
        raise ModelError(f"{own}; its validation metrics are in its card.")
    figures: dict[str, Any] = function_of(TASKS[model.card.task].evaluate)(model)
    return figures


def reading_figures(model: TextClassifier) -> dict[str, Any]:
    """The accuracy, calibration and worst mistakes of a classifier on the test split; errors as of `evaluate`."""
    data = registry.load_labelled(model.card.dataset)
    if data.labels != model.labels:
        raise ModelError(
            f"The model '{model.card.name}' has the classes {', '.join(model.labels)}, its data set "
            f"{', '.join(data.labels)}; correct 'dataset' or 'labels' in its card."
        )
    # Names of languages are masked in the data set already.
    probabilities = model.predict(data.test.texts, mask_names=False)
    truth = np.asarray(data.test.labels)
    lengths = np.array([len(model.encoder.tokens_of(text)) for text in data.test.texts])
    return {
        "model": model.card.name,
        **classification_figures(probabilities, truth, model.labels),
        "calibration": calibration(probabilities, truth),
        "by_length": by_length(probabilities, truth, lengths),
        "mistakes": worst_mistakes(probabilities, truth),
    }


def writing_figures(model: TextGenerator) -> dict[str, Any]:
    """Nats per character on the test part of a text, and the interpretable units of the model.

    All characters but the first of the test part are scored. The first windows of a model that reads windows begin
    before the test part. Errors are those of `evaluate`.
    """
    original = registry.load_text(model.card.dataset)
    text = model.alphabet.folded(original)
    *_, test = splits.hold_out(text)
    before = text[: len(text) - len(test)]
    lead = before[max(0, len(before) - model.reader.memory) :]
    surprisal = model.score(lead + test).surprisal[-len(model.alphabet.encode(test[1:])) :]
    training, validation, last = splits.hold_out(original)
    units = unit_correlation.find_readable_units(model, training[-len(validation) :] + validation, last)
    return {
        "model": model.card.name,
        "examples": len(surprisal),
        "nats_per_character": float(surprisal.mean()),
        "perplexity": float(np.exp(surprisal.mean())),
        "readable": unit_correlation.readable_units_to_json(units),
    }


def classification_figures(probabilities: Array, truth: Array, labels: tuple[str, ...]) -> dict[str, Any]:
    """Accuracy, confusion matrix, precision and recall of each class; AUC where there are two.

    Args:
        probabilities: (n, classes), rows sum to 1.
        truth: (n,) class indices.
        labels: the names of the classes.

    Returns:
        `confusion[t][p]` is the number of examples of class t with the prediction p. Precision is None for a class that
        is never predicted, recall for one that never occurs.
    """
    answers = probabilities.argmax(axis=1)  # (n,)
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
    figures["roc"] = {
        label: roc_curve(probabilities[:, index], truth == index)
        for index, label in enumerate(labels)
        if len(labels) > 2 or index == 1
    }
    return figures


def roc_curve(scores: Array, positive: Array, points: int = 101) -> dict[str, list[float]]:
    """The receiver operating characteristic of one class against the rest, reduced to a few points.

    Args:
        scores: (n,) higher means more likely positive.
        positive: (n,) of bool.
        points: the number of points, evenly spaced along the curve.

    Returns:
        `false_positive_rate` and `true_positive_rate`, rising from 0 to 1, and the `auc` of the whole curve; empty
        where all or no examples are positive.
    """
    if positive.all() or not positive.any():
        return {}
    true_rate, false_rate = _rates(scores, positive)
    # Evenly spaced by the sum of both rates, so that steep parts keep their points.
    wanted = np.searchsorted(true_rate + false_rate, np.linspace(0, 2, points)).clip(max=len(true_rate) - 1)
    kept = np.unique(np.append(0, wanted))
    return {
        "false_positive_rate": false_rate[kept].round(4).tolist(),
        "true_positive_rate": true_rate[kept].round(4).tolist(),
        "auc": [area_under_roc(scores, positive)],
    }


def area_under_roc(scores: Array, positive: Array) -> float:
    """The area under the ROC curve of (n,) scores for (n,) bool, with at least one of each; ties count half."""
    return float(np.trapezoid(*_rates(scores, positive)))


def _rates(scores: Array, positive: Array) -> tuple[Array, Array]:
    """The true and the false positive rate from 0 to 1, a point for each different score."""
    order = np.argsort(-scores, kind="stable")
    last_of_ties = np.append(np.diff(scores[order]) != 0, True)
    hits, misses = (np.cumsum(side[order])[last_of_ties] for side in (positive, ~positive))
    return np.append(0.0, hits / hits[-1]), np.append(0.0, misses / misses[-1])


def calibration(probabilities: Array, truth: Array, bins: int = 10) -> dict[str, Any]:
    """The reliability of the confidences, and the expected calibration error.

    Args:
        probabilities: (n, classes).
        truth: (n,) class indices.
        bins: the number of equal intervals of confidence in 0…1.

    Returns:
        `confidence`, `accuracy` and `count` of each bin that isn't empty, and `ece` (Naeini, Cooper & Hauskrecht
        2015), the mean difference of the two.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == truth
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    rows = [(confidence[place == k].mean(), right[place == k].mean(), (place == k).sum()) for k in np.unique(place)]
    means, accuracies, counts = (np.array(column) for column in zip(*rows, strict=True))
    return {
        "confidence": means.astype(float).round(4).tolist(),
        "accuracy": accuracies.round(4).tolist(),
        "count": counts.tolist(),
        "ece": float((np.abs(means - accuracies) * counts).sum() / counts.sum()),
    }


def by_length(probabilities: Array, truth: Array, lengths: Array, parts: int = 8) -> dict[str, list[float]]:
    """`accuracy`, `count` and median `tokens` of groups of texts of similar length, about equal in size.

    Args:
        probabilities: (n, classes).
        truth: (n,) class indices.
        lengths: (n,) the tokens of each text.
        parts: the number of groups.
    """
    right = probabilities.argmax(axis=1) == truth
    groups = [group for group in np.array_split(np.argsort(lengths, kind="stable"), parts) if len(group)]
    return {
        "tokens": [float(np.median(lengths[group])) for group in groups],
        "accuracy": [round(float(right[group].mean()), 4) for group in groups],
        "count": [len(group) for group in groups],
    }


def worst_mistakes(probabilities: Array, truth: Array, most: int = 24) -> list[dict[str, Any]]:
    """The most confident wrong predictions: `index` in the test split, predicted class index `answer`, `confidence`.

    Args:
        probabilities: (n, classes).
        truth: (n,) class indices.
        most: the largest number of predictions.
    """
    answers = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(answers != truth)
    chosen = wrong[np.argsort(-probabilities[wrong, answers[wrong]], kind="stable")][:most]
    return [
        {"index": int(k), "answer": int(answers[k]), "confidence": round(float(probabilities[k, answers[k]]), 4)}
        for k in chosen
    ]


def _ratio(part: int, whole: int) -> float | None:
    return float(part / whole) if whole else None
