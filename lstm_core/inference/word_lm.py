"""A trained word model: the surprisal of each word of a sentence, and of many orders of its words at once.

A sentence is read on its own, from the end of "the one before" to its own end. Orders of the same words share prefixes,
so every prefix is read once.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets.sentences import END
from lstm_core.errors import ModelError, TextError
from lstm_core.inference.protocol import Model
from lstm_core.library import store
from lstm_core.library.card import ModelCard, misfit
from lstm_core.nn.network import Network
from lstm_core.nn.stack import split_network
from lstm_core.text.encoder import PAD, UNKNOWN, Encoder, Token, Vocabulary

ROWS = 512  # distributions that are computed at once; each is as wide as the vocabulary
COUNTS = "counts"
NO_WORD = "There is no word to read: type a sentence, such as 'the dog bit the man'."


@dataclass(frozen=True)
class CountedWords(Encoder):
    """An encoder with the count of each of its words in the training sentences."""

    counts: tuple[int, ...] = ()  # (vocabulary,) by id; 0 for the pad

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], vocabulary: Vocabulary, length: int) -> Self:
        """Count words and ends of sentences."""
        counts = np.zeros(len(vocabulary), np.int64)
        for words in sentences:
            np.add.at(counts, vocabulary.encode([*words, END]), 1)
        return cls("sentence", vocabulary, length, counts=tuple(counts.tolist()))

    def to_json(self) -> dict[str, Any]:
        """What `from_json` needs."""
        return super().to_json() | {COUNTS: list(self.counts)}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Raises KeyError, TypeError or ValueError if the data isn't what `to_json` wrote."""
        plain, counts = super().from_json(data), data[COUNTS]
        if not isinstance(counts, list) or not all(isinstance(count, int) and count >= 0 for count in counts):
            raise TypeError("counts is not a list of whole numbers")
        if len(counts) != len(plain.vocabulary):
            raise ValueError(f"there are {len(counts)} counts for {len(plain.vocabulary)} words")
        return replace(plain, counts=tuple(counts))


@dataclass(frozen=True)
class WordScore:
    """The surprisal of each word of one sentence."""

    words: tuple[str, ...]  # length T, as given
    known: tuple[bool, ...]  # length T, whether the word is in the vocabulary
    surprisal: Array  # (T + 1,) nats, -ln P(word | the words before it); the last is that of the sentence's end
    expected: tuple[str, ...]  # length T + 1, the most probable word at each place; `END` for the end
    confidence: Array  # (T + 1,) the probability of that word

    @property
    def nats(self) -> float:
        """-ln P(sentence), its end included: the sum of `surprisal`."""
        return float(self.surprisal.sum())

    @property
    def nats_per_word(self) -> float:
        """The mean surprisal, the end counted as a word; e to its power is the perplexity."""
        return float(self.surprisal.mean())


class WordModel(Model):
    """A loaded word model; made by `lstm_core.load`. Nothing in it changes: it is safe to share.

    `network` gives (T, vocabulary) probabilities for T ids.
    """

    def __init__(self, card: ModelCard, encoder: CountedWords, network: Network, folder: Path | None = None) -> None:
        """Raises ModelError unless the network is an Embedding, LSTM layers and Dense layers in a row."""
        self.card, self.encoder, self.network, self.folder = card, encoder, network, folder
        parts = split_network(network)
        if parts is None or parts[0] is None:
            raise ModelError(f"The model '{card.name}' is no word model: it must be Embedding, LSTM and Dense layers.")
        if END not in encoder.vocabulary.ids:
            raise ModelError(f"The model '{card.name}' needs a word for the end of a sentence in its vocabulary.")
        self._table, self._stack, self._outputs = parts[0].table, parts[1], parts[2]
        self.end = encoder.vocabulary.ids[END]

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The word of every id, (vocabulary,)."""
        return ("", "‹unknown›", *self.encoder.vocabulary.tokens)

    def words(self, text: str) -> list[Token]:
        """The words of a sentence without punctuation; TextError if there is none, or more than `encoder.length`."""
        found = self.encoder.tokens_of(text)
        if not found:
            raise TextError(NO_WORD)
        if len(found) > self.encoder.length:
            trained = f"the network was trained on sentences of at most {self.encoder.length}"
            raise TextError(f"That is {len(found):,} words; {trained}. Shorten it.")
        return found

    def score(self, words: Sequence[str]) -> WordScore:
        """Read lower-cased words in the given order, then the sentence's end; TextError if there is no word."""
        ids = self._ids([words])
        surprisal, best, confidence = (part[0] for part in self._read(ids))
        known = tuple(bool(identity != UNKNOWN) for identity in ids[0])
        return WordScore(tuple(words), known, surprisal, tuple(self.names[identity] for identity in best), confidence)

    def surprisals(self, orders: Sequence[Sequence[str]]) -> Array:
        """(B, T + 1) nats for B orders of T words each, as one batch: `score(order).surprisal` of every order.

        Raises:
            TextError: if there is no word.
            ValueError: if the orders differ in length.
        """
        return self._read(self._ids(orders))[0]

    def unigram_surprisal(self, words: Sequence[str]) -> Array:
        """(T + 1,) nats by frequency alone, -ln(count of the word ÷ count of all words), the sentence's end last.

        This is a unigram model, a bag of words: the sum is the same in every order. A word with count 0 counts as 1.
        """
        counts = np.maximum(np.array(self.encoder.counts, float), 1.0)
        ids = [*self.encoder.vocabulary.encode(words), self.end]
        surprisal: Array = np.log(counts[PAD + 1 :].sum()) - np.log(counts[ids])
        return surprisal

    def nats_per_word(self, sentences: Iterable[Sequence[str]]) -> float:
        """The mean surprisal of a word over many sentences of any length, their ends counted as words."""
        return float(np.concatenate(self.surprisal_of_each(sentences)).mean(dtype=float))

    def surprisal_of_each(self, sentences: Iterable[Sequence[str]]) -> list[Array]:
        """The surprisals of many sentences of any length, (T + 1,) each."""
        sentences = list(sentences)
        by_length: dict[int, list[int]] = defaultdict(list)
        for place, words in enumerate(sentences):
            by_length[len(words)].append(place)
        found: dict[int, Array] = {}
        for places in by_length.values():
            found.update(zip(places, self.surprisals([sentences[place] for place in places]), strict=True))
        return [found[place] for place in range(len(sentences))]

    def _ids(self, orders: Sequence[Sequence[str]]) -> Array:
        """(B, T) ids."""
        if not orders or not orders[0]:
            raise TextError(NO_WORD)
        if len({len(order) for order in orders}) > 1:
            raise ValueError("Orders that are read together must have the same number of words.")
        return np.array([self.encoder.vocabulary.encode(order) for order in orders], np.int32)

    def _read(self, ids: Array) -> tuple[Array, Array, Array]:
        """(B, T) ids → surprisal, the most probable id and its probability, (B, T + 1) each.

        Goes over the different prefixes, shortest first: `prefix` (B,) is that of each order, `state` has a row for it.
        """
        rows, T = ids.shape
        prefix = np.zeros(rows, int)
        state = self._stack.initial_state(1)
        last = np.array([self.end])  # the last word of each prefix
        targets = np.column_stack([ids, np.full(rows, self.end, ids.dtype)])  # (B, T + 1)
        found = []
        for t in range(T + 1):
            _, state = self._stack.step(self._stack.input_sums(self._table[last]), state)
            pairs, place = np.unique(np.stack([prefix, targets[:, t]]), axis=1, return_inverse=True)
            surprisal, best, confidence = self._score_pairs(state[-1][0], pairs[0], pairs[1])
            found.append((surprisal[place], best[prefix], confidence[prefix]))
            state = tuple((h[pairs[0]], c[pairs[0]]) for h, c in state)
            prefix, last = place, pairs[1]
        surprisal, best, confidence = (np.stack(part, axis=1) for part in zip(*found, strict=True))
        return surprisal, best, confidence

    def _score_pairs(self, h: Array, rows: Array, words: Array) -> tuple[Array, Array, Array]:
        """-ln P of `words[k]` after row `rows[k]` of h; and the most probable word of each row with its probability."""
        log_total, highest = np.empty(len(h), np.float32), np.empty(len(h), np.float32)
        best = np.empty(len(h), np.int64)
        logit = np.empty(len(rows), np.float32)  # of each pair
        for first in range(0, len(h), ROWS):
            part = slice(first, first + ROWS)
            logits = self._logits(h[part])  # (rows, vocabulary)
            highest[part] = logits.max(axis=1)
            best[part] = logits.argmax(axis=1)
            here = (rows >= first) & (rows < first + ROWS)
            logit[here] = logits[rows[here] - first, words[here]]
            logits -= highest[part, None]
            np.exp(logits, out=logits)
            log_total[part] = highest[part] + np.log(logits.sum(axis=1))
        return log_total[rows] - logit, best, np.exp(highest - log_total)

    def _logits(self, h: Array) -> Array:
        for layer in self._outputs[:-1]:
            h, _ = layer.forward([h], ())
        logits: Array = self._outputs[-1].sums([h])
        logits[:, PAD] = -np.inf  # no word
        return logits


def load_word_model(folder: Path, card: ModelCard) -> WordModel:
    """A word model from its folder; raises ModelError as `load` does."""
    encoder = store.read_vocabulary(folder, CountedWords.from_json)
    network = Network(store.read_network(folder))
    rows = [len(layer.weights[0]) for layer in network.saved.layers if layer.kind == "Embedding"]
    if {network.width, *rows} != {len(encoder.vocabulary)}:
        raise misfit(card, f"the vocabulary has {len(encoder.vocabulary)} ids, the network's answer {network.width}")
    return WordModel(card, encoder, network, folder)
