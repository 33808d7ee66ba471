"""A character n-gram model with interpolated Witten–Bell smoothing, in plain Python."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator


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
