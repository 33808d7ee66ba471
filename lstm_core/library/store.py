"""The models folder: listing, loading and saving models.

Each model is a folder of `model.keras` (a standard Keras model), `vocabulary.json` (how text becomes ids, or how a
series is scaled) and `card.json` (see `library/card.py`). Listing reads cards only; loading imports Keras and uses its
safe mode.
"""

from __future__ import annotations

import functools
import os
import tempfile
import warnings
import zipfile
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from lstm_core.arrays import Array
from lstm_core.errors import ModelError
from lstm_core.library.card import CARD, ModelCard, damaged, read_json, write_json
from lstm_core.nn import keras_file
from lstm_core.nn.saved import SavedNetwork
from lstm_core.paths import MODELS

SHIPPED = MODELS
WEIGHTS, VOCABULARY = "model.keras", "vocabulary.json"
FILES = (WEIGHTS, VOCABULARY, CARD)
Read = TypeVar("Read")


class HasJson(Protocol):
    """What is saved as the vocabulary of a network: an encoder, an alphabet, the scaling of a series."""

    def to_json(self) -> dict[str, Any]:
        """All of it as a JSON object."""


def names_in(folder: Path) -> list[str]:
    """The names of what is in a folder, sorted; none if it isn't there. Every page asks: `Path.glob` takes too long."""
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []


def list_folder(folder: Path) -> list[ModelCard]:
    """The cards of all models in a folder, sorted by name; damaged ones are left out."""
    found = []
    for name in names_in(folder):
        path = folder / name / CARD
        try:
            found.append(_card(path.parent, path.stat().st_mtime_ns))
        except (ModelError, OSError):
            continue  # `load` reports the error
    return found


@functools.lru_cache(500)
def _card(folder: Path, modified: int) -> ModelCard:
    """The card in a folder; `modified` tells a new file from the old one."""
    return ModelCard.read(folder)


def read_vocabulary(folder: Path, reader: Callable[[dict[str, Any]], Read]) -> Read:
    """The vocabulary file of a model, converted by `reader`; ModelError if it is missing or damaged."""
    data = read_json(folder, VOCABULARY)
    try:
        return reader(data)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise damaged(folder, VOCABULARY, error) from error


def quiet_tensorflow() -> None:
    """Suppress TensorFlow's messages about its build, before it is imported, unless the variables are set."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # it logs a message otherwise, and varies results


def read_network(folder: Path) -> SavedNetwork:
    """The network in a folder, read without Keras; ModelError if it is missing or damaged."""
    path = _network_file(folder)
    try:
        return keras_file.read_network(path.read_bytes())
    except ModelError as error:
        raise ModelError(f"The model '{folder.name}' can't be opened. {error}") from error
    except OSError as error:
        raise damaged(folder, WEIGHTS, error) from error


def load_keras(folder: Path) -> Any:
    """The Keras model in a folder, loaded in safe mode; ModelError if it is missing or damaged."""
    quiet_tensorflow()
    import keras

    # Keras warns that max pooling ignores the mask; our networks don't need it there (see `training/architectures.py`).
    warnings.filterwarnings("ignore", message=r".*GlobalMaxPooling1D.*does not support masking")
    path = _network_file(folder)
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # zip, HDF5 and JSON libraries raise many kinds of errors
        raise damaged(folder, WEIGHTS, error) from error


def _network_file(folder: Path) -> Path:
    path = folder / WEIGHTS
    if not path.is_file():
        raise ModelError(f"The model '{folder.name}' is incomplete: {path} is missing. Get the folder again.")
    return path


def save(model: Any, encoder: HasJson, card: ModelCard, folder: Path, *, compact: bool = False) -> None:
    """Write the three files of a model, each to a temporary file first.

    Args:
        model: a Keras model; it is saved without the state of its optimizer.
        encoder: its vocabulary.
        card: its card.
        folder: where the files are written.
        compact: round the weights to 11 significant bits, as many as half precision has, those of `model` too, and
            compress the file: it is about half as large.

    Raises:
        OSError: if the disk is full or the folder can't be written; the old files stay.
    """
    import keras

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:  # inside, where it isn't listed as a model
        fresh = Path(temporary)
        kept = keras.Model(model.inputs, model.outputs, name=model.name)
        if compact:
            kept.set_weights([_rounded(values) for values in kept.get_weights()])
        kept.save(fresh / WEIGHTS)
        if compact:
            _compress(fresh / WEIGHTS)
        write_json(fresh / VOCABULARY, encoder.to_json(), indent=None)
        write_json(fresh / CARD, asdict(card), indent=2)
        for name in FILES:
            os.replace(fresh / name, folder / name)


def _rounded(values: Array) -> Array:
    """Each number to the nearest one of 11 significant bits; float32's range stays, so small ones don't vanish."""
    bits = np.asarray(values, np.float32).view(np.uint32)
    return ((bits + 0x1000) & 0xFFFFE000).view(np.float32)


def _compress(path: Path) -> None:
    """Deflate the parts of a zip file, which Keras only stores."""
    with zipfile.ZipFile(path) as archive:
        parts = [(name, archive.read(name)) for name in archive.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in parts:
            archive.writestr(name, content)


def save_card(card: ModelCard, folder: Path) -> None:
    """Write the card alone."""
    temporary = folder / f".{CARD}.new"
    write_json(temporary, asdict(card), indent=2)
    os.replace(temporary, folder / CARD)
