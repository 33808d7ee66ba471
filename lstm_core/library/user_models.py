"""The user's own models: a folder beside the shipped ones, into which nothing is written without being asked for.

It lies in the user's data folder, or where LSTM_LAB_MODELS says. Each model is a folder as in `library/store.py`, which
finds own models by their names, too.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from lstm_core.datasets.download import why
from lstm_core.errors import ModelError
from lstm_core.library import store
from lstm_core.library.card import CARD, ModelCard
from lstm_core.library.store import FILES, list_folder

LONGEST_NAME = 40
# Names that Windows keeps for itself, whatever stands behind them.
RESERVED = frozenset(("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))))


def own_folder() -> Path:
    """Where own models are kept: LSTM_LAB_MODELS, or a folder in the user's data; it need not be there yet."""
    chosen = os.environ.get("LSTM_LAB_MODELS", "")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_data_path("lstm-lab", appauthor=False) / "models"


def checked_name(name: str) -> str:
    """A name that may become a folder's.

    Raises:
        ModelError: in one sentence, if it can't be one, or a shipped model has it.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name or ""):
        raise ModelError("A name has small letters a to z, digits, - and _, and begins with a letter or a digit.")
    if len(name) > LONGEST_NAME:
        raise ModelError(f"The name has {len(name)} characters; {LONGEST_NAME} is the most.")
    if name in RESERVED:
        raise ModelError(f"The name '{name}' is one that some systems keep for themselves; choose another.")
    if (store.SHIPPED / name).is_dir():
        raise ModelError(f"'{name}' is the name of a model that comes with LSTM Lab; choose another.")
    return name


def is_taken(name: str) -> bool:
    """Whether there is an own model of that name."""
    return os.path.isdir(own_folder() / checked_name(name))


def save_as(name: str, files: Mapping[str, bytes], *, replace: bool = False) -> Path:
    """Write a model into the user's library; whole or not at all.

    Args:
        name: of its folder, and in its card from now on.
        files: the three files, as `packing.unpack` gives them.
        replace: write over an own model of that name.

    Returns:
        Its folder.

    Raises:
        ModelError: in one sentence, if the name can't be, is taken, or the disk doesn't take it.
    """
    target = own_folder() / checked_name(name)
    if target.exists() and not replace:
        raise ModelError(f"There is a model '{name}' of yours already; choose another name, or replace it.")
    content = {part: files[part] for part in FILES}
    content[CARD] = _renamed(content[CARD], name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Made beside its place under a name that nobody lists, then moved there.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as workbench:
            fresh, old = Path(workbench) / "fresh", Path(workbench) / "old"
            fresh.mkdir()
            for part, data in content.items():
                (fresh / part).write_bytes(data)
            if target.exists():
                os.replace(target, old)
            try:
                os.replace(fresh, target)
            except OSError:
                if old.exists():
                    os.replace(old, target)
                raise
    except OSError as error:
        raise ModelError(_cannot_save(name, target.parent, error)) from error
    return target


def _renamed(card: bytes, name: str) -> bytes:
    return (json.dumps(json.loads(card) | {"name": name}, ensure_ascii=False, indent=2) + "\n").encode()


def _cannot_save(name: str, folder: Path, error: OSError) -> str:
    if error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC)):
        return f"'{name}' can't be saved because the disk with {folder} is full; free some space and try again."
    return (
        f"'{name}' can't be saved in {folder} ({why(error)}); set LSTM_LAB_MODELS to a folder that can be written to."
    )


def list_user_models() -> list[ModelCard]:
    """The cards of the user's own models, by name; one that a shipped model hides is left out."""
    shipped = {path.parent.name for path in store.SHIPPED.glob(f"*/{CARD}")}
    return [card for card in list_folder(own_folder()) if card.name not in shipped]


def delete_user_model(name: str) -> None:
    """Remove an own model.

    Raises:
        ModelError: if there is none of that name, or it can't be removed.
    """
    target = own_folder() / checked_name(name)
    if not target.is_dir() or target.is_symlink():
        raise ModelError(f"There is no model '{name}' of yours.")
    try:
        shutil.rmtree(target)
    except OSError as error:
        raise ModelError(f"'{name}' can't be removed ({why(error)}).") from error
