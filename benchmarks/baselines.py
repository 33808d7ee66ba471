"""Baselines of the shipped models: a linear SVM for labelled texts, an n-gram model for plain texts.

    python -m benchmarks.baselines [stackoverflow] [imdb] [macbeth] [julius_caesar] [shakespeare] [--json]

The SVM, on tf-idf of words and word pairs, a second one of characters too where the texts are about code, and one that
learns from its own answers where there are texts without a label, use the training and validation parts of our recipes;
they are chosen on the validation part, and fitted again on all training texts before the test. The n-gram models are
fitted on everything before the test part.
`--update-cards` writes the figures into our models' cards, the best one's as `baseline`. Our own results are those in
the cards.
"""

from __future__ import annotations

import argparse
import dataclasses
import itertools
import json
import math
import statistics
import time
from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.ngrams import WittenBell, kneser_ney
from lstm_core.datasets import registry, splits
from lstm_core.evaluation.evaluate import area_under_roc
from lstm_core.inference import registry as model_registry
from lstm_core.library import store

STRENGTHS = (0.1, 0.3, 1.0)
SHARES = (0.25, 0.5, 1.0)  # of the texts without a label, those of which an SVM is surest
# In questions about code, punctuation characters are tokens, too; without them the peer loses 1.5 points.
TOKENS = {"stackoverflow": r"\w+|[^\w\s]", "imdb": r"\w+"}
CHARACTERS = {"stackoverflow": (2, 5)}  # shortest and longest n-gram of characters, spaces included, in a second SVM
BUCKETS = 2**20  # of hashed n-grams of characters, of which there are millions
LOWERCASE = {"macbeth": True, "julius_caesar": True, "shakespeare": False}  # as in our recipes
# Characters of the n-grams. Witten–Bell: with a context of three, Macbeth has 1.53 nats instead of 1.47.
WITTEN_BELL_ORDER, KNESER_NEY_ORDER = 5, 7
VALIDATION, SEED = 0.1, 1  # as in `assets/recipes.toml`
SVM, SVM_CHARACTERS = "linear SVM, tf-idf of words", "linear SVM, tf-idf of words and characters"
SVM_UNLABELLED = "linear SVM, self-trained on unlabelled texts"
WITTEN_BELL = f"Witten–Bell {WITTEN_BELL_ORDER}-gram"
KNESER_NEY = f"Kneser–Ney {KNESER_NEY_ORDER}-gram"
PEERS = (*TOKENS, *LOWERCASE)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure the peers on the selected data sets, and print a table for each kind."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.baselines", description=__doc__.splitlines()[0])
    parser.add_argument("datasets", nargs="*", metavar="DATASET", help=f"of {', '.join(PEERS)}; all without one")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-cards", action="store_true", help="write the peers' figures into our models' cards")
    options = parser.parse_args(arguments)
    names = options.datasets or PEERS
    for name in names:
        if name not in PEERS:
            parser.error(f"there is no data set '{name}' with a peer; choose from {', '.join(PEERS)}")
    peers = {name: svms(name) if name in TOKENS else ngrams(name) for name in names}
    if options.update_cards:
        for rows in peers.values():
            update_cards(rows)
    rows = [row for name in names for row in (*ours(name), *peers[name])]
    if options.json:
        print(json.dumps({"rows": rows}))
        return
    _show_classifiers([row for row in rows if "accuracy" in row])
    _show_writers([row for row in rows if "nats_per_character" in row])


def _show_classifiers(rows: list[dict[str, Any]]) -> None:
    if rows:
        print(f"{'data set':15}{'model':44}{'test accuracy':>14}{'AUC':>8}   trained in")
    for row in rows:
        auc = f"{row['auc']:8.4f}" if row["auc"] is not None else f"{'–':>8}"
        print(f"{row['dataset']:15}{row['model']:44}{row['accuracy']:14.2%}{auc}   {row['seconds']:,.0f} s")


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


def ngrams(dataset: str) -> list[dict[str, Any]]:
    """The n-grams' nats per character on the test part of a running text.

    Raises:
        DatasetError: if the text isn't there and can't be had.
    """
    text = registry.load_text(dataset)
    text = text.lower() if LOWERCASE[dataset] else text
    *_, test = splits.hold_out(text)
    before, alphabet = text[: len(text) - len(test)], sorted(set(text))
    rows = []
    for name, measure in ((WITTEN_BELL, _witten_bell), (KNESER_NEY, _kneser_ney)):
        began = time.perf_counter()
        nats = measure(before, test, alphabet)
        seconds = time.perf_counter() - began
        rows.append({"dataset": dataset, "model": name, "nats_per_character": nats, "seconds": seconds})
    return rows


def _witten_bell(before: str, test: str, alphabet: Sequence[str]) -> float:
    model = WittenBell(before, WITTEN_BELL_ORDER, alphabet=len(alphabet))
    return statistics.fmean(model.surprisal(test, before))


def _kneser_ney(before: str, test: str, alphabet: Sequence[str]) -> float:
    ids = {character: each for each, character in enumerate(alphabet)}
    training, context = [ids[each] for each in before], KNESER_NEY_ORDER - 1
    behind = training[-context:] + [ids[each] for each in test]
    surprisal = kneser_ney([training], [behind], KNESER_NEY_ORDER, len(alphabet))
    return float(surprisal[context - 1 :].mean())  # of the test part alone


def svms(dataset: str) -> list[dict[str, Any]]:
    """The figures of `svm` on words, on characters too if `CHARACTERS` has the data set, and with unlabelled texts."""
    kinds: list[dict[str, Any]] = [{}]
    if dataset in CHARACTERS:
        kinds.append({"characters": CHARACTERS[dataset]})
    if registry.find_dataset(dataset).unlabelled:
        kinds.append({"more": registry.load_unlabelled(dataset)})
    return [svm(dataset, **kind) for kind in kinds]


def svm(dataset: str, characters: tuple[int, int] | None = None, more: Sequence[str] = ()) -> dict[str, Any]:
    """The peer's figures on the test split, and how it was chosen.

    Args:
        dataset: a name of `TOKENS`.
        characters: the shortest and the longest n-gram of characters that it reads beside words; None for words alone.
        more: texts without a label; it learns from its own answers to those of which it is surest, of two classes.

    Raises:
        DatasetError: if the data set isn't there and can't be had.
    """
    data = registry.load_labelled(dataset)
    began = time.perf_counter()
    training, validation = splits.validation_split(data.train, VALIDATION, SEED)
    features, known, extra = _features(TOKENS[dataset], characters, training.texts, validation.texts, more)
    tried = {}
    for strength, share in itertools.product(STRENGTHS, SHARES if more else (0.0,)):
        found = trained(features, training.labels, strength, extra, share).predict(known)
        tried[strength, share] = float((found == validation.labels).mean())
    strength, share = max(tried, key=lambda each: tried[each])
    features, unseen, extra = _features(TOKENS[dataset], characters, data.train.texts, data.test.texts, more)
    machine = trained(features, data.train.labels, strength, extra, share)
    seconds = time.perf_counter() - began
    scores = machine.decision_function(unseen)  # (n,) for two classes, or else (n, classes)
    two = scores.ndim == 1
    answers = (scores > 0).astype(int) if two else scores.argmax(axis=1)
    return {
        "dataset": dataset,
        "model": SVM_UNLABELLED if more else SVM_CHARACTERS if characters else SVM,
        "accuracy": float((answers == data.test.labels).mean()),
        "auc": area_under_roc(scores, data.test.labels == 1) if two else None,
        "seconds": seconds,
        "validation": [[*option, accuracy] for option, accuracy in tried.items()],
        "strength": strength,
        "share": share,
    }


def update_cards(rows: Sequence[dict[str, Any]]) -> None:
    """Write the peers' results, the best one's apart, to the card of every shipped model of their data set."""
    kept = ("accuracy", "auc", "nats_per_character")
    ordered = sorted(rows, key=lambda row: row.get("nats_per_character", -row.get("accuracy", 0.0)))
    task = "classifier" if "accuracy" in rows[0] else "generator"
    best, *others = ({"name": row["model"], **{key: row[key] for key in kept if key in row}} for row in ordered)
    for card in model_registry.list_models():
        if (card.dataset, card.task) == (rows[0]["dataset"], task):
            training = {**card.training, "baseline": best, "other_baselines": others}
            store.save_card(dataclasses.replace(card, training=training), store.SHIPPED / card.name)


def _features(
    tokens: str, characters: tuple[int, int] | None, fit: Sequence[str], other: Sequence[str], more: Sequence[str]
) -> tuple[Any, Any, Any]:
    """As `vectorized`: the first texts, others, and `more` of which the features come too."""
    _, found, others = vectorized(tokens, characters, [*fit, *more], other)
    return found[: len(fit)], others, found[len(fit) :]


def vectorized(
    tokens: str, characters: tuple[int, int] | None, fit: Sequence[str], other: Sequence[str]
) -> tuple[Any, Any, Any]:
    """tf-idf of words and word pairs, and of hashed n-grams of characters: the union, fitted, and both texts' rows."""
    from sklearn.feature_extraction.text import HashingVectorizer, TfidfTransformer, TfidfVectorizer
    from sklearn.pipeline import make_pipeline, make_union

    parts = [TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True, token_pattern=tokens, dtype=np.float32)]
    if characters:
        counts = HashingVectorizer(
            analyzer="char", ngram_range=characters, n_features=BUCKETS, norm=None, alternate_sign=False,
            dtype=np.float32,
        )  # fmt: skip
        parts.append(make_pipeline(counts, TfidfTransformer(sublinear_tf=True)))
    both = make_union(*parts)
    return both, both.fit_transform(fit), both.transform(other)


def trained(features: Any, labels: Any, strength: float, extra: Any = None, share: float = 0.0) -> Any:
    """An SVM; for a share above 0, a second one that learns from the first one's surest answers as well."""
    from scipy.sparse import vstack
    from sklearn.svm import LinearSVC

    machine = LinearSVC(C=strength, random_state=SEED).fit(features, labels)
    if not share:
        return machine
    margins = machine.decision_function(extra)
    surest = np.argsort(-np.abs(margins))[: int(share * len(margins))]
    answers = np.concatenate([labels, margins[surest] > 0])
    return LinearSVC(C=strength, random_state=SEED).fit(vstack([features, extra[surest]]), answers)


if __name__ == "__main__":
    main()
