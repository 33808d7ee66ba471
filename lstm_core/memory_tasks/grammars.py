"""The embedded Reber grammar, aⁿbⁿ and aⁿbⁿcⁿ: random strings, and the possible next symbols."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from lstm_core.arrays import Array

BEYOND = 2  # aⁿbⁿ is evaluated up to this multiple of the longest n of training
REBER_SYMBOLS = ("B", "T", "P", "S", "X", "V", "E")

# Reber's grammar (1967): state → its two transitions, each a symbol and the next state. E follows the last state.
REBER: tuple[tuple[tuple[str, int], ...], ...] = (
    (("T", 1), ("P", 2)),
    (("S", 1), ("X", 3)),
    (("T", 2), ("V", 4)),
    (("X", 2), ("S", 5)),
    (("P", 3), ("V", 5)),
    (),
)
SHORTEST = 9  # B T B T X S E T E, of an embedded string
AROUND = 6  # symbols outside of the inner string: B T B … E T E


def reber_strings(longest: int, count: int, seed: int) -> list[str]:
    """Random strings of the embedded grammar, from half the longest length (and at least `SHORTEST`) up to it.

    Args:
        longest: the largest number of symbols.
        count: the number of strings.
        seed: of the strings.

    Raises:
        ValueError: if the longest is below `SHORTEST`.
    """
    if longest < SHORTEST:
        raise ValueError(f"An embedded Reber string has at least {SHORTEST} symbols; received {longest}.")
    rng = np.random.default_rng(seed)
    steps = range(max(SHORTEST, longest // 2) - AROUND, longest - AROUND + 1)
    ways = _chances(steps[-1])  # (steps + 1, states)
    weights = np.array([ways[k, 0] for k in steps])
    lengths = rng.choice(steps, size=count, p=weights / weights.sum())
    forks, outer = rng.random((count, steps[-1])), rng.integers(0, 2, count)
    return [
        f"B{'TP'[end]}B{_walk(int(length), ways, fork)}E{'TP'[end]}E"
        for length, fork, end in zip(lengths, forks, outer, strict=True)
    ]


def reber_string(rng: np.random.Generator) -> str:
    """One string of the embedded grammar; each transition has a probability of ½, so that most are short."""
    state, inner, end = 0, "", "TP"[rng.integers(2)]
    while REBER[state]:
        symbol, state = REBER[state][rng.integers(2)]
        inner += symbol
    return f"B{end}B{inner}E{end}E"


def _chances(most: int) -> Array:
    """(most + 1, states): [k, state] is the probability of reaching the last state in exactly k symbols."""
    table = np.zeros((most + 1, len(REBER)))
    table[0, -1] = 1
    for k in range(1, most + 1):
        for state, ways in enumerate(REBER):
            table[k, state] = sum(table[k - 1, after] / 2 for _, after in ways)
    return table


def _walk(steps: int, chances: Array, forks: Array) -> str:
    """A path of exactly `steps` symbols; each transition is weighted by the probability to end in time after it."""
    state, symbols = 0, []
    for left, fork in zip(range(steps - 1, -1, -1), forks, strict=False):
        (one, first), (other, second) = REBER[state]
        total = chances[left, first] + chances[left, second]
        symbol, state = (one, first) if fork * total < chances[left, first] else (other, second)
        symbols.append(symbol)
    return "".join(symbols)


def reber_successors(string: str) -> list[tuple[str, ...]]:
    """For each symbol of an embedded Reber string, the symbols that may follow; ValueError if it is none."""
    allowed: list[tuple[str, ...]] = [("T", "P"), ("B",)]
    if len(string) < SHORTEST or string[0] + string[2] != "BB" or string[1] not in "TP":
        raise ValueError(f"'{string}' is no string of the embedded Reber grammar.")
    state = 0
    for symbol in string[2:-3]:
        ways = dict(REBER[state]) if len(allowed) > 2 else {symbol: 0}
        if symbol not in ways:
            raise ValueError(f"'{string}' is no string of the embedded Reber grammar.")
        state = ways[symbol]
        allowed.append(tuple(name for name, _ in REBER[state]) or ("E",))
    if state != len(REBER) - 1 or string[-3:] != f"E{string[1]}E":
        raise ValueError(f"'{string}' is no string of the embedded Reber grammar.")
    return [*allowed, (string[1],), ("E",), ()]


def count_successors(string: Sequence[str]) -> list[tuple[str, ...]]:
    """For each symbol of S aⁿ bⁿ T or S aⁿ bⁿ cⁿ T, the symbols that may follow it; () after the last."""
    letters = [symbol for symbol in dict.fromkeys(string) if symbol not in "ST"]
    n = string.count("a")
    after = {"S": ("a",), "a": ("a", "b"), "T": ()}  # of the first letter, the end may come at any time
    seen: Counter[str] = Counter()
    allowed: list[tuple[str, ...]] = []
    for symbol in string:
        seen[symbol] += 1
        if symbol in after:
            allowed.append(after[symbol])
        elif seen[symbol] < n:
            allowed.append((symbol,))
        else:
            allowed.append((*letters, "T")[letters.index(symbol) + 1 :][:1])
    return allowed
