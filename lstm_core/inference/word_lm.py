"""A trained word model: how surprised it is by each word of a sentence, and by many orders of its words at once.

A sentence is read on its own, from the end of "the one before" to its own end. Orders of the same
words share their beginnings, so every beginning is read once. Which orders to ask for is in
`text/permutations.py`; how a text becomes words is in `text/encoder.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets.sentences import END
from lstm_core.errors import ModelError, TextError
from lstm_core.library import store
from lstm_core.library.card import ModelCard, misfit
from lstm_core.nn.cells import lstm_step
from lstm_core.nn.layers import Affine, Embed, Recur, Same
from lstm_core.nn.network import Network
from lstm_core.nn.weights import CellWeights
from lstm_core.text.encoder import PAD, UNKNOWN, Encoder, Token, Vocabulary

ROWS = 512  # distributions that are computed at once; each is as wide as the vocabulary
COUNTS = "counts"
State = list[tuple[Array, Array]]  # (h, c) of each LSTM layer, (rows, units)


@dataclass(frozen=True)
class CountedWords(Encoder):
    """An encoder that also knows how often each of its words was read.

    Attributes:
        counts: (vocabulary,) by id, in the training sentences; 0 for the pad.
    """

    counts: tuple[int, ...] = ()

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], vocabulary: Vocabulary, length: int) -> CountedWords:
        """Count words and ends of sentences."""
        counts = np.zeros(len(vocabulary), np.int64)
        for words in sentences:
            np.add.at(counts, vocabulary.encode([*words, END]), 1)
        return cls("sentence", vocabulary, length, counts=tuple(counts.tolist()))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return super().to_json() | {COUNTS: list(self.counts)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> CountedWords:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        plain, counts = super().from_json(data), data[COUNTS]
        if not isinstance(counts, list) or not all(isinstance(count, int) and count >= 0 for count in counts):
            raise TypeError("counts is not a list of whole numbers")
        if len(counts) != len(plain.vocabulary):
            raise ValueError(f"there are {len(counts)} counts for {len(plain.vocabulary)} words")
        assert isinstance(plain, cls)
        return replace(plain, counts=tuple(counts))


@dataclass(frozen=True)
class WordScore:
    """How surprised the model is by one order of some words.

    Attributes:
        words: length T, as given.
        known: length T, whether the word is in the vocabulary.
        surprise: (T + 1,) nats, -ln P(word | the words before it); the last is that of the sentence's end.
        expected: length T + 1, the word that the model held most likely there; `END` for the end.
        confidence: (T + 1,) the probability of that word.
    """

    words: tuple[str, ...]
    known: tuple[bool, ...]
    surprise: Array
    expected: tuple[str, ...]
    confidence: Array

    @property
    def nats(self) -> float:
        """-ln P(sentence), its end included: the sum of all surprises."""
        return float(self.surprise.sum())

    @property
    def nats_per_word(self) -> float:
        """The mean surprise, the end counted as a word; e to its power is the perplexity."""
        return float(self.surprise.mean())


class WordModel:
    """A loaded word model; made by `lstm_core.load`. Nothing in it changes: it is safe to share.

    Attributes:
        card: what it is.
        encoder: its words and how often it read them; `encoder.length` is the most words of a sentence.
        model: the Keras model, (batch, T) of ids → (batch, T, vocabulary) probabilities.
        network: the same in NumPy.
    """

    def __init__(self, card: ModelCard, encoder: CountedWords, model: Any, network: Network) -> None:
        """Raises ModelError unless the network is an Embedding, LSTM layers and Dense layers in a row."""
        self.card, self.encoder, self.model, self.network = card, encoder, model, network
        row = [node.operation for node in network.nodes if node.operation and not isinstance(node.operation, Same)]
        layers = [operation.weights for operation in row if isinstance(operation, Recur)]
        answers = [operation for operation in row if isinstance(operation, Affine)]
        shape = [type(operation) for operation in row]
        if shape != [Embed, *[Recur] * len(layers), *[Affine] * len(answers)] or not (layers and answers):
            raise ModelError(f"The model '{card.name}' is no word model: it must be Embedding, LSTM and Dense layers.")
        if any(layer.kind != "lstm" for layer in layers) or END not in encoder.vocabulary.ids:
            raise ModelError(f"The model '{card.name}' needs LSTM layers and a word for the end of a sentence.")
        embed = row[0]
        assert isinstance(embed, Embed)
        self._table, self._layers, self._answers = embed.table, layers, answers
        self.end = encoder.vocabulary.ids[END]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The word of every id, (vocabulary,)."""
        return ("", "‹unknown›", *self.encoder.vocabulary.tokens)

    def words(self, text: str) -> list[Token]:
        """The words of a sentence, and where they stand in it; signs are left out.

        Raises:
            TextError: if there is no word in it, or more than `encoder.length`.
        """
        found = self.encoder.tokens_of(text)
        if not found:
            raise TextError("There is no word to read: type a sentence, such as 'the dog bit the man'.")
        if len(found) > self.encoder.length:
            raise TextError(
                f"That is {len(found):,} words; the network was trained on sentences of at most {self.encoder.length}. "
                "Shorten it."
            )
        return found

    def score(self, words: Sequence[str]) -> WordScore:
        """Read words in the order given, from a sentence's beginning to its end.

        Args:
            words: length T ≥ 1, lower-cased; the end of the sentence is added.

        Raises:
            TextError: if there is no word.
        """
        ids = self._ids([words])
        surprise, best, confidence = (part[0] for part in self._read(ids))
        return WordScore(
            words=tuple(words),
            known=tuple(bool(identity != UNKNOWN) for identity in ids[0]),
            surprise=surprise,
            expected=tuple(self.names[identity] for identity in best),
            confidence=confidence,
        )

    def surprises(self, orders: Sequence[Sequence[str]]) -> Array:
        """(B, T + 1) nats for B orders of T words each, all in one go: `score(order).surprise` of every order.

        Raises:
            TextError: if there is no word.
            ValueError: if the orders differ in length.
        """
        return self._read(self._ids(orders))[0]

    def alone(self, words: Sequence[str]) -> Array:
        """(T + 1,) nats by frequency alone, -ln(how often the word was read ÷ all words), the sentence's end last.

        That is a unigram model, a bag of words: the sum is the same in every order. A word that was
        never read counts as read once.
        """
        counts = np.maximum(np.array(self.encoder.counts, float), 1.0)
        ids = [*self.encoder.vocabulary.encode(words), self.end]
        surprise: Array = np.log(counts[PAD + 1 :].sum()) - np.log(counts[ids])
        return surprise

    def nats_per_word(self, sentences: Iterable[Sequence[str]]) -> float:
        """The mean surprise of a word over many sentences of any length, their ends counted as words."""
        total, words = 0.0, 0
        for surprise in self.each(sentences):
            total, words = total + float(surprise.sum()), words + len(surprise)
        return total / words

    def each(self, sentences: Iterable[Sequence[str]]) -> list[Array]:
        """The surprises of each of many sentences of any length, (T + 1,) each."""
        sentences = list(sentences)
        places: dict[int, list[int]] = defaultdict(list)
        for place, words in enumerate(sentences):
            places[len(words)].append(place)
        found: dict[int, Array] = {}
        for rows in places.values():
            found.update(zip(rows, self.surprises([sentences[row] for row in rows]), strict=True))
        return [found[place] for place in range(len(sentences))]

    def _ids(self, orders: Sequence[Sequence[str]]) -> Array:
        """(B, T) ids."""
        if not orders or not orders[0]:
            raise TextError("There is no word to read: type a sentence, such as 'the dog bit the man'.")
        if len({len(order) for order in orders}) > 1:
            raise ValueError("Orders that are read together must have the same number of words.")
        return np.array([self.encoder.vocabulary.encode(order) for order in orders], np.int32)

    def _read(self, ids: Array) -> tuple[Array, Array, Array]:
        """(B, T) ids → surprise, the likeliest id and its probability, (B, T + 1) each.

        Walks over the different beginnings, shortest first. `beginning` (B,) says which one each
        order has; `state` has one row a beginning.
        """
        rows, T = ids.shape
        beginning = np.zeros(rows, int)
        state: State = [(np.zeros((1, each.units), np.float32),) * 2 for each in self._layers]
        before = np.array([self.end])  # the last word of each beginning
        wanted = np.column_stack([ids, np.full(rows, self.end, ids.dtype)])  # (B, T + 1)
        found = []
        for t in range(T + 1):
            state = self._step(before, state)
            pairs, place = np.unique(np.stack([beginning, wanted[:, t]]), axis=1, return_inverse=True)
            surprise, best, confidence = self._asked(state[-1][0], pairs[0], pairs[1])  # of each (beginning, next word)
            found.append((surprise[place], best[beginning], confidence[beginning]))
            state = [(h[pairs[0]], c[pairs[0]]) for h, c in state]
            beginning, before = place, pairs[1]
        surprise, best, confidence = (np.stack(part, axis=1) for part in zip(*found, strict=True))
        return surprise, best, confidence

    def _step(self, ids: Array, state: State) -> State:
        """Read one more word in each row."""
        x, after = self._table[ids], []
        for layer, (h, c) in zip(self._layers, state, strict=True):
            step = _step_of(layer, x, h, c)
            after.append(step)
            x = step[0]
        return after

    def _asked(self, h: Array, rows: Array, words: Array) -> tuple[Array, Array, Array]:
        """-ln P of `words[k]` after row `rows[k]` of h; and the likeliest word of each row with its probability."""
        normaliser, highest = np.empty(len(h), np.float32), np.empty(len(h), np.float32)
        best = np.empty(len(h), np.int64)
        asked = np.empty(len(rows), np.float32)
        for first in range(0, len(h), ROWS):
            part = slice(first, first + ROWS)
            logits = self._logits(h[part])  # (rows, vocabulary)
            highest[part] = logits.max(axis=1)
            best[part] = logits.argmax(axis=1)
            here = (rows >= first) & (rows < first + ROWS)
            asked[here] = logits[rows[here] - first, words[here]]
            logits -= highest[part, None]
            np.exp(logits, out=logits)
            normaliser[part] = highest[part] + np.log(logits.sum(axis=1))
        return normaliser[rows] - asked, best, np.exp(highest - normaliser)

    def _logits(self, h: Array) -> Array:
        for answer in self._answers[:-1]:
            h, _ = answer.forward([h], ())
        logits: Array = self._answers[-1].sums([h])
        logits[:, PAD] = -np.inf  # no word
        return logits


def _step_of(layer: CellWeights, x: Array, h: Array, c: Array) -> tuple[Array, Array]:
    step = lstm_step(x @ layer.kernel + layer.bias, h, c, layer.recurrent, sigma=layer.sigma, tanh=layer.tanh)
    return step.h, step.c


def load_word_model(folder: Path, card: ModelCard) -> WordModel:
    """A word model from its folder; raises ModelError as `load` does."""
    encoder = store.read_vocabulary(folder, CountedWords.from_json)
    model = store.load_network(folder)
    if model.outputs[0].shape[-1] != len(encoder.vocabulary):
        answers = model.outputs[0].shape[-1]
        raise misfit(card, f"the vocabulary has {len(encoder.vocabulary)} ids, the network's answer {answers}")
    return WordModel(card, encoder, model, Network(model))
