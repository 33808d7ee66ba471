"""The figures in the cards: by hand on six examples, and the area under the ROC curve by counting pairs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core.datasets import registry
from lstm_core.datasets.splits import LabelledTexts, Split
from lstm_core.errors import DatasetError, ModelError
from lstm_core.evaluation.evaluate import (
    area_under_roc,
    by_length,
    calibration,
    classification_figures,
    evaluate,
    roc_curve,
    worst_mistakes,
)
from lstm_core.inference.classifier import TextClassifier

LABELS = ("a", "b", "c")


def certain(answers: list[int], classes: int = 3) -> np.ndarray:
    """Probabilities of .8 for each answer and equal shares for the rest, (n, classes)."""
    rows = np.full((len(answers), classes), 0.2 / (classes - 1))
    rows[np.arange(len(answers)), answers] = 0.8
    return rows


def test_figures_worked_out_by_hand() -> None:
    truth = np.array([0, 0, 0, 1, 1, 2])
    figures = classification_figures(certain([0, 0, 1, 1, 0, 0]), truth, LABELS)
    assert figures == {
        "examples": 6,
        "accuracy": 0.5,
        "cross_entropy": pytest.approx(-(3 * np.log(0.8) + 3 * np.log(0.1)) / 6),
        "precision": {"a": 0.5, "b": 0.5, "c": None},  # c was never given
        "recall": {"a": pytest.approx(2 / 3), "b": 0.5, "c": 0.0},
        "confusion": [[2, 1, 0], [1, 1, 0], [1, 0, 0]],
        "labels": ["a", "b", "c"],
        "roc": {
            "a": {"false_positive_rate": [0, 0.6667, 1], "true_positive_rate": [0, 0.6667, 1], "auc": [0.5]},
            "b": {"false_positive_rate": [0, 0.25, 1], "true_positive_rate": [0, 0.5, 1], "auc": [0.625]},
            "c": {"false_positive_rate": [0, 1], "true_positive_rate": [0, 1], "auc": [0.5]},  # never sure of it
        },
    }


def test_a_class_that_never_occurs_has_no_recall() -> None:
    figures = classification_figures(certain([0, 2]), np.array([0, 0]), LABELS)
    assert figures["recall"] == {"a": 0.5, "b": None, "c": None}
    assert figures["precision"] == {"a": 1.0, "b": None, "c": 0.0}


def test_an_impossible_truth_does_not_make_the_cross_entropy_infinite() -> None:
    figures = classification_figures(np.array([[0.0, 1.0, 0.0]]), np.array([0]), LABELS)
    assert figures["cross_entropy"] == pytest.approx(-np.log(1e-12))


def test_two_classes_have_an_area_under_the_curve() -> None:
    chances = np.array([0.1, 0.4, 0.35, 0.8])  # of the second class; three of four pairs are in order
    figures = classification_figures(np.stack([1 - chances, chances], axis=1), np.array([0, 0, 1, 1]), ("no", "yes"))
    assert figures["auc"] == 0.75
    assert figures["roc"] == {"yes": roc_curve(chances, np.array([False, False, True, True]))}
    assert "auc" not in classification_figures(certain([0]), np.array([0]), LABELS)


both_kinds = st.lists(
    st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.booleans()), min_size=2, max_size=30
).filter(lambda rows: len({positive for _, positive in rows}) == 2)


@given(examples=both_kinds)
@settings(deadline=None, max_examples=100, derandomize=True, database=None)
def test_the_area_is_the_share_of_pairs_in_order(examples: list[tuple[float, bool]]) -> None:
    positives = [score for score, positive in examples if positive]
    negatives = [score for score, positive in examples if not positive]
    in_order = [(up > down) + (up == down) / 2 for up in positives for down in negatives]
    scores, positive = map(np.array, zip(*examples, strict=True))
    assert area_under_roc(scores, positive) == pytest.approx(np.mean(in_order))


# --- ROC ------------------------------------------------------------------------------------


def area_below(curve: dict[str, list[float]]) -> float:
    return float(np.trapezoid(curve["true_positive_rate"], curve["false_positive_rate"]))


@given(examples=both_kinds)
@settings(deadline=None, max_examples=100, derandomize=True, database=None)
def test_the_curve_goes_through_every_threshold(examples: list[tuple[float, bool]]) -> None:
    scores, positive = map(np.array, zip(*examples, strict=True))
    limits = [np.inf, *sorted(set(scores), reverse=True)]  # ties are taken together
    curve = roc_curve(scores, positive)
    assert curve["false_positive_rate"] == pytest.approx([np.mean(scores[~positive] >= x) for x in limits], abs=1e-4)
    assert curve["true_positive_rate"] == pytest.approx([np.mean(scores[positive] >= x) for x in limits], abs=1e-4)
    assert curve["auc"] == [area_under_roc(scores, positive)]
    assert area_below(curve) == pytest.approx(curve["auc"][0], abs=1e-3)


@pytest.mark.parametrize("distance", [0.0, 1.0, 3.0])
def test_a_thinned_curve_keeps_its_area_and_its_ends(distance: float) -> None:
    random = np.random.default_rng(0)
    positive = random.random(3000) < 0.2
    scores = random.normal(size=3000) + distance * positive
    curve = roc_curve(scores, positive, points=51)
    for rates in (curve["false_positive_rate"], curve["true_positive_rate"]):
        assert 40 < len(rates) <= 51
        assert (rates[0], rates[-1]) == (0, 1)
        assert rates == sorted(rates)
    assert area_below(curve) == pytest.approx(curve["auc"][0], abs=0.005)
    steps = np.diff(curve["false_positive_rate"]) + np.diff(curve["true_positive_rate"])
    assert steps.max() < 0.06  # steep parts keep their points


def test_scores_that_are_all_the_same_are_guessing() -> None:
    curve = roc_curve(np.full(6, 0.3), np.array([True, False] * 3))
    assert curve == {"false_positive_rate": [0, 1], "true_positive_rate": [0, 1], "auc": [0.5]}


@pytest.mark.parametrize(("flip", "area"), [(1, 1.0), (-1, 0.0)])
def test_the_best_and_the_worst_curve(flip: int, area: float) -> None:
    curve = roc_curve(flip * np.arange(4.0), np.array([False, False, True, True]))
    assert curve["auc"] == [area]
    assert area_below(curve) == area


@pytest.mark.parametrize("positive", [True, False])
def test_a_class_that_is_all_or_nothing_has_no_curve(positive: bool) -> None:
    assert roc_curve(np.arange(3.0), np.full(3, positive)) == {}
    figures = classification_figures(certain([0, 1]), np.array([0, 0]), LABELS)
    assert figures["roc"] == {"a": {}, "b": {}, "c": {}}


# --- Calibration, lengths, mistakes -----------------------------------------------------------


def sure(confidences: list[float], dtype: type = float) -> np.ndarray:
    """Answers of class 0 of three with these probabilities, (n, 3)."""
    chances = np.array(confidences, dtype)
    return np.stack([chances, *[(1 - chances) / 2] * 2], axis=1)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_calibration_by_hand(dtype: type) -> None:
    probabilities = sure([0.62, 0.64, 0.66, 0.68, 0.95, 1.0], dtype)
    assert calibration(probabilities, np.array([0, 1, 2, 1, 0, 0])) == {
        "confidence": [0.65, 0.975],
        "accuracy": [0.25, 1.0],
        "count": [4, 2],
        "ece": pytest.approx((4 * (0.65 - 0.25) + 2 * (1 - 0.975)) / 6),
    }


def test_bins_are_as_many_as_asked() -> None:
    probabilities, truth = sure([0.55, 0.7, 0.9]), np.array([0, 1, 0])
    assert calibration(probabilities, truth, bins=1)["count"] == [3]
    assert calibration(probabilities, truth, bins=2)["count"] == [3]
    assert calibration(probabilities, truth, bins=4)["count"] == [2, 1]


def test_one_who_knows_how_sure_to_be_has_no_calibration_error() -> None:
    shares = [0.4, 0.55, 0.75, 0.95]  # 20 answers of each confidence, right as often as it says
    truth = np.concatenate([np.arange(20) >= round(20 * share) for share in shares]).astype(int)
    good = calibration(sure(np.repeat(shares, 20).tolist()), truth)
    assert good["ece"] == pytest.approx(0, abs=1e-12)
    assert good["confidence"] == good["accuracy"] == shares
    assert good["count"] == [20] * 4
    boaster = calibration(sure([0.999] * 80), truth)
    assert boaster["ece"] == pytest.approx(0.999 - np.mean(shares))


def test_groups_of_like_length_are_of_like_size_and_in_order() -> None:
    random = np.random.default_rng(0)
    lengths = random.permutation(np.arange(1, 103))
    truth = (lengths > 51).astype(int)  # class 0 is the answer: right on short texts, wrong on long ones
    groups = by_length(certain([0] * 102), truth, lengths, parts=4)
    assert groups["count"] == [26, 26, 25, 25]
    assert groups["tokens"] == [13.5, 39.5, 65.0, 90.0]
    assert groups["accuracy"] == [1.0, round(25 / 26, 4), 0.0, 0.0]


def test_fewer_texts_than_groups() -> None:
    groups = by_length(certain([0, 0, 0]), np.array([0, 1, 0]), np.array([9, 5, 7]))
    assert groups == {"tokens": [5.0, 7.0, 9.0], "accuracy": [0.0, 1.0, 1.0], "count": [1, 1, 1]}


def test_the_surest_mistakes_come_first() -> None:
    probabilities = np.array([[0.2, 0.8], [0.9, 0.1], [0.4, 0.6], [0.99, 0.01], [0.2, 0.8], [0.05, 0.95]])
    truth = np.array([0, 1, 1, 0, 0, 0])
    expected = [
        {"index": 5, "answer": 1, "confidence": 0.95},
        {"index": 1, "answer": 0, "confidence": 0.9},
        {"index": 0, "answer": 1, "confidence": 0.8},  # as sure as the next: in the order of the data
        {"index": 4, "answer": 1, "confidence": 0.8},
    ]
    assert worst_mistakes(probabilities, truth) == expected
    assert worst_mistakes(probabilities, truth, most=2) == expected[:2]
    assert worst_mistakes(probabilities, probabilities.argmax(axis=1)) == []


# --- a model on its data set ----------------------------------------------------------------


def small_data(labels: tuple[str, ...]) -> LabelledTexts:
    test = Split(("sort a list in java", "loop", "the list ( in python )"), np.array([1, 2, 0]))
    return LabelledTexts(Split((), np.zeros(0)), test, labels)


def test_a_model_is_measured_on_the_test_split(tiny: TextClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = small_data(tiny.labels), []
    monkeypatch.setattr(registry, "load_labelled", lambda name: asked.append(name) or data)
    hiding = replace(tiny, encoder=replace(tiny.encoder, mask_names=True))
    answers = tiny.predict(data.test.texts).argmax(axis=1)  # the data's questions are read as they are
    figures = evaluate(hiding)
    assert asked == ["stackoverflow"]
    assert figures["model"] == "tiny"
    assert figures["examples"] == np.sum(figures["confusion"]) == 3
    assert figures["accuracy"] == np.mean(answers == data.test.labels)
    assert figures["cross_entropy"] == pytest.approx(
        -np.log(tiny.predict(data.test.texts)[[0, 1, 2], [1, 2, 0]]).mean(), rel=1e-5
    )
    assert sum(figures["calibration"]["count"]) == 3
    assert figures["by_length"]["tokens"] == [1.0, 5.0, 6.0]  # whole texts
    assert [row["index"] for row in figures["mistakes"]] == [
        index
        for index in np.argsort(-tiny.predict(data.test.texts).max(axis=1))
        if answers[index] != data.test.labels[index]
    ]
    assert json.loads(json.dumps(figures)) == figures  # as it goes into the card


@pytest.mark.parametrize("labels", [("java", "csharp", "python"), ("a", "b", "c", "d")])
def test_a_model_of_other_classes_is_not_measured(
    tiny: TextClassifier, labels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(registry, "load_labelled", lambda name: small_data(labels))
    with pytest.raises(ModelError, match="has the classes"):
        evaluate(tiny)


@pytest.mark.parametrize("name", ["nonsense", "macbeth"])
def test_a_card_with_the_wrong_data_set(
    tiny: TextClassifier, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("LSTM_LAB_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match=r"no data set called|without labels"):
        evaluate(replace(tiny, card=replace(tiny.card, dataset=name)))
