"""The recipe of the shipped word model. Data and numbers only; `training/word_lm.py` trains it."""

from __future__ import annotations

from dataclasses import dataclass

from lstm_core.training.recipes.base import Recipe


@dataclass(frozen=True, kw_only=True)
class WordRecipe(Recipe):
    """How a word model is made.

    Attributes:
        training: the largest number of words to train on.
        held_out: words of the validation part and of the test part, each.
        vocabulary: ids, with padding, unknown and the sentence's end.
        width: of the embedding.
        units: of the LSTM.
        projection: units of the linear layer in front of the softmax, which makes that one smaller.
        dropout: after the embedding, the LSTM and the projection.
        num_sampled: words that stand for the whole vocabulary in a training step; see `word_lm.SampledSoftmax`.
        batch: words of a batch, about.
        epochs: how often the validation part is read.
        epochs_per_pass: epochs in one pass over the training part.
        learning_rate: the highest one.
        weight_decay: of AdamW.
    """

    task: str = "word model"
    training: int = 2_200_000
    held_out: int = 60_000
    vocabulary: int = 8000
    width: int = 96
    units: int = 256
    projection: int = 128
    dropout: float = 0.15
    num_sampled: int = 1000
    batch: int = 2048
    epochs: int = 2
    epochs_per_pass: int = 2
    learning_rate: float = 4e-3
    weight_decay: float = 0.01


EVERYDAY_WORDS = WordRecipe(
    name="everyday_words",
    title="Everyday English, word by word",
    dataset="imdb",
    summary="An LSTM of 256 units that predicts the next word in sentences of movie reviews.",
    notes=(
        "Every sentence is read on its own: in lowercase, without commas or other "
        "punctuation, from its beginning to its end, which is a token as well. Of a sentence "
        "of more than 39 words, the first 39 are used in training.",
        "Words that are not among the 8,000 most frequent share one token, 'unknown'; its "
        "probability is that of any rare word.",
        "It was trained on each sentence once, on half of them in each of two epochs, with a "
        "sampled softmax over 1,000 words in every step; the training loss is therefore not "
        "that of the whole vocabulary.",
    ),
)

WORD_RECIPES = {recipe.name: recipe for recipe in (EVERYDAY_WORDS,)}
