"""What the character models were trained on, and how: one recipe a model. Data and numbers only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from lstm_core.library.card import ModelCard
from lstm_core.training.recipes.base import Repeatable, card_of


@dataclass(frozen=True)
class CharacterRecipe(Repeatable):
    """How a character model is made.

    Attributes:
        name: of the model's folder.
        title: for people.
        dataset: a text of `datasets`.
        summary: for the card.
        notes: for the card.
        small_letters: read everything in small letters, as the articles do.
        begin_with: a model that was trained before; its weights are where this one begins, character
            by character. Both must have the same sizes.
        also: other texts of `datasets` whose training parts are read too.
        alone: last epochs in which the text itself is all that is read.
        finish: epochs after the run that was validated, from its best weights on and at half the rate, in which the
            validation part is read too: it stands right before the test part, with the names that occur there.
        units: of each LSTM layer.
        width: of the embedding.
        dropout: after each layer.
        steps: characters between which gradients flow.
        streams: rows of a batch.
        epochs: passes over the training part.
        rate: the highest learning rate.
        decay: weight decay.
        seed: for weights, dropout and the places where an epoch begins, or the order of windows.
        window: how many characters are read anew for each one, as one number each (`training/char_lm_window.py`);
            0 for running text with carried state. With a window there is neither `width` nor `steps`,
            and training is Adam at the same rate all along, without decay.
    """

    name: str
    title: str
    dataset: str
    summary: str
    notes: tuple[str, ...] = ()
    small_letters: bool = False
    begin_with: str = ""
    also: tuple[str, ...] = ()
    alone: int = 0
    finish: int = 0
    units: tuple[int, ...] = (256, 256)
    width: int = 64
    dropout: float = 0.3
    steps: int = 128
    streams: int = 32
    epochs: int = 12
    rate: float = 3e-3
    decay: float = 0.01
    seed: int = 1
    window: int = 0

    def card(
        self, curves: Mapping[str, list[float]], training: int, validation: int, parameters: int, seconds: float
    ) -> ModelCard:
        """The card of a finished run, without test figures."""
        kept = min(range(len(curves["validation_loss"])), key=curves["validation_loss"].__getitem__, default=-1)
        facts = {
            "characters": {"training": training, "validation": validation},
            "epochs": self.epochs,
            "kept_epoch": kept + 1,
            "parameters": parameters,
            "curves": dict(curves),
        }
        return card_of(self, "generator", self.dataset, seconds, facts)


SHAKESPEARE = CharacterRecipe(
    name="shakespeare",
    title="Shakespeare, character by character",
    dataset="shakespeare",
    summary="Two LSTM layers of 320 units that read a megabyte of Shakespeare, capitals and all.",
    notes=(
        "Ten epochs read Macbeth and Julius Caesar too, up to where their validation parts begin; in the next four the "
        "network read its own text alone. The curves end there. Five more epochs, at half the rate, read the "
        "validation part as well: the play that the test part is cut from begins there, with the names of its people.",
    ),
    units=(320, 320),
    also=("macbeth", "julius_caesar"),
    alone=4,
    epochs=14,
    finish=5,
)


def _play(name: str, title: str, other: str) -> CharacterRecipe:
    return CharacterRecipe(
        name=name,
        title=title,
        dataset=name,
        summary="The network that read Shakespeare, gone on with one play in small letters.",
        notes=(
            "It begins with the weights of 'shakespeare', which has seen no test part of any play, reads everything "
            "again in small letters and then this play alone; at last its validation part as well.",
        ),
        small_letters=True,
        begin_with="shakespeare",
        units=SHAKESPEARE.units,
        also=("shakespeare", other),
        epochs=12,
        alone=10,
        finish=4,
        rate=1e-3,
        dropout=0.4,
    )


MACBETH = _play("macbeth", "Macbeth, character by character", "julius_caesar")
JULIUS_CAESAR = _play("julius_caesar", "Julius Caesar, character by character", "macbeth")

MACBETH_ARTICLE = CharacterRecipe(
    name="macbeth_article",
    title="Macbeth, the articles' network",
    dataset="macbeth",
    summary="The articles' network: the last 50 characters, one number each, through two LSTM layers of 300 units.",
    notes=(
        "A character is its place in the alphabet divided by the alphabet's size. That pretends that neighbours are "
        "alike: an 'a' is nearly a 'b', and far from an 'o'.",
        "Nothing that lies more than 50 characters back can matter: a longer prompt is cut to its end, and in front of "
        "a shorter one stand newlines.",
        "No state is carried on: all 50 characters are read again for every character that is written.",
        "One pass over the text is our choice, because the articles train briefly. Layers, dropout, batches of 30 and "
        "Adam are theirs.",
    ),
    small_letters=True,
    units=(300, 300),
    dropout=0.2,
    streams=30,
    epochs=1,
    rate=1e-3,
    window=50,
)

CHARACTER_RECIPES = {recipe.name: recipe for recipe in (SHAKESPEARE, MACBETH, JULIUS_CAESAR, MACBETH_ARTICLE)}
