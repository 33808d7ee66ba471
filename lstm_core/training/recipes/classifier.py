"""The recipes of the shipped text classifiers. Data and numbers only; `training/classifier.py` trains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lstm_core.training.distillation import Start
from lstm_core.training.recipes.base import Recipe


@dataclass(frozen=True, kw_only=True)
class TextRecipe(Recipe):
    """How a text classifier is made.

    Attributes:
        tokenizer: a name from `text.encoder.TOKENIZERS`.
        vocabulary: the largest number of ids, padding and unknown included.
        length: tokens read of a text.
        build: (token ids, classes, pair ids) → Keras model.
        optimizer: (training steps) → Keras optimizer.
        batch: texts a step.
        epochs: passes over the training part.
        validation: the share of the training split that is held out to choose by.
        padding: see `text.Encoder`.
        min_count: how often a token must be seen to enter the vocabulary.
        pairs: the largest number of ids of neighbouring pairs; 0 if the network reads none.
        mask_names: see `text.Encoder`.
        word_dropout: share of tokens replaced by "unknown" while training.
        restored_names: share of training questions that get their language's name back.
        prefix_share: share of training texts replaced by a short prefix of a text that names a language.
        whole_words: cut words that are in fewer training texts than this into known ones; 0 for never.
        training_length: tokens of a text that are trained on; 0 for `length`.
        anywhere: train on tokens from anywhere in a text, or else on its first ones.
        deleted: share of tokens left out while training.
        rating_weight: weight of a review's rating in its target; the rest is its label.
        start: how the embeddings start, or at random.
        teachers: how many cross-fitted teachers; 0 for none. See `distillation.out_of_fold`.
        teacher_epochs: passes of a teacher; 0 for `epochs`.
        distillation_weight: weight of the teachers' answers in a target; the rest is the label.
        refit: train once more, on the validation part too, after the run that was validated.
        ema_momentum: of the moving average of the weights that is validated and kept; 0 for none.
        keep_best: keep the epoch with the lowest validation loss, or else the last.
    """

    task: str = "classifier"
    tokenizer: str
    vocabulary: int
    length: int
    build: Callable[[int, int, int], Any]
    optimizer: Callable[[int], Any]
    batch: int
    epochs: int
    validation: float
    padding: str | None = None
    min_count: int = 1
    pairs: int = 0
    mask_names: bool = False
    word_dropout: float = 0.0
    restored_names: float = 0.0
    prefix_share: float = 0.0
    whole_words: int = 0
    training_length: int = 0
    anywhere: bool = False
    deleted: float = 0.0
    rating_weight: float = 0.0
    start: Start | None = None
    teachers: int = 0
    teacher_epochs: int = 0
    distillation_weight: float = 0.7
    refit: bool = False
    ema_momentum: float = 0.0
    keep_best: bool = False


def network(name: str, **settings: Any) -> Callable[[int, int, int], Any]:
    """A builder of `architectures`, looked up when it is called: recipes can be listed without Keras."""

    def build(vocabulary: int, classes: int, pairs: int) -> Any:
        from lstm_core.training import architectures

        inputs = {"pairs": pairs} if pairs else {}
        return getattr(architectures, name)(vocabulary, classes, **inputs, **settings)

    return build


def adam(**settings: Any) -> Callable[[int], Any]:
    """`optimizers.adam`, looked up when it is called."""

    def build(steps: int) -> Any:
        from lstm_core.training import optimizers

        return optimizers.adam(steps, **settings)

    return build


def plain(name: str) -> Callable[[int], Any]:
    """An optimizer of Keras with its default settings, looked up when it is called."""

    def build(steps: int) -> Any:
        import keras

        return getattr(keras.optimizers, name)()

    return build


STACKOVERFLOW_ARTICLE = TextRecipe(
    name="stackoverflow_article",
    title="Stack Overflow tags, the article's network",
    dataset="stackoverflow",
    summary="The network of the article, as it describes it: 1,000 tokens, 100 timesteps, one LSTM of 32 units.",
    notes=(
        "Kept from the article: vocabulary 1,000, the first 100 whitespace tokens, Embedding(16), LSTM(32) with "
        "dropout .3 and recurrent dropout .2, softmax over four classes, RMSprop, batch 124, 20 epochs, 6,000 "
        "training and 2,000 validation questions. It reports 64.05 % on the test split.",
        "Why it is low. Padding is read as text: half of the questions have fewer than 100 words, and the network "
        "reads a run of pads before it comes to them. Tokens keep their punctuation, so 'list' and 'list,' are "
        "strangers to each other. The vocabulary of 1,000 leaves most of the telling words unknown, and everything "
        "after the hundredth word is never seen.",
        "The article doesn't say on which side it pads. Pads stand in front here, as Keras puts them by default; "
        "behind the text they cost ten more points on the validation part.",
        "The article prints an argmax without an axis, which is one number for the whole table of answers; here each "
        "question has its own.",
        "Language names in a pasted question become 'blank', as in the data: this network never saw a question "
        "that names its own language.",
    ),
    tokenizer="whitespace",
    vocabulary=1000,
    length=100,
    padding="front",
    mask_names=True,
    build=network("tags_article", length=100),
    optimizer=plain("RMSprop"),
    batch=124,
    epochs=20,
    validation=0.25,
)

STACKOVERFLOW = TextRecipe(
    name="stackoverflow",
    title="Stack Overflow tags, ours",
    dataset="stackoverflow",
    summary="One LSTM of 128 units reads 600 tokens of prose and code; every unit votes with its strongest moment "
    "and with its mean.",
    notes=(
        "Reads in one direction, so the answer after each token is exactly what the network would say had the "
        "question ended there.",
        "In a share of the training questions the word 'blank' was turned back into the language's name, so that "
        "questions that name their language can be read as they are. The test figures are on the data as it is, "
        "without any name put back.",
        "A rare name such as 'userlistview' is cut into words that are known: 'user', '##list', '##view'.",
        "Two fifths of each target are the label; the rest is the answer of another LSTM of its kind, one of four, "
        "that was not trained on this question.",
        "The validation figures and the curves come from a run that held 10 % of the training questions back. The "
        "network here was then trained in the same way, for as many epochs, on all of them.",
    ),
    tokenizer="code",
    vocabulary=12000,
    min_count=2,
    whole_words=5,
    pairs=20000,
    length=600,
    training_length=500,
    build=network("pooled_lstm", width=64, units=128, mean=True),
    optimizer=adam(learning_rate=2e-3),
    batch=32,
    epochs=7,
    validation=0.1,
    word_dropout=0.5,
    restored_names=0.2,
    prefix_share=0.1,
    start=Start(scale=0.03, window=6, even=True),
    teachers=4,
    teacher_epochs=6,
    distillation_weight=0.6,
    ema_momentum=0.997,
    refit=True,
)

IMDB_ARTICLE = TextRecipe(
    name="imdb_article",
    title="Film reviews, the article's network",
    dataset="imdb",
    summary="The network of the article, as it describes it: 5,000 tokens, 300 timesteps, one LSTM of 128 units.",
    notes=(
        "Kept from the article: a vocabulary of 5,000 ids, 300 timesteps, Embedding(10), LSTM(128), one sigmoid unit, "
        "Adam with its usual settings, 5 epochs, 22,500 reviews to train on and 2,500 to validate with. It reports "
        "83.5 % of the test reviews right and an area under the ROC curve of .91.",
        "Ours to choose, because the article doesn't say: words are cut as Keras's Tokenizer cuts them, without "
        "punctuation; a batch is 128 reviews; the first 300 words of a longer review are read; the weights after the "
        "last epoch are kept. The validation part is cut by film, so that no film is on both sides.",
        "Short reviews are filled up to 300 timesteps with pads in front, as Keras puts them by default, and the "
        "network reads those pads as if they were text.",
    ),
    tokenizer="keras",
    vocabulary=5000,
    length=300,
    padding="front",
    build=network("reviews_article", length=300),
    optimizer=plain("Adam"),
    batch=128,
    epochs=5,
    validation=0.1,
)

IMDB_BAG = TextRecipe(
    name="imdb_bag",
    title="Film reviews, without any memory",
    dataset="imdb",
    summary="The sample code of the article as it literally reads: an embedding and one sigmoid unit, no LSTM at all.",
    notes=(
        "The article's sample code has an Embedding(32) and a Dense unit with a sigmoid, and no recurrent layer in "
        "between, although it is about LSTMs. To give one answer a review, the embeddings of its words are averaged "
        "here; the article doesn't say how it gets from many words to one answer.",
        "An average doesn't know the order of the words: 'not good, bad' and 'not bad, good' are the same to it. What "
        "an LSTM is worth is what it reaches beyond this.",
        "Ours to choose: a vocabulary of 10,000 ids, the first 500 words of a review, Adam, batches of 64, 10 epochs, "
        "and a validation part cut by film.",
    ),
    tokenizer="keras",
    vocabulary=10000,
    length=500,
    build=network("bag_of_words"),
    optimizer=plain("Adam"),
    batch=64,
    epochs=10,
    validation=0.1,
)

IMDB = TextRecipe(
    name="imdb",
    title="Film reviews, ours",
    dataset="imdb",
    summary="One LSTM of 128 units reads 800 tokens of a review; every unit votes with its strongest moment and "
    "with its mean.",
    notes=(
        "Reads in one direction, so the answer after each token is exactly what the network would say had the review "
        "ended there.",
        "Each token comes with the pair that it makes with the one before, so that 'not good' is more than 'not' and "
        "'good'. Both embeddings start from which tokens stand near each other in the training reviews.",
        "It learns from pieces of 150 tokens, taken from anywhere in a review, with a fifth of the tokens left "
        "out and a seventh hidden, and from the stars as well as from the label: seven stars are a less certain "
        "'positive' than ten.",
        "The validation figures and the curves come from a run that held 10 % of the training reviews back, by film. "
        "The network here was then trained in the same way, for as many epochs, on all of them. Of three seeds, "
        "the one with the lowest validation loss ships.",
    ),
    tokenizer="words",
    vocabulary=12000,
    min_count=2,
    pairs=30000,
    length=800,
    training_length=150,
    anywhere=True,
    deleted=0.2,
    word_dropout=0.15,
    rating_weight=0.4,
    build=network(
        "pooled_lstm",
        width=64,
        pair_width=48,
        units=128,
        mean=True,
        channel_dropout=0.0,
        value_dropout=0.35,
        output_dropout=0.5,
    ),
    optimizer=adam(learning_rate=2e-3, embeddings=0.25),
    batch=64,
    epochs=9,
    validation=0.1,
    start=Start(scale=0.3, window=5, even=False, pairs=True),
    ema_momentum=0.998,
    refit=True,
    seed=2,
)

RECIPES = {recipe.name: recipe for recipe in (STACKOVERFLOW_ARTICLE, STACKOVERFLOW, IMDB_ARTICLE, IMDB_BAG, IMDB)}
