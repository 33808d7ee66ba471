"""The task of the encoder–decoder: a number is spelled out in words, backwards. "407" is "seven zero four"."""

import zlib

import numpy as np

from lstm_core.errors import TextError

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = "0123456789"
CHARACTERS = "".join(sorted(set(" ".join(WORDS))))  # all characters of the answers
LONGEST_TRAINED = 6  # digits of the longest number in training
MOST_DIGITS = 24  # of an input
ALL_TRAINED = 2  # up to this many digits there are so few numbers that all are training numbers
PARTS = 20  # one in so many numbers is a test number, and one a validation number


def spelled_backwards(number: str) -> str:
    """The digits 0…9 of `number` as words, the last one first."""
    return " ".join(WORDS[int(digit)] for digit in reversed(number))


def checked(text: str) -> str:
    """A typed number without surrounding white space; TextError if it is empty, too long, or has other characters."""
    number = text.strip()
    if not number:
        raise TextError("There is no number to read: type a few digits, for instance 4072.")
    for place, character in enumerate(number, start=1):
        if character not in DIGITS:
            printed = f"'{character}'" if character.isprintable() else "an invisible character"
            shown = "a space" if character.isspace() else printed
            raise TextError(f"Only the digits 0 to 9 can be read; character {place} is {shown}: take it out.")
    if len(number) > MOST_DIGITS:
        raise TextError(f"That number has {len(number):,} digits; at most {MOST_DIGITS} are read here: shorten it.")
    return number


def part_of(number: str) -> str:
    """The part of the data that a number belongs to: "training", "validation" or "test".

    It follows from a checksum of its digits, so that no list has to be kept. All numbers of more than
    `LONGEST_TRAINED` digits are "test".
    """
    if len(number) > LONGEST_TRAINED:
        return "test"
    place = zlib.crc32(number.encode()) % PARTS
    return "training" if len(number) <= ALL_TRAINED or place > 1 else ("test", "validation")[place]


def numbers(part: str, length: int, count: int, rng: np.random.Generator) -> list[str]:
    """Random numbers, all different: `count` of them, or all if there are fewer.

    Args:
        part: of the data; numbers of up to `ALL_TRAINED` digits are all "training".
        length: digits, from 1.
        count: the largest number of numbers.
        rng: the random generator.
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


def sample(count: int, rng: np.random.Generator) -> list[str]:
    """Random training numbers, with repetition; all lengths up to `LONGEST_TRAINED` are equally likely."""
    found: list[str] = []
    while len(found) < count:
        number = "".join(map(str, rng.integers(0, 10, rng.integers(1, LONGEST_TRAINED + 1))))
        if part_of(number) == "training":
            found.append(number)
    return found
