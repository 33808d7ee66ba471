"""What the networks of the family that aren't plain readers were trained on, and how. Data and numbers only.

The encoder–decoder is trained by `training/seq2seq.py`, the recursive network by `training/tree_rnn.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from lstm_core.training.recipes.base import Recipe


@dataclass(frozen=True, kw_only=True)
class SequenceRecipe(Recipe):
    """How such a network is made; its examples are sampled, so an epoch is a number of steps.

    Attributes:
        units: the width of the states, or of a node's vector.
        width: of the embeddings, where they have one of their own.
        batch: examples a step.
        steps_per_epoch: of an epoch.
        epochs: how many.
        learning_rate: the highest one.
    """

    units: int = 128
    width: int = 16
    batch: int = 128
    steps_per_epoch: int = 200
    epochs: int = 20
    learning_rate: float = 3e-3


NUMBER_WORDS = SequenceRecipe(
    name="number_words",
    title="Numbers to words, backwards",
    task="rewriter",
    dataset="numbers spelled backwards",
    summary="An LSTM of 128 units encodes a number; another generates its digits as words, the last one first.",
    notes=(
        "The decoder gets the encoder's last state, h and c, and nothing else: there is no "
        "attention (Bahdanau et al. 2015).",
        "In training, the decoder's input is the true characters so far (teacher forcing); in"
        " inference its own, the most probable one at each step.",
        "Trained on numbers of one to six digits, each length equally often; leading zeros "
        "count as digits. Of the numbers of three digits and more, one in twenty belongs to "
        "the test set and one to the validation set; a checksum of the number decides which. "
        "All numbers of one or two digits are in the training set, and none is in the test "
        "set.",
    ),
)

NEGATION_TREE = SequenceRecipe(
    name="negation_tree",
    title="Praise and blame over a tree",
    task="tree reader",
    dataset="bracketed praise and blame",
    summary="A recursive network: the vector of a node is computed from the vectors of its two "
    "children, with shared weights.",
    notes=(
        "The plain recursive network of Socher et al. (2011): one matrix, tanh, one softmax "
        "for all nodes. It is trained on the label of every node that has one.",
        "'X and Y' is read as two nodes, X with (and Y). The phrase 'and Y' has no label, so "
        "it has no loss in training.",
        "Trained on trees of depth four at most. Of the trees of depth two and more, one in "
        "twenty belongs to the test set and one to the validation set; a checksum of its "
        "words and brackets decides which.",
    ),
    labels=("very bad", "bad", "so-so", "good", "very good"),
    units=48,
    batch=128,
    steps_per_epoch=200,
    epochs=20,
)

SEQUENCE_RECIPES = {recipe.name: recipe for recipe in (NUMBER_WORDS, NEGATION_TREE)}
