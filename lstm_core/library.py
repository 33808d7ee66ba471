"""The models folder: what is in it, and how a model is loaded from it and saved to it.

One folder a model: `model.keras` (a stock Keras model), `vocabulary.json` (how text becomes ids)
and `card.json` (what it is, how it was trained, what it reached). Listing reads cards only;
loading brings Keras in. Folders are trusted no further than Keras's safe mode.
"""

from __future__ import annotations

import json
import os
import tempfile
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lstm_core.errors import ModelError

if TYPE_CHECKING:
    from lstm_core.classify import TextClassifier
    from lstm_core.text import Encoder

SHIPPED = Path(__file__).resolve().parent.parent / "models"
WEIGHTS, VOCABULARY, CARD = "model.keras", "vocabulary.json", "card.json"


@dataclass(frozen=True)
class ModelCard:
    """What a model is and what it reached; `card.json`.

    Attributes:
        name: the folder's name, which `load` takes.
        title: for people.
        task: "classifier", "generator" or "forecaster".
        dataset: a name from `datasets`.
        summary: one or two plain sentences.
        labels: a classifier's classes, in the order of its probabilities.
        notes: further plain paragraphs: what was kept from an article, what it costs.
        measured: what `evaluate` printed on the test split.
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
        """The card in a model's folder.

        Raises:
            ModelError: if it is missing or damaged.
        """
        data = _read_json(folder, CARD)
        try:
            known = {item.name for item in fields(cls)}
            card = cls(**{key: value for key, value in data.items() if key in known})
            for name in ("name", "title", "task", "dataset", "summary"):
                if not isinstance(getattr(card, name), str):
                    raise TypeError(f"{name} is not a text")
            lists = {"labels": tuple(map(str, card.labels)), "notes": tuple(map(str, card.notes))}
            return cls(**{**asdict(card), **lists})
        except (TypeError, AttributeError) as error:
            raise _damaged(folder, CARD, error) from error


def list_models(folder: Path | None = None) -> list[ModelCard]:
    """The cards of all models that can be read, by name; a damaged one is left out.

    Args:
        folder: where to look; None for the models shipped with LSTM Lab.
    """
    found = []
    for path in sorted((folder or SHIPPED).glob(f"*/{CARD}")):
        try:
            found.append(ModelCard.read(path.parent))
        except ModelError:
            continue  # `load` says what is wrong with it when somebody asks for it by name
    return found


def find(name: str | os.PathLike[str]) -> Path:
    """The folder of a model, by its name or by a path to it.

    Raises:
        ModelError: if there is none.
    """
    shipped = SHIPPED / name
    if Path(name).name == str(name) and shipped.is_dir():
        return shipped
    if Path(name).is_dir():
        return Path(name)
    names = ", ".join(card.name for card in list_models()) or "none"
    raise ModelError(f"There is no model '{name}'. Models here: {names}.")


def load(name: str | os.PathLike[str]) -> TextClassifier:
    """Load a model by its name, or from a path to a model's folder.

    Raises:
        ModelError: if it is missing, damaged, or holds a network that can't be followed.
    """
    folder = find(name)
    card = ModelCard.read(folder)
    if card.task not in _LOADERS:
        raise ModelError(f"The model '{card.name}' is a '{card.task}', which this version doesn't know.")
    return _LOADERS[card.task](folder, card)


def _load_classifier(folder: Path, card: ModelCard) -> TextClassifier:
    from lstm_core.classify import TextClassifier
    from lstm_core.forward import Network
    from lstm_core.text import Encoder

    data = _read_json(folder, VOCABULARY)
    try:
        encoder = Encoder.from_json(data)
    except (KeyError, TypeError, ValueError) as error:
        raise _damaged(folder, VOCABULARY, error) from error
    model = _load_network(folder)
    return TextClassifier(card, encoder, model, Network(model))


_LOADERS: dict[str, Callable[[Path, ModelCard], TextClassifier]] = {"classifier": _load_classifier}


def _load_network(folder: Path) -> Any:
    import keras

    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"The model '{folder.name}' is incomplete: {path} is missing. Get the folder again.")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, AttributeError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise _damaged(folder, WEIGHTS, error) from error


def save(model: Any, encoder: Encoder, card: ModelCard, folder: Path) -> None:
    """Write a model's three files; each is written beside its place first and then moved there.

    Raises:
        OSError: if the disk is full or the folder can't be written; what was there stays.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as temporary:
        workshop = Path(temporary)
        model.save(workshop / WEIGHTS)
        _write_json(workshop / VOCABULARY, encoder.to_json(), indent=None)
        _write_json(workshop / CARD, asdict(card), indent=2)
        for name in (WEIGHTS, VOCABULARY, CARD):
            os.replace(workshop / name, folder / name)


def save_card(card: ModelCard, folder: Path) -> None:
    """Write the card alone, as `evaluate` does with what it measured."""
    temporary = folder / f".{CARD}.new"
    _write_json(temporary, asdict(card), indent=2)
    os.replace(temporary, folder / CARD)


def _write_json(path: Path, data: Mapping[str, Any], indent: int | None) -> None:
    path.write_text(json.dumps(data, ensure_ascii=False, indent=indent) + "\n", encoding="utf-8")


def _read_json(folder: Path, name: str) -> dict[str, Any]:
    path = folder / name
    if not path.is_file():
        raise ModelError(f"The model '{folder.name}' is incomplete: {path} is missing. Get the folder again.")
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        raise _damaged(folder, name, error) from error
    if not isinstance(data, dict):
        raise _damaged(folder, name, "it holds no JSON object")
    return data


def _damaged(folder: Path, name: str, why: object) -> ModelError:
    first_line = (str(why).strip().splitlines() or ["unreadable"])[0][:160]
    return ModelError(f"The model '{folder.name}' can't be opened: {name} is damaged ({first_line}). Get it again.")
