"""Splits a word that isn't in a vocabulary into words that are: "mylist" is "my", "##list".

Rare names in code are mostly made of frequent ones. "##" gives a piece that doesn't begin its word its own embedding.
"""

from collections.abc import Iterable
from functools import lru_cache

MARK = "##"
SHORTEST = 3  # letters of a part; shorter ones match by accident
LONGEST = 20
LONGEST_WORD = 60  # a longer one is a key or a hash, and stays whole

Span = tuple[int, int]


def parts_of(tokens: Iterable[str]) -> frozenset[str]:
    """The tokens that another word may be split into: words of `SHORTEST` to `LONGEST` letters."""
    return frozenset(
        token for token in tokens if SHORTEST <= len(token) <= LONGEST and (token[0].isalpha() or token[0] == "_")
    )


@lru_cache(maxsize=2**16)
def cut(word: str, parts: frozenset[str]) -> tuple[Span, ...]:
    """The spans of a word's pieces by the split with the lowest cost: a known part costs 1, an unknown letter 3."""
    if len(word) > LONGEST_WORD or not (word[0].isalpha() or word[0] == "_"):
        return ((0, len(word)),)
    # best[end]: (cost, cuts) of word[:end]; each cut is (start, end, known?).
    best: list[tuple[int, tuple[tuple[int, int, bool], ...]]] = [(0, ())]
    for end in range(1, len(word) + 1):
        cost, cuts = best[end - 1]
        grows = bool(cuts) and not cuts[-1][2]  # the unknown text before this letter
        unknown = (cuts[-1][0] if grows else end - 1, end, False)
        found = (cost + 3, (*(cuts[:-1] if grows else cuts), unknown))
        for start in range(max(0, end - LONGEST), end - SHORTEST + 1):
            if best[start][0] + 1 < found[0] and word[start:end] in parts:
                found = (best[start][0] + 1, (*best[start][1], (start, end, True)))
        best.append(found)
    return tuple((start, end) for start, end, _ in best[-1][1])
