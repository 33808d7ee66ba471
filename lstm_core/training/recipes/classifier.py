"""The recipes of the shipped text classifiers. Data and numbers only; `training/classifier.py` trains them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
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
    return partial(_build_network, name, settings)


def _build_network(name: str, settings: dict[str, Any], vocabulary: int, classes: int, pairs: int) -> Any:
    from lstm_core.training import architectures

    inputs = {"pairs": pairs} if pairs else {}
    return getattr(architectures, name)(vocabulary, classes, **inputs, **settings)


def adam(**settings: Any) -> Callable[[int], Any]:
    """`optimizers.adam`, looked up when it is called."""
    return partial(_build_adam, **settings)


def _build_adam(steps: int, **settings: Any) -> Any:
    from lstm_core.training import optimizers

    return optimizers.adam(steps, **settings)


def plain(name: str) -> Callable[[int], Any]:
    """An optimizer of Keras with its default settings, looked up when it is called."""
    return partial(_build_plain, name)


def _build_plain(name: str, steps: int) -> Any:
    import keras

    return getattr(keras.optimizers, name)()


STACKOVERFLOW_ARTICLE = TextRecipe(
    name="stackoverflow_article",
    title="Stack Overflow tags, the baseline",
    dataset="stackoverflow",
    summary="The network of the article, as it describes it: 1,000 tokens, 100 timesteps, one LSTM of 32 units.",
    notes=(
        "As in the article: vocabulary 1,000, the first 100 whitespace tokens, Embedding(16),"
        " LSTM(32) with dropout 0.3 and recurrent dropout 0.2, softmax over four classes, "
        "RMSprop, batch size 124, 20 epochs, 6,000 training and 2,000 validation questions. "
        "It reports a test accuracy of 64.05%.",
        "Reasons for the low accuracy: padding is not masked, and half of the questions have "
        "fewer than 100 words. Tokens keep their punctuation, so 'list' and 'list,' are "
        "different tokens. With a vocabulary of 1,000, most of the informative words are "
        "unknown, and everything after the hundredth word is cut.",
        "The article doesn't specify the side of the padding. It is at the beginning here, "
        "Keras's default; at the end, the validation accuracy is ten points lower.",
        "The article prints an argmax without an axis, which is one number for all "
        "predictions; here each question has its own.",
        "Language names in an entered question are replaced by 'blank', as in the data: this "
        "network was never trained on a question that names its language.",
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
    title="Stack Overflow tags",
    dataset="stackoverflow",
    summary="An LSTM of 128 units reads 600 tokens of prose and code; the prediction uses maximum"
    " and mean pooling over time.",
    notes=(
        "It reads in one direction, so the prediction after each token is exactly that for a "
        "question which ends there.",
        "In some of the training questions, the word 'blank' was replaced by the language's "
        "name, so that questions which name their language can be classified as they are. The"
        " test figures are on the unchanged data.",
        "A rare word such as 'userlistview' is split into known subwords: 'user', '##list', '##view'.",
        "Training uses distillation: two fifths of each target are the label; the rest is the"
        " prediction of another LSTM of the same kind, one of four, which was not trained on "
        "this question.",
        "The validation figures and the curves are those of a run with 10% of the training "
        "questions as a validation set. This network was then trained in the same way, for as"
        " many epochs, on all of them.",
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
    title="Movie reviews, the baseline",
    dataset="imdb",
    summary="The network of the article, as it describes it: 5,000 tokens, 300 timesteps, one LSTM of 128 units.",
    notes=(
        "As in the article: a vocabulary of 5,000 ids, 300 timesteps, Embedding(10), "
        "LSTM(128), one sigmoid unit, Adam with its default settings, 5 epochs, 22,500 "
        "reviews for training and 2,500 for validation. It reports a test accuracy of 83.5% "
        "and an area under the ROC curve of 0.91.",
        "Not specified in the article, and our choice: words are split as by Keras's "
        "Tokenizer, without punctuation; the batch size is 128; the first 300 words of a "
        "longer review are read; the weights after the last epoch are kept. The validation "
        "set is split by movie, so that no movie is in both parts.",
        "Short reviews are padded to 300 timesteps at the beginning, Keras's default, and the padding is not masked.",
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
    title="Movie reviews, a bag of words",
    dataset="imdb",
    summary="The sample code of the article, taken literally: an embedding and one sigmoid unit, without an LSTM.",
    notes=(
        "The article's sample code has an Embedding(32) and a Dense unit with a sigmoid, and "
        "no recurrent layer in between, although it is about LSTMs. For one prediction per "
        "review, the word embeddings are averaged here; the article doesn't specify how.",
        "A mean is independent of word order: 'not good, bad' and 'not bad, good' have the "
        "same. The difference between an LSTM and this network shows what recurrence "
        "contributes.",
        "Our choice: a vocabulary of 10,000 ids, the first 500 words of a review, Adam, "
        "batches of 64, 10 epochs, and a validation set split by movie.",
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
    title="Movie reviews",
    dataset="imdb",
    summary="An LSTM of 128 units reads 800 tokens of a review; the prediction uses maximum and "
    "mean pooling over time.",
    notes=(
        "It reads in one direction, so the prediction after each token is exactly that for a review which ends there.",
        "The input at each timestep is a token and its pair with the token before, so that "
        "'not good' is more than 'not' and 'good'. Both embeddings are initialized from "
        "co-occurrences in the training reviews.",
        "It is trained on random windows of 150 tokens, with a fifth of the tokens removed "
        "and a seventh masked, and on the ratings as well as on the labels: seven stars are a"
        " less certain 'positive' than ten.",
        "The validation figures and the curves are those of a run with 10% of the training "
        "reviews as a validation set, split by movie. This network was then trained in the "
        "same way, for as many epochs, on all of them. Of three seeds, the one with the "
        "lowest validation loss was chosen.",
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
