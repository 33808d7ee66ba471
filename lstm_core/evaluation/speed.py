"""What can be measured alike on every network of the recurrent family: what it keeps of a beginning, its speed.

Who belongs to the family, and what a trial of each reads, stands in `MEMBERS`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.inference.classifier import Reading, TextClassifier, with_both_classes
from lstm_core.text.encoder import UNKNOWN


@dataclass(frozen=True)
class Member:
    """One network of the family.

    Attributes:
        model: its name in the models folder.
        name: what people call it.
        task: what it does, in a few words.
        unit: what is counted when it reads, in the plural.
        engine: what computes it when it is timed.
        trial: "module:function", a function (model) → (a call that reads once, how many `unit` it reads).
    """

    model: str
    name: str
    task: str
    unit: str
    engine: str
    trial: str


_TAGS = "language of a question"
_WORDS = "lstm_core.evaluation.speed:read_words"
_BLANK = "lstm_core.evaluation.speed:fill_blanks"
FAMILY_MEMBERS: tuple[Member, ...] = (
    Member("family_rnn", "plain RNN", _TAGS, "tokens", "Keras", _WORDS),
    Member("family_gru", "GRU", _TAGS, "tokens", "Keras", _WORDS),
    Member("family_lstm", "LSTM", _TAGS, "tokens", "Keras", _WORDS),
    Member("blank_forward", "LSTM, forward only", "word at a blank", "words", "Keras", _BLANK),
    Member("blank_both", "LSTM, both directions", "word at a blank", "words", "Keras", _BLANK),
    Member(
        "number_words", "encoder–decoder", "a number in words", "signs", "NumPy", "lstm_core.evaluation.speed:rewrite"
    ),
    Member("negation_tree", "recursive", "praise and blame", "nodes", "NumPy", "lstm_core.evaluation.speed:run_tree"),
)
CELL_MODELS = ("family_rnn", "family_gru", "family_lstm")
BATCH = 32  # sequences in a trial
_SENTENCE = "this morning the ___ of our old neighbour whistled on the stove"

_NUMBER, _TREE = "4072", "((not bad) and (very good))"

Trial = tuple[Callable[[], Any], int]


def read_words(model: TextClassifier) -> Trial:
    """A trial of a text classifier: as many texts of full length as go together, by Keras."""
    length = model.encoder.length
    ids = np.random.default_rng(1).integers(UNKNOWN, len(model.encoder.vocabulary), (BATCH, length), np.int32)
    return (lambda: model.on_batch(ids)), BATCH * length


def fill_blanks(model: Any) -> Trial:
    """A trial of a blank filler: as many sentences as go together, by Keras."""
    ids = np.tile(model.encode(_SENTENCE)[0].ids, (BATCH, 1))  # (n, T)
    return (lambda: model.on_batch(ids)), ids.size


def rewrite(model: Any) -> Trial:
    """A trial of the encoder–decoder: as many numbers as go together; signs read and written are counted."""
    numbers = [_NUMBER] * BATCH
    signs = sum(map(len, numbers)) + sum(map(len, model.answers(numbers)))
    return (lambda: model.answers(numbers)), signs


def run_tree(model: Any) -> Trial:
    """A trial of the recursive network: as many trees as go together; every node gets its answer."""
    from lstm_core.datasets import sentiment_trees
    from lstm_core.inference import tree_rnn

    forest = tree_rnn.forest_of([sentiment_trees.pieces(sentiment_trees.parse_tree(_TREE))] * BATCH, model.words)
    return (lambda: model.probabilities(model.vectors(forest))), len(model.vectors(forest))


def cell_weights(model: Any) -> int:
    """How many of a network's weights are used anew at every step; the rest are embeddings and answers."""
    import keras

    from lstm_core.inference.tree_rnn import LAYERS

    kinds = (keras.layers.LSTM, keras.layers.GRU, keras.layers.SimpleRNN, keras.layers.Bidirectional)
    return sum(
        int(layer.count_params()) for layer in model.model.layers if isinstance(layer, kinds) or layer.name == LAYERS[1]
    )


def trial_of(member: Member, model: Any) -> Trial:
    """What is timed for a member of the family."""
    module, function = member.trial.split(":")
    found: Trial = getattr(import_module(module), function)(model)
    return found


@dataclass(frozen=True)
class Speed:
    """How many tokens, words or signs a second were read: in the best run, and in the middle one of all."""

    best: float
    middle: float


def throughput(trials: Mapping[str, Trial], rounds: int = 12) -> dict[str, Speed]:
    """Time each trial once a round, so that whatever else the machine does meets all of them alike.

    The best run counts: other work can only make a run slower. How far the middle one lies behind it says how much
    other work there was.

    Args:
        trials: name → (a call that reads once, how much it reads).
        rounds: how often each is run, after one run that doesn't count.
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


def without_beginning(model: TextClassifier, reading: Reading, first: int) -> Array:
    """(classes,) the last answer if the first so many tokens had been unknown words.

    Args:
        model: which network.
        reading: its reading of a text.
        first: how many tokens, 0…T.

    Raises:
        ValueError: if the text has fewer tokens.
    """
    if not 0 <= first <= len(reading.tokens):
        raise ValueError(f"The text has {len(reading.tokens)} tokens; received {first}.")
    inputs = [ids.copy() for ids in reading.encoded.inputs]
    for ids in inputs:
        ids[:first] = UNKNOWN
    return with_both_classes(model.network.run(*inputs).output)[-1]


def moved_by_beginning(model: TextClassifier, reading: Reading, first: int) -> float:
    """How far the last answer moves when the first tokens are unknown: total variation distance, 0…1."""
    return float(np.abs(without_beginning(model, reading, first) - reading.probabilities[-1]).sum() / 2)


def what_decides(model: Any, text: str, answer: str) -> Array:
    """(T,) how much of the probability of an answer at the blank is lost when each word is unknown; 0 at the blank.

    Args:
        model: a blank filler.
        text: a sentence with one blank.
        answer: one of the model's answers.

    Raises:
        TextError: as `BlankFiller.read`.
        ValueError: if there is no such answer.
    """
    encoded, place = model.encode(text)
    if answer not in model.answers:
        raise ValueError(f"There is no answer '{answer}'; there are {', '.join(model.answers)}.")
    column = model.answers.index(answer)

    def asked(ids: Array) -> float:
        return float(model.network.run(ids).output[place, column])

    whole, lost = asked(encoded.ids), np.zeros(len(encoded.ids))
    for t in range(len(lost)):
        if t != place:
            ids = encoded.ids.copy()
            ids[t] = UNKNOWN
            lost[t] = whole - asked(ids)
    return lost
