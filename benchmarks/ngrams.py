"""N-gram models: Witten–Bell smoothing of characters in plain Python, Kneser–Ney smoothing of ids in NumPy."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from lstm_core.arrays import Array


class WittenBell:
    """Interpolated n-gram probabilities.

    p(x | s) = (count(sx) + kinds(s) · p(x | s without its first character)) / (count(s) + kinds(s)),
    where kinds(s) is the number of different characters after s (Witten & Bell 1991). An unknown context s is
    shortened; without a context all characters of the alphabet are equally likely.
    """

    def __init__(self, text: str, order: int, alphabet: int) -> None:
        """Count the n-grams of `text`.

        Args:
            text: the training text.
            order: the largest n.
            alphabet: the number of different characters.
        """
        self.context, self.alphabet = order - 1, alphabet
        self._followers: dict[str, Counter[str]] = defaultdict(Counter)
        for length in range(order):
            for end in range(length, len(text)):
                self._followers[text[end - length : end]][text[end]] += 1
        self._counts = {before: followers.total() for before, followers in self._followers.items()}

    def probability(self, character: str, before: str) -> float:
        """p(character | the last `order` - 1 characters of `before`)."""
        p = 1 / self.alphabet
        for length in range(min(self.context, len(before)) + 1):
            seen = before[len(before) - length :]
            if seen not in self._counts:
                break
            followers = self._followers[seen]
            p = (followers[character] + len(followers) * p) / (self._counts[seen] + len(followers))
        return p

    def surprisal(self, text: str, before: str = "") -> Iterator[float]:
        """-ln p of each character of a text after `before`."""
        run = before + text
        for end in range(len(before), len(run)):
            yield -math.log(self.probability(run[end], run[max(0, end - self.context) : end]))


# Of n-grams that occur once, twice and more often, where the counts of a text allow no estimate; as in KenLM.
USUAL_DISCOUNTS = (0.5, 1.0, 1.5)


def kneser_ney(training: Sequence[Sequence[int]], test: Sequence[Sequence[int]], order: int, size: int) -> Array:
    """-ln p of ids by an n-gram with interpolated, modified Kneser–Ney smoothing (Chen & Goodman 1999).

    p(x | s) = (count(sx) - D(count(sx)) + freed(s) · p(x | s without its first id)) / count(s), where freed(s) is the
    sum of the discounts D of everything that follows s. The longest n-grams have their counts; a shorter one counts
    how many different ids stand before it, and each time it begins a sequence. An unknown context is shortened, and
    without a context all ids are equally likely before discounting. N-grams don't cross from one sequence to the next.

    Args:
        training: sequences of ids; the first id of each is only a context.
        test: the same; no sequence is empty.
        order: the largest n.
        size: the number of different ids.

    Returns:
        the surprisals of all ids of the test sequences but the first of each, one after the other.
    """
    ids = np.concatenate([*training, *test]).astype(np.int64)  # (n,)
    place = np.concatenate([np.arange(len(each)) for each in (*training, *test)])  # (n,) in its sequence
    fit = np.arange(len(ids)) < sum(len(each) for each in training)
    levels = [*_grams(ids, place, order, size), None]
    p = np.full(len(ids), 1 / size)
    for k in range(order):
        contexts, grams = levels[k]
        count = _adjusted_counts(levels[k], levels[k + 1], place, fit, k)
        discount = np.array([0.0, *discounts(count)])[np.minimum(count, 3)]
        total, freed = np.bincount(contexts, count), np.bincount(contexts, discount)
        rows = np.flatnonzero(~fit & (place >= max(k, 1)))
        rows = rows[total[contexts[grams[rows]]] > 0]  # others keep the probability with a shorter context
        gram = grams[rows]
        context = contexts[gram]
        p[rows] = ((count - discount)[gram] + freed[context] * p[rows]) / total[context]
    return -np.log(p[~fit & (place > 0)])


def discounts(count: Array) -> tuple[float, float, float]:
    """How much to take off counts of 1, of 2, and of 3 or more (Chen & Goodman 1999, equation 26)."""
    n1, n2, n3, n4 = (int((count == each).sum()) for each in range(1, 5))
    if not min(n1, n2, n3, n4):
        return USUAL_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    found = 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3
    return (
        found if min(found) > 0 else USUAL_DISCOUNTS
    )  # each is below its count, and 0 would leave nothing for the rest


def _grams(ids: Array, place: Array, order: int, size: int) -> Iterator[tuple[Array, Array]]:
    """For n = 1 … `order`: the context of every n-gram, a shorter one; and which ends at each id, -1 for none."""
    before = np.zeros(len(ids), np.int64)  # the n-gram that ends one place earlier, one shorter
    for k in range(order):
        fits = place >= k
        keys, found = np.unique(before[fits] * size + ids[fits], return_inverse=True)
        grams = np.full(len(ids), -1)
        grams[fits] = found
        yield keys // size, grams
        before = np.roll(grams, 1)


def _adjusted_counts(
    level: tuple[Array, Array], longer: tuple[Array, Array] | None, place: Array, fit: Array, k: int
) -> Array:
    """The count of each n-gram of n = k + 1, or how many different ids stand before it and how often none does."""
    contexts, grams = level
    if longer is None:
        return np.bincount(grams[fit & (place >= max(k, 1))], minlength=len(contexts))
    longer_rows = np.flatnonzero(fit & (place > k))
    different = longer_rows[np.unique(longer[1][longer_rows], return_index=True)[1]]
    first = fit & (place == k) & (k > 0)
    return np.bincount(grams[different], minlength=len(contexts)) + np.bincount(grams[first], minlength=len(contexts))
