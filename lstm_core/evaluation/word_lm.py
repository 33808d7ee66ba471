"""The metrics of a word model: its surprisal on test sentences, and that of the true word order against shuffles."""

from typing import Any

import numpy as np

from lstm_core.datasets import sentences
from lstm_core.inference.word_lm import WordModel
from lstm_core.text import permutations
from lstm_core.text.encoder import UNKNOWN

SHUFFLES, ORDERED = 20, 1000  # shuffles of each sentence, and sentences that are shuffled
LENGTHS = range(4, 21)  # words of those sentences


def word_figures(model: WordModel) -> dict[str, Any]:
    """Nats per word on sentences of the test split, and the metrics of `order_figures`.

    The sentences are the first `held_out` words (of the card) of shuffled test reviews, without those that are too long
    for the model. Raises DatasetError if the data set isn't downloaded.
    """
    how = model.card.training
    test = sentences.corpus(model.card.dataset, 0, how["held_out"], how["seed"]).test
    read = [words for words in test if len(words) <= model.encoder.length]
    surprisal = np.concatenate(model.surprisal_of_each(read))
    alone = np.concatenate([model.unigram_surprisal(words) for words in read])
    ids = np.concatenate([model.encoder.vocabulary.encode(words) for words in read])
    return {
        "model": model.card.name,
        "examples": len(surprisal),
        "sentences": len(read),
        "nats_per_word": float(surprisal.mean()),
        "perplexity": float(np.exp(surprisal.mean())),
        "unigram_nats_per_word": float(alone.mean()),
        "unknown": float((ids == UNKNOWN).mean()),
        "order": order_figures(model, read, how["seed"]),
    }


def order_figures(model: WordModel, read: list[list[str]], seed: int) -> dict[str, Any]:
    """How often the true order has a lower surprisal than all `SHUFFLES` shuffles, and the mean share of them.

    Args:
        model: a word model.
        read: sentences; the first `ORDERED` of `LENGTHS` words with enough different orders are used.
        seed: of the shuffles.
    """
    fit = [words for words in read if len(words) in LENGTHS and permutations.count_orders(words) > SHUFFLES][:ORDERED]
    first, beaten = [], []
    for number, words in enumerate(fit):
        random = np.random.default_rng([seed, number])
        tried = {tuple(words): None}
        while len(tried) <= SHUFFLES:
            tried.setdefault(permutations.words_in_order(words, random.permutation(len(words)).tolist()))
        nats = model.surprisals(list(tried)).sum(axis=1)  # (1 + SHUFFLES,)
        first.append(nats[0] < nats[1:].min())
        beaten.append((nats[0] < nats[1:]).mean())
    return {
        "sentences": len(fit),
        "shuffles": SHUFFLES,
        "first": float(np.mean(first)),
        "beaten": float(np.mean(beaten)),
    }
