"""How each shipped model is made: the settings of every kind of recipe, and the recipes of `assets/recipes.toml`."""

import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from typing import Any

from lstm_core.datasets.cloze_grammar import ANSWERS
from lstm_core.library.card import ModelCard
from lstm_core.paths import read_tables
from lstm_core.timeseries.scaling import Form
from lstm_core.training.distillation import Start

LEVELS = (0.1, 0.5, 0.9)  # of a forecaster: the median, and an interval that should hold 80%


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a model is made, as plain values that can be listed without Keras.

    Attributes:
        name: of the model's folder.
        task: a task of `inference.registry`; it says which class trains the recipe.
        dataset: a name of `datasets`, or what else it learns from.
        labels: for the card; of a classifier they come from the data.
    """

    name: str
    title: str
    task: str
    dataset: str
    summary: str
    notes: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    seed: int = 1

    @property
    def command(self) -> str:
        """What a person types to repeat it."""
        return f"python -m lstm_core train {self.name}"

    def card(self, training: Mapping[str, Any] | None = None, labels: tuple[str, ...] = ()) -> ModelCard:
        """A card without test figures; `training` is what `training_facts` gave, `labels` are those of a classifier."""
        about = self.name, self.title, self.task, self.dataset, self.summary, labels or self.labels, self.notes
        return ModelCard(*about, training=training or {})


@dataclass(frozen=True, kw_only=True)
class TextRecipe(Recipe):
    """How a text classifier is made.

    Attributes:
        tokenizer: a name from `text.encoder.TOKENIZERS`.
        vocabulary: the largest number of ids, padding and unknown included.
        length: tokens read of a text.
        build, optimizer: (token ids, classes, pair ids) → Keras model, and (training steps) → Keras optimizer.
        validation: the share of the training split that is held out to choose by.
        padding, mask_names: see `text.Encoder`.
        min_count: how often a token must be seen to enter the vocabulary.
        pairs: the largest number of ids of neighbouring pairs; 0 if the network reads none.
        word_dropout: share of tokens replaced by "unknown" while training.
        restored_names: share of training questions that get their language's name back.
        prefix_share: share of training texts replaced by a short prefix of a text that names a language.
        whole_words: cut words that are in fewer training texts than this into known ones; 0 for never.
        training_length: tokens of a text that are trained on; 0 for `length`.
        anywhere: train on tokens from anywhere in a text, or else on its first ones.
        deleted: share of tokens left out while training.
        rating_weight: weight of a review's rating in its target; the rest is its label.
        teachers: how many; 0 for none. They are cross-fitted (`distillation.out_of_fold`) where texts with a label
            learn from them, and trained on the whole training part where only unlabelled texts do.
        teacher_epochs: passes of a teacher; 0 for `epochs`.
        distillation_weight: weight of the teachers' answers in a target; the rest is the label.
        unlabelled: also read the data set's texts without a label, whose targets are the teachers' answers alone.
        rounds: how many networks learn one after the other; each answers the unlabelled texts for the next one.
        earlier_build: `build` of the teachers and of all rounds but the last; None for the same.
        calibrated: scale and shift the last layer to the validation part (`nn.calibration`).
        consistency: weight of the divergence between the answers to a text that is read twice, with other words and
            values dropped (`classifier.ConsistentModel`); 0 reads each text once.
        refit: train once more, on the validation part too.
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
    unlabelled: bool = False
    rounds: int = 1
    earlier_build: Callable[[int, int, int], Any] | None = None
    calibrated: bool = False
    consistency: float = 0.0
    refit: bool = False
    ema_momentum: float = 0.0
    keep_best: bool = False

    @property
    def earlier(self) -> "TextRecipe":
        """The recipe of a network that answers texts for a later one."""
        return replace(self, build=self.earlier_build or self.build)


@dataclass(frozen=True, kw_only=True)
class BlankRecipe(Recipe):
    """How a network that fills blanks is made; its sentences are sampled anew for each epoch.

    Attributes:
        validation: sentences that are sampled to choose by.
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
        renamed_speakers: share of the speakers of a play that get another name in each epoch after the first
            (`text.speaker_names`), but not while the validation part is read too, for the sake of its names.
        calibrated: temperature scaling, chosen on the validation part (`nn.calibration`).
        units, width, dropout: of each LSTM layer, of the embedding, and after each layer.
        bptt_steps: characters between which gradients flow.
        batch: rows of a batch: parallel streams of the text, or windows.
        window: how many characters are read anew for each one, as one number each; 0 for running text with carried
            state. With a window there is neither `width` nor `bptt_steps`, and training is Adam at a constant rate.
    """

    task: str = "generator"
    lowercase: bool = False
    initial_model: str = ""
    extra_texts: tuple[str, ...] = ()
    epochs_alone: int = 0
    refit_epochs: int = 0
    renamed_speakers: float = 0.0
    calibrated: bool = False
    units: tuple[int, ...] = (256, 256)
    width: int = 64
    dropout: float = 0.3
    bptt_steps: int = 128
    batch: int = 32
    epochs: int = 12
    learning_rate: float = 3e-3
    weight_decay: float = 0.01
    window: int = 0


@dataclass(frozen=True, kw_only=True)
class ForecastRecipe(Recipe):
    """How a forecaster is made; its `dataset` is a series of `timeseries`, or "stocks" for all six companies.

    Attributes:
        forms: ways to put values to the network; the one with the lowest validation loss is kept.
        window, horizon: values that are read, and steps ahead.
        dropout: of the LSTM's output, while training.
        epochs: the largest number; the one with the lowest validation loss is kept.
        learning_rate: at the start; it falls to 0 along half a cosine.
    """

    task: str = "forecaster"
    forms: tuple[Form, ...] = ("level", "difference")
    window: int = 48
    horizon: int = 8
    units: int = 24
    dropout: float = 0.0
    epochs: int = 60
    batch: int = 64
    learning_rate: float = 5e-3


@dataclass(frozen=True, kw_only=True)
class SequenceRecipe(Recipe):
    """How the encoder–decoder or the recursive network is made; examples are sampled, so an epoch is some steps.

    Attributes:
        units: the width of the states, or of a node's vector.
        width: of the embeddings, where they have one of their own.
    """

    units: int = 128
    width: int = 16
    batch: int = 128
    steps_per_epoch: int = 200
    epochs: int = 20
    learning_rate: float = 3e-3


@dataclass(frozen=True, kw_only=True)
class WordRecipe(Recipe):
    """How a word model is made.

    Attributes:
        training: the largest number of words to train on.
        held_out: words of the validation part and of the test part, each.
        vocabulary: ids, with padding, unknown and the sentence's end.
        width: of the embedding.
        projection: units of the linear layer in front of the softmax, which makes that one smaller.
        dropout: after the embedding, the LSTM and the projection.
        num_sampled: words that stand for the whole vocabulary in a training step; see `word_lm.SampledSoftmax`.
        batch: words of a batch, about.
        epochs: how often the validation part is read.
        epochs_per_pass: epochs in one pass over the training part.
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


def training_facts(command: str, seed: int, seconds: float, facts: Mapping[str, Any]) -> dict[str, Any]:
    """What a card says of a training: how to repeat it, when and with what it was done, and `facts` of its task."""
    return {
        "command": command,
        "seed": seed,
        "date": datetime.now(UTC).date().isoformat(),
        "seconds": round(seconds, 1) if seconds < 100 else round(seconds),
        "versions": {name: version(name) for name in ("keras", "numpy")} | {"python": platform.python_version()},
        **facts,
    }


def _build(name: str, settings: dict[str, Any], vocabulary: int, classes: int, pairs: int) -> Any:
    """A network of `architectures`, imported when it is built: recipes can be listed without Keras."""
    from lstm_core.training import architectures

    inputs = {"pairs": pairs} if pairs else {}
    return getattr(architectures, name)(vocabulary, classes, **inputs, **settings)


def _optimizer(name: str, settings: dict[str, Any], steps: int) -> Any:
    """An optimizer of Keras as it is, or `optimizers.adam` with its schedule; imported when it is made."""
    import keras

    from lstm_core.training import optimizers

    return optimizers.adam(steps, **settings) if name == "adam" else getattr(keras.optimizers, name)(**settings)


_KINDS: dict[str, type[Recipe]] = {
    "classifier": TextRecipe,
    "blank filler": BlankRecipe,
    "generator": CharacterRecipe,
    "forecaster": ForecastRecipe,
    "rewriter": SequenceRecipe,
    "tree reader": SequenceRecipe,
    "word model": WordRecipe,
}


def _recipe(name: str, values: dict[str, Any]) -> Any:
    if "earlier_build" in values:  # it names the settings that differ from those of `build`
        values["earlier_build"] = values["build"] | values["earlier_build"]
    for key, make in (("build", _build), ("earlier_build", _build), ("optimizer", _optimizer)):
        if key in values:
            values[key] = partial(make, values[key].pop("name"), values[key])
    if "start" in values:
        values["start"] = Start(**values["start"])
    return _KINDS[values["task"]](name=name, **values)


RECIPES: dict[str, Any] = {name: _recipe(name, settings) for name, settings in read_tables("recipes.toml").items()}
