"""The texts of a lesson, from the training split alone: as ids, and how large a network they need. Without Keras."""

import re
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
from lstm_core.training.lessons.recipe import OWN, PLANS, LessonRecipe
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
    sample: str = ""  # a text of the validation part: for a writer, opening words


def labelled_texts(recipe: LessonRecipe, own: bytes | None) -> TrainingData:
    """What a classifier learns from; raises LabError as `data.prepare`."""
    training, held, labels = _parts(recipe, own)
    encoder = _encoder(recipe)
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
        sample=held.texts[0],
    )


def _parts(recipe: LessonRecipe, own: bytes | None) -> tuple[Split, Split, tuple[str, ...]]:
    """The training part, the validation part, and the labels."""
    whole, labels = _labelled(recipe, own)
    training, held = splits.validation_split(whole, VALIDATION, recipe.seed)
    training = training.take(range(min(len(training), recipe.examples or len(training))))
    return training, held.take(range(min(len(held), MOST_VALIDATED))), labels


def _encoder(recipe: LessonRecipe) -> Encoder:
    """The encoder, whose vocabulary is still empty."""
    tokenizer, masked = TOKENIZER_OF.get(recipe.dataset, "words"), recipe.dataset == "stackoverflow"
    return Encoder(tokenizer, Vocabulary(()), recipe.length, mask_names=masked)


def _labelled(recipe: LessonRecipe, own: bytes | None) -> tuple[Split, tuple[str, ...]]:
    """The training split and its labels."""
    if own is not None:
        table = user_csv.read_labelled_csv(own)
        return table.split, table.labels
    data = registry.load_labelled(recipe.dataset)
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


def running_text(recipe: LessonRecipe, own: bytes | None) -> TrainingData:
    """What a writer learns from; raises LabError as `data.prepare`."""
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
        sample=_opening(held),
    )


def _opening(text: str) -> str:
    """The first words of a text from the beginning of a line on, or of a sentence, if one begins soon."""
    starts = [
        match.end() for match in re.finditer(r"\n\s*|[.!?]\s+", text[:500]) if text[match.end() : match.end() + 1]
    ]
    words = text[starts[0] if starts else 0 :].split()
    return " ".join(words[:6]) + " "


def _running_text(recipe: LessonRecipe, own: bytes | None) -> str:
    return registry.load_text(recipe.dataset) if own is None else plain_text.read_plain_text(own).text


def _write_line(prompt: str, seed: int) -> Callable[[Any], dict[str, Any]]:
    def write(model: Any) -> dict[str, Any]:
        written = model.stream(prompt, WRITTEN, temperature=TEMPERATURE, seed=seed)
        return {"prompt": prompt, "text": "".join(each.character for each in written)}

    return write


def network_size(recipe: LessonRecipe, own: bytes | None = None) -> tuple[int, int]:
    """The ids of the embedding (0 without one) and the outputs of the network that a lesson trains.

    Counted in the texts themselves; but of a data set that is downloaded, which takes seconds to read, the words are
    assumed to fill the vocabulary.

    Raises:
        LabError: as `data.prepare`.
    """
    if recipe.task == "forecaster":
        return 0, PLANS[recipe.dataset][0] * len(LEVELS)
    if recipe.task == "generator":
        ids = len(Alphabet.of(_running_text(recipe, own)))
        return ids, ids
    if own is None and recipe.dataset not in toy.LABELLED:
        return recipe.vocabulary, len(registry.find_dataset(recipe.dataset).labels)
    training, _, labels = _parts(recipe, own)
    encoder = _encoder(recipe)
    return len(Vocabulary.build(_words(encoder, training), recipe.vocabulary)), len(labels)
