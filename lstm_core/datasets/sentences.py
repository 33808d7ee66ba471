"""From film reviews to sentences in small letters, one list of words each: what a word model reads.

Cuts and samples, nothing more: how words become ids is in `text/encoder.py`, what a network makes of them
in `inference/word_lm.py`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lstm_core.datasets import registry, splits
from lstm_core.text.encoder import Vocabulary, sentence_tokens

END = "‹end›"  # stands behind every sentence, and in front of the first word of the next one
LONGEST = 39  # words of a sentence that is trained on; the rest of a longer one is left out

# Stops that end no sentence (titles, "vs."), then what does: stops before a space, a line break.
_TITLES = re.compile(r"\b(mr|mrs|ms|dr|st|vs|jr|sr|etc)\.", re.IGNORECASE)
_ENDS = re.compile(r"[.!?…]+[\"')\]]*(?=\s|$)|<br\s*/?>|\n")


class Corpus(NamedTuple):
    """Sentences as words: what is trained on, what is chosen by, and what is measured on."""

    training: list[list[str]]
    validation: list[list[str]]
    test: list[list[str]]


def sentences(text: str) -> Iterator[list[str]]:
    """The sentences of a text with two words or more, as lower-cased words without signs."""
    for piece in _ENDS.split(_TITLES.sub(r"\1", text)):
        words = [token.text for token in sentence_tokens(piece)]
        if len(words) > 1:
            yield words


def of_reviews(reviews: Iterable[str], most: int | None = None) -> list[list[str]]:
    """The sentences of reviews, one review after the other, until `most` words are reached."""
    found: list[list[str]] = []
    words = 0
    for review in reviews:
        for sentence in sentences(review):
            found.append(sentence)
            words += len(sentence)
            if most is not None and words >= most:
                return found
    return found


def corpus(dataset: str, training: int, held_out: int, seed: int) -> Corpus:
    """Sentences of a data set of labelled texts, drawn with a seed.

    Args:
        dataset: a name from `datasets`.
        training: the most words to train on.
        held_out: words of the validation part and of the test part, each.
        seed: for the cut, which keeps a film on one side, and the order of the reviews.

    Raises:
        DatasetError: if the data set isn't there.
    """
    data = registry.load_labelled(dataset)
    # By the reviews' own order within the cut, so that a smaller `training` is a beginning of a larger one.
    train, validation = splits.validation_split(data.train, 0.05, seed)
    shuffled = np.random.default_rng(seed).permutation(len(data.test))
    test = [data.test.texts[row] for row in shuffled]
    return Corpus(of_reviews(train.texts, training), of_reviews(validation.texts, held_out), of_reviews(test, held_out))


def with_ends(encoded: Sequence[Sequence[int]], end: int) -> Iterator[np.ndarray]:
    """Each sentence's ids between two ends, (T + 2,) int32: what stands before each word, and the word."""
    for ids in encoded:
        yield np.array([end, *ids, end], np.int32)


def vocabulary_of(training: Iterable[Sequence[str]], size: int) -> Vocabulary:
    """The most frequent words and `END`, `size` ids in all with padding and unknown."""
    words = Vocabulary.build(training, size - 1)
    return Vocabulary((END, *words.tokens))
