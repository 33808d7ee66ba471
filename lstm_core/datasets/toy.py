"""Small generated data sets that need no download: verdicts with negation, and counting in words."""

from functools import cache

import numpy as np

from lstm_core.datasets.splits import LabelledTexts, Split

_THINGS = ("film", "soup", "hotel", "concert", "book", "game", "lecture", "phone", "cake", "play", "museum", "train")
_GOOD = ("good", "great", "lovely", "clever", "charming", "brilliant", "pleasant", "excellent", "superb", "kind")
_BAD = ("bad", "dull", "awful", "tedious", "clumsy", "terrible", "noisy", "boring", "dreadful", "rude")
_DEGREES = ("", "", "very", "rather", "really", "quite")
_OPENINGS = ("", "", "i think", "my friend says", "to be honest", "in the end", "they told me that")
_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen")
_TEENS = ("fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")


@cache
def negation() -> LabelledTexts:
    """Short verdicts from a small grammar, all different: "not" and "but" decide what they come to."""
    whole = _verdicts(5000, seed=1)
    return LabelledTexts(whole.take(range(4000)), whole.take(range(4000, 5000)), ("negative", "positive"))


@cache
def counting() -> str:
    """Lines of five successive numbers in words, from one to ninety-nine."""
    random = np.random.default_rng(1)
    lines, total = [], 0
    while total < 120_000:
        first = int(random.integers(1, 96))
        lines.append(", ".join(map(number, range(first, first + 5))) + ".")
        total += len(lines[-1]) + 1
    return "\n".join(lines) + "\n"


LABELLED, TEXTS = {"negation": negation}, {"counting": counting}


def _verdicts(count: int, seed: int) -> Split:
    random = np.random.default_rng(seed)
    found: dict[str, int] = {}
    while len(found) < count:
        found.update([_verdict(random)])
    return Split(tuple(found), np.array(list(found.values())))


def _verdict(random: np.random.Generator) -> tuple[str, int]:
    """One verdict, and 1 if it is positive: the clause after a 'but' decides."""

    def draw(words: tuple[str, ...]) -> str:
        return str(words[int(random.integers(len(words)))])

    def clause() -> tuple[str, int]:
        good, negated = int(random.integers(2)), random.random() < 0.4
        words = [draw(_DEGREES), draw(_GOOD if good else _BAD)]
        return " ".join(word for word in ("was", "not" * negated, *words) if word), good ^ int(negated)

    said, good = clause()
    parts = [draw(_OPENINGS), "the", draw(_THINGS), said]
    if random.random() < 0.4:
        said, good = clause()
        parts += ["but the", draw(_THINGS), said]
    return " ".join(part for part in parts if part) + " .", good


def number(value: int) -> str:
    """A number from 1 to 99 in words, such as "forty-two"."""
    small = (*_ONES, *_TEENS)
    if value <= len(small):
        return small[value - 1]
    tens, ones = divmod(value, 10)
    return _TENS[tens - 2] + (f"-{_ONES[ones - 1]}" if ones else "")
