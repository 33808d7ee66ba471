"""Orders of the words of a sentence: all of them or a random sample, and the rank of one.

Orders are permutations of places; orders that read the same (because a word occurs twice) count once.
"""

import math
from collections import Counter
from collections.abc import Sequence

import numpy as np

Order = tuple[int, ...]  # a permutation of 0…T - 1: the word at each place

MOST_ORDERS = 5040  # up to so many, all orders are tried: 7!
DRAWS = 20  # random permutations that are tried for each new order


def count_orders(words: Sequence[str]) -> int:
    """How many orders of the words read differently: T! / Π (how often each word occurs)!."""
    different = math.factorial(len(words))
    for often in Counter(words).values():
        different //= math.factorial(often)
    return different


def orders_to_try(words: Sequence[str], most: int, seed: int) -> list[Order]:
    """Orders that all read differently, the given one first: all if they are `MOST_ORDERS` or fewer, else 1 + `most`.

    Args:
        words: length T ≥ 1.
        most: how many random orders are added to it where there are more than `MOST_ORDERS`.
        seed: of the random orders.
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
    """Each different order once, the given one first; equal words keep their order."""
    found: list[Order] = []

    def extend(prefix: Order) -> None:
        if len(prefix) == len(words):
            found.append(prefix)
        tried = set()  # words that an order with this prefix goes on with
        for place, word in enumerate(words):
            if place not in prefix and word not in tried:
                tried.add(word)
                extend((*prefix, place))

    extend(())
    return found


def shuffle_order(words: Sequence[str], now: Sequence[int], random: np.random.Generator) -> Order:
    """A random order that reads differently from the one now; the same one if there is no other.

    Args:
        words: length T ≥ 1.
        now: the present order.
        random: the source of random numbers.
    """
    if count_orders(words) == 1:
        return tuple(now)
    while True:
        order = tuple(int(place) for place in random.permutation(len(words)))
        if words_in_order(words, order) != words_in_order(words, now):
            return order


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
    """The rank of `own` among (n,) surprisals that include it, from 1 for the lowest; equal ones share a rank."""
    return 1 + int((nats < own - 1e-4).sum())
