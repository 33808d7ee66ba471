"""What a lesson reads, from the training split alone: texts or a series as arrays, and the example of each epoch."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits, toy, user_csv
from lstm_core.datasets.splits import Split
from lstm_core.errors import LabError
from lstm_core.library.store import HasJson
from lstm_core.text import plain_text
from lstm_core.text.alphabet import Alphabet
from lstm_core.text.encoder import TOKENIZERS, UNKNOWN, Encoder, Vocabulary
from lstm_core.timeseries import backtest
from lstm_core.timeseries.scaling import Form
from lstm_core.timeseries.series import Series
from lstm_core.training.forecaster import Known, examples, series_of, settings_for
from lstm_core.training.lessons.recipe import OWN, LessonRecipe
from lstm_core.training.recipes import LEVELS

VALIDATION = 0.1
MOST_VALIDATED = 500  # texts: an epoch should not end in a long wait
MOST_VALIDATED_CHARACTERS = 20_000
WRITTEN, PROMPT, TEMPERATURE = 80, 30, 0.5  # of the fixed example: characters written, characters read, and how
TOKENIZER_OF = {"stackoverflow": "code"}  # and "words" for any other data set
SAMPLES = {
    "stackoverflow": "How do I sort a list of objects by one of their fields, largest first, without writing my own "
    "comparison? I tried def key(self): return self.price but it says that object is not callable.",
    "imdb": "The first half was slow and I nearly left, but then it became a wonderful film with a great cast.",
    "negation": "i think the soup was not bad but the hotel was not very good .",
}

# How far ahead, and in which form values are read, as in the recipes of the shipped forecasters.
PLANS: dict[str, tuple[int, Form]] = {
    "stocks": (4, "log_difference"),
    "seasons": (14, "level"),
    "sunspots": (12, "level"),
    "random_walk": (4, "log_difference"),
}


@dataclass(frozen=True, eq=False)
class TrainingData:
    """What one lesson learns from.

    Attributes:
        x: (n, …) what the network reads; for a writer, (n,) the ids of its text, which are cut later.
        y: (n, …) what it should answer; empty for a writer, whose text is its own answer.
        held_x, held_y: the same of the validation part.
        vocabulary: what goes into `vocabulary.json`.
        size: ids of the embedding; 0 for a forecaster.
        outputs: how many numbers the network answers with.
        sizes: how much it learns from and is validated with, in words of the card.
        example: (loaded model) → what it makes of the fixed example, ready for JSON.
    """

    x: Array
    y: Array
    held_x: Array
    held_y: Array
    vocabulary: HasJson
    size: int
    outputs: int
    sizes: dict[str, int]
    example: Callable[[Any], dict[str, Any]]
    labels: tuple[str, ...] = ()


def prepare(recipe: LessonRecipe, own: bytes | None = None) -> TrainingData:
    """Read a lesson's data; `own` is an uploaded file, where the data set is `OWN`.

    Raises:
        LabError: in one sentence, if the data isn't there or can't be learnt from.
    """
    if (recipe.dataset == OWN) != (own is not None):
        raise LabError("Choose a file to learn from." if own is None else "This lesson reads no file of your own.")
    if recipe.task == "forecaster":
        if own is not None:
            raise LabError(
                "A series of your own can be forecast on the forecasting page; here, choose one of the list."
            )
        return _windows(recipe)
    return _PREPARE[recipe.task](recipe, own)


def _texts(recipe: LessonRecipe, own: bytes | None) -> TrainingData:
    whole, labels = _labelled(recipe, own)
    training, held = splits.validation_split(whole, VALIDATION, recipe.seed)
    training = training.take(range(min(len(training), recipe.examples or len(training))))
    held = held.take(range(min(len(held), MOST_VALIDATED)))
    encoder = Encoder(
        TOKENIZER_OF.get(recipe.dataset, "words"),
        Vocabulary(()),
        recipe.length,
        mask_names=recipe.dataset == "stackoverflow",
    )
    read, held_read = (_words(encoder, split) for split in (training, held))
    encoder = replace(encoder, vocabulary=Vocabulary.build(read, recipe.vocabulary))
    if not encoder.vocabulary.tokens:
        raise LabError("There are no words in these texts; choose others.")
    return TrainingData(
        *(_encoded(encoder, read), training.labels.astype(np.int32)),
        *(_encoded(encoder, held_read), held.labels.astype(np.int32)),
        vocabulary=encoder,
        size=len(encoder.vocabulary),
        outputs=len(labels),
        sizes={"training": len(training), "validation": len(held)},
        example=_read_sample(SAMPLES.get(recipe.dataset, held.texts[0])),
        labels=labels,
    )


def _labelled(recipe: LessonRecipe, own: bytes | None) -> tuple[Split, tuple[str, ...]]:
    """The training split and its labels."""
    if own is not None:
        table = user_csv.read_labelled_csv(own)
        return table.split, table.labels
    source = toy if toy.is_labelled(recipe.dataset) else registry
    data = source.labelled(recipe.dataset) if source is toy else registry.load_labelled(recipe.dataset)
    return data.train, data.labels


def _words(encoder: Encoder, split: Split) -> list[list[str]]:
    """The tokens of each text that are read."""
    cut = TOKENIZERS[encoder.tokenizer]
    return [[token.text for token in islice(cut(text), encoder.length)] for text in split.texts]


def _encoded(encoder: Encoder, texts: list[list[str]]) -> Array:
    """(n, length) ids with pads behind; a text without a word is one unknown word."""
    ids = np.zeros((len(texts), encoder.length), np.int32)
    for row, words in zip(ids, texts, strict=True):
        found = encoder.vocabulary.encode(words) or [UNKNOWN]
        row[: len(found)] = found
    return ids


def _read_sample(text: str) -> Callable[[Any], dict[str, Any]]:
    def read(model: Any) -> dict[str, Any]:
        found = model.read(text).probabilities[-1]
        answers = {label: round(float(p), 4) for label, p in zip(model.labels, found, strict=True)}
        return {"text": text, "probabilities": answers, "answer": max(answers, key=lambda label: answers[label])}

    return read


def _characters(recipe: LessonRecipe, own: bytes | None) -> TrainingData:
    text = _running_text(recipe, own)
    training, held, _ = splits.hold_out(text, test=0.0 if recipe.dataset == OWN else 0.1)
    training, held = training[: recipe.examples or None], held[:MOST_VALIDATED_CHARACTERS]
    alphabet = Alphabet.of(text)
    x, held_x = alphabet.encode(training), alphabet.encode(held)
    if len(held_x) <= recipe.length or len(x) <= recipe.length:
        raise LabError(f"The text is too short for windows of {recipe.length} characters; choose shorter ones.")
    nothing = np.zeros(0, np.int32)
    return TrainingData(
        *(x, nothing, held_x, nothing),
        vocabulary=alphabet,
        size=len(alphabet),
        outputs=len(alphabet),
        sizes={"training": len(x), "validation": len(held_x)},
        example=_write_line(held[:PROMPT], recipe.seed),
    )


def _running_text(recipe: LessonRecipe, own: bytes | None) -> str:
    if own is not None:
        return plain_text.read_plain_text(own).text
    if toy.is_text(recipe.dataset):
        return toy.text(recipe.dataset)
    return registry.load_text(recipe.dataset)


def _write_line(prompt: str, seed: int) -> Callable[[Any], dict[str, Any]]:
    def write(model: Any) -> dict[str, Any]:
        written = model.stream(prompt, WRITTEN, temperature=TEMPERATURE, seed=seed)
        return {"prompt": prompt, "text": "".join(each.character for each in written)}

    return write


def _windows(recipe: LessonRecipe) -> TrainingData:
    if recipe.dataset not in PLANS:
        raise LabError(f"There is no series '{recipe.dataset[:60]}' to learn from; there are {', '.join(PLANS)}.")
    horizon, form = PLANS[recipe.dataset]
    many = series_of(recipe.dataset)
    known = [Known.of(each) for each in many]
    settings = settings_for(known, recipe.length, horizon, form)
    learnt, held = (examples(settings, known, part) for part in ("training", "validation"))
    if min(len(learnt[0]), len(held[0])) < 2:
        raise LabError(f"A window of {recipe.length} values doesn't fit into this series; take a shorter length.")
    return TrainingData(
        *(*learnt, *held),
        vocabulary=settings,
        size=0,
        outputs=horizon * len(LEVELS),
        sizes={"training": len(learnt[0]), "validation": len(held[0])},
        example=_forecast(many[0]),
    )


def _forecast(of: Series) -> Callable[[Any], dict[str, Any]]:
    """Forecasts from the middle of the validation part."""

    def forecast(model: Any) -> dict[str, Any]:
        horizon, levels = model.settings.horizon, model.settings.levels
        places = of.parts.validation_origins(horizon)
        origin = places[len(places) // 2 : len(places) // 2 + 1]
        known = of.values[: of.parts.validation]
        quantiles = model.forecast(known, origin, model.scaling(of))[0]  # (horizon, levels)
        first = max(0, int(origin[0]) + 1 - 2 * horizon)
        return {
            "series": of.name,
            "before": known[first : int(origin[0]) + 1].round(4).tolist(),
            "truth": backtest.truth(known, origin, horizon)[0].round(4).tolist(),
            "quantiles": quantiles.round(4).tolist(),
            "levels": list(levels),
        }

    return forecast


_PREPARE: dict[str, Callable[[LessonRecipe, bytes | None], TrainingData]] = {
    "classifier": _texts,
    "generator": _characters,
}
