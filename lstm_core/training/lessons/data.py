"""What a lesson reads: texts or a series turned into arrays, and the fixed example that is read after each epoch.

Every array comes from the training split alone; validation is cut from it with the lesson's seed, and no test part
is touched. Knows no Keras; how the arrays are learnt from is in `training/lessons/trainer.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from typing import Any

import numpy as np

from lstm_core.arrays import Array
from lstm_core.datasets import registry, splits, toy, user_csv
from lstm_core.datasets.splits import Split
from lstm_core.errors import LabError
from lstm_core.text import plain_text
from lstm_core.text.alphabet import Alphabet
from lstm_core.text.encoder import TOKENIZERS, UNKNOWN, Encoder, Vocabulary
from lstm_core.training.lessons import forecasts
from lstm_core.training.lessons.material import TrainingData
from lstm_core.training.lessons.recipe import OWN, LessonRecipe

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


def prepare(recipe: LessonRecipe, own: bytes | None = None) -> TrainingData:
    """Read a lesson's data.

    Args:
        recipe: of any task.
        own: the file that somebody brought along, where the data set is `OWN`.

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
        return forecasts.windows(recipe)
    return _PREPARE[recipe.task](recipe, own)


# --- classifiers ----------------------------------------------------------------------------


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


# --- writers --------------------------------------------------------------------------------


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


_PREPARE: dict[str, Callable[[LessonRecipe, bytes | None], TrainingData]] = {
    "classifier": _texts,
    "generator": _characters,
}
