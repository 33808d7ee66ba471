"""What a linear SVM knows that our network doesn't: the test texts that it alone answers correctly, and by what.

    python -m benchmarks.disagreement [--json] [--update-card]

The SVM is the one of `benchmarks.baselines` on words and characters. A feature's share in an answer is its tf-idf times
the difference of its weights for two classes, the true one and the network's. The features that are listed have the
largest sums over the texts that the SVM alone answers correctly; of features within one another only the first is.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from benchmarks import baselines
from lstm_core.arrays import Array
from lstm_core.datasets import registry
from lstm_core.inference import registry as model_registry
from lstm_core.library import store

DATASET = NETWORK = "stackoverflow"
MOST, FEWEST_TEXTS, SHORTEST = 8, 5, 3  # clues that are listed, texts of one, characters of one
Sums = Mapping[tuple[str, int, int], tuple[float, int]]  # (feature, true class, network's class) → (sum, texts)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare both on the test split, and print the counts and the clues."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.disagreement", description=__doc__.splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-card", action="store_true", help="write the figures into the network's card")
    options = parser.parse_args(arguments)
    figures = measure()
    if options.update_card:
        folder = model_registry.find_model(NETWORK)
        card = store.ModelCard.read(folder)
        store.save_card(dataclasses.replace(card, training={**card.training, "disagreement": figures}), folder)
    if options.json:
        print(json.dumps(figures))
        return
    print(", ".join(f"{name.replace('_', ' ')}: {figures[name]:,}" for name in ("both", "peer_alone", "network_alone")))
    for clue in figures["clues"]:
        print(f"{clue['text']!r:20}{clue['for']}, not {clue['against']}, in {clue['texts']} texts")


def measure() -> dict[str, Any]:
    """How many test texts both, the SVM alone and the network alone answer correctly, and the SVM's clues.

    Raises:
        DatasetError: if the data set isn't there and can't be had.
    """
    data, characters = registry.load_labelled(DATASET), baselines.CHARACTERS[DATASET]
    strength = baselines.svm(DATASET, characters)["strength"]
    union, found, unseen = baselines.vectorized(
        baselines.TOKENS[DATASET], characters, data.train.texts, data.test.texts
    )
    machine = baselines.trained(found, data.train.labels, strength)
    model = model_registry.load(NETWORK)
    ours = model.predict(data.test.texts, mask_names=False).argmax(axis=1)
    theirs = machine.decision_function(unseen).argmax(axis=1)
    truth = np.asarray(data.test.labels)
    alone = np.flatnonzero((theirs == truth) & (ours != truth))
    sums = contributions(
        (unseen[row] for row in alone),
        (names(union, data.test.texts[row]) for row in alone),
        list(zip(truth[alone].tolist(), ours[alone].tolist(), strict=True)),
        machine.coef_,
    )
    return {
        "peer": baselines.SVM_CHARACTERS,
        "both": int(((theirs == truth) & (ours == truth)).sum()),
        "peer_alone": len(alone),
        "network_alone": int(((theirs != truth) & (ours == truth)).sum()),
        "clues": clues(sums, data.labels),
    }


def names(union: Any, text: str) -> dict[int, str]:
    """Column → feature, of those that a text has; of hashed features in one column, one."""
    (_, words), (_, pipeline) = union.transformer_list
    counts = pipeline[0]
    behind = len(words.vocabulary_)
    found = {words.vocabulary_[each]: each for each in words.build_analyzer()(text) if each in words.vocabulary_}
    grams = sorted(set(counts.build_analyzer()(text)))
    columns = type(counts)(analyzer=lambda gram: [gram], n_features=counts.n_features, norm=None).transform(grams)
    return found | dict(zip((columns.indices + behind).tolist(), grams, strict=True))


def contributions(
    rows: Iterator[Any], features: Iterator[dict[int, str]], classes: Sequence[tuple[int, int]], weights: Array
) -> Sums:
    """The sums of what each feature contributes to the true class over the network's, and in how many texts it does.

    Args:
        rows: (1, columns) sparse tf-idf of each text.
        features: what `names` has for it.
        classes: (true class, the network's) of each.
        weights: (classes, columns) of the SVM.
    """
    sums: dict[tuple[str, int, int], float] = defaultdict(float)
    texts: dict[tuple[str, int, int], int] = defaultdict(int)
    for row, known, (true, other) in zip(rows, features, classes, strict=True):
        for column, value in zip(row.indices.tolist(), row.data.tolist(), strict=True):
            if column in known:
                key = known[column], true, other
                sums[key] += value * (weights[true, column] - weights[other, column])
                texts[key] += 1
    return {key: (total, texts[key]) for key, total in sums.items()}


def clues(sums: Sums, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The features with the largest sums, none within another one of the same two classes."""
    chosen: list[tuple[str, int, int]] = []
    for key, (total, texts) in sorted(sums.items(), key=lambda item: -item[1][0]):
        text, *classes = key
        rivals = [each for each, *others in chosen if others == classes]
        core = text.strip()
        if len(core) < SHORTEST or texts < FEWEST_TEXTS or total <= 0:
            continue
        if not any(core in each or each.strip() in text for each in rivals):
            chosen.append(key)
        if len(chosen) == MOST:
            break
    return [
        {"text": text, "for": labels[true], "against": labels[other], "texts": sums[text, true, other][1]}
        for text, true, other in chosen
    ]


if __name__ == "__main__":
    main()
