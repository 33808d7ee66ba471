"""A model folder as one zip file: for workers without a shared disk, for downloads and uploads.

A bundle holds the three files of `library/store.py` and nothing else. It isn't trusted: everything is checked before
anything is written, and the network before Keras loads it.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lstm_core.errors import ModelError
from lstm_core.library import store
from lstm_core.library.card import CARD, ModelCard
from lstm_core.library.store import FILES, VOCABULARY, WEIGHTS
from lstm_core.nn.keras_file import BROKEN, KERAS_FILE, MIB, check_network, json_object, read_members

LARGEST_BUNDLE = 64 * MIB
LARGEST = {WEIGHTS: 64 * MIB, VOCABULARY: 8 * MIB, CARD: 2 * MIB}


def bundle_folder(folder: Path) -> bytes:
    """The bundle of a model folder; ModelError if one of its three files is missing."""
    found = {name: folder / name for name in FILES}
    if missing := next((name for name, path in found.items() if not path.is_file()), ""):
        raise ModelError(f"The model '{folder.name}' is incomplete: {missing} is missing. Get the folder again.")
    return bundle_files({name: path.read_bytes() for name, path in found.items()})


def bundle_model(network: Any, vocabulary: Any, card: ModelCard) -> bytes:
    """The bundle of a trained network.

    Args:
        network: a Keras model.
        vocabulary: see `store.HasJson`.
        card: of the model.
    """
    with tempfile.TemporaryDirectory() as temporary:
        store.save(network, vocabulary, card, Path(temporary) / card.name)
        return bundle_folder(Path(temporary) / card.name)


def bundle_files(files: Mapping[str, bytes]) -> bytes:
    """The bundle of three files; equal files give equal bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name in FILES:
            # The network is compressed already; the date is fixed so that the bytes are reproducible.
            compression = zipfile.ZIP_STORED if name == WEIGHTS else zipfile.ZIP_DEFLATED
            archive.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), files[name], compression)
    return out.getvalue()


def unpack_bundle(data: bytes) -> dict[str, bytes]:
    """The checked files of a bundle, without writing anything.

    Raises:
        ModelError: in one sentence, if it is no bundle, is too large once unpacked, or its network has unknown layers.
    """
    if is_keras_file(data):
        raise ModelError(
            f"The file is a Keras network alone, without a vocabulary and a card: put {WEIGHTS}, {VOCABULARY} and "
            f"{CARD} into one zip file, as “Download” in the training studio does."
        )
    files = read_members(data, "The file", LARGEST_BUNDLE, LARGEST)
    if missing := next((name for name in FILES if name not in files), ""):
        raise ModelError(f"The file is no model of LSTM Lab: {missing} is missing in it.")
    for name in (VOCABULARY, CARD):
        json_object(files[name], name)
    check_network(files[WEIGHTS])
    return files


def is_keras_file(data: bytes) -> bool:
    """Whether a file is a `.keras` file itself, and no bundle with one in it."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return set(KERAS_FILE) <= set(archive.namelist())
    except (*BROKEN, UnicodeDecodeError):
        return False  # `read_members` says what is wrong


def unpack_bundle_into(data: bytes, folder: Path) -> None:
    """Write the checked files of a bundle into a folder without overwriting.

    Raises:
        ModelError: as `unpack_bundle`.
        OSError: if the folder can't be written, or one of the files exists.
    """
    files = unpack_bundle(data)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        with (folder / name).open("xb") as out:
            out.write(content)
