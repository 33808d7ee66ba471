"""The card of a model, `card.json`: its description, training and evaluation.

Reading a card needs neither Keras nor the weights. The models folder is in `library/store.py`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from lstm_core.errors import ModelError

CARD = "card.json"


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

    @classmethod
    def read(cls, folder: Path) -> ModelCard:
        """The card in a model folder; ModelError if it is missing or damaged."""
        try:
            return cls.from_json(read_json(folder, CARD), folder.resolve().name)
        except TypeError as error:
            raise damaged(folder, CARD, error) from error

    @classmethod
    def from_json(cls, data: Mapping[str, Any], name: str) -> ModelCard:
        """The card that `data` describes, under a name; TypeError if it describes none."""
        known = {item.name for item in fields(cls)}
        card = cls(**{key: value for key, value in data.items() if key in known} | {"name": name})
        for key in ("title", "task", "dataset", "summary"):
            if not isinstance(getattr(card, key), str):
                raise TypeError(f"{key} is not a text")
        for key in ("labels", "notes"):
            texts = getattr(card, key)
            if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
                raise TypeError(f"{key} is not a list of texts")
        for key in ("measured", "training"):
            if not isinstance(getattr(card, key), dict):
                raise TypeError(f"{key} is not an object")
        return replace(card, labels=tuple(card.labels), notes=tuple(card.notes))


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
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError, RecursionError) as error:
        raise damaged(folder, name, error) from error
    if not isinstance(data, dict):
        raise damaged(folder, name, "it holds no JSON object")
    return data


def misfit(card: ModelCard, why: str) -> ModelError:
    """The error for files of different models in one folder."""
    return ModelError(f"The files of the model '{card.name}' don't belong together: {why}. Get the folder again.")


def damaged(folder: Path, name: str, why: object) -> ModelError:
    """The error for a damaged file of a model, in one line."""
    first_line = (str(why).strip().splitlines() or ["unreadable"])[0][:160]
    return ModelError(f"The model '{folder.name}' can't be opened: {name} is damaged ({first_line}). Get it again.")
