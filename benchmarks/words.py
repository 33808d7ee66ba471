"""An n-gram model of words with the training sentences, vocabulary and test sentences of the word model.

    python -m benchmarks.words [--order 3] [--json] [--update-card]

Every word becomes one character, so that the character n-gram of `ngrams.py` counts words. The result of the word
model is read from its card.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
import time
from collections.abc import Iterable, Sequence

from benchmarks.ngrams import WittenBell
from lstm_core.datasets import sentences
from lstm_core.inference import registry
from lstm_core.library import store
from lstm_core.text.encoder import Encoder

MODEL, ORDER = "everyday_words", 3
FIRST = 0x10000  # the character of id 0, beyond the surrogates


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and evaluate the n-gram model, and print both results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.words", description=__doc__.splitlines()[0])
    parser.add_argument("--order", type=int, default=ORDER, help="words of the n-gram (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-card", action="store_true", help="write the n-gram's figure into our model's card")
    options = parser.parse_args(arguments)
    folder = registry.find_model(MODEL)
    card = store.ModelCard.read(folder)
    encoder = Encoder.from_json(store.read_json(folder, store.VOCABULARY))
    how = card.training
    corpus = sentences.corpus(card.dataset, how["words"]["training"], how["held_out"], how["seed"])
    test = [words for words in corpus.test if len(words) <= encoder.length]
    began = time.perf_counter()
    nats = nats_per_word(corpus.training, test, encoder, options.order)
    row = {"model": f"Witten–Bell {options.order}-gram", "nats_per_word": nats, "seconds": time.perf_counter() - began}
    if options.update_card:
        baseline = {"name": row["model"], "nats_per_word": nats}
        store.save_card(dataclasses.replace(card, training={**how, "baseline": baseline}), folder)
    rows = [row, {"model": MODEL, "nats_per_word": card.measured.get("nats_per_word")}]
    if options.json:
        print(json.dumps({"rows": rows}))
        return
    for each in rows:
        value = each["nats_per_word"]
        print(
            f"{each['model']:24}" + (f"{value:8.3f} nats per word, perplexity {math.exp(value):6.1f}" if value else "–")
        )


def nats_per_word(
    training: Iterable[Sequence[str]], test: Iterable[Sequence[str]], encoder: Encoder, order: int
) -> float:
    """The n-gram's mean surprisal on test sentences, ends counted as words; each sentence begins after an end."""

    def characters(words: Sequence[str]) -> str:
        return "".join(chr(FIRST + each) for each in encoder.vocabulary.encode([*words, sentences.END]))

    end = characters([])
    model = WittenBell(end + "".join(map(characters, training)), order, alphabet=len(encoder.vocabulary))
    return statistics.fmean(nats for words in test for nats in model.surprisal(characters(words), end))


if __name__ == "__main__":
    main()
