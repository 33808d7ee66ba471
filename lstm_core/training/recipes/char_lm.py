"""The recipes of the shipped character models. Data and numbers only; `training/char_lm.py` trains them."""

from __future__ import annotations

from dataclasses import dataclass

from lstm_core.training.recipes.base import Recipe


@dataclass(frozen=True, kw_only=True)
class CharacterRecipe(Recipe):
    """How a character model is made.

    Attributes:
        lowercase: read everything in lowercase, as the articles do.
        initial_model: a trained model whose weights are the initial ones, character by character; of the same sizes.
        extra_texts: other texts of `datasets` whose training parts are read too.
        epochs_alone: last epochs in which the text itself is all that is read.
        refit_epochs: epochs after the run that was validated, from its best weights on and at half the rate, in which
            the validation part is read too: it stands right before the test part, with the names that occur there.
        units: of each LSTM layer.
        width: of the embedding.
        dropout: after each layer.
        bptt_steps: characters between which gradients flow.
        batch: rows of a batch: parallel streams of the text, or windows.
        epochs: passes over the training part.
        learning_rate: the highest one.
        weight_decay: of AdamW.
        window: how many characters are read anew for each one, as one number each; 0 for running text with carried
            state. With a window there is neither `width` nor `bptt_steps`, and training is Adam at a constant rate.
    """

    task: str = "generator"
    lowercase: bool = False
    initial_model: str = ""
    extra_texts: tuple[str, ...] = ()
    epochs_alone: int = 0
    refit_epochs: int = 0
    units: tuple[int, ...] = (256, 256)
    width: int = 64
    dropout: float = 0.3
    bptt_steps: int = 128
    batch: int = 32
    epochs: int = 12
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    window: int = 0


SHAKESPEARE = CharacterRecipe(
    name="shakespeare",
    title="Shakespeare, character by character",
    dataset="shakespeare",
    summary="Two LSTM layers of 320 units, trained on a megabyte of Shakespeare with its capitals.",
    notes=(
        "Ten epochs include the training sets of Macbeth and Julius Caesar; the next four are"
        " on this text alone. The curves end there. Five more epochs, at half the learning "
        "rate, include the validation set: the play of the test set begins there, with the "
        "names of its characters.",
    ),
    units=(320, 320),
    extra_texts=("macbeth", "julius_caesar"),
    epochs_alone=4,
    epochs=14,
    refit_epochs=5,
)


def _play(name: str, title: str, other: str) -> CharacterRecipe:
    return CharacterRecipe(
        name=name,
        title=title,
        dataset=name,
        summary="The network trained on Shakespeare, fine-tuned on one play in lowercase.",
        notes=(
            "It is initialized with the weights of 'shakespeare', which was trained on no test "
            "set of any play, then trained on the same text in lowercase, then on this play "
            "alone, and at last on its validation set as well.",
        ),
        lowercase=True,
        initial_model="shakespeare",
        units=SHAKESPEARE.units,
        extra_texts=("shakespeare", other),
        epochs=12,
        epochs_alone=10,
        refit_epochs=4,
        learning_rate=1e-3,
        dropout=0.4,
    )


MACBETH = _play("macbeth", "Macbeth, character by character", "julius_caesar")
JULIUS_CAESAR = _play("julius_caesar", "Julius Caesar, character by character", "macbeth")

MACBETH_ARTICLE = CharacterRecipe(
    name="macbeth_article",
    title="Macbeth, the baseline",
    dataset="macbeth",
    summary="The network of the articles: the last 50 characters, one number each, and two LSTM layers of 300 units.",
    notes=(
        "A character is encoded as its index in the alphabet divided by the alphabet's size. "
        "This treats neighbours as similar: 'a' is close to 'b' and far from 'o'.",
        "Characters more than 50 positions back have no influence: of a longer prompt the "
        "last 50 are used, and a shorter one is padded with newlines at the beginning.",
        "It is stateless: all 50 characters are read again for every generated character.",
        "One epoch is our choice, because the articles train briefly. Layers, dropout, "
        "batches of 30 and Adam are as in the articles.",
    ),
    lowercase=True,
    units=(300, 300),
    dropout=0.2,
    batch=30,
    epochs=1,
    learning_rate=1e-3,
    window=50,
)

CHARACTER_RECIPES = {recipe.name: recipe for recipe in (SHAKESPEARE, MACBETH, JULIUS_CAESAR, MACBETH_ARTICLE)}
