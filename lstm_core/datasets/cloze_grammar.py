"""A small grammar of sentences with a blank; the clue to the answer stands after the blank, or before it."""

import zlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from lstm_core.paths import read_tables
from lstm_core.text.encoder import BLANK

_TABLES = read_tables("cloze_grammar.toml")
CLUES, SHARED, PLACES = _TABLES["clues"], _TABLES["shared"], _TABLES["places"]
ANSWERS = tuple(CLUES)
ANYWHERE, BETWEEN, ENDINGS = (_TABLES["anywhere"][part] for part in ("openings", "between", "endings"))
# The probability that a sentence begins with a place, or with something that happens meanwhile; that the clue stands
# before the blank; that the clue is one of several answers.
PLACED, MEANWHILE, BEFORE, COMMON = 0.4, 0.2, 0.25, 0.15

PARTS = {"test": (0,), "validation": (1,), "training": tuple(range(2, 10))}


class Sentence(NamedTuple):
    """A sentence with its blank, the answer, and its probability in the grammar (0…1)."""

    text: str
    answer: str
    probability: float

    @property
    def before(self) -> str:
        """The text before the blank, which is all that a forward network knows there."""
        return self.text.partition(BLANK)[0]

    @property
    def clue_first(self) -> bool:
        """Whether the clue stands before the blank."""
        return self.before.endswith("it was the ")


class Weighted(NamedTuple):
    """One variant of a part of a sentence, and its probability."""

    words: str
    probability: float


@cache
def every_sentence() -> tuple[Sentence, ...]:
    """All sentences of the grammar, each with each answer once; the probabilities sum to 1."""
    found: defaultdict[tuple[str, str], float] = defaultdict(float)
    for text, answer, probability in _written():
        found[text, answer] += probability
    return tuple(Sentence(text, answer, probability) for (text, answer), probability in found.items())


def _written() -> Iterator[tuple[str, str, float]]:
    rest = 1 / (len(BETWEEN) * len(ENDINGS))
    for answer in ANSWERS:
        for clue, opening in product(_clues(answer), _openings(answer)):
            each = rest * clue.probability * opening.probability / len(ANSWERS)
            for between, ending in product(BETWEEN, ENDINGS):
                after = _joined(opening.words, "the", BLANK, between, clue.words, ending)
                before = _joined(opening.words, "something", clue.words, ending, "and it was the", BLANK, between)
                yield after, answer, each * (1 - BEFORE)
                yield before, answer, each * BEFORE


def _clues(answer: str) -> list[Weighted]:
    shared = [clue for clue, who in SHARED.items() if answer in who]
    common = COMMON if shared else 0.0
    own = [Weighted(clue, (1 - common) / len(CLUES[answer])) for clue in CLUES[answer]]
    return own + [Weighted(clue, common / len(shared)) for clue in shared]


def _openings(answer: str) -> list[Weighted]:
    places = [place for place, who in PLACES.items() if answer in who]
    meanwhile = [f"while the {other} {clue}," for other in ANSWERS if other != answer for clue in CLUES[other]]
    plain = 1 - PLACED - MEANWHILE
    shares = ((places, PLACED), (meanwhile, MEANWHILE), (ANYWHERE, plain))
    return [Weighted(words, share / len(these)) for these, share in shares for words in these]


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def part_of(text: str) -> str:
    """The part of the data that a sentence belongs to, by a checksum of its text: a key of `PARTS`."""
    bucket = zlib.crc32(text.encode()) % 10
    return next(part for part, buckets in PARTS.items() if bucket in buckets)


@cache
def sentences(part: str) -> tuple[Sentence, ...]:
    """All sentences of one part; the same text with another answer is in the same part."""
    return tuple(each for each in every_sentence() if part_of(each.text) == part)


def sample(part: str, count: int, seed: int) -> list[Sentence]:
    """Random sentences of a part, with repetition, by their probabilities.

    Args:
        part: of the data.
        count: the number of sentences.
        seed: of the sample.
    """
    those = sentences(part)
    shares = np.array([each.probability for each in those])
    places = np.random.default_rng(seed).choice(len(those), count, p=shares / shares.sum())
    return [those[place] for place in places]


def best_possible(these: Iterable[Sentence], seen: Callable[[Sentence], Hashable]) -> float:
    """The highest accuracy that can be reached on these sentences from `seen` of each alone.

    It is that of the most frequent answer for each value of `seen`; a constant `seen` gives the accuracy of chance.
    """
    weights: defaultdict[Hashable, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    total = 0.0
    for each in these:
        weights[seen(each)][each.answer] += each.probability
        total += each.probability
    return sum(max(answers.values()) for answers in weights.values()) / total


def limits(these: Iterable[Sentence]) -> dict[str, float]:
    """The highest accuracies on these sentences: by chance, from the words before the blank, and from all words."""
    these = tuple(these)
    return {
        "chance": best_possible(these, lambda each: None),
        "before": best_possible(these, lambda each: each.before),
        "all": best_possible(these, lambda each: each.text),
    }
