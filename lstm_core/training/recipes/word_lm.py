"""What the word model was trained on, and how. Data and numbers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lstm_core.library.card import ModelCard
from lstm_core.training.recipes.base import Repeatable, card_of


@dataclass(frozen=True)
class WordRecipe(Repeatable):
    """How a word model is made.

    Attributes:
        name: of the model's folder.
        title: for people.
        dataset: labelled texts of `datasets`.
        summary: for the card.
        notes: for the card.
        training: the most words to train on.
        held_out: words of the validation part and of the test part, each.
        vocabulary: ids, with padding, unknown and the sentence's end.
        width: of the embedding.
        units: of the LSTM.
        narrow: units of the linear layer in front of the softmax, which makes that one smaller.
        dropout: after the embedding, the LSTM and the narrow layer.
        drawn: words that stand for the whole vocabulary in a training step; see `word_training.SampledAnswer`.
        batch: words of a batch, about.
        epochs: how often the validation part is read.
        shares: epochs in one pass over the training part.
        rate: the highest learning rate.
        decay: weight decay.
        seed: for the cut, the order, weights and dropout.
    """

    name: str
    title: str
    dataset: str
    summary: str
    notes: tuple[str, ...] = ()
    training: int = 2_200_000
    held_out: int = 60_000
    vocabulary: int = 8000
    width: int = 96
    units: int = 256
    narrow: int = 128
    dropout: float = 0.15
    drawn: int = 1000
    batch: int = 2048
    epochs: int = 2
    shares: int = 2
    rate: float = 4e-3
    decay: float = 0.01
    seed: int = 1

    def card(
        self, curves: Mapping[str, Sequence[float]], words: Mapping[str, int], parameters: int, seconds: float
    ) -> ModelCard:
        """The card of a finished run, without test figures; `words` counts those of each part."""
        validation = list(curves["validation_loss"])
        facts = {
            "words": dict(words),
            "held_out": self.held_out,
            "epochs": self.epochs,
            "kept_epoch": validation.index(min(validation)) + 1,
            "parameters": parameters,
            "curves": {name: list(values) for name, values in curves.items()},
        }
        return card_of(self, "word model", self.dataset, seconds, facts)


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
