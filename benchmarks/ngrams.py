"""A character n-gram model with interpolated Witten–Bell smoothing, in plain Python; measures nothing by itself."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator


class WittenBell:
    """How often characters followed what stood before them.

    p(x | s) = (count(sx) + kinds(s) · p(x | s without its first character)) / (count(s) + kinds(s)),
    where kinds(s) is the number of different characters that followed s (Witten & Bell 1991). Where
    s was never seen, the shorter one answers alone; below the empty s every character of the
    alphabet is equally likely.
    """

    def __init__(self, text: str, order: int, alphabet: int) -> None:
        """Count every character of `text` with up to `order` - 1 before it; `alphabet` is how many there are."""
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

    def surprise(self, text: str, before: str = "") -> Iterator[float]:
        """-ln p of each character of a text that stands behind `before`."""
        run = before + text
        for end in range(len(before), len(run)):
            yield -math.log(self.probability(run[end], run[max(0, end - self.context) : end]))
