"""Tasks with strings of a grammar: embedded Reber strings, alone and in a stream, and counting."""

from collections.abc import Callable, Sequence

import numpy as np

from lstm_core.arrays import Array
from lstm_core.memory_tasks import grammars
from lstm_core.memory_tasks.batch import Batch, one_hot


def reber(longest: int, count: int, seed: int) -> Batch:
    """Strings of the embedded Reber grammar, see `grammars.reber_strings`; the target is the next symbol."""
    strings = grammars.reber_strings(longest, count, seed)
    ids, x, mask, valid, symbols = _encoded(strings, grammars.REBER_SYMBOLS, longest, grammars.reber_successors)
    places = np.arange(longest)
    live = (places >= 1) & (mask > 0)
    memory = np.where([string[1] == "T" for string in strings], 1.0, -1.0)[:, None] * live
    ends = np.array([len(string) - 2 for string in strings])[:, None]  # where the second symbol is repeated
    targets = one_hot(np.roll(ids, -1, axis=1), len(grammars.REBER_SYMBOLS))
    relevant, recalled = (places == 1) | (places == ends), places == ends - 1
    return Batch(x, targets, mask, valid, memory.astype(np.float32), live, symbols, relevant, recalled)


def reber_stream(length: int, count: int, seed: int) -> Batch:
    """Embedded Reber strings one after the other, cut after `length` symbols; the target is the next symbol."""
    rng = np.random.default_rng(seed)
    alphabet = grammars.REBER_SYMBOLS
    ids = np.zeros((count, length + 1), int)
    valid = np.zeros((count, length, len(alphabet)), bool)
    memory = np.zeros((count, length), np.float32)
    relevant, recalled = np.zeros((2, count, length), bool)
    for row in range(count):
        place = 0
        while place <= length:
            string = grammars.reber_string(rng)
            end = place + len(string) - 2  # where the second symbol is repeated
            ids[row, place : place + len(string)] = [alphabet.index(each) for each in string[: length + 1 - place]]
            memory[row, place + 1 : end + 1] = 1 if string[1] == "T" else -1
            for each, following in enumerate(grammars.reber_successors(string)[: length - place]):
                valid[row, place + each, [alphabet.index(symbol) for symbol in following or ("B",)]] = True
            relevant[row, [at for at in (place + 1, end) if at < length]] = True
            recalled[row, [at for at in (end - 1,) if at < length]] = True
            place += len(string)
    mask = np.ones((count, length), np.float32)
    x, targets = one_hot(ids[:, :-1], len(alphabet)), one_hot(ids[:, 1:], len(alphabet))
    symbols = np.array(alphabet)[ids[:, :-1]]
    return Batch(x, targets, mask, valid, memory, memory != 0, symbols, relevant, recalled)


def counting(longest: int, count: int, seed: int) -> Batch:
    """Strings aⁿbⁿ with random n in 1…`longest`; the targets are the possible next symbols."""
    return counting_of(np.random.default_rng(seed).integers(1, longest + 1, count), longest)


def counting_three(longest: int, count: int, seed: int) -> Batch:
    """The same with strings aⁿbⁿcⁿ."""
    return counting_of(np.random.default_rng(seed).integers(1, longest + 1, count), longest, "abc")


def counting_of(numbers: Sequence[int] | Array, longest: int, letters: str = "ab") -> Batch:
    """The strings S aⁿbⁿ T for these n, padded to the longest; `memory` is the number of b that are missing.

    With other letters than "ab", each of them n times.
    """
    strings = [f"S{''.join(letter * int(n) for letter in letters)}T" for n in numbers]
    alphabet = ("S", *letters, "T")
    _, x, mask, valid, symbols = _encoded(strings, alphabet, len(letters) * longest + 2, grammars.count_successors)
    valid = valid[..., 1:]  # of the letters and T: S is no target
    memory = np.cumsum(x[..., 1] - x[..., 2], axis=1)
    relevant = np.isin(symbols, list(letters))
    return Batch(x, valid.astype(np.float32), mask, valid, memory, mask > 0, symbols, relevant, mask > 0)


def _encoded(
    strings: Sequence[str],
    alphabet: Sequence[str],
    width: int,
    successors: Callable[[str], list[tuple[str, ...]]],
) -> tuple[Array, Array, Array, Array, Array]:
    """Padded ids, one-hot inputs, the mask of targets, the valid next symbols, and the symbols of strings."""
    ids, seen = np.zeros((len(strings), width), int), np.zeros((len(strings), width), np.float32)
    valid = np.zeros((len(strings), width, len(alphabet)), bool)
    for row, string in enumerate(strings):
        ids[row, : len(string)], seen[row, : len(string)] = [alphabet.index(symbol) for symbol in string], 1
        for place, following in enumerate(successors(string)[:-1]):
            valid[row, place, [alphabet.index(symbol) for symbol in following]] = True
    mask = np.roll(seen, -1, axis=1)
    mask[:, -1] = 0
    symbols = np.where(seen > 0, np.array(alphabet)[ids], "")
    return ids, one_hot(ids, len(alphabet)) * seen[:, :, None], mask, valid, symbols
