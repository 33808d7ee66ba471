"""Labelled texts and how to part them, so that what is measured was not trained on.

`shuffle_split` parts by label, `split_by_group` keeps a film on one side, `hold_out` cuts the end
off a running text. Where the texts come from is in `datasets/registry.py`.
"""

from __future__ import annotations

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
        films: the film that each review is about; empty where there are none.
        ratings: one to ten stars a review; of shape (0,) where there are none.

    Raises ValueError when the lengths differ.
    """

    texts: tuple[str, ...]
    labels: IntArray
    films: tuple[str, ...] = ()
    ratings: IntArray = field(default_factory=lambda: np.zeros(0, np.int64))

    def __post_init__(self) -> None:
        for name in ("labels", "ratings"):
            copy = np.array(getattr(self, name), dtype=np.int64)
            copy.setflags(write=False)  # splits are cached and shared
            object.__setattr__(self, name, copy)
        object.__setattr__(self, "texts", tuple(self.texts))
        object.__setattr__(self, "films", tuple(self.films))
        if len(self.labels) != len(self) or {len(self.films), len(self.ratings)} - {0, len(self)}:
            raise ValueError(f"{len(self)} texts need as many labels, and as many films and ratings or none.")

    def __len__(self) -> int:
        return len(self.texts)

    def take(self, rows: Sequence[int] | IntArray) -> Split:
        """The rows given (positions from 0, shape (k,)), in that order."""
        index = np.asarray(rows, dtype=np.int64)
        films = tuple(self.films[row] for row in index) if self.films else ()
        ratings = self.ratings[index] if len(self.ratings) else self.ratings
        return Split(tuple(self.texts[row] for row in index), self.labels[index], films, ratings)


@dataclass(frozen=True, eq=False)
class LabelledTexts:
    """A data set for a classifier; label n of either split is called `labels[n]`."""

    train: Split
    test: Split
    labels: tuple[str, ...]


def shuffle_split(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """Part `split` at random into (the rest, `fraction` of each label), both shuffled.

    Raises ValueError when the fraction is not between 0 and 1 or leaves a part empty.
    """
    random = np.random.default_rng(seed)
    chosen = np.zeros(len(split), dtype=bool)
    for label in np.unique(split.labels):
        rows = random.permutation(np.flatnonzero(split.labels == label))
        chosen[rows[: round(len(rows) * fraction)]] = True
    return _part(split, chosen, fraction, random)


def validation_split(split: Split, fraction: float, seed: int) -> tuple[Split, Split]:
    """(training, validation): parted by film where films are known, or else by label.

    Raises ValueError as the two functions that do it.
    """
    if split.films:
        return split_by_group(split, split.films, fraction, seed)
    return shuffle_split(split, fraction, seed)


def split_by_group(split: Split, groups: Sequence[str], fraction: float, seed: int) -> tuple[Split, Split]:
    """Part `split` into (the rest, about `fraction` of the rows) so that no group is on both sides.

    `groups[n]` is the group of row n, as `split.films` is. Whole groups are drawn at random until
    the second part is as near to `fraction` as it gets; both parts are shuffled.

    Raises ValueError when lengths differ, the fraction is not between 0 and 1, or a part is empty.
    """
    if len(groups) != len(split):
        raise ValueError(f"{len(split)} texts need as many groups; received {len(groups)}.")
    random = np.random.default_rng(seed)
    _, group_of_row, sizes = np.unique(np.asarray(groups), return_inverse=True, return_counts=True)
    order = random.permutation(len(sizes))
    distance = np.abs(np.cumsum(sizes[order]) - fraction * len(split))
    drawn = order[: int(np.argmin(distance)) + 1] if len(sizes) else order
    return _part(split, np.isin(group_of_row, drawn), fraction, random)


def _part(
    split: Split, chosen: npt.NDArray[np.bool_], fraction: float, random: np.random.Generator
) -> tuple[Split, Split]:
    """(rows not chosen, rows chosen), shuffled."""
    if not 0 < fraction < 1:
        raise ValueError(f"The fraction must be between 0 and 1; received {fraction}.")
    if chosen.all() or not chosen.any():
        raise ValueError(f"{len(split)} texts are too few to set {fraction:.0%} of them apart.")
    order = random.permutation(len(split))
    return split.take(order[~chosen[order]]), split.take(order[chosen[order]])


def hold_out(text: str, test: float = 0.1, validation: float = 0.05) -> tuple[str, str, str]:
    """Cut a text into (train, validation, test) parts: the test part is its end, validation right before.

    The fractions are of all characters. Raises ValueError when they don't leave a training part,
    TextError when the text is too short for a part that was asked for.
    """
    if min(test, validation) < 0 or test + validation >= 1:
        raise ValueError(f"Parts of {test} and {validation} leave nothing to train on.")
    # Rounded down, as `text[int(0.9 * len(text)):]` is, but deaf to noise such as 8.999999 for 9.
    first, second = (int(len(text) * (1 - part) + 1e-6) for part in (test + validation, test))
    parts = text[:first], text[first:second], text[second:]
    if any(not part for part, size in zip(parts, (1.0, validation, test), strict=True) if size):
        raise TextError(f"The text has {len(text)} characters, too few to set a part of them aside; use a longer one.")
    return parts
