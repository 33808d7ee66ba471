"""Labelled texts, and how they and plain texts are split into training, validation and test parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from lstm_core.errors import TextError

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Split:
    """Labelled texts. `labels` and `ratings` become read-only int64 copies, shape (n,).

    Attributes:
        texts: length n.
        labels: (n,) class indices.
        groups: of the rows, such as the movie of each review; length n, or empty.
        ratings: (n,) stars of each review, 1 to 10, or (0,).

    Raises:
        ValueError: if the lengths differ.
    """

    texts: tuple[str, ...]
    labels: IntArray
    groups: tuple[str, ...] = ()
    ratings: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        for name in ("labels", "ratings"):
            copy = np.array(getattr(self, name), dtype=np.int64)
            copy.setflags(write=False)  # splits are cached and shared
            object.__setattr__(self, name, copy)
        object.__setattr__(self, "texts", tuple(self.texts))
        object.__setattr__(self, "groups", tuple(self.groups))
        if len(self.labels) != len(self) or {len(self.groups), len(self.ratings)} - {0, len(self)}:
            raise ValueError(f"{len(self)} texts need as many labels, and as many groups and ratings or none.")

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int] | IntArray) -> "Split":
        """The rows at these indices, (k,), in this order."""
        index = np.asarray(rows, dtype=np.int64)
        groups = tuple(self.groups[row] for row in index) if self.groups else ()
        ratings = self.ratings[index] if len(self.ratings) else self.ratings
        return Split(tuple(self.texts[row] for row in index), self.labels[index], groups, ratings)


def joined(first: Split, second: Split) -> Split:
    """Both, one after the other."""
    return Split(
        first.texts + second.texts,
        np.concatenate([first.labels, second.labels]),
        first.groups + second.groups,
        np.concatenate([first.ratings, second.ratings]),
    )


def without_labels(texts: Sequence[str], like: Split) -> Split:
    """Texts that can be joined to `like`: of class 0, and of no group and rating where that has some."""
    nothing = np.zeros(len(texts), np.int64)
    groups = ("",) * len(texts) if like.groups else ()
    return Split(tuple(texts), nothing, groups, nothing if len(like.ratings) else like.ratings)


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """A data set for a classifier; `labels[n]` is the name of label n in both splits."""

    train: Split
    test: Split
    labels: tuple[str, ...]


def validation_split(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """(training, validation), both shuffled: whole groups where rows have groups, else the same share of each label.

    Args:
        split: the rows.
        fraction: of the rows for validation; approximately, where whole groups are chosen.
        seed: of the shuffle.

    Raises:
        ValueError: if the fraction is not between 0 and 1, or a part is empty.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"The fraction must be between 0 and 1; received {fraction}.")
    random = np.random.default_rng(seed)
    chosen = (_some_groups if split.groups else _some_of_each_label)(split, fraction, random)
    if chosen.all() or not chosen.any():
        raise ValueError(f"{len(split)} texts are too few to split off {fraction:.0%} of them.")
    order = random.permutation(len(split))
    return split.take(order[~chosen[order]]), split.take(order[chosen[order]])


def _some_of_each_label(split: Split, fraction: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(n,): which rows are chosen."""
    chosen = np.zeros(len(split), dtype=bool)
    for label in np.unique(split.labels):
        rows = random.permutation(np.flatnonzero(split.labels == label))
        chosen[rows[: round(len(rows) * fraction)]] = True
    return chosen


def _some_groups(split: Split, fraction: float, random: np.random.Generator) -> npt.NDArray[np.bool_]:
    """(n,): which rows are chosen, so that no group is in both parts."""
    _, group_of_row, sizes = np.unique(np.asarray(split.groups), return_inverse=True, return_counts=True)
    order = random.permutation(len(sizes))
    distance = np.abs(np.cumsum(sizes[order]) - fraction * len(split))
    return np.isin(group_of_row, order[: int(np.argmin(distance)) + 1])


def hold_out(text: str, test: float = 0.1, validation: float = 0.05) -> tuple[str, str, str]:
    """Cut a text into (training, validation, test): the test part is its end, the validation part stands before it.

    Args:
        text: the whole text.
        test: fraction of the characters in the test part.
        validation: fraction of the characters in the validation part.

    Raises:
        ValueError: if the fractions leave no training part.
        TextError: if the text is too short for one of the parts.
    """
    if min(test, validation) < 0 or test + validation >= 1:
        raise ValueError(f"Parts of {test} and {validation} leave nothing to train on.")
    # Rounded down like `text[int(0.9 * len(text)):]`, with a tolerance for 8.999999 instead of 9.
    first, second = (int(len(text) * (1 - part) + 1e-6) for part in (test + validation, test))
    parts = text[:first], text[first:second], text[second:]
    if any(not part for part, size in zip(parts, (1.0, validation, test), strict=True) if size):
        raise TextError(f"The text has {len(text)} characters, too few to split them; use a longer one.")
    return parts
