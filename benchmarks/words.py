"""N-gram models of words with the training sentences, vocabulary and test sentences of the word model.

    python -m benchmarks.words [--witten-bell 3] [--kneser-ney 5] [--json] [--update-card]

For Witten–Bell smoothing every word becomes one character, so that the character n-gram of `ngrams.py` counts words.
The result of the word model is read from its card, and the better n-gram is what `--update-card` writes there.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import math
import statistics
import time
from collections.abc import Iterable, Sequence

from benchmarks.ngrams import WittenBell, kneser_ney
from lstm_core.datasets import sentences
from lstm_core.inference import registry
from lstm_core.library import store
from lstm_core.text.encoder import Encoder

MODEL = "everyday_words"
FIRST = 0x10000  # the character of id 0, beyond the surrogates


def main(arguments: Sequence[str] | None = None) -> None:
    """Fit and evaluate the n-gram models, and print their results and that of the word model."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.words", description=__doc__.splitlines()[0])
    for name, order in (("--witten-bell", 3), ("--kneser-ney", 5)):
        parser.add_argument(name, type=int, default=order, help="words of its n-grams (default %(default)s)")
    parser.add_argument("--json", action="store_true", help="print one JSON object for a program to read")
    parser.add_argument("--update-card", action="store_true", help="write the n-gram's figure into our model's card")
    options = parser.parse_args(arguments)
    folder = registry.find_model(MODEL)
    card = store.ModelCard.read(folder)
    encoder = Encoder.from_json(store.read_json(folder, store.VOCABULARY))
    how = card.training
    corpus = sentences.corpus(card.dataset, how["words"]["training"], how["held_out"], how["seed"])
    test = [words for words in corpus.test if len(words) <= encoder.length]
    rows = []
    for name, order, measure in (
        ("Witten–Bell", options.witten_bell, witten_bell_nats),
        ("Kneser–Ney", options.kneser_ney, kneser_ney_nats),
    ):
        began = time.perf_counter()
        nats = measure(corpus.training, test, encoder, order)
        seconds = time.perf_counter() - began
        rows.append({"model": f"{name} {order}-gram", "nats_per_word": nats, "seconds": seconds})
    if options.update_card:
        best = min(rows, key=lambda row: row["nats_per_word"])
        baseline = {"name": best["model"], "nats_per_word": best["nats_per_word"]}
        store.save_card(dataclasses.replace(card, training={**how, "baseline": baseline}), folder)
    rows.append({"model": MODEL, "nats_per_word": card.measured.get("nats_per_word")})
    if options.json:
        print(json.dumps({"rows": rows}))
        return
    for each in rows:
        value = each["nats_per_word"]
        print(
            f"{each['model']:24}" + (f"{value:8.3f} nats per word, perplexity {math.exp(value):6.1f}" if value else "–")
        )


def witten_bell_nats(
    training: Iterable[Sequence[str]], test: Iterable[Sequence[str]], encoder: Encoder, order: int
) -> float:
    """The mean surprisal of test sentences, ends counted as words; each sentence begins after an end."""

    def characters(words: Sequence[str]) -> str:
        return "".join(chr(FIRST + each) for each in encoder.vocabulary.encode([*words, sentences.END]))

    end = characters([])
    model = WittenBell(end + "".join(map(characters, training)), order, alphabet=len(encoder.vocabulary))
    return statistics.fmean(nats for words in test for nats in model.surprisal(characters(words), end))


def kneser_ney_nats(
    training: Iterable[Sequence[str]], test: Iterable[Sequence[str]], encoder: Encoder, order: int
) -> float:
    """The same with Kneser–Ney smoothing."""

    def ids(text: Iterable[Sequence[str]]) -> list[list[int]]:
        return [encoder.vocabulary.encode([sentences.END, *words, sentences.END]) for words in text]

    return float(kneser_ney(ids(training), ids(test), order, len(encoder.vocabulary)).mean())


if __name__ == "__main__":
    main()
