"""Comparisons of the networks of the recurrent family: throughput, and the effect of replaced tokens."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import sentiment_trees
from lstm_core.inference import tree_rnn
from lstm_core.inference.classifier import Reading, TextClassifier, with_both_classes
from lstm_core.nn.saved import KERNELS
from lstm_core.text.encoder import UNKNOWN

Trial = tuple[Callable[[], Any], int]  # a call that reads a batch, and the number of units that it reads


@dataclass(frozen=True)
class Member:
    """One network of the family."""

    model: str  # its name in the models folder
    name: str  # as displayed
    task: str  # in a few words
    unit: str  # of its throughput, in the plural
    trial: Callable[[Any], Trial]  # a function of the loaded model that returns what is timed


CELL_MODELS = ("family_rnn", "family_gru", "family_lstm")
BATCH = 32  # sequences of a trial
_SENTENCE = "this morning the ___ of our old neighbour whistled on the stove"

_NUMBER, _TREE = "4072", "((not bad) and (very good))"


def read_words(model: TextClassifier) -> Trial:
    """A trial of a text classifier: a batch of texts of full length."""
    length = model.encoder.length
    ids = list(np.random.default_rng(1).integers(UNKNOWN, len(model.encoder.vocabulary), (BATCH, length), np.int32))
    return (lambda: model.network.answers(ids)), BATCH * length


def fill_blanks(model: Any) -> Trial:
    """A trial of a blank filler: a batch of sentences."""
    ids = [model.encode(_SENTENCE)[0].ids] * BATCH
    return (lambda: model.network.answers(ids)), BATCH * len(ids[0])


def rewrite(model: Any) -> Trial:
    """A trial of the encoder–decoder: a batch of numbers; characters of input and output are counted."""
    numbers = [_NUMBER] * BATCH
    characters = sum(map(len, numbers)) + sum(map(len, model.answers(numbers)))
    return (lambda: model.answers(numbers)), characters


def run_tree(model: Any) -> Trial:
    """A trial of the recursive network: a batch of trees, with an answer at every node."""
    forest = tree_rnn.forest_of([sentiment_trees.pieces(sentiment_trees.parse_tree(_TREE))] * BATCH, model.words)
    return (lambda: model.probabilities(model.vectors(forest))), len(model.vectors(forest))


def cell_weights(model: Any) -> int:
    """The number of weights of the recurrent or recursive cells, without embeddings and output layers."""
    layers = [half for layer in model.saved.layers for half in (layer.halves or (layer,))]
    kinds = (layer for layer in layers if layer.kind in KERNELS or layer.name == tree_rnn.LAYERS[1])
    return sum(array.size for layer in kinds for array in layer.weights)


_TAGS = "language of a question"
FAMILY_MEMBERS: tuple[Member, ...] = (
    Member("family_rnn", "plain RNN", _TAGS, "tokens", read_words),
    Member("family_gru", "GRU", _TAGS, "tokens", read_words),
    Member("family_lstm", "LSTM", _TAGS, "tokens", read_words),
    Member("blank_forward", "LSTM, forward only", "word at a blank", "words", fill_blanks),
    Member("blank_both", "LSTM, both directions", "word at a blank", "words", fill_blanks),
    Member("number_words", "encoder–decoder", "a number in words", "characters", rewrite),
    Member("negation_tree", "recursive", "sentiment of a bracket", "nodes", run_tree),
)


@dataclass(frozen=True)
class Speed:
    """Units per second in the fastest run, and in the median run."""

    best: float
    middle: float


def throughput(trials: Mapping[str, Trial], rounds: int = 12) -> dict[str, Speed]:
    """Time each named trial once a round, after a warm-up, so that other load on the machine affects all of them alike.

    Other load only makes runs slower, so the fastest run is the result; the median shows how much load there was.
    """
    for run, _ in trials.values():
        run()  # Keras compiles on first use
    seconds: dict[str, list[float]] = {name: [] for name in trials}
    for _ in range(rounds):
        for name, (run, _) in trials.items():
            began = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - began)
    return {
        name: Speed(count / min(seconds[name]), count / float(np.median(seconds[name])))
        for name, (_, count) in trials.items()
    }


def moved_by_beginning(model: TextClassifier, reading: Reading, first: int) -> float:
    """The total variation distance of the last probabilities with and without the first tokens, 0…1.

    Args:
        model: a text classifier.
        reading: its reading of a text.
        first: the number of tokens that are replaced by unknown words, 0…T.

    Raises:
        ValueError: if the text has fewer tokens.
    """
    if not 0 <= first <= len(reading.tokens):
        raise ValueError(f"The text has {len(reading.tokens)} tokens; received {first}.")
    inputs = [ids.copy() for ids in reading.encoded.inputs]
    for ids in inputs:
        ids[:first] = UNKNOWN
    without = with_both_classes(model.network.run(*inputs).output)[-1]  # (classes,)
    return float(np.abs(without - reading.probabilities[-1]).sum() / 2)


def what_decides(model: Any, text: str, answer: str) -> Array:
    """(T,) the decrease of the probability of an answer when each word is replaced by an unknown one; 0 at the blank.

    Args:
        model: a blank filler.
        text: a sentence with one blank.
        answer: one of the answers of the model.

    Raises:
        TextError: as `BlankFiller.read`.
        ValueError: if there is no such answer.
    """
    encoded, place = model.encode(text)
    if answer not in model.answers:
        raise ValueError(f"There is no answer '{answer}'; there are {', '.join(model.answers)}.")
    column = model.answers.index(answer)

    def probability(ids: Array) -> float:
        return float(model.network.run(ids).output[place, column])

    whole, lost = probability(encoded.ids), np.zeros(len(encoded.ids))
    for t in range(len(lost)):
        if t != place:
            ids = encoded.ids.copy()
            ids[t] = UNKNOWN
            lost[t] = whole - probability(ids)
    return lost
