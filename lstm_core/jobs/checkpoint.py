"""How far a run has come, in the store: the worker that takes it over goes on from there."""

from __future__ import annotations

import io
import logging
import zipfile
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import msgpack
import numpy as np

from lstm_core import storage
from lstm_core.arrays import Array
from lstm_core.jobs.job import plain

log = logging.getLogger("lstm_lab.jobs")

LARGEST = 512 * 2**20  # bytes of one part


def folder_of(identity: str) -> str:
    """Where a run's files are in the store."""
    return f"runs/{identity}"


class Checkpoint:
    """What is kept of one run. A store that can't be used costs the run no more than its checkpoint."""

    def __init__(self, identity: str, note: Callable[[str], Any] = lambda what: None) -> None:
        """`note` is called with "written" or "read" each time something was."""
        self._folder, self._note = folder_of(identity), note

    def write(self, part: str, state: dict[str, Any], arrays: Sequence[Array] = ()) -> None:
        """Keep a part of the run: plain values and arrays, in place of what was kept of it."""
        out = io.BytesIO()
        np.savez(out, *arrays, state=np.frombuffer(msgpack.packb(state, default=plain), np.uint8))
        try:
            storage.write(f"{self._folder}/{part}", out.getvalue())
        except (OSError, storage.StoreError) as error:
            log.warning("no checkpoint (%s)", error)
        else:
            self._note("written")

    def read(self, part: str) -> tuple[dict[str, Any], list[Array]] | None:
        """What was kept of a part; None if nothing was, or it can't be read."""
        try:
            found = storage.read(f"{self._folder}/{part}", LARGEST)
            if found is None:
                return None
            with np.load(io.BytesIO(found), allow_pickle=False) as file:
                arrays = [file[f"arr_{number}"] for number in range(len(file.files) - 1)]
                state = msgpack.unpackb(file["state"].tobytes(), strict_map_key=False)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:  # a LabError is a ValueError
            log.warning("the checkpoint can't be read (%s)", error)
            return None
        self._note("read")
        return state, arrays

    def forget(self) -> None:
        """Delete all that was kept."""
        with suppress(OSError, storage.StoreError):
            storage.remove(self._folder)
