"""The models folder: what is in it, and how a model is loaded from it and saved to it.

One folder a model: `model.keras` (a stock Keras model), `vocabulary.json` (how text becomes ids, or
how the values of a series are scaled) and `card.json` (what it is, how it was trained, what it
reached). Listing reads cards only; loading brings Keras in. Folders are trusted no further than Keras's safe mode.
"""

from __future__ import annotations

import os
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

from lstm_core.errors import ModelError
from lstm_core.library.card import CARD, ModelCard, damaged, read_json, write_json
from lstm_core.paths import MODELS

SHIPPED = MODELS
WEIGHTS, VOCABULARY = "model.keras", "vocabulary.json"
FILES = (WEIGHTS, VOCABULARY, CARD)
Read = TypeVar("Read")


class HasJson(Protocol):
    """What can be saved beside a network: an encoder, an alphabet, the scaling of a series."""

    def to_json(self) -> dict[str, Any]:
        """All of it as JSON."""


def list_folder(folder: Path) -> list[ModelCard]:
    """The cards of all models in a folder that can be read, sorted by name; a damaged one is left out."""
    found = []
    for path in sorted(folder.glob(f"*/{CARD}")):
        try:
            found.append(ModelCard.read(path.parent))
        except ModelError:
            continue  # loading it by its name says what is wrong with it
    return found


def read_vocabulary(folder: Path, reader: Callable[[dict[str, Any]], Read]) -> Read:
    """What a model's vocabulary file holds, as a reader makes it; ModelError if it is missing or damaged."""
    data = read_json(folder, VOCABULARY)
    try:
        return reader(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(folder, VOCABULARY, error) from error


def quiet_tensorflow() -> None:
    """Keep TensorFlow's remarks about its build off standard error; only before it is imported.

    It can be told to speak again by setting the two variables oneself.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its remark can't be silenced; results repeat better, too


def load_network(folder: Path) -> Any:
    """The stock Keras model in a folder, in safe mode; ModelError if it is missing or damaged."""
    quiet_tensorflow()
    import keras

    # Keras warns that max pooling ignores a mask; ours is exact without it (see `training/architectures.py`).
    warnings.filterwarnings("ignore", message=r".*GlobalMaxPooling1D.*does not support masking")
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"The model '{folder.name}' is incomplete: {path} is missing. Get the folder again.")
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, HDF5 and JSON libraries each have their own; a damaged file meets any of them
        raise damaged(folder, WEIGHTS, error) from error


def save(model: Any, encoder: HasJson, card: ModelCard, folder: Path) -> None:
    """Write a model's three files; each is written beside its place first and then moved there.

    Raises:
        OSError: if the disk is full or the folder can't be written; what was there stays.
    """
    import keras

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:  # inside, so that nobody lists it as a model
        workshop = Path(temporary)
        keras.Model(model.inputs, model.outputs, name=model.name).save(workshop / WEIGHTS)  # no optimizer state
        write_json(workshop / VOCABULARY, encoder.to_json(), indent=None)
        write_json(workshop / CARD, asdict(card), indent=2)
        for name in FILES:
            os.replace(workshop / name, folder / name)


def save_card(card: ModelCard, folder: Path) -> None:
    """Write the card alone, as `evaluate` does with what it measured."""
    temporary = folder / f".{CARD}.new"
    write_json(temporary, asdict(card), indent=2)
    os.replace(temporary, folder / CARD)
