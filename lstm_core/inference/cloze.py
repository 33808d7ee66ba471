"""A trained network that fills the blank of a sentence, and everything it computes for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import cloze_grammar
from lstm_core.errors import TextError
from lstm_core.inference.classifier import TokenModel
from lstm_core.library.card import ModelCard, misfit
from lstm_core.library.store import read_network, read_vocabulary
from lstm_core.nn.clamps import Clamp
from lstm_core.nn.network import Network
from lstm_core.nn.trace import BidirectionalTrace, LayerTrace
from lstm_core.text.encoder import BLANK, UNKNOWN, Encoder, Encoding


@dataclass(frozen=True)
class Filled:
    """One sentence, read; T is its number of words, including the blank."""

    text: str  # as given
    encoded: Encoding  # its words, their places and ids
    place: int  # the blank's timestep, from 0
    answers: tuple[str, ...]  # the words that may stand in the blank
    probabilities: Array  # (answers,), rows of the softmax at the blank; they sum to 1
    trace: LayerTrace | BidirectionalTrace  # of the recurrent layer, in one direction or in two

    @property
    def ranked(self) -> list[tuple[str, float]]:
        """The answers with their probabilities, the most probable first."""
        order = np.argsort(-self.probabilities, kind="stable")
        return [(self.answers[index], float(self.probabilities[index])) for index in order]

    @property
    def unknown(self) -> tuple[str, ...]:
        """The words that are not in the vocabulary, each once, as they stand in the text."""
        places = np.flatnonzero(self.encoded.ids == UNKNOWN)
        return tuple(dict.fromkeys(self.text[slice(*self.encoded.spans[place])] for place in places))


class BlankFiller(TokenModel):
    """A loaded network that fills blanks; made by `lstm_core.load`."""

    @property
    def answers(self) -> tuple[str, ...]:
        """The words that may stand in a blank, in the order of every array of probabilities."""
        return self.card.labels

    def encode(self, text: str) -> tuple[Encoding, int]:
        """The sentence as the network reads it, and its blank's place; TextError unless it has one, among words."""
        encoded = self.encoder.encode(text)
        places = [t for t, token in enumerate(encoded.tokens) if token == BLANK]
        if len(places) > 1:
            raise TextError(f"There are {len(places)} blanks; leave exactly one {BLANK} in the sentence.")
        if not places and encoded.cut:
            first = f"the first {self.encoder.length} words"
            raise TextError(f"There is no blank among {first}; put {BLANK} earlier, or shorten the sentence.")
        if not places:
            raise TextError(f"There is no blank: put {BLANK} (underscores) where the missing word belongs.")
        if len(encoded.tokens) == 1:
            raise TextError(f"There is nothing but a blank: put some words beside {BLANK}.")
        return encoded, places[0]

    def read(self, text: str, clamps: Sequence[Clamp] = ()) -> Filled:
        """Read one sentence with one blank, `___`, and keep everything; clamps apply to both directions.

        Raises:
            TextError: as `encode`.
            ValueError: if a clamp names a signal, unit, timestep or layer that doesn't exist.
        """
        encoded, place = self.encode(text)
        run = self.network.run(*encoded.inputs, clamps=clamps)
        return Filled(text, encoded, place, self.answers, run.output[place], run.traces[0])

    def predict(self, texts: Sequence[str]) -> Array:
        """(n, answers) the probabilities at each sentence's blank; raises TextError as `encode`."""
        encoded = [self.encode(text) for text in texts]
        return self.network.answers([each.ids for each, _ in encoded], rows=[place for _, place in encoded])


def load_blank_filler(folder: Path, card: ModelCard) -> BlankFiller:
    """A blank filler from its folder; raises ModelError as `inference.load` does."""
    encoder = read_vocabulary(folder, Encoder.from_json)
    network = Network(read_network(folder))
    ids = [len(layer.weights[0]) for layer in network.saved.layers if layer.kind == "Embedding"]
    one_input = encoder.pairs is None and ids == [len(encoder.vocabulary)]
    if not one_input or not network.returns_sequences or network.width != len(card.labels):
        raise misfit(card, f"{len(encoder.vocabulary)} words, and {len(card.labels)} answers of {network.width} values")
    return BlankFiller(card, encoder, network, folder)


def blank_figures(model: BlankFiller) -> dict[str, Any]:
    """Accuracy and cross-entropy on every held-out sentence, each weighted by its probability in the grammar.

    `limits` is what can be reached on these sentences by chance, from the words before the blank, and from all.
    """
    held_out = cloze_grammar.sentences("test")
    texts = list(dict.fromkeys(each.text for each in held_out))
    rows = dict(zip(texts, model.predict(texts), strict=True))
    weights = np.array([each.probability for each in held_out])
    weights /= weights.sum()
    truth = np.array([model.answers.index(each.answer) for each in held_out])
    probabilities = np.stack([rows[each.text] for each in held_out])  # (n, answers)
    own = probabilities[np.arange(len(truth)), truth]
    right = probabilities.argmax(axis=1) == truth
    early = np.array([each.clue_first for each in held_out])
    return {
        "model": model.card.name,
        "examples": len(held_out),
        "accuracy": float(weights @ right),
        "cross_entropy": float(-(weights @ np.log(np.maximum(own, 1e-12)))),
        "by_place_of_the_clue": {
            name: float(weights[chosen] @ right[chosen] / weights[chosen].sum())
            for name, chosen in (("before", early), ("after", ~early))
        },
        "limits": cloze_grammar.limits(held_out),
    }
