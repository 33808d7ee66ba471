"""Files that all machines of an installation share: own models, and uploads and checkpoints of runs.

They lie in the folder of the own models, or at LSTM_LAB_STORE: another folder, or any address of fsspec, such as
s3://bucket/lab. Its keys come from the environment, as its library reads them (AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL …).
"""

from __future__ import annotations

import atexit
import functools
import logging
import os
import shutil
import tempfile
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from lstm_core.errors import LabError
from lstm_core.paths import own_folder

log = logging.getLogger("lstm_lab.storage")

SETTING = "LSTM_LAB_STORE"
CHECK_EVERY = 2.0  # seconds for which a copy of a file is as new as the store's
MOST_COPIES = 512 * 2**20  # bytes of copies on this machine
REFUSED = 10.0  # seconds after a failure in which nobody waits for another one
# A visitor waits: fsspec's own patience is minutes.
PATIENCE = {"connect_timeout": 3, "read_timeout": 10, "retries": {"max_attempts": 1}}
OPTIONS: dict[str, dict[str, Any]] = {"s3": {"config_kwargs": PATIENCE}}
_refused = 0.0


class StoreError(LabError):
    """The store can't be reached, read or written."""


class _Copy(NamedTuple):
    path: Path
    version: str
    size: int
    checked: float


_copies: OrderedDict[str, _Copy] = OrderedDict()  # by address and name, the one used last at the end
_lock = threading.Lock()


def is_shared() -> bool:
    """Whether a setting names a place that other machines may see, too."""
    return bool(os.environ.get(SETTING))


def address() -> str:
    """Where the store is."""
    return os.environ.get(SETTING) or str(own_folder())


def _folder() -> Path | None:
    """The folder of the store; None if it isn't on a file system of this machine."""
    path = address().removeprefix("file://")
    return None if "://" in path else Path(path)


@contextmanager
def _remote(name: str) -> Iterator[tuple[Any, str]]:
    """The file system of the store, and where the file of that name is; whatever goes wrong in there is a StoreError.

    Raises:
        FileNotFoundError: if the block does.
    """
    global _refused
    if time.monotonic() < _refused:
        raise StoreError("The server's store of models can't be reached. Try again in a minute.")
    try:
        from fsspec.core import url_to_fs  # comes with Dask

        options = OPTIONS.get(address().partition("://")[0], {})
        system, root = url_to_fs(address(), use_listings_cache=False, **options)
        if hasattr(system, "retries"):
            system.retries = 2
        yield system, f"{root.rstrip('/')}/{name}"
    except FileNotFoundError:
        raise
    except Exception as error:  # each file system has its own, and a missing package is one, too
        _refused = time.monotonic() + REFUSED
        raise _unusable(error) from error


def _unusable(error: Exception) -> StoreError:
    words = " ".join(str(error).split())[:160]
    log.error("the store can't be used: %s", words)
    return StoreError(f"The server's store of models can't be used ({words}). Try again later.")


def write(name: str, data: bytes) -> None:
    """Write a file; readers see the old one or the new one.

    Raises:
        StoreError: if the store can't be used.
        OSError: if it is a folder that can't be written.
    """
    folder = _folder()
    if folder is None:
        try:
            with _remote(name) as (system, path):
                system.pipe_file(path, data)
        except FileNotFoundError as error:  # there is no such bucket
            raise _unusable(error) from error
        return
    target = folder / name
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as temporary:
        fresh = Path(temporary) / "file"
        fresh.write_bytes(data)
        os.replace(fresh, target)


def read(name: str, largest: int) -> bytes | None:
    """The bytes of a file; None if there is none. StoreError if it can't be read, or has more bytes than `largest`."""
    folder = _folder()
    try:
        if folder is None:
            with _remote(name) as (system, path):
                data = system.cat_file(path, start=0, end=largest + 1)
        else:
            with (folder / name).open("rb") as file:
                data = file.read(largest + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(error) from error
    if len(data) > largest:
        raise StoreError(f"The file '{name}' in the store has more than {largest:,} bytes.")
    return data


def remove(name: str) -> None:
    """Delete a file, or all files below that name; StoreError or OSError as `write`."""
    folder = _folder()
    if folder is None:
        with suppress(FileNotFoundError), _remote(name) as (system, path):
            system.rm(path, recursive=True)
    elif (folder / name).is_dir():
        shutil.rmtree(folder / name)
    else:
        (folder / name).unlink(missing_ok=True)


def local_path(name: str, largest: int, *, fresh: bool = False) -> Path | None:
    """Where a file is on this machine: itself, or a copy. None if there is none.

    Args:
        name: of the file.
        largest: bytes that it may have.
        fresh: ask the store, even if it was asked just now.

    Raises:
        StoreError: if the store can't be used and there is no copy, or the file is too large.
    """
    folder = _folder()
    if folder is not None:
        return folder / name if os.path.isfile(folder / name) else None
    key = f"{address()} {name}"
    known = _copies.get(key)
    if known and not fresh and time.monotonic() - known.checked < CHECK_EVERY:
        return known.path
    try:
        with _remote(name) as (system, path):
            version = system.ukey(path)
    except FileNotFoundError:
        return None
    except StoreError:
        if known and not fresh:
            return known.path  # whoever has the model open goes on with it
        raise
    if known is None or known.version != version:
        data = read(name, largest)
        if data is None:
            return None
        target = _copies_folder() / version[:32] / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, delete=False) as file:
            file.write(data)
        os.replace(file.name, target)
        known = _Copy(target, version, len(data), 0.0)
    with _lock:
        _copies[key] = known._replace(checked=time.monotonic())
        _copies.move_to_end(key)
        while sum(each.size for each in _copies.values()) > MOST_COPIES and len(_copies) > 1:
            _copies.popitem(last=False)[1].path.unlink(missing_ok=True)
    return known.path


@functools.cache
def _copies_folder() -> Path:
    """A temporary folder of this process."""
    made = Path(tempfile.mkdtemp(prefix="lstm-lab-store-"))
    atexit.register(shutil.rmtree, made, ignore_errors=True)
    return made
