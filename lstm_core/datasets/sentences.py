"""Movie reviews as lowercase sentences, each a list of words: the corpus of the word model."""

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from lstm_core.datasets import registry, splits
from lstm_core.text.encoder import Vocabulary, sentence_tokens

END = "‹end›"  # the token between two sentences
LONGEST = 39  # words of a sentence; longer ones are truncated

# Full stops that end no sentence (titles, "vs."), and the ends of sentences: punctuation before a space, a line break.
_TITLES = re.compile(r"\b(mr|mrs|ms|dr|st|vs|jr|sr|etc)\.", re.IGNORECASE)
_ENDS = re.compile(r"[.!?…]+[\"')\]]*(?=\s|$)|<br\s*/?>|\n")


class Corpus(NamedTuple):
    """Sentences as words: the training, validation and test parts."""

    training: list[list[str]]
    validation: list[list[str]]
    test: list[list[str]]


def sentences(text: str) -> Iterator[list[str]]:
    """The sentences of two words or more, as lowercase words without punctuation."""
    for piece in _ENDS.split(_TITLES.sub(r"\1", text)):
        words = [token.text for token in sentence_tokens(piece)]
        if len(words) > 1:
            yield words


def of_reviews(reviews: Iterable[str], most: int | None = None) -> list[list[str]]:
    """The sentences of reviews in order, until they have `most` words."""
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
    """Sentences of a random part of the texts of a labelled data set.

    Args:
        dataset: a name from `registry`.
        training: the largest number of words in the training part.
        held_out: of words in the validation part, and in the test part.
        seed: of the validation split, which keeps movies together, and of the order of the reviews.

    Raises:
        DatasetError: if the data set isn't downloaded.
    """
    data = registry.load_labelled(dataset)
    train, validation = splits.validation_split(data.train, 0.05, seed)
    shuffled = np.random.default_rng(seed).permutation(len(data.test))
    test = [data.test.texts[row] for row in shuffled]
    return Corpus(of_reviews(train.texts, training), of_reviews(validation.texts, held_out), of_reviews(test, held_out))


def with_ends(encoded: Sequence[Sequence[int]], end: int) -> Iterator[np.ndarray]:
    """The ids of each sentence between two `end` ids, (T + 2,) int32."""
    for ids in encoded:
        yield np.array([end, *ids, end], np.int32)


def vocabulary_of(training: Iterable[Sequence[str]], size: int) -> Vocabulary:
    """The most frequent words and `END`, `size` ids including padding and unknown."""
    words = Vocabulary.build(training, size - 1)
    return Vocabulary((END, *words.tokens))
