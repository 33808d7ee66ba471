"""The task of the encoder–decoder: a number is spelled out in words, backwards. "407" is "seven zero four".

The truth, the split into parts by the number itself, and random numbers. No network: that is in `inference/seq2seq.py`.
"""

from __future__ import annotations

import zlib

import numpy as np

from lstm_core.errors import TextError

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = "0123456789"
CHARACTERS = "".join(sorted(set(" ".join(WORDS))))  # all that an answer is written with
LONGEST_TRAINED = 6  # digits; what is longer was never met in training
MOST_DIGITS = 24  # that are read at all
ALL_TRAINED = 2  # there are so few numbers of one or two digits that all of them are trained on
PARTS = 20  # one part in so many is for testing, and one for validation


def spelled_backwards(number: str) -> str:
    """The words of the digits, the last one first; `number` holds nothing but the digits 0…9."""
    return " ".join(WORDS[int(digit)] for digit in reversed(number))


def checked(text: str) -> str:
    """A number as it was typed, without white space around it.

    Raises:
        TextError: if it is empty, too long, or has anything in it but the digits 0…9.
    """
    number = text.strip()
    if not number:
        raise TextError("There is no number to read: type a few digits, for instance 4072.")
    for place, sign in enumerate(number, start=1):
        if sign not in DIGITS:
            shown = "a space" if sign.isspace() else f"'{sign}'" if sign.isprintable() else "an invisible sign"
            raise TextError(f"Only the digits 0 to 9 can be read; sign {place} is {shown}: take it out.")
    if len(number) > MOST_DIGITS:
        raise TextError(f"That number has {len(number):,} digits; at most {MOST_DIGITS} are read here: shorten it.")
    return number


def part_of(number: str) -> str:
    """Which part a number belongs to, once and for all: "training", "validation" or "test".

    By a checksum of its digits, so that no list has to be kept. Longer numbers than are trained on are all "test".
    """
    if len(number) > LONGEST_TRAINED:
        return "test"
    place = zlib.crc32(number.encode()) % PARTS
    return "training" if len(number) <= ALL_TRAINED or place > 1 else ("test", "validation")[place]


def numbers(part: str, length: int, count: int, rng: np.random.Generator) -> list[str]:
    """Different numbers of one length and part: `count` of them, or all if there are fewer.

    Args:
        part: see `part_of`; numbers of `ALL_TRAINED` digits at most are in no other part than "training".
        length: digits, from 1.
        count: how many at most.
        rng: which ones.
    """
    if length <= 4:  # few enough to look at all
        every = [number for number in (f"{code:0{length}d}" for code in range(10**length)) if part_of(number) == part]
        return [every[place] for place in rng.permutation(len(every))[:count]]
    found: dict[str, None] = {}
    while len(found) < count:
        number = "".join(map(str, rng.integers(0, 10, length)))
        if part_of(number) == part:
            found[number] = None
    return list(found)


def drawn(count: int, rng: np.random.Generator) -> list[str]:
    """Numbers to train on, every length up to `LONGEST_TRAINED` as often; they may come twice."""
    found: list[str] = []
    while len(found) < count:
        number = "".join(map(str, rng.integers(0, 10, rng.integers(1, LONGEST_TRAINED + 1))))
        if part_of(number) == "training":
            found.append(number)
    return found
