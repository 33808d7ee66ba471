"""The models of the user: a folder in the user's data folder, or at LSTM_LAB_MODELS.

Each model is a folder as in `library/store.py`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

import platformdirs

from lstm_core.datasets.download import cannot_save, why
from lstm_core.errors import ModelError
from lstm_core.library import store
from lstm_core.library.card import CARD, ModelCard
from lstm_core.library.store import FILES, list_folder

LONGEST_NAME = 40
# File names that Windows reserves.
RESERVED = frozenset(("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))))


def own_folder() -> Path:
    """The folder of the user's models: LSTM_LAB_MODELS, or in the user's data folder; it may not exist yet."""
    chosen = os.environ.get("LSTM_LAB_MODELS", "")
    if chosen:
        return Path(chosen).expanduser()
    return platformdirs.user_data_path("lstm-lab", appauthor=False) / "models"


def checked_name(name: str) -> str:
    """The name, if a folder may have it.

    Raises:
        ModelError: in one sentence, if it is invalid, or the name of a shipped model.
    """
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]*", name or ""):
        raise ModelError("A name has lowercase letters a to z, digits, - and _, and begins with a letter or digit.")
    if len(name) > LONGEST_NAME:
        raise ModelError(f"The name has {len(name)} characters; {LONGEST_NAME} is the most.")
    if name in RESERVED:
        raise ModelError(f"The name '{name}' is reserved on some systems; choose another.")
    if (store.SHIPPED / name).is_dir():
        raise ModelError(f"'{name}' is the name of a model that comes with LSTM Lab; choose another.")
    return name


def is_taken(name: str) -> bool:
    """Whether the user has a model of that name."""
    return os.path.isdir(own_folder() / checked_name(name))


def save_as(name: str, files: Mapping[str, bytes], *, replace: bool = False) -> Path:
    """Save a model in the user's folder, completely or not at all.

    Args:
        name: of its folder, and in its card.
        files: the three files, from `unpack_bundle`.
        replace: whether to overwrite a model of that name.

    Returns:
        Its folder.

    Raises:
        ModelError: in one sentence, if the name is invalid or taken, or the files can't be written.
    """
    target = own_folder() / checked_name(name)
    if target.exists() and not replace:
        raise ModelError(f"There is a model '{name}' of yours already; choose another name, or replace it.")
    content = {part: files[part] for part in FILES}
    content[CARD] = _renamed(content[CARD], name)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Written to a temporary folder that isn't listed, then moved.
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
            fresh, old = Path(temporary) / "fresh", Path(temporary) / "old"
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
        raise ModelError(cannot_save(f"'{name}'", target.parent, "LSTM_LAB_MODELS", error)) from error
    return target


def _renamed(card: bytes, name: str) -> bytes:
    return (json.dumps(json.loads(card) | {"name": name}, ensure_ascii=False, indent=2) + "\n").encode()


def list_user_models() -> list[ModelCard]:
    """The cards of the user's models, sorted by name; models with the name of a shipped one are left out."""
    shipped = {path.parent.name for path in store.SHIPPED.glob(f"*/{CARD}")}
    return [card for card in list_folder(own_folder()) if card.name not in shipped]


def delete_user_model(name: str) -> None:
    """Delete a model of the user.

    Raises:
        ModelError: if there is none of that name, or it can't be deleted.
    """
    target = own_folder() / checked_name(name)
    if not target.is_dir() or target.is_symlink():
        raise ModelError(f"There is no model '{name}' of yours.")
    try:
        shutil.rmtree(target)
    except OSError as error:
        raise ModelError(f"'{name}' can't be deleted ({why(error)}).") from error
