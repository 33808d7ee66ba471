"""The features of a linear SVM by name, what each contributes to its answers, and those that contribute most."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from lstm_core.arrays import Array

MOST, FEWEST_TEXTS, SHORTEST = 8, 5, 3  # features that are listed, texts of one, characters of one
Sums = Mapping[tuple[str, int, int], tuple[float, int]]  # (feature, true class, network's class) → (sum, texts)


def names(union: Any, text: str) -> dict[int, str]:
    """Column → feature, of those that a text has; of hashed features in one column, one."""
    (_, words), (_, pipeline) = union.transformer_list
    counts = pipeline[0]
    offset = len(words.vocabulary_)
    found = {words.vocabulary_[each]: each for each in words.build_analyzer()(text) if each in words.vocabulary_}
    grams = sorted(set(counts.build_analyzer()(text)))
    columns = type(counts)(analyzer=lambda gram: [gram], n_features=counts.n_features, norm=None).transform(grams)
    return found | dict(zip((columns.indices + offset).tolist(), grams, strict=True))


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


def strongest(sums: Sums, labels: Sequence[str]) -> list[dict[str, Any]]:
    """The features with the largest sums; of features within one another, for the same two classes, only the first."""
    chosen: list[tuple[str, int, int]] = []
    for key, (total, texts) in sorted(sums.items(), key=lambda item: -item[1][0]):
        text, *classes = key
        stripped, others = text.strip(), [each.strip() for each, *two in chosen if two == classes]
        if len(stripped) < SHORTEST or texts < FEWEST_TEXTS or total <= 0:
            continue
        if not any(stripped in each or each in stripped for each in others):
            chosen.append(key)
        if len(chosen) == MOST:
            break
    return [
        {"text": text, "supports": labels[true], "opposes": labels[other], "texts": sums[text, true, other][1]}
        for text, true, other in chosen
    ]
