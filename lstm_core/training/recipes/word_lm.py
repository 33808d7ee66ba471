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
    summary="One LSTM of 256 units that reads sentences of film reviews and says what word comes next.",
    notes=(
        "Every sentence is read on its own: in small letters, without commas or other signs, from its beginning to "
        "its end, which is a word to the network as well. Of a sentence of more than 39 words the first 39 are "
        "trained on.",
        "Words that are not among the 8,000 most frequent are one and the same word to the network, 'unknown'; what "
        "it says of them is how much it expects some rare word.",
        "It read the training sentences once, half of them in each of two epochs, with 1,000 drawn words standing for "
        "the whole vocabulary in every training step; so the training loss is not that of the whole vocabulary.",
    ),
)

WORD_RECIPES = {recipe.name: recipe for recipe in (EVERYDAY_WORDS,)}
