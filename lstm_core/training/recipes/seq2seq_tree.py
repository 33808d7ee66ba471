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
    summary="An LSTM of 128 units reads a number; another writes its digits as words, the last one first.",
    notes=(
        "All that the second network gets of the number is the last state of the first, h and c: there is no "
        "attention (Bahdanau et al. 2015), nothing to look back at.",
        "In training the decoder is given the true characters so far (teacher forcing), in use its own: the most "
        "probable one at each step.",
        "Trained on numbers of one to six digits, each length as often; zeros in front count as digits. Of the numbers "
        "of three digits and more, one in twenty is for testing only and one for validation; a number's checksum says "
        "which. All numbers of one or two digits are trained on, and none is among the test examples.",
    ),
)

NEGATION_TREE = SequenceRecipe(
    name="negation_tree",
    title="Praise and blame over a tree",
    task="tree reader",
    dataset="bracketed praise and blame",
    summary="A recursive network: the vector of a bracket is made from the two vectors inside it, the same way "
    "everywhere.",
    notes=(
        "The plain recursive network of Socher et al. (2011): one matrix, tanh, one softmax for all nodes. "
        "It is trained on the answer of every bracket and word that has one.",
        "'X and Y' is read as two nodes, X with (and Y). The half sentence 'and Y' has no truth, so no answer is asked "
        "of it in training.",
        "Trained on trees of at most four brackets within one another. Of the trees with two and more, one in twenty "
        "is for testing only and one for validation; a checksum of its words and brackets says which.",
    ),
    labels=("very bad", "bad", "so-so", "good", "very good"),
    units=48,
    batch=128,
    steps_per_epoch=200,
    epochs=20,
)

SEQUENCE_RECIPES = {recipe.name: recipe for recipe in (NUMBER_WORDS, NEGATION_TREE)}
