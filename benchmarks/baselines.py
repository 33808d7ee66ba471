"""Baselines of the shipped models: a linear SVM for labelled texts, an n-gram model for plain texts.

    python -m benchmarks.baselines [stackoverflow] [imdb] [macbeth] [julius_caesar] [shakespeare] [--json]

The SVM, on tf-idf of words and word pairs, uses the training and validation parts of our recipes; its regularization
is chosen on the validation part, and it is fitted again on all training texts before the test. The n-gram model is
fitted on everything before the test part. Our own results are those in the cards.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.ngrams import WittenBell
from lstm_core.datasets import registry, splits
from lstm_core.evaluation.evaluate import area_under_roc
from lstm_core.inference import registry as model_registry
from lstm_core.library import store

STRENGTHS = (0.1, 0.3, 1.0)
# In questions about code, punctuation characters are tokens, too; without them the peer loses 1.5 points.
TOKENS = {"stackoverflow": r"\w+|[^\w\s]", "imdb": r"\w+"}
LOWERCASE = {"macbeth": True, "julius_caesar": True, "shakespeare": False}  # as in our recipes
ORDER = 5  # a context of four characters; with three, Macbeth has 1.53 nats instead of 1.47
VALIDATION, SEED = 0.1, 1  # as in `assets/recipes.toml`
SVM, NGRAM = "linear SVM, tf-idf", f"Witten–Bell {ORDER}-gram"
PEERS = {**dict.fromkeys(TOKENS, SVM), **dict.fromkeys(LOWERCASE, NGRAM)}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the peers on the selected data sets, and print a table for each kind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help=f"of {', '.join(PEERS)}; all without one")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-cards", action="store_true", help="write the peers' figures into our models' cards")
    options = parser.parse_args(arguments)
    names = options.datasets or list(PEERS)
    for name in names:
        if name not in PEERS:
            parser.error(f"there is no data set '{name}' with a peer; choose from {', '.join(PEERS)}")
    rows = [row for name in names for row in (*ours(name), baseline(name) if name in TOKENS else ngram(name))]
    if options.update_cards:
        for row in rows:
            if row["model"] == PEERS[row["dataset"]]:
                update_cards(row)
    if options.json:
        print(json.dumps({"rows": rows}))
        return
    _show_classifiers([row for row in rows if "accuracy" in row])
    _show_writers([row for row in rows if "nats_per_character" in row])


def _show_classifiers(rows: list[dict[str, Any]]) -> None:
    if rows:
        print(f"{'data set':15}{'model':24}{'test accuracy':>14}{'AUC':>8}   trained in")
    for row in rows:
        auc = f"{row['auc']:8.4f}" if row["auc"] is not None else f"{'–':>8}"
        print(f"{row['dataset']:15}{row['model']:24}{row['accuracy']:14.2%}{auc}   {row['seconds']:,.0f} s")


def _show_writers(rows: list[dict[str, Any]]) -> None:
    if rows:
        print(f"{'data set':15}{'model':24}{'nats per character':>20}{'perplexity':>12}   trained in")
    for row in rows:
        nats = row["nats_per_character"]
        print(f"{row['dataset']:15}{row['model']:24}{nats:20.4f}{math.exp(nats):12.3f}   {row['seconds']:,.0f} s")


def ours(dataset: str) -> list[dict[str, Any]]:
    """The results in the cards of the shipped models of a data set, in ascending order."""
    names, better = (("nats_per_character",), -1) if dataset in LOWERCASE else (("accuracy", "auc"), 1)
    rows = [
        {
            "dataset": dataset,
            "model": card.name,
            **{name: card.measured.get(name) for name in names},
            "seconds": card.training["seconds"],
        }
        for card in model_registry.list_models()
        if card.dataset == dataset and names[0] in card.measured
    ]
    return sorted(rows, key=lambda row: better * row[names[0]])


def ngram(dataset: str) -> dict[str, Any]:
    """The n-gram's nats per character on the test part of a running text.

    Raises:
        DatasetError: if the text isn't there and can't be had.
    """
    text = registry.load_text(dataset)
    text = text.lower() if LOWERCASE[dataset] else text
    *_, test = splits.hold_out(text)
    before = text[: len(text) - len(test)]
    began = time.perf_counter()
    model = WittenBell(before, ORDER, alphabet=len(set(text)))
    seconds = time.perf_counter() - began
    nats = statistics.fmean(model.surprisal(test, before))
    return {"dataset": dataset, "model": NGRAM, "nats_per_character": nats, "seconds": seconds}


def baseline(dataset: str) -> dict[str, Any]:
    """The peer's figures on the test split, and how it was chosen.

    Raises:
        DatasetError: if the data set isn't there and can't be had.
    """
    data = registry.load_labelled(dataset)
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
        "model": SVM,
        "accuracy": float((answers == data.test.labels).mean()),
        "auc": area_under_roc(scores, data.test.labels == 1) if two else None,
        "seconds": seconds,
        "validation": tried,
        "strength": strength,
    }


def update_cards(row: dict[str, Any]) -> None:
    """Write the peer's results to the card of every shipped model of its data set."""
    figures = {key: row[key] for key in ("accuracy", "auc", "nats_per_character") if key in row}
    for card in model_registry.list_models():
        if card.dataset == row["dataset"]:
            training = {**card.training, "baseline": {"name": row["model"], **figures}}
            store.save_card(dataclasses.replace(card, training=training), store.SHIPPED / card.name)


def _features(tokens: str, fit: splits.Split, other: splits.Split) -> tuple[Any, Any]:
    """tf-idf of words and word pairs, fitted on the first split."""
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
