"""How the shipped networks of the recurrent family were trained; each repeatable by one command.

Data and numbers only. The three text networks are trained by `training/classifier.py`, the two that fill blanks by
`training/cloze.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

from lstm_core.datasets.cloze_grammar import ANSWERS
from lstm_core.training.recipes.base import Recipe
from lstm_core.training.recipes.classifier import TextRecipe, adam, network

WORDS_READ = 150


def _member(cell: str, name: str, gates: str) -> TextRecipe:
    """One of three that differ in their cell and in nothing else."""
    article = "an" if cell == "lstm" else "a"
    return TextRecipe(
        name=f"family_{cell}",
        title=f"Stack Overflow tags by {article} {name}",
        dataset="stackoverflow",
        summary=f"{article.capitalize()} {name} of 32 units reads {WORDS_READ} tokens of a question; its last state "
        "alone gives the answer.",
        notes=(
            f"{gates} The three networks family_rnn, family_gru and family_lstm have the same embedding, the same "
            "number of units, the same data, order, seed and optimizer; only the cell differs.",
            "Nothing helps the memory: no pooling, no second direction. What was read first must be carried in the "
            "state to the end, or it is lost.",
        ),
        tokenizer="code",
        vocabulary=3000,
        length=WORDS_READ,
        build=network("last_state", cell=cell),
        optimizer=adam(learning_rate=5e-3),
        batch=32,
        epochs=12,
        validation=0.2,
        word_dropout=0.2,
    )


@dataclass(frozen=True, kw_only=True)
class BlankRecipe(Recipe):
    """How a network that fills blanks is made.

    Attributes:
        bidirectional: whether it reads in both directions.
        learning_rate: the highest one.
        sentences_per_epoch: sentences that are sampled for each epoch.
        validation: sentences that are sampled to choose by.
        epochs: how many.
        batch: sentences a step.
        word_dropout: share of words replaced by "unknown" while training.
    """

    task: str = "blank filler"
    dataset: str = "blanks"
    labels: tuple[str, ...] = ANSWERS
    bidirectional: bool
    learning_rate: float = 5e-3
    sentences_per_epoch: int = 6000
    validation: int = 2000
    epochs: int = 12
    batch: int = 64
    word_dropout: float = 0.03


_SAME = (
    "The sentences come from a little grammar of our own (lstm_core/datasets/cloze_grammar.py). What decides the "
    "blank stands after it in three of four sentences and before it in the others.",
    "Both networks have 32 units in all, the same embedding, sentences, seed and optimizer. The one that reads in both "
    "directions gives 16 units to each, and so has fewer weights.",
)
FAMILY_RECIPES = {
    recipe.name: recipe
    for recipe in (
        _member("rnn", "plain RNN", "No gates: each step makes the whole state anew."),
        _member("gru", "GRU", "Two gates: one keeps, one lets the candidate look back."),
        _member("lstm", "LSTM", "Three gates and a cell state beside the hidden one."),
    )
}
BLANK_RECIPES = {
    recipe.name: recipe
    for recipe in (
        BlankRecipe(
            name="blank_forward",
            title="Blanks, reading forward only",
            summary="An LSTM of 32 units guesses the word at a blank from the words before it.",
            notes=_SAME,
            bidirectional=False,
        ),
        BlankRecipe(
            name="blank_both",
            title="Blanks, reading in both directions",
            summary="Two LSTMs of 16 units, one from either end, guess the word at a blank from all the others.",
            notes=_SAME,
            bidirectional=True,
        ),
    )
}
