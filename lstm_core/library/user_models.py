"""The user's own models, at LSTM_LAB_MODELS or in the user's data folder.

Models that the command line trains are folders as in `library/store.py`; they belong to whoever runs the server and are
offered to everybody. Those that visitors save are bundles with an unguessable name in the store (`lstm_core.storage`),
each listed for its owner alone; the database says whose they are. Whoever has the link to one may look at it.
"""

from __future__ import annotations

import functools
import io
import json
import os
import re
import secrets
import time
import zipfile
from collections.abc import Collection
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from lstm_core import storage
from lstm_core.datasets.download import cannot_save
from lstm_core.errors import ModelError
from lstm_core.library import store
from lstm_core.library.bundle import LARGEST_BUNDLE, bundle_files
from lstm_core.library.card import CARD, ModelCard
from lstm_core.library.store import FILES, list_folder, names_in
from lstm_core.paths import own_folder

LONGEST_NAME = 40
NAME = r"[a-z0-9][a-z0-9_-]*"  # of a folder, and an identity
MOST_MODELS, MOST_BYTES = 20, 256 * 2**20  # of one visitor
MOST_BYTES_OF_ALL = 8 * 2**30
BUNDLE = ".zip"
# File names that Windows reserves.
RESERVED = frozenset(("con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))))


def checked_name(name: str) -> str:
    """The name, if a folder may have it.

    Raises:
        ModelError: in one sentence, if it is invalid, or the name of a shipped model.
    """
    if not re.fullmatch(NAME, name or ""):
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


def model_path(name: str) -> Path | None:
    """Where the model of that name or identity lies: shipped, in a folder of its own, or saved by a visitor.

    Raises:
        StoreError: if it can only be in the store, which can't be used.
    """
    if not re.fullmatch(NAME, name):
        return None
    places = (store.SHIPPED / name, own_folder() / name)
    folder = next((place for place in places if os.path.isdir(place)), None)
    return folder or storage.local_path(f"{name}{BUNDLE}", LARGEST_BUNDLE)


def save_model(owner: str, name: str, bundle: bytes, *, overwrite: bool = False) -> str:
    """Save a visitor's model, completely or not at all.

    Args:
        owner: the visitor.
        name: as it is listed for them; any short text.
        bundle: the checked model as one file.
        overwrite: whether a model of the owner with that name is replaced.

    Returns:
        Its identity, by which it can be loaded.

    Raises:
        ModelError: in one sentence, if the name is invalid or taken, the owner's quota is used up, or the disk is full.
        DatabaseError, StoreError: if the database or the store can't be used.
    """
    name, table = _listed_name(name), _database().MODELS
    with _database().transaction() as rows:
        found = rows.execute(table.select().where(table.c.owner == owner, table.c.name == name)).first()
    if found and not overwrite:
        raise ModelError(_taken(name))
    identity = found.identity if found else secrets.token_hex(12)
    _write(owner, identity, name, bundle, found)
    return identity


def _write(owner: str, identity: str, name: str, bundle: bytes, old: Any) -> None:
    """Write a model's file and its row, both or neither; `old` is the row that is replaced, or None."""
    database, titled = _database(), _titled(bundle, name)
    table, values = database.MODELS, {"name": name, "size": len(titled), "saved": time.time()}
    try:
        with database.transaction() as rows:
            if old:
                rows.execute(table.update().where(table.c.identity == identity).values(values))
            else:
                rows.execute(table.insert().values(identity=identity, owner=owner, **values))
            _check_quota(rows, owner)
            storage.write(f"{identity}{BUNDLE}", titled)
    except database.ConflictError:
        raise ModelError(_taken(name)) from None
    except OSError as error:
        raise ModelError(cannot_save(f"“{name}”", own_folder(), "LSTM_LAB_MODELS", error)) from error


def _taken(name: str) -> str:
    return f"You have a model “{name}” already; choose another name, or replace it."


def _check_quota(rows: Any, owner: str) -> None:
    import sqlalchemy as sql

    table = _database().MODELS
    count = sql.select(sql.func.count(), sql.func.coalesce(sql.func.sum(table.c.size), 0))
    own = rows.execute(count.where(table.c.owner == owner)).one()
    if own[0] > MOST_MODELS or own[1] > MOST_BYTES:
        limits = f"{MOST_MODELS} models and {MOST_BYTES // 2**20} MiB"
        raise ModelError(f"You can keep {limits} here; delete one of your models first.")
    if rows.execute(count).one()[1] > MOST_BYTES_OF_ALL:
        raise ModelError("The models of all visitors fill the space that this server has for them; download yours.")


def _database() -> Any:
    from lstm_core import database  # imported when it is used: it brings in SQLAlchemy

    return database


def models_of(owner: str | None, linked: Collection[str] = ()) -> list[ModelCard]:
    """The cards of a visitor's models, newest first, each with its identity as `name` and its name as `title`.

    A database that can't be used has none.

    Args:
        owner: the visitor; None for all of them.
        linked: identities of further models, which the visitor has links to.
    """
    if not storage.is_shared() and not any(name.endswith(BUNDLE) for name in names_in(own_folder())):
        return []  # without asking the database, which takes long to import
    database = _database()
    table = database.MODELS
    query = table.select().order_by(table.c.saved.desc())
    if owner is not None:
        query = query.where((table.c.owner == owner) | table.c.identity.in_(list(linked)))
    try:
        with database.transaction() as rows:
            found = list(rows.execute(query))
    except database.DatabaseError:
        return []  # it is in the log; saving says it on the page
    cards = []
    for row in found:
        with suppress(OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile):  # it is damaged, or out of reach
            cards.append(_card(storage.address(), row.identity, row.saved))
    return cards


@functools.lru_cache(1000)
def _card(store: str, identity: str, saved: float) -> ModelCard:
    """The card in a bundle of a store; `saved` tells a replaced file from the old one."""
    path = storage.local_path(f"{identity}{BUNDLE}", LARGEST_BUNDLE, fresh=True)
    if path is None:
        raise KeyError(identity)
    with zipfile.ZipFile(path) as archive:
        return ModelCard.from_json(json.loads(archive.read(CARD)), identity)


def rename_model(owner: str, identity: str, name: str) -> None:
    """Give one of a visitor's models another name; ModelError if it isn't theirs, or the name is invalid or taken."""
    table = _database().MODELS
    with _database().transaction() as rows:
        found = rows.execute(table.select().where(table.c.owner == owner, table.c.identity == identity)).first()
    bundle = storage.read(f"{identity}{BUNDLE}", LARGEST_BUNDLE) if found else None
    if bundle is None:
        raise ModelError("This model isn't yours, or was deleted.")
    _write(owner, identity, _listed_name(name), bundle, found)


def delete_model(owner: str, identity: str) -> None:
    """Delete one of a visitor's models; ModelError if it isn't theirs or can't be deleted."""
    database = _database()
    table = database.MODELS
    with database.transaction() as rows:
        theirs = (table.c.owner == owner) & (table.c.identity == identity)
        if not rows.execute(table.delete().where(theirs)).rowcount:
            raise ModelError("This model isn't yours, or was deleted already.")
        try:
            storage.remove(f"{identity}{BUNDLE}")
        except OSError as error:
            raise ModelError(f"The model can't be deleted ({error.strerror}).") from error


def _titled(bundle: bytes, name: str) -> bytes:
    """A bundle with another title in its card; TypeError if there is no card in it."""
    with zipfile.ZipFile(io.BytesIO(bundle)) as archive:
        files = {each: archive.read(each) for each in FILES}
    card = ModelCard.from_json(json.loads(files[CARD]), name)
    text = json.dumps(asdict(replace(card, title=name).for_user()), ensure_ascii=False, indent=2)
    return bundle_files(files | {CARD: f"{text}\n".encode()})


def _listed_name(name: str) -> str:
    """A name as it is kept: any text on one line; ModelError if it is empty, too long or has control characters."""
    name = " ".join(name.split())
    if not name or not name.isprintable():
        raise ModelError("A name is one line of letters, digits or signs; type one.")
    if len(name) > LONGEST_NAME:
        raise ModelError(f"The name has {len(name)} characters; {LONGEST_NAME} is the most.")
    return name


def list_user_models() -> list[ModelCard]:
    """The cards of the models in folders of their own, sorted by name; without those with the name of a shipped one."""
    return [card for card in list_folder(own_folder()) if not (store.SHIPPED / card.name / CARD).is_file()]
