"""The figures in the cards: by hand on six examples, and the area under the ROC curve by counting pairs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_core import datasets
from lstm_core.classify import TextClassifier
from lstm_core.errors import DatasetError, ModelError
from lstm_core.evaluate import area_under_roc, classification_figures, evaluate
from lstm_core.splits import LabelledTexts, Split

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
    assert "auc" not in classification_figures(certain([0]), np.array([0]), LABELS)


@given(
    examples=st.lists(
        st.tuples(st.sampled_from([0.0, 0.1, 0.25, 0.5, 1.0]), st.booleans()), min_size=2, max_size=30
    ).filter(lambda rows: len({positive for _, positive in rows}) == 2)
)
@settings(deadline=None, max_examples=100, derandomize=True, database=None)
def test_the_area_is_the_share_of_pairs_in_order(examples: list[tuple[float, bool]]) -> None:
    positives = [score for score, positive in examples if positive]
    negatives = [score for score, positive in examples if not positive]
    in_order = [(up > down) + (up == down) / 2 for up in positives for down in negatives]
    scores, positive = map(np.array, zip(*examples, strict=True))
    assert area_under_roc(scores, positive) == pytest.approx(np.mean(in_order))


# --- a model on its data set ----------------------------------------------------------------


def small_data(labels: tuple[str, ...]) -> LabelledTexts:
    test = Split(("sort a list in java", "loop", "the list ( in python )"), np.array([1, 2, 0]))
    return LabelledTexts(Split((), np.zeros(0)), test, labels)


def test_a_model_is_measured_on_the_test_split(tiny: TextClassifier, monkeypatch: pytest.MonkeyPatch) -> None:
    data, asked = small_data(tiny.labels), []
    monkeypatch.setattr(datasets, "load_labelled", lambda name: asked.append(name) or data)
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


@pytest.mark.parametrize("labels", [("java", "csharp", "python"), ("a", "b", "c", "d")])
def test_a_model_of_other_classes_is_not_measured(
    tiny: TextClassifier, labels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(datasets, "load_labelled", lambda name: small_data(labels))
    with pytest.raises(ModelError, match="can't be measured"):
        evaluate(tiny)


@pytest.mark.parametrize("name", ["nonsense", "macbeth"])
def test_a_card_with_the_wrong_data_set(
    tiny: TextClassifier, name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    monkeypatch.setenv("LSTM_LAB_DATA", str(tmp_path))
    with pytest.raises(DatasetError, match=r"no data set called|without labels"):
        evaluate(replace(tiny, card=replace(tiny.card, dataset=name)))
