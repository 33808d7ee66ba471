"""Orders of the words of a sentence: all of them where they are few, random ones where not, and which rank one has.

Orders are permutations of places, so that a word that occurs twice keeps its two places; two orders
that read alike are one. How surprising an order is says `inference/word_lm.py`.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import permutations

import numpy as np

Order = tuple[int, ...]  # a permutation of 0…T - 1: which word stands in each place

MOST_ORDERS = 5040  # orders that are few enough to try every one: those of seven words
DRAWS = 20  # a draw that was drawn before is drawn again, this often at most for each order wanted


def count_orders(words: Sequence[str]) -> int:
    """How many orders of the words read differently: T! / Π (how often each word occurs)!."""
    different = math.factorial(len(words))
    for often in Counter(words).values():
        different //= math.factorial(often)
    return different


def orders_to_try(words: Sequence[str], most: int, seed: int) -> list[Order]:
    """Orders that all read differently; the one given is the first.

    Args:
        words: length T ≥ 1.
        most: how many random ones are drawn beside it where there are more than `ALL`.
        seed: of the draws.

    Returns:
        Every order if there are `ALL` or fewer; else 1 + `most`.
    """
    if count_orders(words) <= MOST_ORDERS:
        return _every(words)
    random = np.random.default_rng(seed)
    found = {tuple(words): tuple(range(len(words)))}
    for _ in range(most * DRAWS):
        order = tuple(int(place) for place in random.permutation(len(words)))
        found.setdefault(words_in_order(words, order), order)
        if len(found) > most:
            break
    return list(found.values())


def _every(words: Sequence[str]) -> list[Order]:
    """Each different order once: of equal words, the first stands first."""
    sorts = {word: sort for sort, word in enumerate(dict.fromkeys(words))}
    kinds = [sorts[word] for word in words]
    if len(sorts) == len(words):
        return list(permutations(range(len(words))))  # begins with the order given
    found: dict[tuple[str, ...], Order] = {tuple(words): tuple(range(len(words)))}
    _grow([], Counter(kinds), found, words, kinds)
    return list(found.values())


def _grow(
    begun: list[int], left: Counter[int], found: dict[tuple[str, ...], Order], words: Sequence[str], kinds: list[int]
) -> None:
    """Every way to go on from the places in `begun` with what is left of each kind of word."""
    if len(begun) == len(words):
        found.setdefault(words_in_order(words, begun), tuple(begun))
    for kind in list(left):
        if left[kind]:
            place = next(place for place, each in enumerate(kinds) if each == kind and place not in begun)
            left[kind] -= 1
            _grow([*begun, place], left, found, words, kinds)
            left[kind] += 1


def shuffle_order(words: Sequence[str], now: Sequence[int], random: np.random.Generator) -> Order:
    """A random order that doesn't read as the one now; that one if there is no other."""
    if count_orders(words) == 1:
        return tuple(now)
    while True:
        order = tuple(int(place) for place in random.permutation(len(words)))
        if words_in_order(words, order) != words_in_order(words, now):
            return order


def move_word(order: Sequence[int], source: int, target: int) -> Order:
    """The order after the word in place `source` was taken out and put into place `target`.

    Raises:
        ValueError: if one of them is no place.
    """
    if not (0 <= source < len(order) and 0 <= target < len(order)):
        raise ValueError(f"Places go from 0 to {len(order) - 1}; received {source} and {target}.")
    rest = [place for index, place in enumerate(order) if index != source]
    rest.insert(target, order[source])
    return tuple(rest)


def words_in_order(words: Sequence[str], order: Sequence[int]) -> tuple[str, ...]:
    """The words in that order."""
    return tuple(words[place] for place in order)


def format_order(order: Sequence[int]) -> str:
    """An order for a link: places from 1, "3-1-2"."""
    return "-".join(str(place + 1) for place in order)


def parse_order(text: str, length: int) -> Order | None:
    """The order in a link; None if it is no permutation of `length` places."""
    parts = text.split("-")
    if len(parts) != length or not all(part.isascii() and part.isdigit() and len(part) < 4 for part in parts):
        return None
    order = tuple(int(part) - 1 for part in parts)
    return order if sorted(order) == list(range(length)) else None


def rank_of_order(nats: np.ndarray, own: float) -> int:
    """The place of `own` among (n,) surprises that include it, from 1 for the least surprising; ties count as equal."""
    return 1 + int((nats < own - 1e-4).sum())
