"""A linear support vector machine on tf-idf of words and word pairs, beside the shipped models.

    python -m benchmarks.baselines [stackoverflow] [imdb] [--json]

The peer reads the same training split; how strongly it is regularised is chosen on the same
validation part that our recipes choose by, and it is fitted once more on all training texts before
its only look at the test split. Our own figures are those in the models' cards.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from lstm_core import datasets, library, splits
from lstm_core.evaluate import area_under_roc

STRENGTHS = (0.1, 0.3, 1.0)
# Signs are words in questions about code; without them the peer loses one and a half points.
TOKENS = {"stackoverflow": r"\w+|[^\w\s]", "imdb": r"\w+"}
PEER = "linear SVM, tf-idf"
VALIDATION, SEED = 0.1, 1  # as in `lstm_core.recipes`


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the peer on the data sets that were asked for, and print one table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help="stackoverflow, imdb; both without one")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-cards", action="store_true", help="write the peer's figures into our models' cards")
    options = parser.parse_args(arguments)
    names = options.datasets or list(TOKENS)
    for name in names:
        if name not in TOKENS:
            parser.error(f"there is no labelled data set '{name}'; choose stackoverflow or imdb")
    rows = [row for name in names for row in (*ours(name), baseline(name))]
    if options.update_cards:
        for row in rows:
            if row["model"] == PEER:
                update_cards(row)
    if options.json:
        print(json.dumps({"rows": rows}))
        return
    print(f"{'data set':15}{'model':24}{'test accuracy':>14}{'AUC':>8}   trained in")
    for row in rows:
        auc = f"{row['auc']:8.4f}" if row["auc"] is not None else f"{'–':>8}"
        print(f"{row['dataset']:15}{row['model']:24}{row['accuracy']:14.2%}{auc}   {row['seconds']:,.0f} s")


def ours(dataset: str) -> list[dict[str, Any]]:
    """What the cards of the shipped models of a data set say, weakest first."""
    cards = [card for card in library.list_models() if card.dataset == dataset and "accuracy" in card.measured]
    rows = [
        {
            "dataset": dataset,
            "model": card.name,
            "accuracy": card.measured["accuracy"],
            "auc": card.measured.get("auc"),
            "seconds": card.training["seconds"],
        }
        for card in cards
    ]
    return sorted(rows, key=lambda row: row["accuracy"])


def baseline(dataset: str) -> dict[str, Any]:
    """The peer's figures on the test split, and how it was chosen.

    Raises:
        DatasetError: if the data set isn't there and can't be had.
    """
    data = datasets.load_labelled(dataset)
    began = time.perf_counter()
    training, validation = splits.validation_split(data.train, VALIDATION, SEED)
    features, known = _features(TOKENS[dataset], training, validation)
    tried = {}
    for strength in STRENGTHS:
        found = _svm(features, training.labels, strength).predict(known)
        tried[strength] = float((found == validation.labels).mean())
    strength = max(tried, key=lambda each: tried[each])
    features, unseen = _features(TOKENS[dataset], data.train, data.test)
    machine = _svm(features, data.train.labels, strength)
    seconds = time.perf_counter() - began
    scores = machine.decision_function(unseen)  # (n,) for two classes, or else (n, classes)
    two = scores.ndim == 1
    answers = (scores > 0).astype(int) if two else scores.argmax(axis=1)
    return {
        "dataset": dataset,
        "model": PEER,
        "accuracy": float((answers == data.test.labels).mean()),
        "auc": area_under_roc(scores, data.test.labels == 1) if two else None,
        "seconds": seconds,
        "validation": tried,
        "strength": strength,
    }


def update_cards(row: dict[str, Any]) -> None:
    """Put the peer's figures into the card of every shipped model of its data set, for the pages to show."""
    figures = {"name": row["model"], "accuracy": row["accuracy"], "auc": row["auc"]}
    for card in library.list_models():
        if card.dataset == row["dataset"]:
            training = {**card.training, "baseline": figures}
            library.save_card(dataclasses.replace(card, training=training), library.SHIPPED / card.name)


def _features(tokens: str, fit: splits.Split, other: splits.Split) -> tuple[Any, Any]:
    """tf-idf of words and word pairs, weighted by what the first split holds."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=tokens, dtype=np.float32
    )
    return vectorizer.fit_transform(fit.texts), vectorizer.transform(other.texts)


def _svm(features: Any, labels: Any, strength: float) -> Any:
    from sklearn.svm import LinearSVC

    return LinearSVC(C=strength, random_state=SEED).fit(features, labels)


if __name__ == "__main__":
    main()
