"""A little grammar of sentences with a blank, written for this lab: what decides stands after the blank, or before it.

`every_sentence` lists all of them with their probabilities, so that chance and the best that any reader could do
are counted, not guessed. A sentence's own text decides whether it is trained on, chosen by, or held out. The
networks that fill blanks are in `inference/cloze.py`.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np

from lstm_core.text.encoder import BLANK

# What may stand in the blank → what nothing else does.
CLUES: dict[str, tuple[str, ...]] = {
    "cow": ("mooed at the gate", "gave a bucket of milk"),
    "sheep": ("bleated all night", "gave us its wool"),
    "horse": ("galloped over the hill", "wore a new saddle"),
    "hen": ("laid two brown eggs", "hid her chicks"),
    "kettle": ("whistled on the stove", "boiled the water for tea"),
    "oven": ("baked the bread", "burnt the cake"),
    "knife": ("cut the onions", "had to be sharpened"),
    "fridge": ("kept the butter cold", "hummed with its door open"),
    "bus": ("stopped for the passengers", "was full of commuters"),
    "bicycle": ("lost its chain", "had a bent handlebar"),
    "lamp": ("lit the whole pavement", "needed a new bulb"),
    "clock": ("struck midnight", "showed the wrong hour"),
}
# What several of them do: then even a reader of the whole sentence can only guess.
SHARED: dict[str, tuple[str, ...]] = {
    "ate the grass": ("cow", "sheep", "horse"),
    "steamed up the window": ("kettle", "oven"),
    "rang a little bell": ("bus", "bicycle", "clock"),
}
ANSWERS = tuple(CLUES)
PLACES: dict[str, tuple[str, ...]] = {
    "on the farm": ANSWERS[:4],
    "behind the barn": ANSWERS[:4],
    "in the kitchen": ANSWERS[4:8],
    "while we cooked": ANSWERS[4:8],
    "in the town": ANSWERS[8:],
    "near the station": ANSWERS[8:],
}
ANYWHERE = ("", "yesterday", "this morning", "to our surprise")
BETWEEN = ("", "that everybody knew", "which my aunt had bought", "you can see in this picture", "of our old neighbour")
ENDINGS = ("", "again", "while we slept", "and nobody minded", "before it got dark")
# How often a sentence begins with a place, or with something that happens meanwhile; how often what decides stands
# before the blank; how often it is something that several do.
PLACED, MEANWHILE, BEFORE, COMMON = 0.4, 0.2, 0.25, 0.15

PARTS = {"test": (0,), "validation": (1,), "training": tuple(range(2, 10))}


class Sentence(NamedTuple):
    """A sentence with its blank, what belongs there, and how often the grammar says it (0…1)."""

    text: str
    answer: str
    probability: float

    @property
    def before(self) -> str:
        """All that a reader who goes forward has seen at the blank."""
        return self.text.partition(BLANK)[0]

    @property
    def clue_first(self) -> bool:
        """Whether what decides stands before the blank."""
        return self.before.endswith("it was the ")


class Weighted(NamedTuple):
    """One way to write a part of a sentence, and its probability."""

    words: str
    probability: float


@cache
def every_sentence() -> tuple[Sentence, ...]:
    """All that the grammar can say, each sentence and answer once; the probabilities sum to 1."""
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
    """What this answer does, and how often the sentence says that of it."""
    shared = [clue for clue, who in SHARED.items() if answer in who]
    common = COMMON if shared else 0.0
    own = [Weighted(clue, (1 - common) / len(CLUES[answer])) for clue in CLUES[answer]]
    return own + [Weighted(clue, common / len(shared)) for clue in shared]


def _openings(answer: str) -> list[Weighted]:
    """How a sentence about this answer may begin."""
    places = [place for place, who in PLACES.items() if answer in who]
    meanwhile = [f"while the {other} {clue}," for other in ANSWERS if other != answer for clue in CLUES[other]]
    plain = 1 - PLACED - MEANWHILE
    shares = ((places, PLACED), (meanwhile, MEANWHILE), (ANYWHERE, plain))
    return [Weighted(words, share / len(these)) for these, share in shares for words in these]


def _joined(*parts: str) -> str:
    return " ".join(part for part in parts if part)


def part_of(text: str) -> str:
    """Which part a sentence belongs to, by its text alone: "test", "validation" or "training"."""
    bucket = zlib.crc32(text.encode()) % 10
    return next(part for part, buckets in PARTS.items() if bucket in buckets)


@cache
def sentences(part: str) -> tuple[Sentence, ...]:
    """All sentences of one part; no text is in two parts, whatever its answer."""
    return tuple(each for each in every_sentence() if part_of(each.text) == part)


def drawn(part: str, count: int, seed: int) -> list[Sentence]:
    """`count` sentences of a part, drawn with their probabilities; the same seed draws the same."""
    those = sentences(part)
    shares = np.array([each.probability for each in those])
    places = np.random.default_rng(seed).choice(len(those), count, p=shares / shares.sum())
    return [those[place] for place in places]


def best_possible(these: Iterable[Sentence], seen: Callable[[Sentence], Hashable]) -> float:
    """The share of these sentences that the best reader gets right who sees no more than `seen` of each.

    For each thing that can be seen, that reader says what most often belongs there, and knows these very sentences.
    With `seen=lambda each: None` it is chance: always the most frequent answer.
    """
    weights: defaultdict[Hashable, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    total = 0.0
    for each in these:
        weights[seen(each)][each.answer] += each.probability
        total += each.probability
    return sum(max(answers.values()) for answers in weights.values()) / total


def limits(these: Iterable[Sentence]) -> dict[str, float]:
    """What can be reached on these sentences: by chance, from the words before the blank, and from all words."""
    these = tuple(these)
    return {
        "chance": best_possible(these, lambda each: None),
        "before": best_possible(these, lambda each: each.before),
        "all": best_possible(these, lambda each: each.text),
    }
