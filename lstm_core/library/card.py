"""The card of a model, `card.json`: its description, training and evaluation.

Reading a card needs neither Keras nor the weights. The models folder is in `library/store.py`.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.nn.keras_file import parse_object

CARD = "card.json"
# The characters and numbers of texts that a model of a user may have; shipped cards say more in their notes.
LONGEST_TITLE, LONGEST_TEXT, MOST_LABELS, MOST_NOTES = 80, 200, 100, 10
LONGEST_SAMPLE = 600  # characters
LARGEST_FACTS = 200_000  # characters of `measured` and `training` as JSON


@dataclass(frozen=True)
class ModelCard:
    """The description of a model, its training and its evaluation.

    Attributes:
        name: of its folder, whatever the file says.
        title: as displayed.
        task: such as "classifier", "generator", "word model" or "forecaster".
        dataset: a name from `datasets`.
        summary: one or two sentences.
        labels: the classes of a classifier, in the order of its probabilities.
        notes: further paragraphs.
        measured: the results of `evaluate` on the test split.
        training: seed, date, sizes, seconds, library versions, command, and the curves.
    """

    name: str
    title: str
    task: str
    dataset: str
    summary: str
    labels: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    measured: Mapping[str, Any] = field(default_factory=dict)
    training: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sample(self) -> str:
        """A text like those that a user's model was trained on; "" if the card has none."""
        text = self.training.get("sample", "")
        return text[:LONGEST_SAMPLE] if isinstance(text, str) else ""

    @classmethod
    def read(cls, folder: Path) -> ModelCard:
        """The card in a model folder; ModelError if it is missing or damaged."""
        try:
            return cls.from_json(read_json(folder, CARD), folder.resolve().name)
        except TypeError as error:
            raise damaged(folder, CARD, error) from error

    @classmethod
    def from_json(cls, data: Mapping[str, Any], name: str) -> ModelCard:
        """The card that `data` describes, under a name; TypeError, with the reason, if it describes none."""
        _check_texts([data.get("name", name)], "name")
        for key in ("title", "task", "dataset", "summary"):
            _check_texts([data.get(key)], key)
        for key in ("labels", "notes"):
            if not isinstance(data.get(key, []), list | tuple):
                raise TypeError(f"{key} is not a list of texts")
            _check_texts(data.get(key, []), key)
        for key in ("measured", "training"):
            if not isinstance(data.get(key, {}), dict):
                raise TypeError(f"{key} is not an object")
        known = {item.name for item in fields(cls)}
        card = cls(**{key: value for key, value in data.items() if key in known} | {"name": name})
        labels = tuple(card.labels)
        if len(set(labels)) < len(labels) or not all(label.strip() for label in labels):
            raise TypeError("a label is empty or there twice")
        return replace(card, labels=labels, notes=tuple(card.notes))

    def for_user(self) -> ModelCard:
        """The card of a user's model, whose texts stand in the menus of other people: long ones are cut.

        Raises:
            ModelError: in one sentence, if there is no title, or what can't be cut is too long.
        """
        if not self.title.strip():
            raise ModelError("The card has an empty title; give the model one.")
        for what, texts in (("task", [self.task]), ("name of a data set", [self.dataset]), ("label", self.labels)):
            if found := next((len(text) for text in texts if len(text) > LONGEST_TITLE), 0):
                raise ModelError(f"The card has a {what} of {found:,} characters; {LONGEST_TITLE} is the most.")
        if len(self.labels) > MOST_LABELS:
            raise ModelError(f"The card has {len(self.labels):,} labels; {MOST_LABELS} is the most.")
        if len(json.dumps([self.measured, self.training])) > LARGEST_FACTS:
            raise ModelError("The card says too much of the training and the evaluation; leave some of it out.")
        notes = tuple(_cut(note, LONGEST_TEXT) for note in self.notes[:MOST_NOTES])
        title, summary = _cut(self.title, LONGEST_TITLE), _cut(self.summary, LONGEST_TEXT)
        return replace(self, title=title, summary=summary, notes=notes)


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1].rstrip()}…"


def _check_texts(texts: Sequence[Any], key: str) -> None:
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"{key} is not a {'list of texts' if key in ('labels', 'notes') else 'text'}")
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
            raise TypeError(f"{key} has a character that can't be shown")


def headline(measured: Mapping[str, Any]) -> str:
    """The main result in a few words; empty without an evaluation."""
    for key, words in (
        ("accuracy", "accuracy {:.2%}"),
        ("nats_per_character", "{:.3f} nats per character"),
        ("nats_per_word", "{:.3f} nats per word"),
    ):
        if isinstance(measured.get(key), float):
            return words.format(measured[key])
    if isinstance(measured.get("mase"), float) and isinstance(measured.get("naive_mase"), float):
        return f"MASE {measured['mase']:.2f}, naive {measured['naive_mase']:.2f}"
    return ""


def write_json(path: Path, data: Mapping[str, Any], indent: int | None) -> None:
    """Write a JSON object as UTF-8; OSError if the file can't be written."""
    path.write_text(json.dumps(data, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def read_json(folder: Path, name: str) -> dict[str, Any]:
    """The JSON object in a file of a model folder; ModelError if it is missing or damaged."""
    path = folder / name
    if not path.is_file():
        raise ModelError(f"The model '{folder.name}' is incomplete: {path} is missing. Get the folder again.")
    try:
        return parse_object(path.read_bytes())
    except OSError as error:
        raise damaged(folder, name, error) from error
    except ValueError as error:
        raise damaged(folder, name, f"it {error}") from error


def misfit(card: ModelCard, why: str) -> ModelError:
    """The error for files of different models in one folder."""
    return ModelError(f"The files of the model '{card.name}' don't belong together: {why}. Get the folder again.")


def damaged(folder: Path, name: str, why: object) -> ModelError:
    """The error for a damaged file of a model, in one line."""
    first_line = (str(why).strip().splitlines() or ["unreadable"])[0][:160]
    return ModelError(f"The model '{folder.name}' can't be opened: {name} is damaged ({first_line}). Get it again.")
